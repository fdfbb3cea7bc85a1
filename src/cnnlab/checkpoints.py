"""Checkpoints that are whole or not there: the best by val/accuracy, and the last two."""

import errno
import logging
import pickle
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint, ModelCheckpoint
from torch import Tensor

from cnnlab.atomic import whole
from cnnlab.checkpoint_parts import BEST, Mark, require, require_best_of, require_parts, require_same_cell
from cnnlab.errors import DiskFull, UserError
from cnnlab.levers import levers_in
from cnnlab.place_errors import NO_ROOM
from cnnlab.run import NEWEST_FIRST

log = logging.getLogger(__name__)
LAST, PREVIOUS = NEWEST_FIRST
# what Python's and torch's readers make of a file that is damaged
DAMAGED = (OSError, RuntimeError, ValueError, LookupError, TypeError, EOFError, AttributeError)
UNREADABLE = (*DAMAGED, zipfile.BadZipFile, pickle.UnpicklingError)


class WholeFiles(TorchCheckpointIO):
    """Lightning's own writing goes through $TMPDIR, which a crash can leave half-copied under the final name.

    A file takes its name, and the one before the last goes, when what is on the disk has been read again.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        path = Path(path)
        with whole(path, path.with_name(PREVIOUS) if path.name == LAST else None) as partial:
            try:
                with partial.open("wb") as file:
                    torch.save(checkpoint, file)
            except (OSError, RuntimeError) as error:  # torch raises its own on top of the system's
                cause = error.__context__ if isinstance(error, RuntimeError) else error
                if isinstance(cause, OSError) and cause.errno in NO_ROOM:
                    raise DiskFull(
                        f"{path}: {cause.strerror}. The checkpoints before it are whole: make room, and the same "
                        "command goes on from there"
                    ) from error
                raise
            if (part := damaged_part(partial)) is not None:
                raise OSError(errno.EIO, f"what was written reads differently ({part})", str(path))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Tensors and plain values from a file of this machine; nothing in it is executed.

        Raises:
            UserError: it is no such file, or is damaged, maybe since it was looked at.
        """
        if "://" in str(path) or not Path(path).is_file():
            raise UserError(f"checkpoint {path}: it must be a file on this machine; download it first, and look at it")
        content = BytesIO(Path(path).read_bytes())  # torch does not look at checksums, and the file may change
        try:
            part = damaged_part(content)
        except zipfile.BadZipFile as error:
            part = str(error)
        if part is not None:
            raise UserError(f"checkpoint {path} is damaged ({part}). The same command again goes on without it")
        content.seek(0)
        loaded: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
        return loaded


def damaged_part(file: Path | BytesIO) -> str | None:
    """The first part of a checkpoint that does not have the checksum (CRC-32) that it was written with, or None.

    torch's files are zip archives, which hold one for each tensor: no second file that could be lost or out of date.

    Raises:
        OSError, BadZipFile, ...: it cannot be read at all.
    """
    with zipfile.ZipFile(file) as parts:
        # no checksum covers this mark; torch reads nothing of a part that it makes a folder, and says nothing
        marked = (part.filename for part in parts.infolist() if part.external_attr)
        return next(marked, None) or parts.testzip()


class LatestOfTheBest(ModelCheckpoint):
    """Of epochs that tie, the latest: small validation sets tie often, and later weights have settled more."""

    scores: dict[str, float] | None = None  # of the best epoch's validation

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        if current is None:
            return False
        return self.best_model_score is None or bool(current >= self.best_model_score)

    on_train_batch_end = Checkpoint.on_train_batch_end  # nothing: it is after a validation that one is saved

    @property
    def state_key(self) -> str:
        return BEST

    def _update_best_and_save(self, current: Tensor, trainer: Trainer, monitor_candidates: dict[str, Tensor]) -> None:
        self.scores = {name: float(value) for name, value in monitor_candidates.items() if name.startswith("val/")}
        super()._update_best_and_save(current, trainer, monitor_candidates)

    def state_dict(self) -> dict[str, Any]:
        """For a run that goes on, wherever its folder is then."""
        return {"score": self.best_model_score, "scores": self.scores}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What best.ckpt says of itself, if state_dict knew of one.

        It may be of an epoch after: where last.ckpt is damaged, or the run goes back. That one is tested unless a later
        epoch is as good, so that it is what others are measured by.
        """
        if state_dict["score"] is not None:
            file = Path(str(self.dirpath), BEST)
            told = _read(file)["callbacks"][BEST]
            self.best_model_score = torch.as_tensor(told["score"]).clone()  # the file may be cut off meanwhile
            self.scores = told.get("scores")
            self.best_model_path = str(file)


def best(folder: Path) -> LatestOfTheBest:
    """best.ckpt: the last epoch with the highest val/accuracy."""
    stem = Path(BEST).stem
    return LatestOfTheBest(folder, stem, monitor="val/accuracy", mode="max", enable_version_counter=False)


@dataclass(frozen=True)
class Begun:
    """A training to go on with: how many epochs are done, and batches of the next, and steps in all; whether these are
    all; the curves until then, where it has them. levers: of trainer.*, that were on; None in checkpoints from before
    they came.
    """

    file: Path
    epochs: int
    batches: int
    steps: int
    finished: bool
    processes: int
    levers: dict[str, Any] | None = None
    curves: list[dict[str, float]] | None = None


def begin(folder: Path, before: int | None = None, cell: Mark | None = None) -> Begun | None:
    """The newest checkpoint that is whole, or None if there is none; says which are not, and why.

    before: of those that were made before so many steps. cell: of those with this mark, or without one.

    Raises:
        UserError: there is a folder in the place of a checkpoint.
    """
    for name in (*NEWEST_FIRST, BEST):
        if (folder / name).is_dir():
            raise UserError(f"{folder / name} is a folder: move it away, and the same command goes on without it")
    for file in (folder / name for name in NEWEST_FIRST):
        if not file.exists():
            continue
        try:
            begun = _begun(file, cell)
        except UNREADABLE as error:
            log.warning("%s is passed over: %s: %s", file, type(error).__name__, error)
            continue
        if before is None or begun.steps < before:
            return begun
    return None


def _begun(file: Path, cell: Mark | None) -> Begun:
    saved = _read(file)
    require_same_cell(saved, cell)
    require_parts(saved)
    position = saved["position"]
    if saved["callbacks"][BEST]["score"] is not None:  # without these weights it would end otherwise
        best = _read(file.with_name(BEST))
        try:
            require_same_cell(best, cell)
        except ValueError as error:
            raise ValueError(f"{BEST}: {error}") from error
        require_best_of(saved, best)
    epochs, steps, processes = saved["epoch"], saved["global_step"], len(position["sums"])
    ended, curves = position["finished"], saved.get("curves")
    return Begun(file, epochs, position["batches"], steps, ended, processes, levers_in(saved), curves)


def _read(file: Path) -> dict[str, Any]:
    if (part := damaged_part(file)) is not None:
        raise ValueError(f"{file.name}: the checksum of {part} is wrong")
    loaded: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    require("what it holds", loaded, dict)
    return loaded
