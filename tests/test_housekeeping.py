"""What is written twice says the same: CI on GitHub and .ci/run, versions, the top level, metadata."""

import datetime
import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

import cnnlab
from conftest import REPOSITORY

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CITATION: dict[str, Any] = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
WORKFLOW: dict[Any, Any] = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text())
CHANGES = (REPOSITORY / "CHANGELOG.md").read_text()
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text()
RELEASES = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", CHANGES, re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}  # of keepachangelog.com


def commands(script: str) -> list[str]:
    """Those that CI is about, without comments."""
    lines = [line.partition(" #")[0].strip() for line in script.splitlines()]
    return [line for line in lines if line.startswith(("apt-get ", "make ", ".venv/"))]


def test_ci_on_github_does_what_the_script_does() -> None:
    on_github = [step["run"] for step in WORKFLOW["jobs"]["test"]["steps"] if "run" in step]
    assert commands("\n".join(on_github)) == commands((REPOSITORY / ".ci" / "run").read_text())


def test_ci_calls_targets_that_there_are() -> None:
    called = [command for command in commands((REPOSITORY / ".ci" / "run").read_text()) if command.startswith("make")]
    assert called
    for command in called:
        done = subprocess.run([*command.split(), "--dry-run"], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_ci_tries_every_python_that_is_promised() -> None:
    promised = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Python :: 3." in name]
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT
    assert PROJECT["dynamic"] == ["version"]
    assert CITATION["version"] == cnnlab.__version__
    assert RELEASES[1][0] == cnnlab.__version__


def test_the_changelog_begins_with_what_is_not_released_and_goes_back() -> None:
    (first, no_date), *released = RELEASES
    assert (first, no_date) == ("Unreleased", "")
    dates = [datetime.date.fromisoformat(date) for _, date in released]
    assert dates == sorted(dates, reverse=True)
    assert str(CITATION["date-released"]) == str(dates[0])
    assert set(re.findall(r"^### (.+)$", CHANGES, re.MULTILINE)) <= KINDS


def test_the_citation_has_what_its_format_wants() -> None:
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["type"] == "software"
    assert CITATION["message"]
    assert all(author.get("name") or author.get("family-names") for author in CITATION["authors"])
    assert (CITATION["title"], CITATION["license"]) == (PROJECT["name"], PROJECT["license"])
    assert set(CITATION["keywords"]) == set(PROJECT["keywords"])


def test_metadata_and_licence_name_the_same_authors() -> None:
    (author,) = PROJECT["authors"]
    assert author["name"] in (REPOSITORY / "LICENSE").read_text()
    assert author["name"] == CITATION["authors"][0]["name"]


def test_every_make_target_is_told_to_contributors_by_its_name() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    told = set(re.findall(r"make ([a-z-]+)", CONTRIBUTING))
    assert told <= set(targets)
    assert {"install", "test", "test-all", "coverage", "lint", "format"} <= told


def test_the_tree_that_is_told_is_the_tree() -> None:
    told = set(re.findall(r"`([\w./]+)/`", CONTRIBUTING.split("## Where things are")[1].split("\n## ")[0]))
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True).stdout.splitlines()
    if not tracked:
        pytest.skip("no git checkout")
    folders = {file.rpartition("/")[0] for file in tracked if "/" in file}
    top = {folder.split("/")[0] for folder in folders} - {"src"}
    packages = {"/".join(folder.split("/")[:3]) for folder in folders if folder.startswith("src/")}
    assert told == top | packages


@pytest.mark.parametrize("file", re.findall(r"\]\((?!http|#)(.*?)[)#]", CONTRIBUTING + CHANGES))
def test_links_lead_somewhere(file: str) -> None:
    assert (REPOSITORY / file).exists()
