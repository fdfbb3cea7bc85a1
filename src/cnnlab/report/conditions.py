"""The conditions of a study: their means, spreads and costs, and which of them is best."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import fmean, stdev

from cnnlab.report.cells import WITH_A_VALUE, ReportedCell
from cnnlab.report.content import Condition, Cost
from cnnlab.report.contrasts import Key, Values
from cnnlab.report.factors import Factors
from cnnlab.report.statistics import estimate, holm

ALPHA = 0.05
LOWER_IS_BETTER = ("loss", "error", "objective")
HIGHER_IS_BETTER = ("accuracy", "f1", "precision", "recall", "auroc")


def lower_is_better(metric: str) -> bool:
    """Of 'test/loss'."""
    return metric.endswith(LOWER_IS_BETTER)


def has_a_best(metric: str) -> bool:
    """Not 'train/lr'."""
    return metric.endswith((*LOWER_IS_BETTER, *HIGHER_IS_BETTER))


def replicate(cell: ReportedCell) -> str:
    """The seed, and the fold where there are folds: what pairs the cells of two conditions."""
    fold = cell.config.get("datamodule", {}).get("fold", 0)
    return f"{cell.seed}" if not fold else f"{cell.seed}/{fold}"


def grouped(cells: Sequence[ReportedCell], factors: Factors) -> dict[Key, list[ReportedCell]]:
    """The cells of each condition, in the order of the factors' levels."""
    groups: dict[Key, list[ReportedCell]] = defaultdict(list)
    for cell, levels in zip(cells, factors.of, strict=True):
        groups[tuple(levels[name] for name in factors.levels)].append(cell)
    rank = [{level: n for n, level in enumerate(levels)} for levels in factors.levels.values()]
    return dict(sorted(groups.items(), key=lambda item: [rank[n][level] for n, level in enumerate(item[0])]))


def once_per_seed(groups: dict[Key, list[ReportedCell]]) -> tuple[dict[Key, list[ReportedCell]], list[str]]:
    """Each seed of a condition once, by a cell that has a value before one that has none; and the names of the rest.

    Two such cells are the same to every table here: a copied folder, or keys that no factor tells apart.
    """
    kept: dict[Key, list[ReportedCell]] = {}
    doubles: list[str] = []
    for key, cells in groups.items():
        of_seed: dict[str, ReportedCell] = {}
        for cell in sorted(cells, key=lambda cell: cell.state not in WITH_A_VALUE):  # stable: else the first
            if of_seed.setdefault(replicate(cell), cell) is not cell:
                doubles.append(cell.folder.name)
        kept[key] = [cell for cell in cells if of_seed[replicate(cell)] is cell]
    return kept, doubles


def values_of(cells: Sequence[ReportedCell], metric: str) -> Values:
    """Of each seed; those without a value left out."""
    return {replicate(cell): value for cell in cells if (value := cell.value(metric)) is not None}


def conditions(groups: dict[Key, list[ReportedCell]], names: Sequence[str], metric: str) -> list[Condition]:
    """One for each group of cells; the best of several is marked, and those that no test tells from it."""
    values = {key: values_of(cells, metric) for key, cells in groups.items()}
    means = {key: fmean(of.values()) for key, of in values.items() if of}
    best, tests = None, {}
    if len(means) > 1 and has_a_best(metric):
        best = (min if lower_is_better(metric) else max)(means, key=lambda key: means[key])
        tests = _against(values, best)
    found = []
    for key, cells in groups.items():
        of = values[key]
        gaps = [
            cell.metrics["train/accuracy"] - cell.metrics["test/accuracy"]
            for cell in cells
            if {"train/accuracy", "test/accuracy"} <= cell.metrics.keys()
        ]
        found.append(
            Condition(
                levels=dict(zip(names, key, strict=True)),
                n=len(of),
                mean=means.get(key),
                std=_std(list(of.values())),
                values=of,
                best=key == best,
                not_worse=key in tests and (tests[key] or 0) >= ALPHA,
                untested=key in tests and tests[key] is None,
                states=dict(Counter(cell.state for cell in cells)),
                cost=cost(cells),
                gap=fmean(gaps) if gaps else None,
                gap_std=_std(gaps),
            )
        )
    return found


def cost(cells: Sequence[ReportedCell]) -> Cost:
    """Means over the cells that are done."""

    def mean(name: str) -> float | None:
        known = [cell.cost[name] for cell in cells if cell.state == "done" and name in cell.cost]
        return fmean(known) if known else None

    return Cost(
        parameters=mean("parameters"),
        flops=mean("flops"),
        train_images_per_second=mean("train_images_per_second"),
        peak_memory_bytes=mean("peak_memory_bytes"),
        fit_seconds=mean("fit_seconds"),
        energy_joules=mean("energy_joules"),
    )


def _against(values: dict[Key, Values], best: Key) -> dict[Key, float | None]:
    """p of the paired difference from the best, after Holm's correction; None: they share fewer than two seeds."""
    others = [key for key, of in values.items() if of and key != best]
    differences = [
        [values[best][seed] - values[key][seed] for seed in values[best].keys() & values[key].keys()] for key in others
    ]
    tests = holm([estimate(of) for of in differences])
    return {key: test["p_holm"] for key, test in zip(others, tests, strict=True)}


def _std(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None
