"""The benchmarks of steps and of start-up, and what is made of all benchmarks."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnlab.bench.headlines import Headline
from cnnlab.errors import UserError
from conftest import REPOSITORY


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """scripts/bench.py, which writes to a folder of its own and finds measured what `script.found` has."""
    spec = importlib.util.spec_from_file_location("bench_script", REPOSITORY / "scripts" / "bench.py")
    assert spec
    assert spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "REPOSITORY", tmp_path)
    monkeypatch.setattr(module, "WRITTEN", tmp_path / "docs" / "bench.json")
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("before\n<!-- bench: begin -->\n<!-- bench: end -->\nafter\n")
    module.found = headline(0.5)
    where = dict.fromkeys(module.WHERE, "x")

    def run(*_: Any) -> dict[str, Any]:
        return {"command": ["cnnlab"], "date": "2026-01-01", "headlines": [module.found.json()], "environment": where}

    monkeypatch.setattr(module, "run", run)
    return module


def headline(ratio: float) -> Headline:
    return Headline("a step", 1.5, "ms", "a template's", ratio, "lower", 5)


def run_script(script: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["bench.py", *arguments])
    script.main()


def test_a_ratio_that_is_better_lower_gets_worse_as_it_rises() -> None:
    assert headline(0.6).worse_than(headline(0.5)) == pytest.approx(0.2)
    higher = [Headline("", 1, "", "", ratio, "higher", 1) for ratio in (4.0, 5.0)]
    assert higher[0].worse_than(higher[1]) == pytest.approx(0.25)


def test_readme_gets_each_headline_with_its_ratio_and_repeats(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_script(script, monkeypatch, "overhead", "--readme")
    readme = (script.REPOSITORY / "README.md").read_text()
    assert "| a step | 1.5 ms | 0.50 | a template's | 5 |" in readme
    assert readme.startswith("before")
    assert readme.endswith("after\n")


def test_what_was_not_measured_this_time_stays(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run_script(script, monkeypatch, "grid")
    run_script(script, monkeypatch, "overhead")
    assert set(json.loads(script.WRITTEN.read_text())) == {"grid", "overhead"}


def test_comparing_fails_for_a_ratio_that_is_a_fifth_worse_and_names_it(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script(script, monkeypatch, "overhead")
    script.found = headline(0.59)
    run_script(script, monkeypatch, "overhead", "--compare")
    script.found = headline(0.61)
    with pytest.raises(UserError, match=r"a step: 0.61 of a template's, before 0.50"):
        run_script(script, monkeypatch, "overhead", "--compare")


def test_comparing_with_nothing_says_what_writes_it(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="make bench"):
        run_script(script, monkeypatch, "overhead", "--compare")


@pytest.mark.slow
def test_the_cost_of_a_step_is_measured_against_a_bare_loop(command: Callable[..., int], here: Path) -> None:
    assert command("bench", "overhead", "rounds=1", "steps=8") == 0
    figures = json.loads((here / "runs" / "bench" / "overhead" / "bench.json").read_text())
    assert set(figures["step_seconds"]) == {"tiny", "lenet5"}
    for seconds in figures["step_seconds"].values():
        assert len(seconds) == 4
        assert all(value > 0 for values in seconds.values() for value in values)
    table = (here / "runs" / "bench" / "overhead" / "table.md").read_text()
    assert "template's habits" in table


@pytest.mark.slow
def test_the_start_is_measured_against_a_template(command: Callable[..., int], here: Path) -> None:
    assert command("bench", "start", "rounds=1") == 0
    figures = json.loads((here / "runs" / "bench" / "start" / "bench.json").read_text())
    assert figures["grid_memory_mib"]["proportional"] < figures["grid_memory_mib"]["resident"]
    memory = figures["measured"]["MiB at most, digits"]
    assert memory["cnnlab train"][0] < memory["template"][0]
