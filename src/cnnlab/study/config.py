"""The configurations of a study's cells, read quickly: cells of one study have most of their lines in common."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

BLOCKS = re.compile(r"^(?=[^\s#-])", re.MULTILINE)  # a key of the root, with all that is indented below it


def read_config(file: Path) -> dict[str, Any]:
    """.hydra/config.yaml as plain values. They are shared between the configurations that have them: not to be changed.

    Raises:
        ValueError: it cannot be read, or is no configuration.
    """
    try:
        text = file.read_text(encoding="utf-8")
        blocks = [_block(block) for block in BLOCKS.split(text) if block.strip()]
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException, RecursionError) as error:
        raise ValueError(f"{file}: {error}") from error
    if not all(isinstance(block, dict) for block in blocks):
        raise ValueError(f"{file}: it holds no keys with values")
    return {key: value for block in blocks for key, value in block.items()}


@lru_cache(maxsize=100_000)
def _block(text: str) -> Any:
    return OmegaConf.to_container(OmegaConf.create(text))  # reads 1e-4 as a number, which plain YAML does not
