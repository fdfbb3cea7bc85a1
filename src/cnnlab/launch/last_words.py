"""What ranks say when they fail, and which of them failed first: the others fail for want of it."""

import json
import time
from pathlib import Path

from cnnlab.atomic import write_json
from cnnlab.errors import DiskFull, Diverged, OutOfGpuMemory, RankFailed, RankKilled, UserError, WorkerKilled

PATIENCE = 2.0  # seconds until all have written theirs
# what a process says when another one is gone
BEREAVED = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "DistBackendError",
    "DistNetworkError",
    "NCCL error",
)
KNOWN = {kind.__name__: kind for kind in (Diverged, UserError, OutOfGpuMemory, WorkerKilled, DiskFull)}


def leave(folder: Path, rank: int, error: Exception) -> None:
    """Writes a rank's error where the agents of all nodes find it."""
    kind = next((name for name, known in KNOWN.items() if isinstance(error, known)), type(error).__name__)
    words = {"time": time.time(), "kind": kind, "message": str(error)}
    write_json(folder / f"{rank}.json", words)


def said_by(folder: Path, world_size: int, exit_codes: dict[int, int]) -> Exception | None:
    """The error of the rank that failed first, or None if nobody said or did anything that explains it.

    A rank that was killed said nothing; exit_codes: what torch knows of, which is of one rank.
    """
    deadline = time.monotonic() + PATIENCE
    while len(said := read(folder)) < world_size and not own(said) and time.monotonic() < deadline:
        time.sleep(0.1)
    if first := own(said):
        rank, words = min(first.items(), key=lambda item: float(str(item[1]["time"])))
        kind = KNOWN.get(str(words["kind"]))
        return kind(words["message"]) if kind else RankFailed(f"rank {rank}: {words['kind']}: {words['message']}")
    killed = [rank for rank, code in exit_codes.items() if code == -9]
    silent = killed or [rank for rank in range(world_size) if rank not in said] if said or killed else []
    if not silent:
        return None
    return RankKilled(
        f"rank {' or '.join(map(str, silent))}: it ended without a word, as after SIGKILL, which the system sends when "
        "there is too little memory. The same command goes on from the last epoch"
    )


def read(folder: Path) -> dict[int, dict[str, object]]:
    """By rank."""
    return {int(file.stem): json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("[0-9]*.json")}


def own(said: dict[int, dict[str, object]]) -> dict[int, dict[str, object]]:
    """Those that did not fail because another one was gone."""
    return {rank: words for rank, words in said.items() if not bereaved(str(words["kind"]), str(words["message"]))}


def bereaved(kind: str, message: str) -> bool:
    """Whether that is what a process says when another one is gone, which says more."""
    return any(sign in f"{kind}: {message}" for sign in BEREAVED)
