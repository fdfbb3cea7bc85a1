"""Images that a table gives a class: one row an image."""

import csv
import os
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from cnnlab.data.draws import stratified_split
from cnnlab.data.files import ImageFiles
from cnnlab.data.source import ImageSet, Stage
from cnnlab.errors import UserError

Row = tuple[str, str, str]  # path, class, split


@cache
def rows_of(file: str, path_column: str, class_column: str, split_column: str | None) -> tuple[Row, ...]:
    """The table's rows; split is '' where there is no such column.

    Raises:
        UserError: the file cannot be read, lacks a column, or has an empty cell.
    """
    try:
        with Path(file).open(newline="", encoding="utf-8-sig") as table:
            reader = csv.DictReader(table)
            wanted = [name for name in (path_column, class_column, split_column) if name]
            if missing := [name for name in wanted if name not in (reader.fieldnames or [])]:
                there = ", ".join(reader.fieldnames or ["none"])
                raise UserError(f"{file} has no column {', '.join(missing)}. Its columns: {there}")
            rows = []
            for row in reader:
                if empty := [name for name in wanted if not row[name]]:
                    raise UserError(f"{file}, line {reader.line_num}: {', '.join(empty)} is empty")
                rows.append((row[path_column], row[class_column], row[split_column] if split_column else ""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read: {error}") from error
    return tuple(rows)


def csv_classes(file: str, path_column: str, class_column: str, split_column: str | None) -> list[str]:
    """The classes that occur, sorted: as numbers if all of them are, else as words.

    Raises:
        UserError: fewer than two.
    """
    names = {name for _, name, _ in rows_of(file, path_column, class_column, split_column)}
    if len(names) < 2:
        raise UserError(f"{file} tells {len(names)} class(es) in its column {class_column}; at least two are needed")
    numbers = all(name.isdecimal() and len(name) < 20 for name in names)  # longer ones, Python does not convert
    return sorted(names, key=int) if numbers else sorted(names)


class ClassCsv(ImageFiles):
    """<data_dir>/<path of a row>; paths may also be absolute.

    split_column: holds train, val or test; without it a share of each class is the test set.

    Raises:
        UserError: a file of the table is not there or occurs twice, its split is none of the three, or a class occurs
            in no training row.
    """

    def __init__(
        self,
        data_dir: str,
        file: str,
        path_column: str,
        class_column: str,
        split_column: str | None,
        channels: int,
        test_fraction: float,
        test_seed: int,
        verify: bool,
        on_bad: str,
    ) -> None:
        super().__init__(Path(data_dir), channels, verify, on_bad)
        self.columns = (file, path_column, class_column, split_column)
        self.test_fraction = test_fraction
        self.test_seed = test_seed

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The words in the class column."""
        return tuple(csv_classes(*self.columns))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The table."""
        return rows_of(*self.columns)

    def prepare(self) -> None:
        """Looks at all images."""
        file, _, _, split_column = self.columns
        if split_column and (odd := {split for *_, split in self.rows} - {"train", "val", "test"}):
            raise UserError(f"{file}: {split_column} is {', '.join(sorted(odd))}; it must be train, val or test")
        if split_column:
            learnt = {name for _, name, split in self.rows if split == "train"}
            if unknown := sorted({name for _, name, _ in self.rows} - learnt):
                raise UserError(f"{file} has classes that its training rows lack: {', '.join(unknown)}")
        paths = [self.root / path for path, *_ in self.rows]
        first: dict[str, int] = {}
        for row, path in enumerate(paths, start=1):
            if (before := first.setdefault(os.path.realpath(path), row)) != row:
                raise UserError(f"{file} names {path} twice, in its rows {before} and {row}: take one of them out")
        if missing := [path for path in paths if not path.is_file()]:
            raise UserError(f"{file} names {len(missing)} file(s) that are not there, the first: {missing[0]}")
        self.look_at(paths)

    def read(self, stage: Stage) -> ImageSet | None:
        """The images of the stage's rows, or of that share of all rows."""
        split_column = self.columns[-1]
        chosen = [row for row in self.rows if not split_column or row[2] == stage]
        if stage == "val" and not (split_column and chosen):
            return None
        number = {name: label for label, name in enumerate(self.classes)}
        labels = np.array([number[name] for _, name, _ in chosen], np.int64)
        data = self.image_set([self.root / path for path, *_ in chosen], labels)
        if split_column:
            return data
        train, test = stratified_split(data.labels, self.test_fraction, self.test_seed)
        return data.subset(train if stage == "train" else test)
