"""Whatever is typed or stands in a YAML file: no traceback, no hang, and no exit code 0 where something was refused."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzing import ODD, SIZES, examples, values

Command = Callable[..., int]
KEYS = [
    *("seed", "study", "model", "model.name", "model.weights", "model.freeze", "model.card", "model.imagenet", "optim"),
    *("optim.lr", "scheduler", "scheduler.warmup_epochs", "scheduler.milestones", "trainer", "trainer.max_epochs"),
    *("trainer.devices", "trainer.num_nodes", "trainer.limit_train_batches", "datamodule", "datamodule.mean"),
    *("datamodule.batch_size", "datamodule.fold", "datamodule.source", "datamodule.source.test_fraction", "augment"),
    *("augment.transforms", "regularizer", "regularizer.dropout", "callbacks.progress", "logger", "budget", "tune"),
    *("budget.amount", "budget.name", "data_dir", "runs_dir", "on_code_change", "pruning", "allowed_packages"),
    *("experiment", "ablation", "ablation.seeds", "ablation.axes", "ablation.exclude", "ablation.search"),
    *("hydra.launcher.jobs", "hydra/launcher", "hydra.job.name", "hydra.run.dir", "hydra.job.env_set", "debug"),
]
PLAIN = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUE = PLAIN | st.sampled_from(ODD) | st.integers().map(str) | st.floats().map(str)
WORD = st.tuples(st.sampled_from(["", "", "+", "++", "~"]), st.sampled_from(KEYS), VALUE).map(
    lambda t: f"{t[0]}{t[1]}={t[2]}"
)


@pytest.fixture
def tell(command: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Runs a command that trains nothing; what it refuses, it must say."""
    monkeypatch.setattr("cnnlab.single.train_cell", lambda *_: None)
    monkeypatch.setattr("cnnlab.launch.pool.forkserver.ensure_running", lambda: None)

    def run(*words: str) -> None:
        capsys.readouterr()
        code = command(*words)  # a timeout's SIGTERM is one, too
        told = capsys.readouterr().err
        assert code in (0, 1), told
        assert (code == 1) == told.startswith("cnnlab: "), (code, told)
        assert "Traceback" not in told

    return run


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("count", SIZES)
def test_any_words_are_done_or_refused(count: int, tell: Callable[..., None]) -> None:
    @examples(count)
    @given(st.lists(WORD | PLAIN.filter(lambda word: word and not word.startswith("-")), min_size=1, max_size=3))
    def fuzzed(words: list[str]) -> None:
        tell("train", *words)
        tell("plan", "hydra.launcher.rehearse=false", *words)

    fuzzed()


NODES = values | st.sampled_from([{"_target_": "os.system"}, {"_target_": "torch.optim.SGD", "lr": "x"}, "${seed}"])
GROUPS = ["model", "optim", "trainer", "datamodule", "augment", "callbacks", "logger", "regularizer", "scheduler"]
GROUPS += ["ablation", "hydra", "budget", "tune", "seed", "defaults", "runs_dir"]


def as_yaml(value: Any) -> str:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        return OmegaConf.to_yaml(OmegaConf.create(value))
    except (OmegaConfBaseException, ValueError):
        return repr(value)


TEXT = (
    st.dictionaries(st.sampled_from(GROUPS), NODES, max_size=2).map(as_yaml) | PLAIN | st.text("{}[]:-&*!|>' \n\t#a1$")
)
PACKAGES = ["# @package _global_\n", "", "# @package hydra\n", "# @package model.x\n"]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("count", SIZES)
def test_any_file_of_the_users_is_composed_or_refused(count: int, here: Path, tell: Callable[..., None]) -> None:
    (here / "conf" / "experiment").mkdir(parents=True)
    file = here / "conf" / "experiment" / "mine.yaml"

    @examples(count)
    @given(st.sampled_from(PACKAGES), TEXT | st.binary(max_size=20))
    def fuzzed(package: str, text: str | bytes) -> None:
        file.write_bytes(package.encode() + (text if isinstance(text, bytes) else text.encode(errors="replace")))
        tell("train", "experiment=mine")

    fuzzed()
    assert sys.argv[0] == "cnnlab train"
