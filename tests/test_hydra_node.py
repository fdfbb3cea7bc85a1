"""Hydra's own part of a configuration runs nothing either, whoever wrote it."""

from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., int]
REFUSED = {
    "callbacks: {mine: {_target_: os.system, command: touch here}}": "hydra.callbacks.mine._target_=os.system",
    "callbacks: {mine: {_target_: own.Callback}}": "is not run",
    "launcher: {jobs: {_target_: os.system, command: touch here}}": "hydra.launcher.jobs._target_=os.system",
    "launcher: {_target_: own.Launcher}": "only Hydra's launchers",
    "sweeper: {_target_: own.Sweeper}": "only Hydra's launchers",
    "callbacks: '${evil}'": "hydra.callbacks=${evil}: it must be plain",
    "launcher: {jobs: '${evil}'}": "hydra.launcher.jobs=${evil}: it must be plain",
    "launcher: {'jobs(': '${evil}'}": "it must be plain",
    "launcher: {jobs: '${oc.create:\"{_target_: os.system, command: touch here}\"}'}": "it must be plain",
    "job_logging: {handlers: {mine: {(): os.system, command: touch here}}}": "hydra.job_logging.handlers.mine.()=",
    "job_logging: {handlers: {file: {filename: /root/.bashrc}}}": "hydra.job_logging.handlers.file.filename",
    "job_logging: {handlers: {file: {class: logging.handlers.SMTPHandler}}}": "handlers.file.class",
    "job_logging: {handlers: {file: {class: '${note}'}}}": "it must be plain",
    "hydra_logging: {handlers: {console: {stream: 'ext://os.environ'}}}": "hydra.hydra_logging.handlers.console.stream",
    "hydra_logging: {formatters: {plain: {defaults: 'ext://os.environ'}}}": "it can be ext://sys.stdout",
    "job: {name: ../../.profile}": "must not contain slashes",
    "job: {env_set: {LD_PRELOAD: ./x.so}}": "hydra.job.env_set.LD_PRELOAD=./x.so: it decides what is run",
    "job: {env_set: {WANDB_BASE_URL: 'https://elsewhere'}}": "counts on the command line only",
    "job: {env_set: {CNNLAB_ALLOWED_PACKAGES: own}}": "counts on the command line only",
    "job: {env_set: {WANDB_API_KEY: 0123456789}}": "no keys or passwords",
    "launcher: {setup: [touch here]}": "hydra.launcher.setup=['touch here']: it decides what is run",
    "launcher: {sbatch: {export: 'ALL,LD_PRELOAD=x'}}": "hydra.launcher.sbatch.export",
    'launcher: {sbatch: {account: "a\\ntouch here"}}': "it must be one line",
    "launcher: {address: 'elsewhere:6379'}": "hydra.launcher.address",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_shared_file_runs_nothing_through_hydra(
    command: Command, here: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (here / "conf" / "experiment").mkdir(parents=True)
    evil = "evil: {_target_: os.system, command: touch here}\nnote: logging.FileHandler"
    (here / "conf" / "experiment" / "shared.yaml").write_text(f"# @package _global_\n{evil}\nhydra:\n  {text}\n")
    assert command("train", "experiment=shared", "--cfg", "job") == 1
    said = capsys.readouterr().err
    assert REFUSED[text] in said
    assert "0123456789" not in said
    assert not (here / "here").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["+hydra.job.env_set.LD_LIBRARY_PATH=/opt"],
        ["+hydra.job.env_set.OMP_NUM_THREADS=1"],
        ["hydra/launcher=slurm", "hydra.launcher.setup=[module load cuda]", "+hydra.launcher.sbatch.nice=100"],
        ["hydra/launcher=ray", "hydra.launcher.address=localhost:6379"],
        ["hydra/job_logging=default", "hydra/hydra_logging=default"],
        ["hydra/job_logging=disabled", "hydra/launcher=basic", "hydra/sweeper=basic"],
    ],
)
def test_what_a_user_types_counts(command: Command, words: list[str]) -> None:
    assert command("train", *words, "--cfg", "job") == 0
