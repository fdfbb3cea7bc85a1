"""MNIST's idx files, and the data sets that come in them."""

import gzip
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.download import download, find
from cnnlab.data.source import ImageSet, Stage
from cnnlab.errors import UserError


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an idx file, gzipped or not: two zeros, type 8, rank, sizes (big-endian), data.

    Raises:
        UserError: the file is something else, or shorter than it says.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}. Delete it, and it is downloaded again.") from error
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise UserError(f"{path} is not an idx file of bytes. Delete it, and it is downloaded again.")
    start = 4 + 4 * raw[3]
    shape = tuple(int(n) for n in np.frombuffer(raw[4:start], ">u4"))
    if len(raw) - start != np.prod(shape):
        raise UserError(f"{path} holds {len(raw) - start} bytes, not {shape}. Delete it, and it is downloaded again.")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


class Idx:
    """Grey images in four idx files: {train,t10k}-{images-idx3,labels-idx1}-ubyte.gz."""

    classes: ClassVar[tuple[str, ...]]
    mirrors: ClassVar[list[str]]
    md5: ClassVar[dict[str, str]]
    elsewhere: ClassVar[list[Path]] = []  # folders where a system's package puts the files
    hint: ClassVar[str] = ""

    def __init__(self, data_dir: str) -> None:
        self.folder = Path(data_dir)

    def prepare(self) -> None:
        """Downloads the files that are neither in data_dir nor installed by the system."""
        for name in self.md5:
            self._path(name)

    def _path(self, name: str) -> Path:
        found = find(name, [self.folder, *self.elsewhere])
        urls = [mirror + name for mirror in self.mirrors]
        return found or download(name, f"md5:{self.md5[name]}", urls, self.folder, self.hint)

    def read(self, stage: Stage) -> ImageSet | None:
        """Train or test images [N, 28, 28, 1]; there is no validation set."""
        if stage == "val":
            return None
        prefix = "train" if stage == "train" else "t10k"
        images = read_idx(self._path(f"{prefix}-images-idx3-ubyte.gz"))
        labels = read_idx(self._path(f"{prefix}-labels-idx1-ubyte.gz"))
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise UserError(f"{self.folder}: images {images.shape} and labels {labels.shape} do not belong together")
        return ImageSet(images[..., None], labels.astype(np.int64))


class FashionMnist(Idx):
    """Xiao, Rasul, Vollgraf: Fashion-MNIST, 2017."""

    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    mirrors: ClassVar = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    md5: ClassVar = {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    }
    elsewhere: ClassVar = [Path("/usr/share/datasets/fashion-mnist")]
    hint = ", or on Debian and Ubuntu: apt-get install dataset-fashion-mnist"


class Mnist(Idx):
    """LeCun, Bottou, Bengio, Haffner, 1998."""

    classes = tuple("0123456789")
    mirrors: ClassVar = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ]
    md5: ClassVar = {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    }
