"""A folder of images, one sub-folder a class."""

import logging
import os
from functools import cached_property
from pathlib import Path

import numpy as np

from cnnlab.data.decode import ENDINGS
from cnnlab.data.draws import stratified_split
from cnnlab.data.files import ImageFiles
from cnnlab.data.source import ImageSet, Labels, Stage
from cnnlab.errors import UserError

log = logging.getLogger(__name__)


def class_folders(data_dir: str) -> list[str]:
    """Names of the class folders of <data_dir>/train, or of <data_dir> itself, sorted.

    Raises:
        UserError: there is no such folder, or fewer than two classes in it.
    """
    root = Path(data_dir)
    if not root.is_dir():
        raise UserError(f"datamodule.data_dir={data_dir} is not a folder")
    root = root / "train" if (root / "train").is_dir() else root
    names = _folders(root)
    if len(names) < 2:
        raise UserError(f"{root} holds {len(names)} class folder(s); at least two are needed: {root}/<class>/<image>")
    return names


def _folders(root: Path) -> list[str]:
    try:
        return sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:  # it went away after it was seen, or is closed
        raise UserError(f"{root} cannot be read: {error.strerror}") from error


def files_below(folder: Path) -> list[Path]:
    """All files with the ending of an image, in deeper folders, too, sorted; hidden ones do not count.

    Links are followed, each folder once; those that lead nowhere are files that cannot be read.

    Raises:
        UserError: a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise UserError(f"{error.filename} cannot be read: {error.strerror}") from error

    found: list[Path] = []
    seen: set[str] = set()
    other = 0
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        seen.add(os.path.realpath(place))
        below = (name for name in folders if not name.startswith("."))
        folders[:] = [name for name in below if os.path.realpath(Path(place, name)) not in seen]
        visible = [Path(place, name) for name in names if not name.startswith(".")]
        images = [path for path in visible if path.suffix.lower() in ENDINGS]
        found += images
        other += len(visible) - len(images)
    if other:
        log.info("%s: %s files with other endings are ignored", folder, f"{other:,}")
    return sorted(found)


class ImageFolder(ImageFiles):
    """<data_dir>/{train,val,test}/<class>/<image>, or <data_dir>/<class>/<image>, of which a share is the test set.

    test_folder: what the folder with the test images is called; 'val' where those that are called so are the test set.
    """

    def __init__(
        self,
        data_dir: str,
        channels: int,
        test_fraction: float,
        test_seed: int,
        test_folder: str,
        verify: bool,
        on_bad: str,
    ) -> None:
        super().__init__(Path(data_dir), channels, verify, on_bad)
        self.test_fraction = test_fraction
        self.test_seed = test_seed
        self.folders = {"train": "train", "val": "val", "test": test_folder}

    def prepare(self) -> None:
        """Looks at all images."""
        places = {place for stage in self.folders if (place := self._place(stage))}  # type: ignore[arg-type]
        self.look_at([path for place in sorted(places) for path in self._files(place)[0]])

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The class folders' names."""
        return tuple(class_folders(str(self.root)))

    def read(self, stage: Stage) -> ImageSet | None:
        """The images of the stage's folder, or of that share of <data_dir>."""
        place = self._place(stage)
        if place is None:
            return None
        data = self.image_set(*self._files(place))
        if place != self.root:
            return data
        train, test = stratified_split(data.labels, self.test_fraction, self.test_seed)
        return data.subset(train if stage == "train" else test)

    def _place(self, stage: Stage) -> Path | None:
        """Where the stage's class folders are; None for a validation set that is not there."""
        name = self.folders[stage]
        ready = (self.root / "train").is_dir()
        if stage == "val" and (name == self.folders["test"] or not ready or not (self.root / name).is_dir()):
            return None
        if ready and not (self.root / name).is_dir():
            raise UserError(f"{self.root} has a train folder but no {name} folder; add one, or move the classes up")
        return self.root / name if ready else self.root

    def _files(self, root: Path) -> tuple[list[Path], Labels]:
        paths: list[Path] = []
        labels: list[int] = []
        if unknown := set(_folders(root)) - set(self.classes):
            raise UserError(f"{root} has classes that the training images lack: {', '.join(sorted(unknown))}")
        for label, name in enumerate(self.classes):
            found = files_below(root / name)
            if not found:
                raise UserError(f"{root / name} holds no images ({', '.join(sorted(ENDINGS))})")
            paths += found
            labels += [label] * len(found)
        return paths, np.array(labels, np.int64)
