"""Paired measurements: all contenders take turns, so that a slow moment of the machine hits all of them."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cnnlab.track import Item, tracked

Contender = Callable[[], int]  # does some work, and says how much


@dataclass(frozen=True)
class Rates:
    """What contenders did a second, in each round."""

    rates: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Of the rounds."""
        return float(np.median(self.rates[name]))

    def ratio(self, name: str, baseline: str) -> float:
        """The median of the rounds' ratios."""
        return float(np.median(np.divide(self.rates[name], self.rates[baseline])))


def in_turns(contenders: Iterable[Item], rounds: int) -> Iterator[Item]:
    """Each once a round, forwards and backwards in turn, with their progress shown."""
    turns = all_turns(contenders, rounds)
    return tracked(turns, len(turns), "measuring")


def all_turns(contenders: Iterable[Item], rounds: int) -> list[Item]:
    """The same at once."""
    order = list(contenders)
    return [who for n in range(rounds) for who in (order if n % 2 == 0 else order[::-1])]


def take_turns(contenders: dict[str, Contender], rounds: int, warm_up: bool = True, shown: bool = True) -> Rates:
    """Runs each contender once to warm up, then once a round, forwards and backwards in turn.

    shown: with a bar; not where there is one already.
    """
    for work in contenders.values() if warm_up else ():
        work()
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for name in (in_turns if shown else all_turns)(contenders, rounds):
        begun = time.perf_counter()
        done = contenders[name]()
        rates[name].append(done / (time.perf_counter() - begun))
    return Rates(rates)
