"""Which cells a design has."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from cnnlab.conf import conf_folder
from cnnlab.errors import UserError
from cnnlab.sweep.design import Part, combinations, kept
from cnnlab.sweep.space import spaces

EMPTY = OmegaConf.to_container(OmegaConf.load(conf_folder() / "train.yaml").ablation)


def cells(design: dict[str, Any], *arguments: str) -> list[Part]:
    """All parts of a sweep with this design."""
    full = {**EMPTY, **design}  # type: ignore[dict-item]
    parsed = OverridesParser.create().parse_overrides(list(arguments))
    asked = combinations(full, parsed, spaces(full["search"], parsed))
    return list(asked.with_seeds(kept(asked.parts, full, lambda part: part.changes.get("a") == "2")))


def lines(design: dict[str, Any], *arguments: str) -> list[str]:
    return [" ".join(part.overrides) for part in cells(design, *arguments)]


def test_no_design_is_the_product_of_what_is_swept() -> None:
    assert lines({}, "a=1,2", "b=3", "seed=0,1") == ["a=1 seed=0", "a=1 seed=1", "a=2 seed=0", "a=2 seed=1"]


def test_axes_are_crossed_and_seeds_come_innermost() -> None:
    design = {"axes": {"a": [1, 2], "b.c": ["x"]}, "seeds": 2}
    assert lines(design)[:2] == ["a=1 b.c=x seed=0", "a=1 b.c=x seed=1"]
    assert len(cells(design)) == 4


def test_an_axis_may_be_written_as_a_sweep_or_nested() -> None:
    assert lines({"axes": {"a": {"b": "range(3)"}}}) == ["a.b=0", "a.b=1", "a.b=2"]


def test_pairs_go_together() -> None:
    assert lines({"pairs": {"a": [1, 2], "b": [3, 4]}}) == ["a=1 b=3", "a=2 b=4"]


def test_pairs_of_different_lengths_are_refused() -> None:
    with pytest.raises(UserError, match="a has 1, b has 2"):
        cells({"pairs": {"a": [1], "b": [1, 2]}})


def test_one_at_a_time_has_the_baseline_and_each_change_alone() -> None:
    found = cells({"one_at_a_time": {"big": {"a": 5}, "odd": {"b": 3, "c": 1}}})
    assert [dict(part.changes) for part in found] == [{}, {"a": "5"}, {"b": "3", "c": "1"}]
    assert [part.labels["one_at_a_time"] for part in found] == ["baseline", "big", "odd"]


def test_leave_out_has_all_and_each_without_one() -> None:
    found = cells({"leave_out": {"dropout": {"d": 0}, "norm": {"n": "none"}}})
    assert [part.labels["leave_out"] for part in found] == ["full", "- dropout", "- norm"]
    assert [part.overrides for part in found] == [[], ["d=0"], ["n=none"]]


def test_add_puts_one_on_top_of_the_other() -> None:
    found = cells({"add": {"one": {"a": 1}, "two": {"b": 2}}})
    assert [part.overrides for part in found] == [[], ["a=1"], ["a=1", "b=2"]]
    assert [part.labels["add"] for part in found] == ["baseline", "+ one", "+ two"]


def test_pieces_are_crossed_with_one_another_and_the_command_line() -> None:
    found = cells({"axes": {"a": [1, 3]}, "leave_out": {"d": {"d": 0}}, "seeds": 3}, "m=x,y")
    assert len(found) == 2 * 2 * 2 * 3
    assert found[-1].overrides == ["m=y", "a=3", "d=0", "seed=2"]


@pytest.mark.parametrize(("argument", "values"), [("a=7", {None}), ("a=7,8", {"7", "8"})])
def test_the_command_line_replaces_an_axis_of_the_same_key(argument: str, values: set[str | None]) -> None:
    assert {part.changes.get("a") for part in cells({"axes": {"a": [1, 3]}}, argument)} == values


def test_the_command_line_replaces_the_seeds() -> None:
    assert lines({"seeds": 5}, "seed=7,8") == ["seed=7", "seed=8"]
    assert lines({"seeds": 5}, "seed=7") == [""]


def test_a_change_wins_over_the_command_line_which_is_what_it_changes() -> None:
    assert lines({"leave_out": {"d": {"d": 0}}}, "d=0.3,0.5") == ["d=0.3", "d=0", "d=0.5", "d=0"]


def test_a_subset_has_all_seeds_of_what_it_has() -> None:
    found = cells({"axes": {"a": list(range(100, 140))}, "seeds": 3, "subset": 4})
    assert len(found) == 12
    assert len({part.changes["a"] for part in found}) == 4


def test_a_subset_depends_on_its_seed_alone() -> None:
    design = {"axes": {"a": list(range(100, 140))}, "subset": 4}
    assert lines(design) == lines(design)
    assert lines(design) != lines({**design, "subset_seed": 1})


def test_a_subset_is_drawn_from_what_is_not_excluded() -> None:
    assert lines({"axes": {"a": [1, 2, 3]}, "subset": 2}) == ["a=1", "a=3"]
    with pytest.raises(UserError, match="subset=3: it must be 1 to 2"):
        cells({"axes": {"a": [1, 2, 3]}, "subset": 3})


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({"axes": {"a": 3}}, "ablation.axes.a=3: it must be a list"),
        ({"axes": {"a": "x"}}, "ablation.axes.a=x: it must be a list"),
        ({"leave_out": {"x": 3}}, "ablation.leave_out.x=3: it must be what is changed"),
        ({"seeds": 0}, "ablation.seeds=0: it must be the number of seeds"),
    ],
)
def test_what_is_no_piece_is_refused(design: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        cells(design)


SPACE = {"a": {"low": 1e-4, "high": 1.0, "log": True}, "b": {"low": 3, "high": 6, "integer": True}}


def search(**more: Any) -> dict[str, Any]:
    return {"search": {"kind": "random", "trials": 200, "seed": 0, "space": SPACE, **more}}


def test_random_search_is_even_on_a_logarithmic_scale() -> None:
    found = cells(search())
    below = sum(float(part.changes["a"]) < 1e-2 for part in found)
    assert 70 < below < 130  # half of the decades
    assert {part.changes["b"] for part in found} == {"3", "4", "5", "6"}


def test_random_search_depends_on_its_seed_alone() -> None:
    assert lines(search()) == lines(search())
    assert lines(search()) != lines(search(seed=1))


def test_latin_hypercube_has_one_value_in_each_slice() -> None:
    found = cells(search(kind="latin_hypercube", trials=20, space={"a": {"low": 0, "high": 20}}))
    assert sorted(int(float(part.changes["a"])) for part in found) == list(range(20))


def test_intervals_of_the_command_line_are_searched() -> None:
    found = cells(search(space={}, trials=50), "a=tag(log,interval(0.001,0.1))", "b=int(interval(1,2))", "m=x,y")
    assert len(found) == 100
    assert all(0.001 <= float(part.changes["a"]) < 0.1 for part in found)
    assert {part.changes["b"] for part in found} == {"1", "2"}


def test_an_interval_without_a_search_is_refused() -> None:
    with pytest.raises(UserError, match="add ablation=random_search"):
        cells({}, "a=interval(0,1)")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"kind": "grid"}, "ablation.search.kind=grid is not allowed"),
        ({"trials": 0}, "ablation.search.trials=0"),
        ({"space": {}}, "nothing is searched"),
        ({"space": {"a": {"low": 1}}}, "it needs low and high"),
        ({"space": {"a": {"low": 0, "high": 1, "log": True}}}, "begins above 0"),
        ({"space": {"a": {"low": 2, "high": 1}}}, "from a number to a larger one"),
        ({"space": {"a": {"low": 1, "hihg": 2}}}, "there is no hihg"),
    ],
)
def test_what_is_no_space_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        cells(search(**more))


def test_tables_tell_a_level_by_its_name_and_the_rest_by_its_values() -> None:
    found = cells({"leave_out": {"dropout": {"d": 0}}, "seeds": 2}, "m=x,y")
    assert [part.told for part in found[:3]] == ["m=x, full, seed=0", "m=x, full, seed=1", "m=x, - dropout, seed=0"]
