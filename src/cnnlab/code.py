"""Which code trains: its commit, and a hash of all sources that can change a result."""

import ast
import hashlib
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from cnnlab.launch.preload import OURS, targets

Code = dict[str, Any]
PACKAGE = Path(__file__).parent
# What shows, asks, composes, measures and decides when and where a cell is trained; what trains is the rest.
LEFT_OUT = (
    *(
        "bench",
        "report",
        "look",
        "serve",
        "study",
        "sweep",
        "__main__.py",
        "cli.py",
        "commands.py",
        "completion.py",
        "init.py",
        "inference",
        "data/corruptions.py",
        "starter",
        "help.py",
        "explain.py",
        "overview.py",
        "zoo.py",
        "summary.py",
    ),
    *(
        "track.py",
        "quantities.py",
        "conf.py",
        "budget.py",
        "check.py",
        "check_length.py",
        "options.py",
        "allowed.py",
        "secrets.py",
        "hydra_node.py",
        "ranges.py",
        "data/contact_sheet.py",
        "callbacks/progress.py",
        "callbacks/pictures.py",
    ),
    *(
        f"launch/{name}.py"
        for name in (
            "board",
            "code_change",
            "launcher",
            "local",
            "outcome",
            "patience",
            "planning",
            "pool",
            "preload",
            "rehearsal",
            "slurm",
        )
    ),
)


def code_of(config: Mapping[str, Any]) -> Code:
    """{'commit', 'dirty', 'digest'} of the code that would train this configuration now.

    The digest is over cnnlab's sources and the user's own modules, so that it needs no git and sees every change.
    """
    return code_with(own_modules(config))


def own_modules(config: Mapping[str, Any]) -> frozenset[str]:
    """The modules that the configuration's `_target_`s name, but for those of cnnlab and of what it is built on."""
    named = {target.rpartition(".")[0] for target in targets(config)}
    return frozenset(name for name in named if name and not _is_known(name))


def code_with(modules: Collection[str]) -> Code:
    """The same for a configuration with these modules of the user's own."""
    total = hashlib.sha256(digest_of_cnnlab().encode())
    for name, text in sorted(sources(modules).items()):
        total.update(f"\n{name} {hashlib.sha256(text).hexdigest()}".encode())
    return {"commit": None, "dirty": None, **commit(), "digest": total.hexdigest()[:16]}


def differs(status: Mapping[str, Any], code: Code) -> bool:
    """Whether the attempt that status.json tells of ran other code; of older ones one does not know, and says no."""
    before = status.get("code")
    return isinstance(before, dict) and before.get("digest") != code["digest"]


@cache
def digest_of_cnnlab() -> str:
    """Of what trains, as it lay on the disk when this process first asked."""
    total = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if name not in LEFT_OUT and name.split("/")[0] not in LEFT_OUT:
            total.update(f"\n{name} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return total.hexdigest()


def sources(modules: Collection[str]) -> dict[str, bytes]:
    """The text of these modules and of the user's own that they import, wherever Python finds them."""
    path = [str(Path.cwd()), *sys.path]  # a cell of a sweep looks in its working folder first
    found: dict[str, bytes] = {}
    waiting, seen = list(modules), set(modules)
    while waiting:
        module = waiting.pop()
        name, file = _found(module, path)
        if file is None or (_is_installed(file) and module not in modules):
            continue
        for key, part in _with_its_package(name, file):
            found[key] = part.read_bytes()
            more = set() if _is_installed(part) else _imported(found[key]) - seen
            seen |= more
            waiting += more
    return found


@cache
def commit() -> dict[str, Any]:
    """{'commit', 'dirty'} of the checkout that this code lies in, or nothing where it was installed."""
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():
        return {}

    def git(*arguments: str) -> str | None:
        try:
            ran = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):  # no git here, or no commit yet
            return None
        return ran.stdout.strip()

    return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", "src", "conf"))}


def _is_known(module: str) -> bool:
    root = module.split(".")[0]
    return root in OURS or root in sys.stdlib_module_names


def _is_installed(file: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & set(file.parts))


def _imported(text: bytes) -> set[str]:
    """Modules that a source imports by their full names; those of its own package are known already."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):  # Python will say so when it is imported
        return set()
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name for name in names if not _is_known(name)}


def _found(module: str, path: list[str]) -> tuple[str, Path | None]:
    """The file of a module, or of the package that it is in; nothing is imported for it."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        spec = PathFinder.find_spec(name, path)
        if spec and spec.origin is None and spec.submodule_search_locations:  # a folder without __init__.py
            path = list(spec.submodule_search_locations)
        else:
            return name, Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
    return module, None


def _with_its_package(name: str, file: Path) -> Iterator[tuple[str, Path]]:
    """All sources of a package, by names that are the same on every machine; of a module itself."""
    parts = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else []
    yield from ((f"{name}/{part.relative_to(file.parent).as_posix()}", part) for part in parts)
    if not parts:
        yield name, file
