"""Which images make up which batch, on which process: a function of seed, epoch and rank, of nothing else."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

Batch = tuple[int, NDArray[np.int64]]  # the epoch, and positions in the set


class Batches(Sampler[Batch]):
    """Global batches, of which each process takes every world_size-th image.

    In training the order is a permutation drawn from (seed, epoch), and an incomplete last batch is left out (each
    epoch another one). In evaluation every image comes exactly once, at any world size.
    """

    def __init__(self, length: int, batch_size: int, seed: int, train: bool, rank: int, world_size: int) -> None:
        self.length = length
        self.batch_size = batch_size
        self.seed = seed
        self.train = train
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length // self.batch_size if self.train else -(-self.length // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = np.arange(self.length)
        if self.train:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        for batch in range(len(self)):
            positions = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            yield self.epoch, positions[self.rank :: self.world_size]
