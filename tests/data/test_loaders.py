from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from lightning import LightningModule, Trainer
from test_datamodule import SETTINGS as SHAPE

from cnnlab.data.datamodule import ImageData
from cnnlab.data.dataset import Batched
from cnnlab.data.digits import Digits
from cnnlab.data.synthetic import Synthetic

SETTINGS: dict[str, Any] = {
    **SHAPE,
    "source": Synthetic(num_classes=4, channels=3, image_size=8, train_images=80, test_images=20, seed=0),
}


def ready(stage: str = "fit", **changed: Any) -> ImageData:
    data = ImageData(**{**SETTINGS, **changed})
    data.setup(stage)
    return data


def flips_and_crops() -> list[Any]:
    import albumentations

    return [albumentations.Pad(2), albumentations.RandomCrop(8, 8), albumentations.HorizontalFlip()]


def on_rank(data: ImageData, rank: int, world_size: int) -> ImageData:
    data.trainer = cast("Trainer", SimpleNamespace(global_rank=rank, world_size=world_size))
    return data


def epochs(data: ImageData, count: int) -> Iterator[Batched]:
    """Training batches of several epochs from one loader, as Lightning runs them."""
    loader = data.train_dataloader()
    for epoch in range(count):
        cast("Any", loader.sampler).set_epoch(epoch)
        yield from loader


def by_position(*batches: Batched) -> list[tuple[int, bytes]]:
    """Positions and images, whatever batch they came in."""
    return sorted(
        (int(at), image.numpy().tobytes())
        for images, _, where in batches
        for image, at in zip(images, where, strict=True)
    )


def test_evaluation_sees_every_image_once_as_it_is() -> None:
    data = ready(transforms=flips_and_crops())
    expected = np.asarray(data.sets["val"].images).transpose(0, 3, 1, 2)
    assert np.array_equal(torch.cat([images for images, _, _ in data.val_dataloader()]).numpy(), expected)


def test_test_images_come_with_their_labels_in_order() -> None:
    data = ready(stage="test")
    assert torch.cat([labels for _, labels, _ in data.test_dataloader()]).tolist() == data.sets["test"].labels.tolist()


def test_digits_are_fed_at_the_networks_size() -> None:
    data = ready(source=Digits(0.2, 0), num_classes=10, in_channels=1, image_size=32, mean=[0.3], std=[0.4])
    assert next(iter(data.train_dataloader()))[0].shape == (12, 1, 32, 32)


@pytest.mark.parametrize("policy", [[], flips_and_crops])
def test_workers_do_not_change_the_batches(policy: Any) -> None:
    transforms = policy and policy()
    alone = list(epochs(ready(transforms=transforms), 3))
    shared = list(epochs(ready(transforms=transforms, num_workers=2), 3))
    assert len(alone) == len(shared) == 15
    assert all(
        torch.equal(a, b) for one, other in zip(alone, shared, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_workers_started_anew_in_a_later_epoch_do_not_change_the_batches() -> None:
    last = list(epochs(ready(transforms=flips_and_crops()), 2))[5:]
    loader = ready(transforms=flips_and_crops(), num_workers=2).train_dataloader()
    cast("Any", loader.sampler).set_epoch(1)
    assert by_position(*loader) == by_position(*last)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_together_train_on_what_one_process_does(world_size: int) -> None:
    transforms = flips_and_crops()
    ranks = [list(epochs(on_rank(ready(transforms=transforms), rank, world_size), 1)) for rank in range(world_size)]
    for step, batch in enumerate(epochs(ready(transforms=transforms), 1)):
        assert by_position(batch) == by_position(*[rank[step] for rank in ranks])


def test_augmentation_differs_between_epochs() -> None:
    data = ready(transforms=flips_and_crops())
    batches = list(epochs(data, 2))
    first, second = by_position(*batches[:5]), by_position(*batches[5:])
    assert len(set(first) & set(second)) < len(first) / 4


def test_augmentation_leaves_the_images_in_memory_as_they_were() -> None:
    data = ready(transforms=flips_and_crops())
    list(epochs(data, 1))
    assert np.array_equal(np.asarray(data.sets["train"].images), np.asarray(ready().sets["train"].images))


def test_images_are_normalised_channel_by_channel() -> None:
    images = torch.tensor([[0, 255], [51, 102], [128, 1]], dtype=torch.uint8).view(1, 3, 1, 2)
    expected = [[-2.0, 2.0], [(0.2 - 0.4) / 0.5, 0.0], [128 / 255 - 0.3, 1 / 255 - 0.3]]
    normalised = ImageData(**SETTINGS).normalize(images)
    assert normalised.dtype == torch.float32
    torch.testing.assert_close(normalised.view(3, 2), torch.tensor(expected))


def test_labels_and_positions_are_not_normalised() -> None:
    data = ready()
    batch = next(iter(data.train_dataloader()))
    images, labels, where = data.on_after_batch_transfer(batch, 0)
    assert torch.equal(images, data.normalize(batch[0]))
    assert (labels is batch[1], where is batch[2]) == (True, True)


class Watcher(LightningModule):
    """Learns nothing and notes the positions."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.seen: list[list[int]] = []

    def training_step(self, batch: Batched) -> None:
        self.seen.append(batch[2].tolist())

    def validation_step(self, batch: Batched) -> None:
        """Lightning wants one where there is a validation set."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([self.unused])


def fitted(data: ImageData, max_epochs: int) -> list[list[int]]:
    watcher = Watcher()
    quiet: dict[str, Any] = {
        "logger": False,
        "limit_val_batches": 0,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    Trainer(max_epochs=max_epochs, accelerator="cpu", enable_checkpointing=False, **quiet).fit(watcher, data)
    return watcher.seen


@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # Lightning 2.6 with torch 2.13
def test_lightning_gives_each_epoch_its_own_order() -> None:
    seen = fitted(ImageData(**SETTINGS), max_epochs=2)
    assert seen == [where.tolist() for _, _, where in epochs(ready(), 2)]
    assert seen[:5] != seen[5:]
