"""What can be said of a number that has a value of its own in most cells, as a random search draws them."""

from collections.abc import Sequence

from scipy.stats import spearmanr
from statsmodels.stats.multitest import multipletests

from cnnlab.report.conditions import ALPHA
from cnnlab.report.content import Condition
from cnnlab.report.factors import Factors

FEWEST = 5  # conditions


def drawn(metric: str, conditions: Sequence[Condition], factors: Factors) -> list[str]:
    """Their rank correlations with the metric, over conditions (Spearman, p after Holm's correction for all)."""
    found: list[tuple[str, int, float, float]] = []
    for name in filter(factors.is_drawn, factors.levels):
        pairs = [(float(one["levels"][name]), one["mean"]) for one in conditions if one["mean"] is not None]
        varied = all(len(set(values)) > 1 for values in zip(*pairs, strict=True))
        if len(pairs) >= FEWEST and varied:
            of = spearmanr(*zip(*pairs, strict=True))
            found.append((name, len(pairs), float(of.statistic), float(of.pvalue)))
    if not found:
        return []
    corrected = multipletests([p for *_, p in found], method="holm")[1].tolist()
    return [
        f"{name}: too many values to compare one with another; {_trend(rho, p)} of {metric} with it "
        f"(rank correlation {rho:+.2f}, p = {p:.2g}, {n} conditions)."
        for (name, n, rho, _), p in zip(found, corrected, strict=True)
    ]


def _trend(rho: float, p: float) -> str:
    if p >= ALPHA:
        return "no trend is shown"
    return "a rise" if rho > 0 else "a fall"
