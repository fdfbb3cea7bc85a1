"""Images in files: decoded when they are asked for, and looked at beforehand."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np

from cnnlab.data.decode import decode
from cnnlab.data.source import Image, ImageSet, Labels
from cnnlab.data.verify import Finding, Verified
from cnnlab.errors import UserError

log = logging.getLogger(__name__)
SHOWN = 5


class Decoded:
    """Images of files, [H, W, channels], decoded when they are asked for."""

    def __init__(self, paths: list[Path], channels: int) -> None:
        self.paths = paths
        self.channels = channels

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: int) -> Image:
        return decode(self.paths[position], self.channels)[0]


class ImageFiles:
    """What sources of files share: a look at every file before the first is used.

    verify: whether to look. on_bad: 'error', or 'skip' to go on without the files that are no whole images.
    """

    def __init__(self, root: Path, channels: int, verify: bool, on_bad: str) -> None:
        self.root = root
        self.channels = channels
        self.verify = verify
        self.on_bad = on_bad
        self.findings: dict[Path, Finding] = {}

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names."""
        raise NotImplementedError

    def look_at(self, paths: list[Path]) -> None:
        """Decodes the files that were not looked at before, and says what was found.

        Raises:
            UserError: some are no whole images and on_bad is 'error'; it names the first of them.
        """
        if not self.verify:
            return
        self.findings = findings = Verified(self.root).look_at(paths)
        bad = [(path, findings[path].problem) for path in paths if findings[path].problem]
        odd = Counter(word for path in paths for word in findings[path].odd)
        for word, count in odd.most_common():
            log.info("%s of %s files: %s", f"{count:,}", f"{len(paths):,}", word)
        if bad:
            lines = [f"{path}: {problem}" for path, problem in bad[:SHOWN]]
            if len(bad) > SHOWN:
                lines.append(f"... and {len(bad) - SHOWN:,} more")
            said = f"{len(bad):,} of {len(paths):,} files are not whole images:\n  " + "\n  ".join(lines)
            if self.on_bad == "error":
                raise UserError(f"{said}\nRepair or remove them, or leave them out with datamodule.on_bad=skip")
            log.warning("%s\n  They are left out.", said)

    def image_set(self, paths: list[Path], labels: Labels) -> ImageSet:
        """The files with their labels, without those that are to be skipped.

        Raises:
            UserError: nothing is left of a class.
        """
        if not (self.verify and self.on_bad == "skip"):
            return ImageSet(Decoded(paths, self.channels), labels)
        if not set(paths) <= set(self.findings):  # another process has looked
            self.findings |= Verified(self.root).look_at(paths)
        findings = self.findings
        good = np.array([not findings[path].problem for path in paths], bool)
        if gone := sorted(set(labels.tolist()) - set(labels[good].tolist())):
            raise UserError(f"{self.root}: no file of class {self.classes[gone[0]]} is a whole image")
        skipped = tuple(str(path) for path, kept in zip(paths, good, strict=True) if not kept)
        kept = [path for path, is_kept in zip(paths, good, strict=True) if is_kept]
        return ImageSet(Decoded(kept, self.channels), labels[good], skipped)
