"""Trained weights in torchvision's format: fetched, matched by order and shape, loaded."""

import hashlib
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from http.client import HTTPException
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from cnnlab.errors import UserError
from cnnlab.models.stages import heads

Named = tuple[str, Tensor]
ORIGIN = "https://download.pytorch.org/models/"  # of all that is fetched


def load(net: nn.Module, weights: str, addresses: dict[str, str], norm: str) -> str:
    """Fills a network from a file, or for 'imagenet' from the address that goes with its norm; says what it did.

    Order and shape decide; of names only the endings (weight, bias, ...) and, for auxiliary heads, a beginning of aux.
    Biases that a norm makes useless go into its running mean. A head for another number of classes keeps its fresh
    weights, and auxiliary heads are left out where the network has none.

    Raises:
        UserError: the file cannot be had or read, or does not fit; every tensor that does not is named.
    """
    if weights == "imagenet" and getattr(net, "stem", "imagenet") != "imagenet":
        raise UserError(
            "model.weights=imagenet is for networks with the imagenet stem, which small images do not get by "
            "themselves: datamodule.image_size=224"
        )
    state = fetched(addresses[norm]) if weights == "imagenet" else read(Path(weights))
    ours = [(name, tensor) for name, tensor in net.state_dict().items() if _counts(name)]
    theirs = without_idle_biases([(name, tensor) for name, tensor in state.items() if _counts(name)])
    new_heads = {id(parameter) for head in heads(net) for parameter in head.parameters()}
    fresh = [name for name, parameter in net.named_parameters() if id(parameter) in new_heads]
    pairs, problems = match(_main(ours), _main(theirs), fresh)
    if any(_auxiliary(name) for name, _ in ours):
        more, worse = match(_aux(ours), _aux(theirs), fresh)
        pairs, problems = pairs + more, problems + worse
    if problems:
        raise UserError(f"model.weights={weights} does not fit this network:\n  " + "\n  ".join(problems))
    with torch.no_grad():
        for (_, into), (_, values) in pairs:
            into.copy_(values)
    new = " and a new output layer, for another number of classes" if len(pairs) < len(ours) else ""
    return f"{len(pairs)} tensors from {weights}{new}"


def fetched(address: str) -> dict[str, Tensor]:
    """A state dict from the network, or from torch.hub's cache; its hash is part of its name and is checked.

    Raises:
        UserError: there is no way to the address, or what came is not what was meant.
    """
    if not address.startswith(ORIGIN):
        raise UserError(
            f"model.weights=imagenet: {address} is not below {ORIGIN}. Give a file instead: model.weights=..."
        )
    name = address.rsplit("/", 1)[-1]
    place = Path(torch.hub.get_dir(), "checkpoints", name)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(address, str(place), prefix_of(name))
        except (URLError, HTTPException, RuntimeError, OSError) as error:
            raise UserError(
                f"model.weights=imagenet: {address}: {error}. Without a network put it at {place}"
            ) from error
    with place.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(prefix_of(name)):
        raise UserError(f"model.weights=imagenet: {place} is damaged: its hash is {digest[:8]}. Delete it")
    return read(place)


def prefix_of(name: str) -> str:
    """The hash in the name of a file: resnet18-f37072fd.pth -> f37072fd."""
    return Path(name).stem.rsplit("-", 1)[-1]


def read(path: Path) -> dict[str, Tensor]:
    """A state dict from a file, or the network's part of a checkpoint of ours; nothing in it is executed.

    Raises:
        UserError: it is not a file of finite tensors by name.
    """
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch makes of a file that is something else
        raise UserError(
            f"model.weights={path} is not a state dict of tensors alone ({type(error).__name__})"
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
        if ours := {name.removeprefix("net."): t for name, t in state.items() if name.startswith("net.")}:
            state = ours
    named = isinstance(state, dict) and state and all(isinstance(name, str) for name in state)
    if not (named and all(map(_is_plain, state.values()))):
        raise UserError(f"model.weights={path} holds something else than tensors by name")
    if broken := [name for name, tensor in state.items() if not tensor.isfinite().all()]:
        raise UserError(f"model.weights={path}: {broken[0]} is not finite")
    wrapped = all(name.startswith("module.") for name in state)  # by DistributedDataParallel
    return {name.removeprefix("module.") if wrapped else name: tensor for name, tensor in state.items()}


def _is_plain(value: Any) -> bool:
    """A tensor that has its real numbers in memory."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not (value.is_complex() or value.is_quantized)
    )


def match(
    ours: Sequence[Named], theirs: Sequence[Named], fresh: Iterable[str]
) -> tuple[list[tuple[Named, Named]], list[str]]:
    """Pairs of tensors, and what does not fit; those named in `fresh` may differ in shape and are then left out."""
    pairs: list[tuple[Named, Named]] = []
    problems: list[str] = []
    for mine, other in aligned(ours, theirs):
        if mine and other and _key(mine) == _key(other):
            pairs.append((mine, other))
        elif not (
            mine
            and other
            and mine[0] in fresh
            and _key(mine)[0] == _key(other)[0]
            and mine[1].shape[1:] == other[1].shape[1:]
        ):
            here = f"{mine[0]} {list(mine[1].shape)}" if mine else "nothing"
            there = f"{other[0]} {list(other[1].shape)}" if other else "nothing"
            problems.append(f"{here} here, {there} in the file")
    return pairs, problems


def aligned(ours: Sequence[Named], theirs: Sequence[Named]) -> Iterable[tuple[Named | None, Named | None]]:
    """Side by side in order; where one has more, gaps are put where they explain most."""
    if len(ours) == len(theirs):
        yield from zip(ours, theirs, strict=True)
        return
    steps = SequenceMatcher(None, [_key(t) for t in ours], [_key(t) for t in theirs], autojunk=False).get_opcodes()
    for _, i1, i2, j1, j2 in steps:
        yield from zip_longest(ours[i1:i2], theirs[j1:j2])


def without_idle_biases(tensors: list[Named]) -> list[Named]:
    """A convolution's bias before a norm only shifts what the norm subtracts again: its running mean."""
    kept: list[Named] = []
    shift: Tensor | None = None
    for position, (name, tensor) in enumerate(tensors):
        before, after = tensors[position - 1][1], [_leaf(later) for later, _ in tensors[position + 1 : position + 4]]
        if _leaf(name) == "bias" and before.ndim == 4 and after == ["weight", "bias", "running_mean"]:
            shift = tensor
        elif _leaf(name) == "running_mean" and shift is not None:
            kept.append((name, tensor - shift))
            shift = None
        else:
            kept.append((name, tensor))
    return kept


def _leaf(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _key(named: Named) -> tuple[str, tuple[int, ...]]:
    return _leaf(named[0]), tuple(named[1].shape)


def _but_for_classes(named: Named) -> tuple[str, tuple[int, ...]]:
    return _leaf(named[0]), tuple(named[1].shape[1:])


def _counts(name: str) -> bool:
    return _leaf(name) != "num_batches_tracked"


def _auxiliary(name: str) -> bool:
    return name.lower().startswith("aux")


def _main(tensors: list[Named]) -> list[Named]:
    return [named for named in tensors if not _auxiliary(named[0])]


def _aux(tensors: list[Named]) -> list[Named]:
    return [named for named in tensors if _auxiliary(named[0])]
