"""Rows into CSV, JSON lines or Parquet, as they come."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError

Row = dict[str, str | float]
Put = Callable[[Row], None]
GROUP = 10_000  # rows of a Parquet file that are held until they are written together


def columns(top: int) -> list[str]:
    """file, class_1, probability_1, ..."""
    return ["file", *(f"{what}_{place}" for place in range(1, top + 1) for what in ("class", "probability"))]


@contextmanager
def as_csv(file: Path, top: int) -> Iterator[Put]:
    """Probabilities with six digits."""
    with file.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.DictWriter(stream, columns(top), lineterminator="\n")
        writer.writeheader()
        yield lambda row: writer.writerow(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in row.items()}
        )


@contextmanager
def as_jsonl(file: Path, _: int) -> Iterator[Put]:
    """An object a line."""
    with file.open("w", encoding="utf-8") as stream:
        yield lambda row: print(json.dumps(row), file=stream)


@contextmanager
def as_parquet(file: Path, top: int) -> Iterator[Put]:
    """Typed columns.

    Raises:
        UserError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UserError("predict output=*.parquet needs pyarrow: pip install 'cnnlab[parquet]'") from None
    kinds: dict[str, Any] = {"class": pyarrow.string(), "probability": pyarrow.float32(), "file": pyarrow.string()}
    schema = pyarrow.schema([(name, kinds[name.split("_")[0]]) for name in columns(top)])
    held: list[Row] = []
    with parquet.ParquetWriter(file, schema) as writer:

        def write() -> None:
            writer.write_table(pyarrow.Table.from_pylist(held, schema))
            held.clear()

        def put(row: Row) -> None:
            held.append(row)
            if len(held) == GROUP:
                write()

        yield put
        if held:
            write()


WRITERS: Mapping[str, Callable[[Path, int], AbstractContextManager[Put]]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
}
