"""Charts of the report."""

import json
from pathlib import Path
from typing import Any

import altair as alt
import pytest
import vl_convert
from example import example

from cnnlab.charts import VEGA_LITE
from cnnlab.report.chart_costs import front
from cnnlab.report.chart_numbers import WORDS, numbers
from cnnlab.report.charts import KINDS, charts, write_charts
from cnnlab.report.content import Report
from cnnlab.report.ingredients import WITH

NAMES = {kind.__name__ for kind in KINDS}
SIZES = [(2, 1), (2, 4), pytest.param(10, 6, marks=pytest.mark.slow)]  # conditions: 2, 8, 60


def svg(chart: alt.TopLevelMixin) -> str:
    return str(vl_convert.vegalite_to_svg(chart.to_dict(), VEGA_LITE))


def rows(chart: alt.TopLevelMixin) -> list[dict[str, Any]]:
    """All data of a chart."""
    return [row for values in chart.to_dict()["datasets"].values() for row in values]


def title(chart: alt.TopLevelMixin) -> str:
    """With the subtitle."""
    of = chart.to_dict()["title"]
    return " ".join([of["text"], *of["subtitle"]])


@pytest.fixture(scope="module")
def large() -> Report:
    """Of 60 conditions, one of which has no value."""
    return example(10, 6)


@pytest.mark.parametrize(("models", "regularizers"), SIZES)
def test_every_chart_is_drawn_with_its_title(models: int, regularizers: int) -> None:
    drawn = charts(example(models, regularizers, spoilt=False))
    assert drawn.keys() == (NAMES if regularizers > 1 else NAMES - {"interactions"})
    for chart in drawn.values():
        assert f">{chart.to_dict()['title']['text']}<" in svg(chart)


def test_every_chart_says_in_words_what_is_seen(large: Report) -> None:
    for chart in charts(large).values():
        assert len(chart.to_dict()["description"].split()) > 3
        assert all(row["says"] for row in rows(chart))


def test_of_many_conditions_the_best_are_drawn_and_the_subtitle_says_so(large: Report) -> None:
    drawn = charts(large)
    means = {" · ".join(one["levels"].values()): one["mean"] for one in large["conditions"]}
    best = sorted((name for name, mean in means.items() if mean is not None), key=lambda name: -(means[name] or 0))
    assert list(dict.fromkeys(row["condition"] for row in rows(drawn["seeds"]))) == best[:24]
    for name in ("learning_curves", "cost", "seeds", "gap"):
        assert "24 of 59 conditions" in title(drawn[name])
    assert "The best 12 of 59 conditions." in title(drawn["reliability"])


def test_of_few_conditions_nothing_is_left_out() -> None:
    drawn = charts(example(2, 4, spoilt=False))
    assert not [name for name, chart in drawn.items() if " of 8 " in title(chart)]
    assert len({row["condition"] for row in rows(drawn["seeds"])}) == 8


def test_a_chart_without_data_is_not_drawn() -> None:
    report = example(2, 1, spoilt=False)
    report["curves"], report["images"], report["effects"] = [], [], []
    for one in report["conditions"]:
        one["gap"] = None
        for cost in one["cost"]:
            one["cost"][cost] = None  # type: ignore[literal-required]
    assert charts(report).keys() == {"seeds"}
    for one in report["conditions"]:
        one["mean"], one["values"] = None, {}
    assert charts(report) == {}


def test_the_pareto_front_holds_what_nothing_cheaper_beats() -> None:
    report = example(3, 2, spoilt=False)
    found = [(10, 0.90), (10, 0.92), (20, 0.91), (30, 0.95), (40, 0.95), (50, 0.94)]
    for one, (cost, mean) in zip(report["conditions"], found, strict=True):
        one["cost"]["parameters"], one["mean"] = cost, mean
    assert front(report, "parameters") == [1, 3]
    report["metric"] = "test/loss"
    assert front(report, "parameters") == [0]


def test_a_cost_that_all_share_has_no_panel() -> None:
    report = example(1, 4, spoilt=False)
    for one in report["conditions"]:
        one["cost"]["parameters"] = one["cost"]["flops"] = 1e6
    assert len(charts(report)["cost"].to_dict()["vconcat"]) == 1


def test_names_on_the_front_do_not_lie_on_one_another() -> None:
    report = example(1, 3, spoilt=False)
    for one, (seconds, mean) in zip(report["conditions"], [(100, 0.900), (101, 0.901), (900, 0.99)], strict=True):
        one["cost"] |= {"parameters": 1, "flops": 1, "fit_seconds": seconds}
        one["mean"] = mean
    drawn = rows(charts(report)["cost"])
    assert [row["front"] for row in drawn] == [True, True, True]
    assert [bool(row["named"]) for row in drawn] == [False, True, True]


def test_accuracies_are_in_percent_and_their_differences_in_points() -> None:
    report = example(2, 4, spoilt=False)
    drawn = charts(report)
    assert '"format": "~%"' in json.dumps(drawn["seeds"].to_dict())
    estimate = report["effects"][0]["estimate"]
    assert rows(drawn["effects"])[0]["difference"] == pytest.approx(100 * (estimate["mean"] or 0), rel=1e-4)


def test_of_a_loss_the_lowest_is_best_and_nothing_is_in_percent() -> None:
    report = example(2, 4, spoilt=False)
    report["metric"] = "test/loss"
    drawn = charts(report)
    means = [row["mean"] for row in rows(drawn["seeds"])]
    assert means == sorted(means)
    for name in ("seeds", "effects"):
        assert "%" not in json.dumps({k: v for k, v in drawn[name].to_dict().items() if k != "title"})


def test_effects_are_filled_where_they_are_significant() -> None:
    report = example(2, 2, spoilt=False)
    for one, p in zip(report["effects"], [0.04, 0.06, None, 0.9], strict=False):
        one["estimate"]["p_holm"] = p
    drawn = rows(charts(report)["effects"])
    assert [row["significant"] for row in drawn[:4]] == [True, False, False, False]


def test_a_class_without_test_images_is_left_out() -> None:
    report = example(2, 1, spoilt=False)
    for one in report["images"]:
        one["per_class"] = [None, *one["per_class"][1:]]
    drawn = charts(report)
    assert {row["class"] for row in rows(drawn["per_class"])} == set(report["classes"][1:])
    assert {row["label"] for row in rows(drawn["confusion"])} == set(report["classes"][1:])


def test_of_many_classes_the_hardest_are_drawn() -> None:
    report = example(2, 1, classes=100, spoilt=False)
    drawn = charts(report)
    best = max(report["images"], key=lambda one: report["conditions"][one["condition"]]["mean"] or 0)["per_class"]
    hardest = sorted(range(100), key=lambda k: best[k] or 0)[:24]
    assert [row["class"] for row in rows(drawn["per_class"])] == [f"class {k}" for k in hardest]
    assert "The hardest 24 of 100 classes." in title(drawn["confusion"])


def test_files_are_written_as_svg_and_png(tmp_path: Path) -> None:
    drawn = charts(example(2, 1, spoilt=False))
    write_charts({"seeds": drawn["seeds"], "gap": drawn["gap"]}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gap.png", "gap.svg", "seeds.png", "seeds.svg"]
    assert (tmp_path / "gap.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "gap.svg").read_text().startswith("<svg")


def test_names_from_folders_stay_text_in_files() -> None:
    report = example(2, 1, spoilt=False)
    report["conditions"][0]["levels"]["model"] = "<script>alert(1)</script>"
    drawn = svg(charts(report)["seeds"])
    assert "&lt;script&gt;" in drawn
    assert "<script" not in drawn


def test_numbers_of_a_chart_leave_out_only_what_is_words_for_its_marks() -> None:
    for chart in charts(example(2, 4)).values():
        drawn = chart.to_dict()
        tables = numbers(drawn)
        assert sorted(name for table in tables for name in table["data"]) == sorted(drawn["datasets"])
        for table in tables:
            keys = {key for key, _ in table["columns"]}
            assert len(keys) >= 3
            for row in (row for name in table["data"] for row in drawn["datasets"][name]):
                assert keys < row.keys() <= keys | WORDS


def test_levels_of_the_only_factor_lie_along_one_axis() -> None:
    report = example(2, 4, spoilt=False)
    report["effects"] = [one for one in report["effects"] if one["factor"] == "regularizer"][::2]
    for one in report["effects"]:
        one["within"] = {}
    drawn = rows(charts(report)["effects"])
    assert {row["level"] for row in drawn} == {"against none"}
    assert [row["within"] for row in drawn] == ["BatchNorm", "dropout", "weight decay"]


def test_ingredients_with_one_another_share_a_map() -> None:
    report = example(2, 4, spoilt=False)
    pairs = [("dropout", "BatchNorm"), ("dropout", "weight decay"), ("BatchNorm", "weight decay")]
    report["interactions"] = [
        {**report["interactions"][0], "within": {}, "first": (first, WITH), "second": (second, WITH)}
        for first, second in pairs
    ]
    drawn = charts(report)["interactions"]
    assert len(drawn.to_dict()["concat"]) == 1
    assert [(row["first"], row["second"]) for row in rows(drawn)] == pairs
