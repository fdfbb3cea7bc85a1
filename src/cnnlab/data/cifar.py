"""CIFAR-10 and CIFAR-100 in their binary form (no pickle): records of label bytes and 3 x 32 x 32 pixels."""

import hashlib
import re
import tarfile
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np

from cnnlab.atomic import whole, write_text
from cnnlab.data.download import Downloads, find, require_hash
from cnnlab.data.source import ImageSet, Stage
from cnnlab.errors import UserError

PIXELS = 3 * 32 * 32
SUMS = "sha256sums.txt"  # of the files that were taken out of the archive; no hash of them is published


class Cifar:
    """50,000 + 10,000 colour images; `label_bytes` precede each image, of which the last is the label."""

    archive: ClassVar[str]
    md5: ClassVar[str]
    members: ClassVar[dict[str, list[str]]]
    names: ClassVar[str]
    label_bytes: ClassVar[int]
    images_a_file: ClassVar[dict[str, int]]  # by the beginning of its name

    def __init__(self, data_dir: str, download: bool, mirrors: list[str]) -> None:
        self.folder = Path(data_dir)
        hint = ", packed or unpacked"
        self.downloads = Downloads(self.folder, [*mirrors, "https://www.cs.toronto.edu/~kriz"], download, hint)

    def prepare(self) -> None:
        """Unpacks the archive where its files are not there, after downloading it (about 160 MB) where it is not."""
        if not all((self.folder / name).is_file() for name in self._wanted()):
            self._unpack(find(self.archive, [self.folder]) or self.downloads.fetch(self.archive, self.md5))
            return
        sums = self.folder / SUMS
        told = re.findall(r"^(\w+)  ([\w.]+)$", sums.read_text(), re.MULTILINE) if sums.is_file() else []
        if {name for _, name in told} != set(self._wanted()):
            self._check_sizes()
            return
        for known, name in told:
            path = self.folder / name
            require_hash(path, Path.read_bytes, "sha256", known, f"{name} of {self.archive}")

    def _check_sizes(self) -> None:
        """Of files that someone else has unpacked, no hash is published; their sizes are known."""
        for name in [*self.members["train"], *self.members["test"]]:
            path, size = self.folder / name, self.images_a_file[name.split("_")[0]] * (self.label_bytes + PIXELS)
            if path.stat().st_size != size:
                raise UserError(
                    f"{path} has {path.stat().st_size:,} bytes, not {size:,}. Delete it, and it is fetched."
                )

    def _wanted(self) -> list[str]:
        return [*self.members["train"], *self.members["test"], self.names]

    def _unpack(self, archive: Path) -> None:
        """Takes the files out by name: nothing else of the archive is written, wherever it points."""
        require_hash(archive, Path.read_bytes, "md5", self.md5, self.archive)
        wanted, sums = set(self._wanted()), []
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    if member.isfile() and (name := Path(member.name).name) in wanted:
                        stream = tar.extractfile(member)
                        assert stream is not None
                        content = stream.read()
                        with whole(self.folder / name) as partial:
                            partial.write_bytes(content)
                        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise UserError(f"{archive} cannot be unpacked: {error}. Delete it, and it is downloaded again.") from error
        missing = [name for name in self._wanted() if not (self.folder / name).is_file()]
        if missing:  # tarfile takes a damaged header for the end
            raise UserError(f"{archive} lacks {', '.join(missing)}. Delete it, and it is downloaded again.")
        write_text(self.folder / SUMS, "".join(sums))

    def read(self, stage: Stage) -> ImageSet | None:
        """Train or test images [N, 32, 32, 3]; there is no validation set."""
        if stage == "val":
            return None
        record = self.label_bytes + PIXELS
        parts = []
        for name in self.members[stage]:
            raw = np.fromfile(self.folder / name, np.uint8)
            if len(raw) == 0 or len(raw) % record:
                raise UserError(f"{self.folder / name} is not whole. Delete it, and it is unpacked again.")
            parts.append(raw.reshape(-1, record))
        records = np.concatenate(parts)
        images = records[:, self.label_bytes :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return ImageSet(np.ascontiguousarray(images), records[:, self.label_bytes - 1].astype(np.int64))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names that come with the data."""
        return tuple((self.folder / self.names).read_text().split())


class Cifar10(Cifar):
    """Ten classes."""

    archive = "cifar-10-binary.tar.gz"
    md5 = "c32a1d4ab5d03f1284b67883e8d87530"
    members: ClassVar = {"train": [f"data_batch_{n}.bin" for n in range(1, 6)], "test": ["test_batch.bin"]}
    names = "batches.meta.txt"
    label_bytes = 1
    images_a_file: ClassVar = {"data": 10_000, "test": 10_000}


class Cifar100(Cifar):
    """A hundred fine classes; the coarse label comes first and is not used."""

    archive = "cifar-100-binary.tar.gz"
    md5 = "03b5dce01913d631647c71ecec9e9cb8"
    members: ClassVar = {"train": ["train.bin"], "test": ["test.bin"]}
    names = "fine_label_names.txt"
    label_bytes = 2
    images_a_file: ClassVar = {"train.bin": 50_000, "test.bin": 10_000}
