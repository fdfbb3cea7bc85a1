"""`cnnlab export`: a trained network as a file for other programs, compared with the network, with a model card."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.atomic import whole, write_text
from cnnlab.errors import UserError
from cnnlab.inference.card import card
from cnnlab.inference.evaluate import test_data
from cnnlab.inference.formats import FORMATS, Format
from cnnlab.inference.trained import Trained, load_run
from cnnlab.inference.words import folder, number, one_of, parsed

KEYS = {"run": "", "format": "onnx", "output": "", "preprocess": "false", "images": "64", "tolerance": "1e-3"}


class Normalized(nn.Module):
    """Takes images in 0..1, as files hold them, and normalises them as in training."""

    mean: Tensor
    std: Tensor

    def __init__(self, net: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] in 0..1 -> logits [N, K]."""
        logits: Tensor = self.net((images - self.mean) / self.std)
        return logits


def export(words: Sequence[str]) -> None:
    """Writes the file and the card beside it, and says how far its outputs are from the network's.

    Raises:
        UserError: a word or the run cannot be used, a package is missing, or the outputs are not the network's.
    """
    keys, others = parsed("export", words, KEYS)
    if others:
        raise UserError(f"export {others[0]}: there is no such key. There are: {', '.join(KEYS)}")
    kind = one_of("export", "format", keys["format"], FORMATS)
    preprocess = one_of("export", "preprocess", keys["preprocess"], ("true", "false")) == "true"
    count = number("export", "images", keys["images"])
    tolerance = positive("export", "tolerance", keys["tolerance"])
    trained = load_run(folder("export", keys["run"]))
    made: Format = FORMATS[kind]
    output = Path(keys["output"]) if keys["output"] else trained.folder / "export" / f"model{made.ending}"
    net, images = prepared(trained, count, preprocess)
    with whole(output) as partial:
        made.write(net, images[:2], partial)
        apart = furthest(net, made.load(partial, net), images)
        if not apart <= tolerance:
            raise UserError(
                f"export format={kind}: its outputs are up to {apart:.2g} from the network's on {len(images)} test "
                f"images, more than tolerance={tolerance:g}; nothing was written"
            )
    write_text(output.with_name("README.md"), card(trained, output.name, made, preprocess, apart, len(images)))
    print(f"largest difference of the outputs on {len(images)} test images, in batches of 1 and more: {apart:.2g}")
    print(f"written: {output}, and README.md beside it")


def prepared(trained: Trained, count: int, preprocess: bool) -> tuple[nn.Module, Tensor]:
    """The network as it is exported, and real test images as it takes them."""
    data = test_data(trained.config)
    batches = [batch[0] for batch in data.test_dataloader()]
    pixels = torch.cat(batches)[:count].contiguous()
    if not preprocess:
        return trained.net, data.normalize(pixels)
    of_data: Mapping[str, Any] = trained.config["datamodule"]
    return Normalized(trained.net, of_data["mean"], of_data["std"]).eval(), pixels.float() / 255


def furthest(net: nn.Module, other: Callable[[Tensor], Tensor], images: Tensor) -> float:
    """The largest difference of two networks' outputs, in batches of one, of three, and of all."""
    apart = 0.0
    with torch.inference_mode():
        for size in (1, 3, len(images)):
            some = images[:size]
            apart = max(apart, float((net(some) - other(some)).abs().max()))
    return apart


def positive(command: str, key: str, value: str) -> float:
    """A number above 0.

    Raises:
        UserError: it is none.
    """
    try:
        found = float(value)
    except ValueError:
        found = 0.0
    if not found > 0:
        raise UserError(f"{command} {key}={value}: it must be a number above 0")
    return found
