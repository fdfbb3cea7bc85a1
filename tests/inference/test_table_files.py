"""Rows of predictions, as they are written."""

import os
from pathlib import Path

import pytest

from cnnlab.inference import table_files
from cnnlab.inference.table_files import WRITERS


def test_parquet_holds_all_rows_however_many_are_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(table_files, "GROUP", 3)
    with WRITERS["parquet"](tmp_path / "out.parquet", 1) as put:
        for number in range(7):
            put({"file": f"{number}.png", "class_1": "cat", "probability_1": number / 8})
    read = parquet.ParquetFile(tmp_path / "out.parquet")
    assert read.num_row_groups == 3
    assert read.read().column("probability_1").to_pylist() == [number / 8 for number in range(7)]


def test_a_file_whose_name_is_no_utf_8_keeps_its_name_in_csv(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    with WRITERS["csv"](tmp_path / "out.csv", 1) as put:
        put({"file": name, "class_1": "cat", "probability_1": 0.5})
    assert b"caf\xe9.png,cat,0.5\n" in (tmp_path / "out.csv").read_bytes()
