"""Which images make up which batch, on which process: a function of seed, epoch and rank, of nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from cnnlab.data.limits import limited
from cnnlab.data.source import Stage

Batch = tuple[int, NDArray[np.int64]]  # the epoch, and positions in the set
NOTHING = np.empty(0, np.int64)


class TrainBatches(Sampler[Batch]):
    """Global batches, of which each process takes every world_size-th image, in `pieces` parts one after another.

    The order is a permutation drawn from (seed, epoch), and an incomplete last batch is left out (each epoch another
    one). limit: see `limited`.
    """

    def __init__(
        self, length: int, batch_size: int, seed: int, limit: float, pieces: int, rank: int, world_size: int
    ) -> None:
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.batches = limited(length // batch_size, limit)
        self.pieces = pieces
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        self.skip = 0  # batches of this epoch that were trained before

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch
        self.skip = 0

    def __len__(self) -> int:
        return self.batches * self.pieces

    def __iter__(self) -> Iterator[Batch]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        for batch in range(self.skip, self.batches):
            mine = order[batch * self.batch_size : (batch + 1) * self.batch_size][self.rank :: self.world_size]
            for piece in np.split(mine, self.pieces) if self.pieces > 1 else (mine,):
                yield self.epoch, piece


class EvaluationBatches(Sampler[Batch]):
    """Every image exactly once at any world size, in the same batches, of which each process takes whole ones.

    limit: see `limited`; it counts batches of `limit_unit` images, so that it means the same images at any batch size.
    What a convolution gives for an image can depend, in its last digits, on what else is in the batch; so it does not
    depend on the world size. All processes have as many batches, since DDP's buffers want company: some are empty.
    """

    epoch = 0

    def __init__(self, length: int, batch_size: int, limit: float, limit_unit: int, rank: int, world_size: int) -> None:
        self.length = min(length, limited(-(-length // limit_unit), limit) * limit_unit)
        self.batch_size = batch_size
        self.batches = -(-self.length // batch_size)
        self.rank = rank
        self.world_size = world_size

    def set_epoch(self, epoch: int) -> None:
        """Makes no difference."""

    def __len__(self) -> int:
        return -(-self.batches // self.world_size)

    def __iter__(self) -> Iterator[Batch]:
        for turn in range(len(self)):
            batch = turn * self.world_size + self.rank
            start = batch * self.batch_size
            stop = min(start + self.batch_size, self.length)
            yield self.epoch, np.arange(start, stop) if batch < self.batches else NOTHING


@dataclass(frozen=True)
class Batching:
    """How a run's sets come in batches.

    batch_size: of a step of training, all processes together. eval_batch_size: of one process, at any number of them.
    micro_batches: pieces that a process computes its share of a batch in. limits: of batches, as `limited` has them.
    """

    batch_size: int
    eval_batch_size: int
    micro_batches: int
    limit_train_batches: float
    limit_val_batches: float
    limit_test_batches: float

    def sampler(
        self, stage: Stage, length: int, seed: int, rank: int, world_size: int
    ) -> TrainBatches | EvaluationBatches:
        """The batches of a set of that length, for one process."""
        if stage == "train":
            limit = self.limit_train_batches
            return TrainBatches(length, self.batch_size, seed, limit, self.micro_batches, rank, world_size)
        limit = self.limit_val_batches if stage == "val" else self.limit_test_batches
        return EvaluationBatches(length, self.eval_batch_size, limit, self.batch_size, rank, world_size)

    def images_at_once(self, stage: Stage, world_size: int) -> int:
        """Of one process."""
        return self.batch_size // world_size // self.micro_batches if stage == "train" else self.eval_batch_size
