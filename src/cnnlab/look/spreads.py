"""How large activations and gradients are in each stage: histograms of their sizes, in decades."""

import copy
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnlab.atomic import whole
from cnnlab.errors import UserError
from cnnlab.look.passing import passed, with_weights
from cnnlab.losses import Objective
from cnnlab.mixing import Targets

RECORD = "distributions.npz"  # in the run's folder of pictures
LOW, HIGH, BINS = -12.0, 6.0, 180  # log10 of sizes; what is smaller counts as 0
CENTRES = LOW + (np.arange(BINS) + 0.5) * (HIGH - LOW) / BINS
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Spreads:
    """Of stages that learn, in order: counts [L, 1 + BINS] of values, the first of those that are 0."""

    names: tuple[str, ...]
    activations: Counts
    gradients: Counts


def measured(net: nn.Module, objective: Objective, images: Tensor, labels: Tensor) -> Spreads:
    """Of a batch, as in a step of training (norms take the batch's statistics); the network is left as it is.

    Gradients are those of the objective by the stages' outputs (Glorot and Bengio, 2010, figures 6 and 7).
    """
    net = copy.deepcopy(net)
    with torch.no_grad():
        _, in_evaluation = passed(net.eval(), images)
    kept = {id(one.stage) for one in in_evaluation}  # auxiliary heads apart
    with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
        torch.manual_seed(0)
        outputs, those = passed(net.train(), images.requires_grad_())
    those = [one for one in with_weights(those) if id(one.stage) in kept]
    loss, *_ = objective(outputs, Targets(labels))
    gradients = torch.autograd.grad(loss, [one.output for one in those], allow_unused=True)
    images.requires_grad_(False)
    return Spreads(
        tuple(one.name for one in those),
        np.stack([histogram(one.output) for one in those]),
        np.stack([histogram(torch.zeros(1) if one is None else one) for one in gradients]),
    )


def histogram(values: Tensor) -> Counts:
    """How many are 0, and how many there are of each size."""
    sizes = values.detach().float().abs().flatten().cpu()
    zero = sizes < 10**LOW
    logs = sizes[~zero].log10().clamp(LOW, HIGH)
    counts = torch.histc(logs, BINS, LOW, HIGH).long()
    return torch.cat([zero.sum().view(1), counts]).numpy()


def middle(counts: Counts) -> float:
    """log10 of the median size of what is not 0; not a number where all is."""
    until = np.concatenate([[0], counts[1:].cumsum()])
    edges = np.linspace(LOW, HIGH, BINS + 1)
    at = int(np.searchsorted(until, until[-1] / 2))  # the first edge below which half of them lie
    if not until[-1]:
        return float("nan")
    return float(np.interp(until[-1] / 2, until[at - 1 : at + 1], edges[at - 1 : at + 1]))


def zeros(counts: Counts) -> float:
    """The share of values that are 0."""
    return float(counts[0] / max(counts.sum(), 1))


@dataclass(frozen=True)
class History:
    """Spreads after so many epochs, in ascending order."""

    epochs: list[int]
    spreads: list[Spreads]

    def with_one(self, epochs: int, now: Spreads) -> "History":
        """Those before, and this one: a run that goes on has seen it perhaps."""
        before = [pair for pair in zip(self.epochs, self.spreads, strict=True) if pair[0] < epochs]
        pairs = [*before, (epochs, now)]
        return History([epoch for epoch, _ in pairs], [one for _, one in pairs])

    def write(self, file: Path) -> None:
        """Whole or not at all."""
        with whole(file) as partial:
            np.savez_compressed(
                partial,
                epochs=np.array(self.epochs),
                names=np.array(self.spreads[0].names),
                activations=np.stack([one.activations for one in self.spreads]),
                gradients=np.stack([one.gradients for one in self.spreads]),
            )


def read_history(file: Path) -> History:
    """What was recorded until now, if anything.

    Raises:
        UserError: the file is damaged.
    """
    if not file.exists():
        return History([], [])
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as saved:
            names = tuple(map(str, saved["names"]))
            both = zip(saved["activations"], saved["gradients"], strict=True)
            return History([int(epoch) for epoch in saved["epochs"]], [Spreads(names, *pair) for pair in both])
    except (BadZipFile, OSError, ValueError, LookupError, EOFError) as error:
        raise UserError(f"{file} cannot be read ({error}); delete it") from error
