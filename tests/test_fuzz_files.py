"""Data files and weights that are something else are named."""

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cnnlab import weights
from cnnlab.data.class_csv import csv_classes, rows_of
from cnnlab.data.decode import decode
from cnnlab.data.idx import read_idx
from fuzzing import SIZES, examples, require_named, values


def saved(value: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def damaged(whole: bytes) -> Any:
    """A file with a byte changed, cut, or longer."""
    at = st.integers(0, len(whole) - 1)
    changed = st.tuples(at, st.integers(0, 255)).map(lambda t: whole[: t[0]] + bytes([t[1]]) + whole[t[0] + 1 :])
    return changed | at.map(lambda n: whole[:n]) | st.just(whole * 2) | st.binary(max_size=60) | st.just(whole)


HEADER = st.tuples(st.integers(0, 4), st.lists(st.integers(0, 2**32 - 1), max_size=5), st.binary(max_size=20)).map(
    lambda t: bytes([0, 0, 8, t[0]]) + b"".join(struct.pack(">I", n) for n in t[1]) + t[2]
)
TENSORS = st.sampled_from(
    [
        {"a": torch.ones(2)},
        {"a": torch.tensor(float("nan"))},
        {"a": torch.ones(2).to_sparse()},
        {"a": torch.empty(0)},
        {1: torch.ones(1)},
        {"state_dict": {"net.a": torch.ones(1)}},
        {"state_dict": 3},
        {"a": [1]},
        [torch.ones(1)],
        torch.ones(1),
        {"a": torch.ones(2, dtype=torch.complex64)},
        {"a": torch.ones(2, device="meta")},
    ]
).map(saved)


def table(text: bytes, folder: Path) -> None:
    file = folder / "t.csv"
    file.write_bytes(text)
    rows_of.cache_clear()
    csv_classes(str(file), "path", "class", None)


def idx(content: bytes, folder: Path) -> None:
    file = folder / "t.idx"
    file.write_bytes(content)
    read_idx(file)


def packed(content: bytes, folder: Path) -> None:
    file = folder / "t.idx.gz"
    file.write_bytes(content)
    read_idx(file)


def picture(content: bytes, folder: Path) -> None:
    file = folder / "t.jpg"
    file.write_bytes(content)
    decode(file, 3)


def checkpoint(content: bytes, folder: Path) -> None:
    file = folder / "t.pth"
    file.write_bytes(content)
    weights.load(torch.nn.Linear(2, 2), str(file), {}, "none")


CSV = st.sampled_from([b"path,class\n", b"path,class\na,0\nb,1\n", b"\xef\xbb\xbfpath,class\n"])
ROWS = st.tuples(CSV, st.binary(max_size=30) | st.just(b"\0") | st.just(b"a," + b"9" * 5000 + b"\n")).map(b"".join)
KINDS: dict[str, tuple[Callable[[bytes, Path], None], Any]] = {
    "csv": (table, ROWS | ROWS.map(lambda rows: rows.replace(b"a", "²".encode()))),
    "idx": (idx, HEADER | st.binary(max_size=30)),
    "gz": (packed, HEADER.map(gzip.compress) | damaged(gzip.compress(b"\0\0\x08\x01\0\0\0\x01a"))),
    "jpg": (picture, st.binary(max_size=60)),
    "pth": (checkpoint, TENSORS | damaged(saved({"weight": torch.ones(2, 2), "bias": torch.ones(2)})) | TENSORS),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", SIZES)
def test_a_file_that_is_something_else_is_named(count: int, kind: str, tmp_path: Path) -> None:
    read, contents = KINDS[kind]

    @examples(count)
    @given(contents)
    def fuzzed(content: bytes) -> None:
        require_named(lambda: read(content, tmp_path), str(tmp_path / "t."))

    fuzzed()


def test_anything_but_tensors_in_a_checkpoint_is_refused(tmp_path: Path) -> None:
    @examples(12)
    @given(values)
    def fuzzed(value: Any) -> None:
        with pytest.raises(ValueError, match=r"t\.pth"):
            checkpoint(saved(value), tmp_path)

    fuzzed()
