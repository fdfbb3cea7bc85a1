"""A run's folder: its configuration, its state, its result."""

import logging
import os
import shutil
import socket
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnnlab.atomic import clear_partial, write_json, write_text
from cnnlab.code import Code, differs
from cnnlab.errors import DiskFull, Diverged, OutOfGpuMemory, RankKilled, UserError, WorkerKilled
from cnnlab.place_errors import of_the_place
from cnnlab.process import begun, lives
from cnnlab.run_files import read_result, read_status

log = logging.getLogger(__name__)
Config = dict[str, Any]
MADE_BY_AN_ATTEMPT = (
    "result.json",
    "metrics.csv",
    "predictions.npz",
    "checkpoints",
    "tensorboard",
    "pictures",
    ".ranks",
)
NEWEST_FIRST = ("last.ckpt", "previous.ckpt")  # checkpoints to go on from
# errors that say nothing against the checkpoints
NOT_ITS_OWN = tuple(kind.__name__ for kind in (OutOfGpuMemory, RankKilled, WorkerKilled, DiskFull))
OF_CHECKPOINTS = ("micro_batches", "code", "code_changed")  # what status.json says about those, whoever goes on


class Run:
    """The folder of one run.

    `.hydra/config.yaml` is the truth about it; `status.json` tells what became of it and `result.json`, written last,
    what came out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config_file = folder / ".hydra" / "config.yaml"
        self.status_file = folder / "status.json"
        self.result_file = folder / "result.json"
        self.checkpoints = folder / "checkpoints"

    @property
    def status(self) -> dict[str, Any]:
        """What status.json says; empty before the first attempt."""
        return read_status(self.status_file) if self.status_file.exists() else {}

    @property
    def done(self) -> bool:
        """Whether there is a result that needs no further attempt."""
        return self.status.get("state") == "done" and self.result_file.exists()

    @property
    def settled(self) -> bool:
        """Whether the same training would come to the same end: it is done, or diverged, which is a result, too."""
        return self.done or self.status.get("state") == "diverged"

    @property
    def half_done(self) -> bool:
        """Whether an attempt ended before its time, but not by an error of its own, and left a checkpoint."""
        status = self.status
        not_its_own = str(status.get("error")).startswith(NOT_ITS_OWN)
        from_outside = status.get("state") in ("running", "interrupted") or (
            status.get("state") == "failed" and ("traceback" not in status or not_its_own)
        )
        return from_outside and any((self.checkpoints / name).exists() for name in NEWEST_FIRST)

    def result(self) -> dict[str, Any]:
        """What result.json says."""
        return read_result(self.result_file)

    def close(self, error: str, exit_code: int, since: float, attempts: int | None = None) -> None:
        """Says what became of an attempt whose process could not say so itself; whoever started it calls this.

        since: when it was started (time.time); what an attempt before that said is out of date. attempts: how many
        there were then, where that is known; a clock may go back.
        """
        try:
            status = self.status
        except UserError:  # whatever stood there, the attempt has ended
            status = {}
        if (status.get("state") == "done" and self.result_file.exists()) or held(status):
            return
        late = status.get("started", 0.0) < since if attempts is None else status.get("attempt", 0) <= attempts
        if late or status.get("state", "running") == "running":
            began = since if late else status.get("started", since)
            seconds = max(0.0, round(time.time() - began, 3))
            attempt = status.get("attempt", 0) + late
            failed = {"state": "failed", "attempt": attempt, "exit_code": exit_code, "started": began}
            kept = {key: status[key] for key in OF_CHECKPOINTS if key in status} if late else status
            write_json(self.status_file, {**kept, **failed, "seconds": seconds, "error": error})

    @contextmanager
    def attempt(
        self,
        config: Config,
        overrides: Sequence[str] = (),
        resume: bool = False,
        micro_batches: int = 1,
        code: Code | None = None,
    ) -> Iterator[None]:
        """Keeps status.json true while the block trains, whatever ends it; what it raises goes on.

        resume: keeps what the attempt before left, to go on from. micro_batches: see launch/memory.py. code: that
        trains now; if it is not the one that began, status.json says so from then on.

        Raises:
            UserError: another process on this machine is training in this folder.
        """
        from omegaconf import OmegaConf  # whoever only looks at a run does not wait for it

        before = self.status
        if held(before):
            raise UserError(f"{self.folder} is being trained by process {before['pid']}; wait for it, or stop it first")
        for name in () if resume else MADE_BY_AN_ATTEMPT:  # nothing of another attempt may be taken for this one's
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for folder in (self.folder, self.checkpoints):
            clear_partial(folder)
        write_text(self.config_file, OmegaConf.to_yaml(config))
        write_text(self.config_file.with_name("overrides.yaml"), OmegaConf.to_yaml(list(overrides)))
        started, since = time.time(), time.monotonic()
        status = {
            "state": "running",
            "attempt": before.get("attempt", 0) + 1,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "pid_since": begun(os.getpid()),
            "micro_batches": micro_batches,
            "started": started,
        }
        if code is not None:
            status["code"] = code
            changed = differs(before, code)
            if resume and changed:
                log.warning("going on with other code than this run was begun with (on_code_change=warn)")
            if resume and (changed or before.get("code_changed")):
                status["code_changed"] = True
        write_json(self.status_file, status)

        def end(state: str, exit_code: int, **more: str) -> None:
            seconds = round(time.monotonic() - since, 3)  # whatever became of the clock
            write_json(self.status_file, {**status, "state": state, "exit_code": exit_code, "seconds": seconds, **more})

        try:
            yield
        except Diverged as error:
            end("diverged", 1, error=str(error))
            raise
        except KeyboardInterrupt:
            end("interrupted", 130)
            raise
        except SystemExit as stop:
            end("interrupted", stop.code if isinstance(stop.code, int) else 1)
            raise
        except BaseException as error:
            # data that are away, a disk that is full: nothing against the checkpoints
            not_its_own = isinstance(error, (UserError, WorkerKilled, DiskFull)) or of_the_place(error)
            told = {} if not_its_own else {"traceback": traceback.format_exc()}
            end("failed", 1, error=f"{type(error).__name__}: {error}", **told)
            raise
        end("done", 0)


def held(status: dict[str, Any]) -> bool:
    """Whether another process on this machine, which is alive, says that it is training."""
    pid = status.get("pid", os.getpid())
    if status.get("state") != "running" or status.get("host") != socket.gethostname() or pid == os.getpid():
        return False
    since = status.get("pid_since")
    return lives(pid, None if since is None else float(since))  # else another process has got its number
