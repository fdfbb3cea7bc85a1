"""What needs a package that comes with an extra says which, before it does anything."""

import re
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import nn

from cnnlab.check import check
from cnnlab.errors import UserError
from cnnlab.inference.formats import FORMATS
from cnnlab.inference.table_files import as_parquet
from cnnlab.journal import journal
from cnnlab.look.gallery import wanted
from conftest import REPOSITORY, compose_config

EXTRAS: dict[str, list[str]] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


def write_parquet(folder: Path) -> None:
    with as_parquet(folder / "out.parquet", 1):
        pass


def export(folder: Path) -> None:
    FORMATS["onnx"].write(nn.Flatten(), torch.zeros(2, 1, 4, 4), folder / "out.onnx")


NEEDS: list[tuple[str, str, Callable[[Path], object]]] = [
    ("parquet", "pyarrow", write_parquet),
    ("export", "onnxscript", export),
    ("search", "optuna", lambda folder: journal(folder / "study" / "optuna.journal")),
    ("pictures", "captum", lambda _: wanted("")),
    ("mlflow", "mlflow", lambda _: check(compose_config("logger=mlflow"))),
    ("ray", "ray", lambda _: import_module("hydra_plugins.cnnlab_ray").RayLauncher(None, 1, 1, 1).train([], Console())),
]


@pytest.mark.parametrize(("extra", "package", "work"), NEEDS, ids=[extra for extra, *_ in NEEDS])
def test_what_is_missing_is_told_with_its_extra(
    extra: str, package: str, work: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(UserError, match=rf"pip install 'cnnlab\[{extra}\]'"):
        work(tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_extra_is_named_where_it_is_missed() -> None:
    code = "\n".join(path.read_text() for path in (REPOSITORY / "src").rglob("*.py"))
    assert set(re.findall(r"pip install 'cnnlab\[(\w+)\]'", code)) == set(EXTRAS) - {"dev"}


def test_who_works_on_it_gets_every_extra() -> None:
    (own,) = [need for need in EXTRAS["dev"] if need.startswith("cnnlab[")]
    assert set(own.removeprefix("cnnlab[").removesuffix("]").split(",")) == set(EXTRAS) - {"dev"}
