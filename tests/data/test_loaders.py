import tempfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from lightning import LightningModule, Trainer
from test_datamodule import image_data

from cnnlab.data.augment import Step
from cnnlab.data.datamodule import ImageData
from cnnlab.data.digits import Digits
from cnnlab.data.source import ImageSet
from cnnlab.data.synthetic import Synthetic
from cnnlab.data.workers import Batched
from cnnlab.errors import UserError

SOURCE = Synthetic(num_classes=4, channels=3, image_size=8, train_images=80, test_images=20, seed=0)
STEPS: list[Step] = [
    {"_target_": "albumentations.Pad", "padding": 2},
    {"_target_": "albumentations.RandomCrop", "height": 8, "width": 8},
    {"_target_": "albumentations.HorizontalFlip"},
]
FEEDS = pytest.mark.parametrize("feed", ["device", "workers"])


def ready(stage: str = "fit", source: Any = SOURCE, **changed: Any) -> ImageData:
    data = image_data(source, **changed)
    data.setup(stage)
    return data


def on_rank(data: ImageData, rank: int, world_size: int) -> ImageData:
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    data.trainer = cast(
        "Trainer", SimpleNamespace(global_rank=rank, world_size=world_size, num_devices=world_size, strategy=strategy)
    )
    return data


def epochs(data: ImageData, count: int) -> Iterator[Batched]:
    """Training batches of several epochs from one loader, as Lightning runs them."""
    loader = data.train_dataloader()
    for epoch in range(count):
        loader.sampler.set_epoch(epoch)
        yield from loader


def by_position(*batches: Batched) -> list[tuple[int, bytes]]:
    """Positions and images, whatever batch they came in."""
    return sorted(
        (int(at), image.numpy().tobytes())
        for images, _, where in batches
        for image, at in zip(images, where, strict=True)
    )


@FEEDS
def test_evaluation_sees_every_image_once_as_it_is(feed: str) -> None:
    data = ready(steps=STEPS, feed=feed)
    expected = np.asarray(data.sets["val"].images).transpose(0, 3, 1, 2)
    assert np.array_equal(torch.cat([images for images, _, _ in data.val_dataloader()]).numpy(), expected)


@FEEDS
def test_test_images_come_with_their_labels_in_order(feed: str) -> None:
    data = ready(stage="test", feed=feed)
    assert torch.cat([labels for _, labels, _ in data.test_dataloader()]).tolist() == data.sets["test"].labels.tolist()


@FEEDS
def test_digits_are_fed_at_the_networks_size(feed: str) -> None:
    data = ready(source=Digits(0.2, 0), feed=feed, num_classes=10, in_channels=1, image_size=32, mean=[0.3], std=[0.4])
    assert next(iter(data.train_dataloader()))[0].shape == (12, 1, 32, 32)


@pytest.mark.parametrize("steps", [[], STEPS])
def test_workers_do_not_change_the_batches(steps: list[Step]) -> None:
    alone = list(epochs(ready(steps=steps, feed="workers"), 3))
    shared = list(epochs(ready(steps=steps, feed="workers", num_workers=2), 3))
    assert len(alone) == len(shared) == 15
    assert all(
        torch.equal(a, b) for one, other in zip(alone, shared, strict=True) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("feed", [{"feed": "device"}, {"feed": "workers"}, {"feed": "workers", "num_workers": 2}])
def test_a_run_that_goes_on_in_a_later_epoch_sees_the_same_batches(feed: dict[str, Any]) -> None:
    last = list(epochs(ready(steps=STEPS, **feed), 2))[5:]
    loader = ready(steps=STEPS, **feed).train_dataloader()
    loader.sampler.set_epoch(1)
    assert by_position(*loader) == by_position(*last)


@FEEDS
@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_together_train_on_what_one_process_does(world_size: int, feed: str) -> None:
    def batches(rank: int, world_size: int) -> list[Batched]:
        return list(epochs(on_rank(ready(steps=STEPS, feed=feed), rank, world_size), 1))

    ranks = [batches(rank, world_size) for rank in range(world_size)]
    for step, batch in enumerate(epochs(ready(steps=STEPS, feed=feed), 1)):
        assert by_position(batch) == by_position(*[rank[step] for rank in ranks])


@FEEDS
def test_augmentation_differs_between_epochs(feed: str) -> None:
    data = ready(steps=STEPS, feed=feed)
    batches = list(epochs(data, 2))
    first, second = by_position(*batches[:5]), by_position(*batches[5:])
    assert len(set(first) & set(second)) < len(first) / 4


@FEEDS
def test_augmentation_leaves_the_images_in_memory_as_they_were(feed: str) -> None:
    data = ready(steps=STEPS, feed=feed)
    list(epochs(data, 1))
    assert np.array_equal(np.asarray(data.sets["train"].images), np.asarray(ready().sets["train"].images))


def test_images_are_normalised_channel_by_channel() -> None:
    images = torch.tensor([[0, 255], [51, 102], [128, 1]], dtype=torch.uint8).view(1, 3, 1, 2)
    expected = [[-2.0, 2.0], [(0.2 - 0.4) / 0.5, 0.0], [128 / 255 - 0.3, 1 / 255 - 0.3]]
    normalised = image_data(SOURCE).normalize(images)
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
    seen = fitted(image_data(SOURCE), max_epochs=2)
    assert seen == [where.tolist() for _, _, where in epochs(ready(), 2)]
    assert seen[:5] != seen[5:]


@pytest.mark.parametrize(("workers", "world_size"), [(0, 1), (2, 1), (0, 2), (2, 2)])
@FEEDS
def test_every_image_of_every_epoch_is_augmented_anew(workers: int, world_size: int, feed: str) -> None:
    """An image of 64 different pixels can be cropped in 25 places and flipped: 50 outcomes; chance repeats few."""
    one = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4
    source = SimpleNamespace(
        prepare=lambda: None,
        classes=("a", "b"),
        read=lambda stage: None if stage == "val" else ImageSet(np.stack([one] * 200), np.arange(200) % 2),
    )
    shape: dict[str, Any] = {
        "num_classes": 2,
        "in_channels": 1,
        "mean": [0.5],
        "std": [0.5],
        "batch_size": 10,
        "val_fraction": 0.1,
    }
    drawn: dict[int, list[bytes]] = {}
    for rank in range(world_size):
        data = ready(source=source, steps=STEPS, feed=feed, num_workers=workers, **shape)
        for images, _, positions in epochs(on_rank(data, rank, world_size), 4):
            for image, position in zip(images, positions.tolist(), strict=True):
                drawn.setdefault(position, []).append(image.numpy().tobytes())
    assert len(drawn) == 180
    assert all(len(outcomes) == 4 for outcomes in drawn.values())
    everything = [outcome for outcomes in drawn.values() for outcome in outcomes]
    assert len(set(everything)) == 50  # all that there are
    distinct = np.mean([len(set(outcomes)) for outcomes in drawn.values()])
    assert distinct == pytest.approx(50 * (1 - (1 - 1 / 50) ** 4), abs=0.1)  # 3.88, if each is as likely


def test_auto_takes_the_device_where_the_steps_have_a_form_for_batches() -> None:
    data = ready(steps=STEPS)
    data.train_dataloader()
    assert data.feeds == {"train": "device"}


@pytest.mark.parametrize(
    "changed",
    [{"steps": [{"_target_": "albumentations.Rotate"}]}, {"steps": STEPS, "full_image": True}],
    ids=["a step that only albumentations knows", "images as decoded"],
)
def test_auto_takes_workers_where_they_have_none(changed: dict[str, Any]) -> None:
    data = ready(**changed)
    data.train_dataloader()
    assert data.feeds == {"train": "workers"}


class OnDemand:
    """Images that are not in memory."""

    def __len__(self) -> int:
        return 80

    def __getitem__(self, position: int) -> Any:
        return np.full((8, 8, 3), position, np.uint8)


def on_demand() -> Any:
    labels = np.arange(80) % 4
    return SimpleNamespace(read=lambda stage: None if stage == "val" else ImageSet(OnDemand(), labels), classes="abcd")


def test_files_that_fit_are_decoded_once() -> None:
    data = ready(source=on_demand(), steps=STEPS)
    assert len(list(data.train_dataloader())) == 5
    assert data.feeds == {"train": "device"}


@pytest.mark.parametrize(("kib", "feed"), [(60 * 192 / 1024, "device"), (60 * 192 / 1024 - 0.1, "workers")])
def test_auto_takes_workers_for_sets_above_the_limit(kib: float, feed: str) -> None:
    data = ready(source=on_demand(), steps=STEPS, device_mib=kib / 1024)
    data.train_dataloader()
    assert data.feeds == {"train": feed}


def test_what_is_free_at_the_moment_does_not_choose_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnlab.data.datamodule.free_bytes", lambda _: 10)
    with pytest.raises(UserError, match=r"the train set needs .* MiB free for each process: take datamodule.feed=work"):
        ready(source=on_demand(), steps=STEPS).train_dataloader()


def test_a_set_that_grows_by_resizing_counts_as_it_will_be() -> None:
    data = ready(image_size=64, device_mib=0.5)
    data.train_dataloader()
    assert data.feeds == {"train": "workers"}


def test_large_arrays_are_resized_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    once = list(epochs(ready(image_size=16, feed="workers"), 1))
    monkeypatch.setattr("cnnlab.data.resize.LARGE", 100)
    for batch, other in zip(once, epochs(ready(image_size=16, feed="workers"), 1), strict=True):
        assert torch.equal(batch[0], other[0])


@FEEDS
@pytest.mark.parametrize("size", [6, 10])
def test_steps_that_make_another_size_are_an_error(feed: str, size: int) -> None:
    crop = {"_target_": "albumentations.RandomCrop", "height": size, "width": size}
    data = ready(steps=[{"_target_": "albumentations.Pad", "padding": 2}, crop], feed=feed)
    with pytest.raises(UserError, match=f"augment.transforms makes images of {size}x{size}"):
        list(data.train_dataloader())


@pytest.mark.parametrize("step", ["Normalize", "ToFloat"])
@pytest.mark.parametrize("workers", [0, 1])
def test_steps_that_make_no_bytes_are_an_error(step: str, workers: int) -> None:
    data = ready(steps=[{"_target_": f"albumentations.{step}"}], num_workers=workers)
    with pytest.raises(UserError, match=r"^augment.transforms makes images of 8x8x3, float32, where 8x8 bytes"):
        list(data.train_dataloader())


def test_a_step_that_cannot_change_an_image_is_named() -> None:
    data = ready(steps=[{"_target_": "albumentations.RandomCrop", "height": 9, "width": 9}], feed="workers")
    with pytest.raises(UserError, match=r"augment.transforms: RandomCrop cannot change an image of 8x8x3: "):
        list(data.train_dataloader())


def test_the_device_says_why_it_cannot() -> None:
    with pytest.raises(UserError, match=r"datamodule.feed=device cannot do this: albumentations.Rotate has no form"):
        ready(steps=[{"_target_": "albumentations.Rotate"}], feed="device").train_dataloader()


def test_workers_that_hand_over_several_batches_give_each_as_it_is() -> None:
    data = ready(feed="workers", num_workers=2, batch_size=2)
    loader = data.train_dataloader()
    assert len(list(cast("Any", loader.loader.sampler))) < len(loader) == 30
    assert [len(labels) for _, labels, _ in loader] == [2] * 30


def test_a_temporary_folder_whose_path_is_too_long_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "x" * 80)
    with pytest.raises(UserError, match="is too long a path for the sockets of data workers"):
        ready(feed="workers", num_workers=1).train_dataloader()
