"""The verify pass: every file is decoded once; what was found is remembered as long as the file stays as it is."""

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL
import simplejpeg

from cnnlab.atomic import whole
from cnnlab.data.cache import cache_folder, name_for
from cnnlab.data.decode import Unreadable, decode
from cnnlab.data.threads import in_threads
from cnnlab.errors import UserError
from cnnlab.track import tracked

log = logging.getLogger(__name__)
AS_IT_IS: Any = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}  # file names may be any bytes


@dataclass(frozen=True)
class Finding:
    """What a look at a file showed: its size in bytes and time of change in ns, a problem or none, and oddities."""

    size: int
    changed: int
    problem: str
    odd: tuple[str, ...]


class Verified:
    """What is known about the files below a folder, kept in the user's cache, since data may be read-only."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        # other decoders may judge otherwise
        decoders = f"{PIL.__version__}-{simplejpeg.__version__}"
        self.memory = cache_folder() / "verified" / f"{name_for(self.root)}-{decoders}.csv"

    def look_at(self, paths: list[Path]) -> dict[Path, Finding]:
        """What is found in each file; only those that are new or changed since the last look are decoded.

        Raises:
            Unreadable: the system does not hand out a file; nothing is remembered about it.
        """
        known = dict(self._recall())
        findings: dict[Path, Finding] = {}
        fresh: list[Path] = []
        for path in paths:
            try:
                size, changed = _size_and_time(path)
            except FileNotFoundError:  # a link to nowhere
                findings[path] = Finding(0, 0, "it is not there", ())
                continue
            before = known.get(str(path.absolute()))
            if before and (before.size, before.changed) == (size, changed):
                findings[path] = before
            else:
                fresh.append(path)
        try:
            looks = tracked(in_threads(look, fresh), len(fresh), "looking at the images")
            for path, finding in zip(fresh, looks, strict=True):
                findings[path] = known[str(path.absolute())] = finding
        finally:
            if fresh:
                self._remember(known)
        return findings

    def _recall(self) -> Iterator[tuple[str, Finding]]:
        try:
            with self.memory.open(**AS_IT_IS) as file:
                for path, size, changed, problem, odd in csv.reader(file):
                    yield path, Finding(int(size), int(changed), problem, tuple(odd.split("|")) if odd else ())
        except (OSError, ValueError, csv.Error):  # none yet, or not whole: then it is made anew
            return

    def _remember(self, known: dict[str, Finding]) -> None:
        try:
            with whole(self.memory) as partial, partial.open("w", **AS_IT_IS) as file:
                rows = ((p, f.size, f.changed, f.problem, "|".join(f.odd)) for p, f in known.items())
                csv.writer(file).writerows(rows)
        except OSError as error:
            log.warning("%s cannot be written (%s): the images are looked at again next time", self.memory, error)


def look(path: Path) -> Finding:
    """Decodes the file, with colours, since whatever is wrong shows then."""
    size, changed = _size_and_time(path)
    try:
        return Finding(size, changed, "", tuple(decode(path, 3)[1]))
    except Unreadable:
        raise
    except UserError as error:
        return Finding(size, changed, str(error).removeprefix(f"{path} is not a whole image: "), ())


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror}") from error
    return state.st_size, state.st_mtime_ns
