"""A study's numbers as tables, sentences and the page write them."""

from collections.abc import Iterable
from math import floor, log10
from statistics import median

from cnnlab.report.content import Condition, Levels, Report


def is_share(metric: str) -> bool:
    """Of images: written in percent."""
    return "accuracy" in metric


def words(metric: str) -> str:
    """'validation accuracy' of 'val/accuracy'."""
    return metric.replace("val/", "validation/").replace("train/", "training/").replace("/", " ").replace("_", " ")


def decimals(metric: str, spreads: Iterable[float | None] = ()) -> int:
    """One of percents, three of others; more if the median standard deviation would be written as 0."""
    least = 1 if is_share(metric) else 3
    known = [_scaled(metric, spread) for spread in spreads if spread]
    return max(least, min(6, -floor(log10(median(known))))) if known else least


def value(metric: str, number: float | None, unit: bool = True, digits: int | None = None) -> str:
    """'93.1 %', or '0.231' of a loss."""
    if number is None:
        return "unknown"
    text = f"{_scaled(metric, number):.{decimals(metric) if digits is None else digits}f}"
    return f"{text} %" if unit and is_share(metric) else text


def difference(metric: str, number: float | None, unit: bool = True, digits: int | None = None) -> str:
    """'-3.1 points', or '+0.012' of a loss; nothing that is rounded to 0 has a sign."""
    if number is None:
        return "unknown"
    text = f"{_scaled(metric, number):+.{decimals(metric) if digits is None else digits}f}"
    text = text if float(text) else text[1:]
    return f"{text} points" if unit and is_share(metric) else text


def mean_and_std(metric: str, condition: Condition, digits: int | None = None) -> str:
    """'93.1 ± 0.3'; of one seed '93.1', of none a dash."""
    if condition["mean"] is None:
        return "\u2013"
    mean = value(metric, condition["mean"], unit=False, digits=digits)
    std = condition["std"]
    return mean if std is None else f"{mean} ± {value(metric, std, unit=False, digits=digits)}"


def seeds(condition: Condition) -> str:
    """'n = 5', 'n = 3 of 5: 1 failed, 1 missing', 'n = 5: 1 diverged'."""
    cells = sum(condition["states"].values())
    others = [f"{count} {state}" for state, count in condition["states"].items() if state != "done" and count]
    counted = f"n = {condition['n']}" + (f" of {cells}" if condition["n"] != cells else "")
    return f"{counted}: {', '.join(others)}" if others else counted


def together(levels: Levels) -> str:
    """'vgg16 · dropout'."""
    return " · ".join(levels.values())


def without_factors(report: Report) -> str:
    """The name of the only condition."""
    return "this run" if report["configuration"] else "all cells"


def energy(joules: float) -> str:
    """'850 J', '12.3 kJ', '4.1 MJ'."""
    for unit, factor in (("MJ", 1e6), ("kJ", 1e3)):
        if joules >= factor:
            return f"{joules / factor:.1f} {unit}"
    return f"{joules:.0f} J"


def _scaled(metric: str, number: float) -> float:
    return 100 * number if is_share(metric) else number
