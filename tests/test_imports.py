"""Arrows point one way, and what a command does not need is not imported."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import REPOSITORY, compose_config, stems

SOURCE = REPOSITORY / "src" / "cnnlab"
MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
KNOW_HYDRA = {"hydra_node.py", "task.py", "commands.py", "conf.py", "explain.py", "targets.py"}
KNOW_HYDRA |= {"bench/template.py", "bench/accuracy_template.py"}  # which do as others do

OF_IMAGES = ("augment", "colours", "corruptions", "cutout")
MAY_KNOW_ALBUMENTATIONS = (*(f"data/{name}.py" for name in OF_IMAGES), "bench/data.py", "bench/template.py")


def imports(module: str) -> set[str]:
    """Names of the modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse((SOURCE / module).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def roots(module: str) -> set[str]:
    return {name.split(".")[0] for name in imports(module)}


def families() -> set[str]:
    """The modules that hold a network someone can choose."""
    targets = (compose_config(f"model={stem}")["model"]["_target_"] for stem in stems("model"))
    return {target.rsplit(".", 1)[0] for target in targets}


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("models/")])
def test_networks_know_torch_and_their_parts_only(module: str) -> None:
    assert roots(module) <= {"torch", "cnnlab", *sys.stdlib_module_names}
    ours = {name for name in imports(module) if name.startswith("cnnlab.")}
    assert not ours & families()
    assert all(name.startswith(("cnnlab.models", "cnnlab.errors")) for name in ours)


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m not in KNOW_HYDRA and not m.startswith(("launch/", "sweep/"))]
)
def test_hydra_stays_at_the_door(module: str) -> None:
    assert "hydra" not in roots(module)


@pytest.mark.parametrize("module", MODULES)
def test_albumentations_is_known_where_images_are_changed(module: str) -> None:
    assert "albumentations" not in roots(module) or module in MAY_KNOW_ALBUMENTATIONS


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("data/")])
def test_data_do_not_know_what_is_trained_on_them(module: str) -> None:
    forbidden = ("cnnlab.models", "cnnlab.classifier", "cnnlab.train", "cnnlab.optim")
    assert not any(name.startswith(forbidden) for name in imports(module))


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short(module: str) -> None:
    assert len((SOURCE / module).read_text().splitlines()) <= 200


@pytest.mark.parametrize("arguments", ["'--help'", "'train', '--help'", "'train', '--cfg', 'job'"])
def test_asking_imports_neither_torch_nor_lightning(arguments: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.argv = ['cnnlab', {arguments}]\n"
        "from cnnlab.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'lightning', 'wandb', 'albumentations', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True).returncode == 0


def test_a_run_imports_only_the_loggers_and_policies_it_uses(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['cnnlab', 'train', 'debug=fast']\n"
        "from cnnlab.cli import main\n"
        "main()\n"
        "unused = {'wandb', 'albumentations', 'sklearn', 'tensorboard', 'cnnlab.look.gallery', 'captum'}\n"
        "unused |= {'scipy', 'pandas', 'matplotlib'}\n"
        "sys.exit(bool(unused & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True).returncode == 0
