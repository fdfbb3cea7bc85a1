"""The figures of a benchmark that a reader wants first, and that are watched from one version to the next."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Headline:
    """A figure of cnnlab's, and its ratio to that of somebody else, who was measured in the same turns."""

    what: str
    value: float
    unit: str
    to: str  # whose figure the ratio is to
    ratio: float
    better: Literal["lower", "higher"]  # of the ratio
    n: int  # rounds

    def json(self) -> dict[str, Any]:
        """As bench.json has it."""
        return asdict(self)

    def worse_than(self, before: "Headline") -> float:
        """How much worse its ratio is, as a share of what it was: 0.2 is a fifth; negative if it is better."""
        times = self.ratio / before.ratio if self.better == "lower" else before.ratio / self.ratio
        return times - 1
