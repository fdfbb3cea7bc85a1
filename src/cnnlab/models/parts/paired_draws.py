"""Initial weights that pair: networks of one seed that differ somewhere begin with the same weights elsewhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

_optional: ContextVar[bool] = ContextVar("optional", default=False)


@contextmanager
def optional_weights() -> Iterator[None]:
    """Weights drawn inside are counted apart: the others of their shape are the same with and without them."""
    token = _optional.set(True)
    try:
        yield
    finally:
        _optional.reset(token)


class PairedDraws(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Inside, what is drawn for the n-th weight of a shape depends on (seed, shape, n) alone.

    A bias more or another layer's norm thus changes no weight of another shape. A weight that is drawn twice, as by a
    torch layer's constructor and then by ours, counts once. Tensors that are no weights are counted apart, since inits
    may draw any number of them. What is drawn is left as it is: before each draw the CPU's generator gets a new seed.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seed = seed
        self.counts: Counter[tuple[Any, ...]] = Counter()
        self.drawn = WeakTensorKeyDictionary()  # how often, and the key, of each tensor

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            seed = hash(self._key(args[0]))  # of numbers only, so that it is the same in each process
            torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 1.6 ms
        return func(*args, **(kwargs or {}))

    def _key(self, what: Any) -> tuple[Any, ...]:
        """what: the tensor that is filled, or the shape of a new one."""
        if not isinstance(what, Tensor):
            return self._numbered(tuple(what) if isinstance(what, Sequence) else (what,), False)
        if what not in self.drawn:
            self.drawn[what] = 0, self._numbered(tuple(what.shape), isinstance(what, nn.Parameter))
        times, key = self.drawn[what]
        self.drawn[what] = times + 1, key
        return *key, times

    def _numbered(self, shape: tuple[int, ...], weight: bool) -> tuple[Any, ...]:
        kind = self.seed, weight, _optional.get(), shape
        self.counts[kind] += 1
        return *kind, self.counts[kind]
