"""MNIST's idx files, and the data sets that come in them."""

import gzip
import logging
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnlab.atomic import whole
from cnnlab.data.cache import cache_folder, name_for
from cnnlab.data.download import Downloads, find, require_hash
from cnnlab.data.source import ImageSet, Stage
from cnnlab.errors import UserError

log = logging.getLogger(__name__)
LARGEST = 2**30  # bytes that are unpacked: MNIST's have 47 MB


def unpacked(path: Path) -> bytes:
    """The file's content, taken out of gzip if need be.

    Unpacking takes a tenth of a short run's time, so that what comes out is kept in the user's cache, as long as
    the file's size and time of change stay.

    Raises:
        UserError: it cannot be read.
    """
    try:
        if path.suffix != ".gz":
            return path.read_bytes()
        state = path.stat()
        copy = cache_folder() / "unpacked" / f"{name_for(path)}-{state.st_size}-{state.st_mtime_ns}"
        if copy.is_file():
            return copy.read_bytes()
        with gzip.open(path) as packed:
            content = packed.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise UserError(f"{path} unpacks to more than {LARGEST / 2**20:.0f} MiB: it is no data set of small images")
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} cannot be read: {error}. Delete it, and it is downloaded again.") from error
    try:
        with whole(copy) as partial:
            partial.write_bytes(content)
    except OSError as error:
        log.info("%s cannot be written (%s): %s is unpacked again next time", copy, error.strerror, path)
    return content


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an idx file, gzipped or not: two zeros, type 8, rank, sizes (big-endian), data.

    Raises:
        UserError: the file is something else, or shorter than it says.
    """
    raw = unpacked(path)
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise UserError(f"{path} is not an idx file of bytes. Delete it, and it is downloaded again.")
    start = 4 + 4 * raw[3]
    shape = tuple(int(n) for n in np.frombuffer(raw[4:start], ">u4"))
    if len(raw) - start != np.prod(shape):
        raise UserError(f"{path} holds {len(raw) - start} bytes, not {shape}. Delete it, and it is downloaded again.")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


class Idx:
    """Grey images in four idx files: {train,t10k}-{images-idx3,labels-idx1}-ubyte, packed with gzip or not.

    mirrors: asked before those that are known. download: whether files that are not there may be fetched.
    """

    classes: ClassVar[tuple[str, ...]]
    known_mirrors: ClassVar[list[str]]
    md5: ClassVar[dict[str, str]]  # of the packed files, as they are served
    sha256: ClassVar[dict[str, str]]  # of what is in them, however it is packed
    elsewhere: ClassVar[list[Path]] = []  # folders where a system's package puts the files
    hint: ClassVar[str] = ""

    def __init__(self, data_dir: str, download: bool, mirrors: list[str]) -> None:
        self.folder = Path(data_dir)
        self.downloads = Downloads(self.folder, [*mirrors, *self.known_mirrors], download, self.hint)

    def prepare(self) -> None:
        """Downloads the files that are neither in data_dir nor installed by the system, and checks those that are."""
        for name in self.md5:
            path = self._path(name)
            require_hash(path, unpacked, "sha256", self.sha256[name], f"{type(self).__name__}'s {name}")

    def _path(self, name: str) -> Path:
        return find(name, [self.folder, *self.elsewhere]) or self.downloads.fetch(name, self.md5[name])

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
    known_mirrors: ClassVar = [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    ]
    md5: ClassVar = {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    }
    sha256: ClassVar = {
        "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    }
    elsewhere: ClassVar = [Path("/usr/share/datasets/fashion-mnist")]
    hint = ", or on Debian and Ubuntu: apt-get install dataset-fashion-mnist"


class Mnist(Idx):
    """LeCun, Bottou, Bengio, Haffner, 1998."""

    classes = tuple("0123456789")
    known_mirrors: ClassVar = [
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
    ]
    md5: ClassVar = {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    }
    sha256: ClassVar = {
        "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    }
