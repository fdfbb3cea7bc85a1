"""study.json."""

from pathlib import Path

from cnnlab.study.record import add_to_record, read_record


def test_what_two_commands_have_asked_for_stays(tmp_path: Path) -> None:
    add_to_record(tmp_path, ["seed=0"], {"a": {"overrides": []}}, 1, None, whole=True)
    add_to_record(tmp_path, ["seed=1"], {"b": {"overrides": []}}, 1, None, whole=True)
    assert list(read_record(tmp_path)["cells"]) == ["a", "b"]


def test_cells_that_the_same_command_names_otherwise_now_are_taken_out(tmp_path: Path) -> None:
    add_to_record(tmp_path, ["seed=0"], {"a-1234": {"overrides": []}}, 1, None, whole=True)
    add_to_record(tmp_path, ["seed=0"], {"a-5678": {"overrides": []}}, 1, None, whole=True)
    assert list(read_record(tmp_path)["cells"]) == ["a-5678"]


def test_a_search_that_asks_for_more_keeps_what_it_has_asked_for(tmp_path: Path) -> None:
    add_to_record(tmp_path, ["ablation=bayesian"], {"a": {"overrides": []}}, 1, None)
    add_to_record(tmp_path, ["ablation=bayesian"], {"b": {"overrides": []}}, 1, None)
    assert list(read_record(tmp_path)["cells"]) == ["a", "b"]


def test_runs_that_are_trained_first_stay_when_those_come_that_are_compared(tmp_path: Path) -> None:
    add_to_record(tmp_path, ["tune=lr"], {"trial": {"overrides": [], "labels": {"role": "trial"}}}, 1, None)
    add_to_record(tmp_path, ["tune=lr"], {"a": {"overrides": []}}, 1, None, whole=True)
    assert list(read_record(tmp_path)["cells"]) == ["trial", "a"]
