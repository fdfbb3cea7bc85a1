"""The wheel and the sdist: what is in them, and that they work where the repository is not."""

import os
import re
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import cnnlab
from conftest import REPOSITORY

BUILD = [sys.executable, "-m", "build", "--no-isolation"]
# what is no module, and what would go missing unnoticed
MUST_HOLD = {"cnnlab/py.typed", "cnnlab/conf/train.yaml", "cnnlab/report/page.html", "cnnlab/starter/gitignore"}
SCRIPT = """from cnnlab.build import build_network
from cnnlab.conf import composed, register

register()
print(sum(weight.numel() for weight in build_network(composed("model=resnet20")).parameters()))
"""


def ran(words: list[str], folder: Path, **more: str) -> str:
    """What a command says that knows nothing of the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", **more}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist, and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    ran([*BUILD, "--outdir", str(folder), str(REPOSITORY)], folder)
    return folder


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A new environment's, with cnnlab from the wheel, and all that it needs from where it is."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    executable = str(folder / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", executable, "install", "--quiet", "--no-deps", "--no-index"]
    ran([*install, str(wheel(built))], folder)
    (its,) = (folder / "lib").glob("python*/site-packages")
    (its / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return executable


def wheel(folder: Path) -> Path:
    (found,) = folder.glob("*.whl")
    return found


def held(folder: Path) -> set[str]:
    with zipfile.ZipFile(wheel(folder)) as archive:
        return set(archive.namelist())


def sources() -> set[str]:
    """Files of the checkout that a wheel has, by their names in it."""
    tracked = [path for top in ("src", "conf") for path in (REPOSITORY / top).rglob("*") if path.is_file()]
    names = [path.relative_to(REPOSITORY).as_posix() for path in tracked if "__pycache__" not in path.parts]
    return {re.sub("^src/", "", re.sub("^conf/", "cnnlab/conf/", name)) for name in names if ".egg-info" not in name}


@pytest.mark.slow
def test_the_wheel_has_every_file_and_nothing_else(built: Path) -> None:
    metadata = {name for name in held(built) if ".dist-info/" in name}
    assert held(built) - metadata == sources()
    assert held(built) >= MUST_HOLD
    assert any(name.endswith("licenses/LICENSE") for name in metadata)


@pytest.mark.slow
def test_the_sdist_has_the_tests_and_makes_the_same_wheel(built: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"tests/conftest.py", "conf/train.yaml", "scripts/claims.py", "Makefile", "CONTRIBUTING.md"}
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    ran([*pip, "--wheel-dir", str(tmp_path), str(REPOSITORY)], tmp_path)
    assert wheel(tmp_path).read_bytes() == wheel(built).read_bytes()


@pytest.mark.slow
def test_the_version_is_the_one_that_the_package_says(built: Path, python: str, tmp_path: Path) -> None:
    assert wheel(built).name == f"cnnlab-{cnnlab.__version__}-py3-none-any.whl"
    command = str(Path(python).parent / "cnnlab")
    assert ran([command, "--version"], tmp_path).strip() == cnnlab.__version__
    code = "import importlib.metadata as m, cnnlab; print(m.version('cnnlab'), cnnlab.__file__)"
    version, file = ran([python, "-c", code], tmp_path).split()
    assert version == cnnlab.__version__
    assert Path(file).is_relative_to(Path(python).parents[1])


@pytest.mark.slow
def test_what_is_installed_trains_and_reports(python: str, tmp_path: Path) -> None:
    command = [str(Path(python).parent / "cnnlab")]
    ran([*command, "train", "study=one", "trainer.max_epochs=1", "datamodule.fraction=0.2"], tmp_path)
    assert len(list(tmp_path.glob("runs/one/*/result.json"))) == 1
    ran([*command, "report", "one"], tmp_path)
    assert (tmp_path / "runs" / "one" / "report" / "index.html").stat().st_size > 100_000


@pytest.mark.slow
def test_types_reach_whoever_uses_the_package(python: str, tmp_path: Path) -> None:
    ran([python, "-m", "cnnlab", "init", "project"], tmp_path)
    project = tmp_path / "project"
    (project / "right.py").write_text(SCRIPT)
    (project / "wrong.py").write_text(SCRIPT.replace('"model=resnet20"', "20"))
    mypy = [python, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "right.py", "wrong.py", "mine"]
    told = subprocess.run(mypy, cwd=project, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert 'wrong.py:5: error: Argument 1 to "composed" has incompatible type "int"; expected "str"' in told.stdout
    assert "in 1 file (checked 5 source files)" in told.stdout
    assert int(ran([python, "right.py"], project)) == 269_434
