"""A folder of images, one sub-folder a class."""

from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from cnnlab.data.source import Image, ImageSet, Labels, Stage, stratified_split
from cnnlab.errors import UserError

ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}


def class_folders(data_dir: str) -> list[str]:
    """Names of the class folders of <data_dir>/train, or of <data_dir> itself, sorted.

    Raises:
        UserError: there is no such folder, or fewer than two classes in it.
    """
    root = Path(data_dir)
    if not root.is_dir():
        raise UserError(f"datamodule.data_dir={data_dir} is not a folder")
    root = root / "train" if (root / "train").is_dir() else root
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(names) < 2:
        raise UserError(f"{root} holds {len(names)} class folder(s); at least two are needed: {root}/<class>/<image>")
    return names


class Decoded:
    """RGB images that are decoded when they are asked for."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: int) -> Image:
        path = self.paths[position]
        try:
            with Pillow.open(path) as image:  # unlike OpenCV it raises on a truncated file
                upright = ImageOps.exif_transpose(image)
                if upright.mode.startswith("I;16"):  # convert would clip at 255
                    upright = Pillow.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
                return np.asarray(upright.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
            raise UserError(f"{path} is not a whole image: {error}") from error


class ImageFolder:
    """<data_dir>/{train,val,test}/<class>/<image>, or <data_dir>/<class>/<image>, of which a share is the test set.

    test_folder: what the folder with the test images is called; 'val' where those that are called so are the test set.
    """

    def __init__(self, data_dir: str, test_fraction: float, test_seed: int, test_folder: str) -> None:
        self.root = Path(data_dir)
        self.test_fraction = test_fraction
        self.test_seed = test_seed
        self.folders = {"train": "train", "val": "val", "test": test_folder}

    def prepare(self) -> None:
        """Nothing to download."""

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The class folders' names."""
        return tuple(class_folders(str(self.root)))

    def read(self, stage: Stage) -> ImageSet | None:
        """The images of the stage's folder, or of that share of <data_dir>."""
        ready = self._folder("train") is not None
        folder = self._folder(stage)
        if ready and folder:
            paths, labels = self._files(folder)
        elif stage == "val":
            return None
        elif ready and stage == "test":
            raise UserError(
                f"{self.root} has a train folder but no {self.folders['test']} folder; add one, or move the classes up"
            )
        else:
            paths, labels = self._files(self.root)
            train, test = stratified_split(labels, self.test_fraction, self.test_seed)
            return ImageSet(Decoded(paths), labels).subset(train if stage == "train" else test)
        return ImageSet(Decoded(paths), labels)

    def _folder(self, stage: Stage) -> Path | None:
        name = self.folders[stage]
        taken = stage == "val" and name == self.folders["test"]
        return self.root / name if not taken and (self.root / name).is_dir() else None

    def _files(self, root: Path) -> tuple[list[Path], Labels]:
        paths: list[Path] = []
        labels: list[int] = []
        there = {path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}
        unknown = there - set(self.classes)
        if unknown:
            raise UserError(f"{root} has classes that the training images lack: {', '.join(sorted(unknown))}")
        for label, name in enumerate(self.classes):
            found = sorted(p for p in (root / name).rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
            if not found:
                raise UserError(f"{root / name} holds no images ({', '.join(sorted(ENDINGS))})")
            paths += found
            labels += [label] * len(found)
        return paths, np.array(labels, np.int64)
