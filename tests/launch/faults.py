"""Faults that strike a grid, and where they struck."""

import os
import resource
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from chaos import Chaos, Fault

FULL = 20 * 1024  # bytes that a file has on a full disk: more than any log, less than any checkpoint


# what strikes a cell


def to_a_cell(chaos: Chaos, moment: float, number: signal.Signals) -> str:
    chaos.some_cell()
    time.sleep(moment)
    folder, pid = chaos.some_cell()
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    return where(folder)


def where(folder: Path) -> str:
    curves = folder / "metrics.csv"
    epochs = len(curves.read_bytes().splitlines()) - 1 if curves.exists() else 0
    return f"{folder.name} after {epochs} epochs"


def kill_data_workers(chaos: Chaos, moment: float) -> str:
    """As the system does when there is too little memory."""
    chaos.some_cell()
    time.sleep(moment)
    folder, pid = chaos.some_cell()
    killed = 0
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            with suppress(psutil.NoSuchProcess):
                child.kill()
                killed += 1
    return f"{killed} of {where(folder)}" if killed else ""


def kill_a_cell(chaos: Chaos, moment: float) -> str:
    return to_a_cell(chaos, moment, signal.SIGKILL)


def term_a_cell(chaos: Chaos, moment: float) -> str:
    return to_a_cell(chaos, moment, signal.SIGTERM)


def interrupt_a_cell(chaos: Chaos, moment: float) -> str:
    return to_a_cell(chaos, moment, signal.SIGINT)


# what strikes the command


def to_the_command(chaos: Chaos, moment: float, how: Callable[[int], Any]) -> str:
    chaos.some_cell()
    command = chaos.begin()
    time.sleep(moment)
    running = [where(folder) for folder in chaos.running()]
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        how(command.pid)
    chaos.ended()
    return ", ".join(running) or "no cell in work"


def kill_the_launcher(chaos: Chaos, moment: float) -> str:
    return to_the_command(chaos, moment, lambda pid: os.kill(pid, signal.SIGKILL))


def kill_everything(chaos: Chaos, moment: float) -> str:
    def kill(pid: int) -> None:
        launcher = psutil.Process(pid)
        for one in [launcher, *launcher.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()

    return to_the_command(chaos, moment, kill)


def term_the_launcher(chaos: Chaos, moment: float) -> str:
    return to_the_command(chaos, moment, lambda pid: os.kill(pid, signal.SIGTERM))


def ctrl_c(chaos: Chaos, moment: float) -> str:
    return to_the_command(chaos, moment, lambda pid: os.killpg(pid, signal.SIGINT))


# what strikes disks and files


def full_disk(chaos: Chaos, moment: float) -> str:
    folder, _ = chaos.some_cell()
    command = chaos.begin()
    with suppress(psutil.NoSuchProcess):
        limit_files(command.pid, FULL)
    time.sleep(0.5 + moment)
    limit_files(command.pid, resource.RLIM_INFINITY)
    return where(folder)


def limit_files(pid: int, size: int) -> None:
    """Of a process and of all that it began."""
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(pid)
        for one in [first, *first.children(recursive=True)]:
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def missing_data(chaos: Chaos, moment: float) -> str:
    running = [where(folder) for folder in chaos.running()]
    away = chaos.data.with_name("away")
    chaos.data.rename(away)
    chaos.begin()
    time.sleep(3 + moment)
    away.rename(chaos.data)
    return ", ".join(running) or "no cell in work"


def some_file(chaos: Chaos, pattern: str) -> Path | None:
    files = sorted(chaos.study.glob(pattern))
    unfinished = [file for file in files if not (file.parents[1] / "result.json").exists()]
    return chaos.draw.choice(unfinished or files) if files else None


def cut_off_checkpoint(chaos: Chaos, moment: float) -> str:
    chaos.some_cell()
    time.sleep(moment)
    file = some_file(chaos, "*/checkpoints/last.ckpt")
    if file is None:
        return ""
    cut(file, chaos)
    return f"{file.parents[1].name}"


def flipped_byte_in_checkpoint(chaos: Chaos, moment: float) -> str:
    chaos.some_cell()
    time.sleep(moment)
    file = some_file(chaos, "*/checkpoints/*.ckpt")
    if file is None:
        return ""
    with suppress(FileNotFoundError):  # it is being replaced
        content = bytearray(file.read_bytes())
        if content:  # it may have been cut off before
            content[int(len(content) * chaos.draw.random())] ^= 255
            file.write_bytes(content)
    return f"{file.name} of {file.parents[1].name}"


def cut(file: Path, chaos: Chaos) -> None:
    """Half of it, more or less, is gone."""
    with suppress(FileNotFoundError):  # it is being replaced
        os.truncate(file, int(file.stat().st_size * chaos.draw.uniform(0, 0.9)))


def another_cells_checkpoint(chaos: Chaos, moment: float) -> str:
    chaos.some_cell()
    time.sleep(moment)
    file = some_file(chaos, "*/checkpoints/last.ckpt")
    others = [other for other in sorted(chaos.study.glob("*/checkpoints/last.ckpt")) if other != file]
    if file is None or not others:
        return ""
    other = chaos.draw.choice(others)
    beside = file.with_name("copied")
    with suppress(FileNotFoundError):  # it is being replaced
        shutil.copyfile(other, beside)
        beside.replace(file)
    return f"{other.parents[1].name} for {file.parents[1].name}"


def damaged_curves(chaos: Chaos, moment: float) -> str:
    folder, _ = chaos.some_cell()
    time.sleep(moment)
    file = folder / "metrics.csv"
    if not file.exists():
        return ""
    said = where(folder)
    with suppress(FileNotFoundError):  # an attempt begins anew
        match chaos.draw.randrange(3):
            case 0:
                cut(file, chaos)
            case 1:
                file.write_bytes(chaos.draw.randbytes(300))
            case _:
                file.unlink()
    return said


def half_written_status(chaos: Chaos, moment: float) -> str:
    time.sleep(moment)
    if not chaos.cells():
        return ""
    folder = chaos.draw.choice(chaos.cells())
    said = where(folder)
    cut(folder / "status.json", chaos)
    return said


def half_written_result(chaos: Chaos, moment: float) -> str:
    time.sleep(moment)
    files = sorted(chaos.study.glob("*/result.json"))
    if not files:
        return ""
    file = chaos.draw.choice(files)
    cut(file, chaos)
    return f"result of {file.parent.name}"


KINDS: list[Fault] = [
    *[kill_a_cell] * 3,
    *[term_a_cell] * 2,
    interrupt_a_cell,
    *[kill_the_launcher] * 2,
    kill_everything,
    term_the_launcher,
    ctrl_c,
    *[full_disk] * 2,
    *[missing_data] * 2,
    *[cut_off_checkpoint] * 2,
    flipped_byte_in_checkpoint,
    *[another_cells_checkpoint] * 2,
    *[damaged_curves] * 2,
    *[kill_data_workers] * 2,
    half_written_status,
    half_written_result,
]
