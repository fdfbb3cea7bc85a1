"""Keys and passwords, which must not reach what a run writes: its files, its logs, W&B."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError

NAMES = re.compile(r"key$|_key_|token|secret|passw|passphrase|credential|cookie|_pwd$|_pat$", re.IGNORECASE)
CONFIG_NAMES = re.compile(r"api_?key|token|secret|passw|passphrase|credential", re.IGNORECASE)
IN_ADDRESS = re.compile(r"\w+://[^/@\s]*:[^/@\s]+@")
SHORTEST = 8  # letters; a shorter value may stand in a configuration by chance
# variables that a configuration may ask for: where things lie, and what a cluster says of a job
READABLE = re.compile(
    r"CNNLAB_\w+|SLURM_\w+|XDG_\w+|HOME|USER|LOGNAME|HOSTNAME|PWD|TMPDIR|SCRATCH|WORK|CUDA_VISIBLE_DEVICES"
    r"|\w*(DATA|DIR|ROOT|PATH|FOLDER)"
)


def readable(name: str, *default: Any) -> Any:
    """${oc.env:NAME,default}, but for what may be secret.

    Raises:
        UserError: it may be, or it is not there and has no default.
    """
    if NAMES.search(name) or not READABLE.fullmatch(name):
        raise UserError(
            f"${{oc.env:{name}}}: a configuration is written into the run's folder, and may only read variables about "
            "places and jobs (CNNLAB_*, SLURM_*, HOME, TMPDIR, *DATA, *DIR, *ROOT, *PATH, ...). Where "
            f"{name} holds no secret: key=$" + name + " on the command line"
        )
    if name in os.environ:
        return os.environ[name]
    if not default:
        raise UserError(f"${{oc.env:{name}}}: the environment has no {name}, and there is no default for it")
    return default[0]


def require_no_secret(config: Mapping[str, Any]) -> None:
    """Raises a UserError that names the key, and never the value, of what would be written for all to read."""
    secrets = dict(from_environment(os.environ))
    for path, value in leaves(config):
        if not isinstance(value, str) or not value:
            continue
        if CONFIG_NAMES.search(path.rpartition(".")[2]):
            raise UserError(
                f"{path}: no keys or passwords in a configuration, which is written into the run's folder. W&B finds "
                "its own in WANDB_API_KEY, or where `wandb login` left it"
            )
        if IN_ADDRESS.search(value):
            raise UserError(f"{path}: it has a password in an address, and would be written into the run's folder")
        if found := [name for name, secret in secrets.items() if secret in value]:
            raise UserError(f"{path}: it has the content of {found[0]}, and would be written into the run's folder")


def from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The variables that look secret, by name; files and folders are none."""
    for name, value in environment.items():
        if NAMES.search(name) and len(value) >= SHORTEST and not value.isdecimal() and not is_place(value):
            yield name, value


def is_place(text: str) -> bool:
    """Whether there is a file or folder of that name."""
    try:
        return text.startswith(("/", "~")) and Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # too long for one
        return False


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that holds no others, with its path; keys, too, as values of their own."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
        return
    for key, item in items:
        yield from leaves(item, f"{path}.{key}" if path else str(key))
