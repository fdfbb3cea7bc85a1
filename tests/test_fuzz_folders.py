"""Run folders and studies that someone has edited, cut or made up are named, and never break a command."""

import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cnnlab.launch.board import Board
from cnnlab.launch.code_change import sort_out
from cnnlab.launch.rehearsal import known_kinds
from cnnlab.launch.slurm import remembered
from cnnlab.run import Run
from cnnlab.study.claims import Check, Claim
from cnnlab.study.judge import judge
from cnnlab.study.status_command import status
from fuzzing import SIZES, examples, files, require_named, values

STATES = st.sampled_from(["done", "running", "failed", "diverged", "interrupted"])


def some(**keys: Any) -> Any:
    """A JSON object with some of these keys, each with what belongs there or with anything."""
    return st.fixed_dictionaries({}, optional={key: value | values for key, value in keys.items()})


STATUS = some(
    state=STATES,
    host=st.just(os.uname().nodename),
    pid=st.integers(-5, 2**40),
    pid_since=st.floats(),
    started=st.floats(),
    seconds=st.floats(),
    attempt=st.integers(),
    error=st.text(),
    code=values,
)
SCORES = st.dictionaries(st.sampled_from(["val/accuracy", "test/accuracy"]), st.floats() | values)
RESULT = some(metrics=SCORES, cost=values, environment=values, seed=st.integers())
CONFIG = some(seed=st.integers(0, 3), datamodule=st.just({"num_classes": 10}), optim=values)
CELL = some(overrides=st.lists(st.text(max_size=9) | values, max_size=2), labels=values, kind=st.text(), command=values)
NAMES = st.sampled_from(["cell", "cell2", "../x", "..", "", "/tmp/x"])
RECORD = some(commands=st.lists(values), cells=st.dictionaries(NAMES, CELL | values), latest=values, jobs=st.integers())
CURVES = st.binary(max_size=40) | st.sampled_from(
    [b"epoch,val/accuracy\n1,0.5\n", b"epoch,val/accuracy\nx,y\n", b"\0\n\0", b"epoch\n1e999\n", b'"' * 200_000]
)
CLAIM = Claim("claim", {}, [Check("it does", "test/accuracy", {"seed": 0}, {})])


@pytest.mark.parametrize("count", SIZES)
def test_no_file_of_a_study_breaks_a_command(count: int, here: Path) -> None:
    study = here / "runs" / "s"
    cell = study / "cell"
    good = {"study.json": b'{"cells": {"cell": {"overrides": ["seed=0"]}}}', "status.json": b'{"state": "done"}'}

    @examples(count)
    @given(
        st.just(good["study.json"]) | files(RECORD),
        st.just(good["status.json"]) | files(STATUS),
        files(RESULT),
        st.just(b"seed: 0\ndatamodule: {num_classes: 10}\n") | files(CONFIG),
        CURVES,
    )
    def fuzzed(record: bytes, state: bytes, result: bytes, config: bytes, curves: bytes) -> None:
        shutil.rmtree(here / "runs", ignore_errors=True)
        (cell / ".hydra").mkdir(parents=True)
        (cell / "checkpoints").mkdir()
        contents = {
            study / "study.json": record,
            cell / "status.json": state,
            cell / "slurm.json": state,
            cell / "result.json": result,
            cell / ".hydra" / "config.yaml": config,
            cell / "metrics.csv": curves,
            cell / "checkpoints" / "last.ckpt": curves,
        }
        for file, content in contents.items():
            file.write_bytes(content)
        run = Run(cell)
        for words in (["s"], ["s", "--json"], []):
            require_named(lambda words=words: status(words))  # type: ignore[misc]
        require_named(lambda: judge(study, CLAIM))
        require_named(lambda: (run.settled, run.half_done), "status.json")
        require_named(lambda: sort_out({cell: {"on_code_change": "warn"}}), "status.json")
        require_named(lambda: known_kinds(study), ".json")
        require_named(lambda: remembered(cell), "slurm.json")
        board = Board(1, Console(file=io.StringIO(), force_terminal=True))
        require_named(lambda: board.ended(cell), "nothing goes wrong there")
        require_named(lambda: board.look([(cell, 0.0)]), "nor there")
        require_named(lambda: run.close("it ended", 1, 0.0, 0), "nor there")
        (cell / "status.json").write_bytes(state)
        require_named(lambda: attempt(run), "status.json", "is being trained")

    fuzzed()


def attempt(run: Run) -> None:
    with run.attempt({}):
        pass
