"""Files of a data set: those that are there already, else downloaded once and checked against a known hash."""

import hashlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnlab.atomic import write_text
from cnnlab.data.cache import cache_folder, name_for
from cnnlab.errors import UserError

log = logging.getLogger(__name__)
LOCK = ".download.lock"
INCOMING = ".incoming"  # what is not whole yet


def find(name: str, folders: list[Path]) -> Path | None:
    """The first existing file of that name in the folders, also without its .gz ending."""
    candidates = (folder / n for folder in folders for n in (name, name.removesuffix(".gz")))
    return next((path for path in candidates if path.is_file()), None)


@dataclass(frozen=True)
class Downloads:
    """Where a data set's files come from.

    folder: where they go. mirrors: folders on the net, asked in turn. allowed: False where nothing may be fetched.
    hint: how else to get the files.
    """

    folder: Path
    mirrors: list[str]
    allowed: bool
    hint: str

    def fetch(self, name: str, md5: str) -> Path:
        """The file, fetched from the first mirror that has it; processes that want it at once fetch it once.

        Raises:
            UserError: downloading is not allowed, no mirror answers, or none has the file with that hash.
        """
        if not self.allowed:
            raise UserError(
                f"{name} is not there, and datamodule.download=false. Put it into {self.folder}{self.hint}."
            )
        import filelock

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.folder / LOCK)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                log.info("another process downloads to %s: waiting for it", self.folder)
                lock.acquire()
            try:
                there = self.folder / name
                return there if there.is_file() else self._fetch(name, md5)
            finally:
                lock.release()
        except OSError as error:
            raise UserError(f"{self.folder} cannot take {name}: {error}") from error

    def _fetch(self, name: str, md5: str) -> Path:
        import pooch
        from requests import RequestException

        incoming = self.folder / INCOMING
        shutil.rmtree(incoming, ignore_errors=True)  # of a process that was killed
        problems = []
        try:
            for mirror in self.mirrors:
                url = f"{mirror.rstrip('/')}/{name}"
                try:
                    pooch.retrieve(url, f"md5:{md5}", fname=name, path=incoming, progressbar=True)
                except (RequestException, OSError, ValueError) as error:  # ValueError: pooch's word for a wrong hash
                    problems.append(f"{url} ({type(error).__name__})")
                else:
                    return (incoming / name).replace(self.folder / name)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)
        raise UserError(f"cannot download {name} from {' or '.join(problems)}. Put it into {self.folder}{self.hint}.")


def require_hash(path: Path, read: Callable[[Path], bytes], algorithm: str, known: str, what: str) -> None:
    """Raises a UserError that names the file, unless what is read from it has the known hash.

    A file that was found to be the known one is believed as long as its size and time of change stay.
    """
    state = path.stat()
    mark = cache_folder() / "known" / name_for(path)
    facts = f"{state.st_size} {state.st_mtime_ns} {algorithm} {known}"
    if mark.is_file() and mark.read_text() == facts:
        return
    digest = hashlib.new(algorithm, read(path)).hexdigest()
    if digest != known:
        raise UserError(
            f"{path} is not the file known as {what}: its content has the {algorithm} {digest}, not {known}. "
            "Delete it, and it is downloaded again."
        )
    try:
        write_text(mark, facts)
    except OSError as error:
        log.info("%s cannot be written (%s): %s is checked again next time", mark, error.strerror, path)
