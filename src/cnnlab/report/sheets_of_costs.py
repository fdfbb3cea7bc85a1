"""The table of what conditions cost."""

from collections.abc import Callable

from cnnlab.quantities import duration, short, size
from cnnlab.report.content import Cost, Report
from cnnlab.report.sheets import NOTHING, Entry, Sheet
from cnnlab.report.wording import energy, without_factors

Figure = tuple[str, Callable[[Cost], float | None], Callable[[float], str]]
FIGURES: list[Figure] = [
    ("parameters", lambda cost: cost["parameters"], short),
    ("FLOPs", lambda cost: cost["flops"], short),
    ("train images/s", lambda cost: cost["train_images_per_second"], short),
    ("peak memory", lambda cost: cost["peak_memory_bytes"], size),
    ("fit time", lambda cost: cost["fit_seconds"], duration),
    ("energy", lambda cost: cost["energy_joules"], energy),
]


def costs(report: Report) -> Sheet | None:
    """A row for each condition, a column for each figure that one of them has; None where there is none."""
    known = [of for of in FIGURES if any(of[1](one["cost"]) is not None for one in report["conditions"])]
    if not known:
        return None
    names = [factor["name"] for factor in report["factors"]]
    body = [
        [
            *map(Entry, [one["levels"][name] for name in names] or [without_factors(report)]),
            *(_entry(one["cost"], of) for of in known),
            Entry(str(one["states"].get("done", 0))),
        ]
        for one in report["conditions"]
    ]
    notes = ["Means over the n cells that are done; FLOPs: of one image's forward pass."]
    return Sheet("Cost", len(names) or 1, [*(names or [""]), *(title for title, _, _ in known), "n"], body, notes)


def _entry(cost: Cost, figure: Figure) -> Entry:
    _, get, write = figure
    number = get(cost)
    return Entry(NOTHING if number is None else write(number))
