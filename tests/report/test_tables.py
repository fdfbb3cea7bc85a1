"""Tables of small reports, against what they must say word for word."""

import csv
import io
from itertools import product
from statistics import fmean, stdev
from typing import Any

import pytest
from rich.console import Console

from cnnlab.report.content import Condition, Cost, Effect, Report
from cnnlab.report.markdown import markdown
from cnnlab.report.sheets_of_costs import costs
from cnnlab.report.tables import table_csv, table_md, table_text

UNKNOWN = Cost(
    parameters=None,
    flops=None,
    train_images_per_second=None,
    peak_memory_bytes=None,
    fit_seconds=None,
    energy_joules=None,
)


def condition(levels: dict[str, str], values: list[float], **more: Any) -> Condition:
    return Condition(
        levels=levels,
        n=len(values),
        mean=fmean(values) if values else None,
        std=stdev(values) if len(values) > 1 else None,
        values={str(seed): value for seed, value in enumerate(values)},
        best=more.get("best", False),
        not_worse=more.get("not_worse", False),
        untested=more.get("untested", False),
        states=more.get("states", {"done": len(values)}),
        cost=more.get("cost", UNKNOWN),
        gap=0.03,
        gap_std=0.01,
    )


def report(conditions: list[Condition], rows: list[str], columns: list[str], **more: Any) -> Report:
    """Factors and levels are those of the conditions, in the order they come."""
    names = list(conditions[0]["levels"])
    levels = {name: list(dict.fromkeys(one["levels"][name] for one in conditions)) for name in names}
    return Report(
        study="small",
        made="2026-01-01T00:00:00+00:00",
        metric=more.get("metric", "test/accuracy"),
        metrics=["test/accuracy"],
        design=more.get("design"),
        factors=[{"name": name, "levels": levels[name], "baseline": levels[name][0]} for name in names],
        rows=rows,
        columns=columns,
        seeds=[0, 1, 2],
        counts={},
        summary=[],
        warnings=[],
        conditions=conditions,
        cells=[],
        effects=more.get("effects", []),
        main_effects=[],
        interactions=[],
        curves=[],
        classes=[],
        images=[],
        image_tests=[],
        hardest=[],
        commands=[],
        configuration="",
        pictures=[],
        environment={},
        code={},
    )


def effect(level: str, mean: float | None, low: float | None = None, high: float | None = None, **more: Any) -> Effect:
    return Effect(
        factor=more.get("factor", "leave_out"),
        level=level,
        baseline=more.get("baseline", "full"),
        within=more.get("within", {}),
        estimate={
            "n": more.get("n", 3),
            "mean": mean,
            "low": low,
            "high": high,
            "p": more.get("p"),
            "p_holm": more.get("p"),
            "effect_size": None,
            "differences": [],
        },
    )


def two_by_two(**more: Any) -> Report:
    """Three complete conditions, and one of which a cell has failed and one diverged."""
    states = {"done": 1, "failed": 1, "diverged": 1}
    return report(
        [
            condition({"model": "vgg16", "norm": "none"}, [0.90, 0.91, 0.92]),
            condition({"model": "vgg16", "norm": "batch"}, [0.93, 0.94, 0.95], best=True),
            condition({"model": "lenet5", "norm": "none"}, [0.88, 0.10], states=states),
            condition({"model": "lenet5", "norm": "batch"}, [0.935, 0.93, 0.94], not_worse=True),
        ],
        ["norm"],
        ["model"],
        **more,
    )


def lines(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]


def printed(renderable: Any, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def leaving_out() -> Report:
    conditions = [condition({"leave_out": level}, [0.9, 0.91, 0.92]) for level in ("full", "- BatchNorm", "- dropout")]
    told = [effect("- BatchNorm", -0.031, -0.036, -0.025, p=0.001), effect("- dropout", 0.004, -0.002, 0.01, p=0.3)]
    return report(conditions, ["leave_out"], [], design="leave_one_out", effects=told)


def test_the_main_table_is_as_computed_by_hand() -> None:
    assert lines(table_md(two_by_two())) == [
        "| norm | vgg16 | lenet5 |",
        "| :-- | --: | --: |",
        "| none | 91.0 ± 1.0 | 49.0 ± 55.2 (n = 2 of 3: 1 failed, 1 diverged) |",
        "| batch | **94.0 ± 1.0** | 93.5 ± 0.5 ≈ |",
    ]


def test_what_is_meant_by_n_and_signs_is_told_below() -> None:
    told = table_md(two_by_two())
    assert "n = 3 unless told otherwise" in told
    assert "Bold: best; ≈: not distinguishable from it" in told
    assert "Diverged cells count as chance." in told


def test_where_no_condition_is_complete_each_tells_its_n() -> None:
    of = [condition({"m": level}, [0.9], states={"done": 1, "missing": 2}) for level in "ab"]
    told = table_md(report(of, ["m"], []))
    assert told.count("90.0 (n = 1 of 3: 2 missing)") == 2
    assert "unless told otherwise" not in told


def test_conditions_without_a_value_and_combinations_that_are_not_there_are_shown() -> None:
    of = [
        condition({"m": "a", "r": "x"}, [0.9, 0.9]),
        condition({"m": "a", "r": "y"}, [], states={"missing": 2}),
        condition({"m": "b", "r": "x"}, [0.8, 0.8]),
    ]
    rows = lines(table_md(report(of, ["r"], ["m"])))
    assert rows[2:] == ["| x | 90.0 ± 0.0 | 80.0 ± 0.0 |", "| y | \u2013 (n = 0 of 2: 2 missing) | \u2013 |"]


def test_a_loss_is_no_percentage_and_lower_is_better() -> None:
    told = table_md(report([condition({"m": "a"}, [0.231, 0.243])], ["m"], [], metric="test/loss"))
    assert "0.237 ± 0.008" in told
    assert "lower is better" in told
    assert "%" not in told


def test_a_small_spread_is_written_with_more_digits() -> None:
    assert "99.31 ± 0.04" in table_md(report([condition({"m": "a"}, [0.9928, 0.9931, 0.9935])], ["m"], []))


def test_any_number_of_factors_has_a_place_and_one_without_a_place_is_a_row() -> None:
    names = ["a", "b", "c", "d"]
    of = [condition(dict(zip(names, levels, strict=True)), [0.9, 0.8]) for levels in product("12", repeat=4)]
    rows = lines(table_md(report(of, ["a", "b"], ["c"])))
    assert rows[0] == "| a | b | d | 1 | 2 |"
    assert len(rows) == 2 + 8
    assert lines(table_md(report(of, ["a"], ["b", "c", "d"])))[0].count("·") == 2 * 8


def test_rows_are_in_the_order_of_the_levels() -> None:
    of = [condition({"m": level, "r": "x"}, [0.9]) for level in ("small", "large")]
    of.insert(1, condition({"m": "large", "r": "y"}, [0.9]))
    small = report(of, ["m"], ["r"])
    small["factors"][0]["levels"] = ["small", "large"]
    assert [line.split(" | ")[0] for line in lines(table_md(small))[2:]] == ["| small", "| large"]


def test_a_study_without_factors_has_one_row() -> None:
    assert lines(table_md(report([condition({}, [0.9, 0.8])], [], []))) == [
        "|  | test accuracy |",
        "| :-- | --: |",
        "| all cells | 85.0 ± 7.1 |",
    ]


def test_what_is_left_out_is_told_with_its_interval() -> None:
    assert lines(table_md(leaving_out()))[-2:] == [
        r"| - BatchNorm | -3.1 \[-3.6, -2.5\] \* |",
        r"| - dropout | +0.4 \[-0.2, 1.0\] |",
    ]


def test_each_step_tells_what_it_is_compared_with_where_that_differs() -> None:
    of = [condition({"add": level}, [0.9, 0.91]) for level in ("baseline", "+ dropout", "+ L1")]
    told = [
        effect("+ dropout", 0.01, 0.0, 0.02, factor="add", baseline="baseline"),
        effect("+ L1", 0.0, factor="add", baseline="+ dropout", n=1),
        effect("+ L1", None, factor="add", baseline="baseline", n=0),
    ]
    rows = lines(table_md(report(of, ["add"], [], design="cumulative", effects=told)))
    assert rows[-3:] == [
        r"| + dropout (from baseline) | +1.0 \[0.0, 2.0\] |",
        "| + L1 (from + dropout) | 0.0 (n = 1) |",
        "| + L1 (from baseline) | \u2013 (n = 0) |",
    ]


def test_other_designs_have_no_table_of_effects() -> None:
    assert "Difference" not in table_md({**leaving_out(), "design": "factorial"})


def test_effects_have_a_column_for_each_network() -> None:
    of = [condition({"model": m, "leave_out": o}, [0.9, 0.8]) for m in ("vgg16", "nin") for o in ("full", "- L1")]
    told = [effect("- L1", 0.01 * n, within={"model": m}) for n, m in enumerate(("vgg16", "nin"), 1)]
    rows = lines(table_md(report(of, ["leave_out"], ["model"], design="leave_one_out", effects=told)))
    assert rows[-3:] == ["| leave_out | vgg16 | nin |", "| :-- | --: | --: |", "| - L1 | +1.0 | +2.0 |"]


def test_names_from_outside_are_no_markdown() -> None:
    told = table_md(report([condition({"m|x": "<b>*a* `c` weight_decay _d_\nnext"}, [0.9])], ["m|x"], []))
    assert lines(told)[0] == r"| m\|x | test accuracy |"
    assert lines(told)[2].startswith(r"| \<b\>\*a\* \`c\` weight_decay \_d\_ next |")


def test_csv_has_every_number_in_full() -> None:
    of = condition(
        {"m": "a, b", "r": "x"}, [1 / 3, 2 / 3], states={"done": 2, "failed": 1}, cost={**UNKNOWN, "flops": 4e5}
    )
    other = condition({"m": "c", "r": "x"}, [], states={"missing": 3})
    first, second = csv.DictReader(io.StringIO(table_csv(report([of, other], ["m"], ["r"]))))
    assert (first["m"], first["r"], first["metric"], first["n"]) == ("a, b", "x", "test/accuracy", "2")
    assert float(first["mean"]) == of["mean"]
    assert float(first["std"]) == of["std"]
    assert [float(first[f"seed_{seed}"]) for seed in (0, 1)] == [1 / 3, 2 / 3]
    assert (first["flops"], first["parameters"]) == ("400000.0", "")
    assert (first["gap"], first["gap_std"]) == ("0.03", "0.01")
    assert [first[f"cells_{state}"] for state in ("done", "failed", "missing")] == ["2", "1", "0"]
    assert (second["n"], second["mean"], second["seed_0"], second["cells_missing"]) == ("0", "", "", "3")


def test_costs_are_those_that_are_known() -> None:
    cost = {**UNKNOWN, "parameters": 61_706.0, "fit_seconds": 85.0, "energy_joules": 12_340.0}
    of = [condition({"m": "a"}, [0.9, 0.9], cost=cost), condition({"m": "b"}, [], states={"failed": 2})]
    sheet = costs(report(of, ["m"], []))
    assert sheet
    assert lines(markdown(sheet)) == [
        "| m | parameters | fit time | energy | n |",
        "| :-- | --: | --: | --: | --: |",
        "| a | 61.7 k | 85 s | 12.3 kJ | 2 |",
        "| b | \u2013 | \u2013 | \u2013 | 0 |",
    ]


def test_no_cost_is_no_table() -> None:
    nothing = report([condition({"m": "a"}, [0.9])], ["m"], [])
    assert costs(nothing) is None


def test_the_terminal_marks_the_best_without_colours_too() -> None:
    told = printed(table_text(two_by_two()), 80)
    assert "94.0 ± 1.0 ★" in told
    assert "93.5 ± 0.5 ≈" in told
    assert "n = 2 of 3:" in told


@pytest.mark.parametrize("models", [2, 5, 40])
def test_the_terminal_table_fits_and_breaks_no_figure(models: int) -> None:
    long = "BatchNorm + dropout + weight decay + label smoothing"
    of = [condition({"model": f"model{k}", "r": r}, [0.9, 0.92]) for k in range(models) for r in ("none", long)]
    told = printed(table_text(report(of, ["r"], ["model"])), 80)
    assert max(len(line.rstrip()) for line in told.splitlines()) <= 80
    assert told.count("91.0 ± 1.4") == 2 * models
    assert ("by model" in told) == (models < 40)  # else a row for each condition


def test_brackets_in_a_name_are_no_markup_in_the_terminal() -> None:
    assert "[red]a[/red]" in printed(table_text(report([condition({"m": "[red]a[/red]"}, [0.9])], ["m"], [])), 80)
