"""`cnnlab init`: a small project of the user's own."""

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from cnnlab.errors import UserError

STARTER = Path(__file__).parent / "starter"


def init(arguments: Sequence[str]) -> None:
    """Writes it into a new or an empty folder, and says what to do next.

    Raises:
        UserError: it is not told where, or something is there already.
    """
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise UserError("init: it wants the name of a new folder: cnnlab init my_project")
    folder = Path(arguments[0])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"init {folder}: there is something already; it wants the name of a new or an empty folder")
    shutil.copytree(STARTER, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "gitignore").rename(folder / ".gitignore")  # under its own name it would count in the package
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        print(f"  {file}")
    print(f"\nnext:  cd {shlex.quote(str(folder))}")
    print("       export CNNLAB_ALLOWED_PACKAGES=mine\n       cnnlab train experiment=first")
