"""What `cnnlab dashboard` would show in W&B, read from its file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from folders import StudyFolder

from cnnlab.errors import UserError
from cnnlab.report.dashboard_command import dashboard, save


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    wandb.teardown()
    monkeypatch.setenv("WANDB_MODE", "offline")
    yield
    wandb.teardown()


def study(folder: Path, logger: dict[str, Any]) -> Path:
    made = StudyFolder(folder)
    for seed in range(2):
        for network in ("lenet5", "nin"):
            for rate in (0.001, 0.01):
                changes = {"optim.lr": rate, "model.name": network, "logger": logger}
                made.add(0.8 + rate, f"optim.lr={rate}", f"model={network}", seed=seed, changes=changes)
    return made.folder


def panels(specification: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """By kind, as W&B's server gets them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for section in specification["workspace"]["section"]["panelBankConfig"]["sections"]:
        for panel in section["panels"]:
            found.setdefault(panel["viewType"], []).append(panel["config"])
    return found


def test_the_file_has_the_studys_panels_and_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = study(tmp_path / "study", {"wandb": {"project": "p", "entity": None}})
    dashboard([str(folder)])
    said = capsys.readouterr().out
    assert "W&B is offline (WANDB_MODE=offline)" in said
    assert "report/dashboard.json" in said
    told = json.loads((folder / "report" / "dashboard.json").read_text())
    assert (told["project"], told["saved"]) == ("p", None)
    shown = panels(told)
    lines = shown["Run History Line Plot"]
    assert {line["metrics"][0] for line in lines} >= {"val/accuracy", "train/loss"}
    assert {(line["xAxis"], line["groupBy"]) for line in lines} == {("epoch", "network.value")}
    (columns,) = (plot["columns"] for plot in shown["Parallel Coordinates Plot"])
    accessors = ["config:network.value", "config:optim.lr.value", "summary:test/accuracy"]
    assert [column["accessor"] for column in columns] == accessors
    assert shown["Parameter Importance"][0]["targetKey"] == "test/accuracy"
    first = shown["Scatter Plot"][0]
    assert (first["xAxis"], first["yAxis"]) == ("summary:cost/flops", "summary:test/accuracy")
    assert "| lenet5 | 80.1" in shown["Markdown Panel"][0]["value"]
    assert [bar["groupBy"] for bar in shown["Bar Chart"]] == ["network.value", "optim.lr.value"]
    (runs,) = told["workspace"]["section"]["runSets"]
    assert [(one["key"]["name"], one["value"]) for one in runs["filters"]["filters"]] == [
        ("group", "study"),
        ("jobType", "train"),
    ]
    blocks = told["report"]["blocks"]
    words = "\n".join(block.get("content", "") for block in blocks)
    assert "Best test/accuracy" in words
    assert "| lenet5 | 80.1" in words
    kinds = {panel["viewType"] for block in blocks for panel in _panels_of(block)}
    assert kinds == {one for one in shown if one != "Markdown Panel"}


def _panels_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    sections = block.get("metadata", {}).get("panelBankSectionConfig", {})
    found: list[dict[str, Any]] = sections.get("panels", [])
    return found


def test_a_study_of_which_wandb_knows_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="logger=wandb"):
        dashboard([str(study(tmp_path / "study", {}))])


def test_what_was_saved_is_renewed() -> None:
    class Kept:
        def __init__(self, url: str) -> None:
            self.id, self._internal_name, self._internal_id, self.url = "", "", "", url
            self.new = False

        def save(self) -> None:
            self.new = not (self.id or self._internal_id)
            self.id, self._internal_name, self._internal_id = self.id or "r", "nw-1", self._internal_id or "v"

    first = save(Kept("https://w"), Kept("https://r"), None)
    assert (first["workspace"]["url"], first["report"]["url"]) == ("https://w", "https://r")
    workspace, report = Kept("https://w"), Kept("https://r")
    assert save(workspace, report, first) == first
    assert not workspace.new
    assert not report.new
