"""Throughput against the number of ranks."""

from dataclasses import dataclass

import numpy as np

from cnnlab.bench.paired import Rates
from cnnlab.bench.steps import Turn


@dataclass(frozen=True)
class Curve:
    """What each number of ranks did in each round; every rank computes `batch_size` images a step (weak scaling)."""

    batch_size: int
    turns: dict[int, list[Turn]]

    def add(self, ranks: int, turn: Turn) -> None:
        """A round's."""
        self.turns[ranks].append(turn)

    def rates(self) -> Rates:
        """Images a second of all ranks together."""
        return Rates({str(n): [n * self.batch_size / turn.step for turn in turns] for n, turns in self.turns.items()})

    def speedup(self, ranks: int) -> float:
        """Over one rank; `ranks` would be ideal."""
        return self.rates().ratio(str(ranks), "1")

    def all_reduce_share(self, ranks: int) -> float:
        """How much of a step is the sum of gradients, without what hides behind backward; 0 with one rank."""
        if ranks == 1:
            return 0.0
        shares = [1 - turn.lone_step / turn.step for turn in self.turns[ranks]]
        return max(0.0, float(np.median(shares)))

    def all_reduce_seconds(self, ranks: int) -> float:
        """Of the gradients' bytes, with nothing else going on."""
        return float(np.median([turn.all_reduce for turn in self.turns[ranks]]))

    def compute_seconds(self) -> float:
        """A step's, on one rank."""
        return float(np.median([turn.step for turn in self.turns[1]]))
