"""What Lightning iterates over: batches in order, from this process or from workers."""

import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from cnnlab.data.batches import Batch, EvaluationBatches, TrainBatches
from cnnlab.data.workers import Batched
from cnnlab.errors import UserError

Batches = TrainBatches | EvaluationBatches
LONGEST_TEMPORARY = 75  # a socket's path has 107 at most; beyond, data would be waited for for ever
BYTES_AT_ONCE = 4 * 2**20  # of images that a worker hands over together


class Feed:
    """Batches of a data set that is indexed by whole batches; `sampler` says which, and has the epoch.

    Workers hand over several small batches at once: what a hand-over costs (0.2 to 0.6 ms a tensor) does not depend on
    how much it is. bytes_a_batch: of its images.
    """

    batch_sampler = None  # Lightning asks for it where there is a sampler

    def __init__(
        self, dataset: Dataset[Batched], sampler: Batches, workers: int, bytes_a_batch: int, pin: bool
    ) -> None:
        if workers and len(folder := tempfile.gettempdir()) > LONGEST_TEMPORARY:
            raise UserError(
                f"TMPDIR={folder} is too long a path for the sockets of data workers: at most {LONGEST_TEMPORARY} "
                "characters. Set TMPDIR to a shorter one, or take datamodule.num_workers=0"
            )
        self.dataset = dataset
        self.sampler = sampler
        fair = len(sampler) // (4 * workers) if workers else 1  # each worker gets its share even of a short epoch
        self.loader: DataLoader[Any] = DataLoader(
            Together(dataset),
            batch_size=None,
            sampler=InGroups(sampler, max(1, min(BYTES_AT_ONCE // max(1, bytes_a_batch), fair))),
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=pin,
            worker_init_fn=alone,
        )

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[Batched]:
        if not self.loader.num_workers:
            yield from (self.dataset[batch] for batch in self.sampler)
            return
        for group in self.loader:
            if isinstance(group, UserError):
                raise group
            sizes, *columns = group
            yield from zip(*(column.split(sizes) for column in columns), strict=True)


def alone(_: int) -> None:
    """A worker's OpenCV keeps to one thread, as its torch does: the others have cores of their own to use."""
    if cv2 := sys.modules.get("cv2"):
        cv2.setNumThreads(0)


class InGroups(Sampler[list[Batch]]):
    """A sampler's batches, so many at a time."""

    def __init__(self, sampler: Batches, count: int) -> None:
        self.sampler = sampler
        self.count = count

    def __len__(self) -> int:
        return -(-len(self.sampler) // self.count)

    def __iter__(self) -> Iterator[list[Batch]]:
        batches = iter(self.sampler)
        while group := list(islice(batches, self.count)):
            yield group


class Together(Dataset[tuple[list[int], Tensor, Tensor, Tensor] | UserError]):
    """Several batches of an epoch as one, and how many images each of them has."""

    def __init__(self, dataset: Dataset[Batched]) -> None:
        self.dataset = dataset

    def __getitem__(self, group: list[Batch]) -> tuple[list[int], Tensor, Tensor, Tensor] | UserError:
        positions = np.concatenate([positions for _, positions in group])
        try:
            return [len(positions) for _, positions in group], *self.dataset[group[0][0], positions]
        except UserError as error:
            return error  # torch would wrap a worker's in its traceback
