"""Where what was found out about files is remembered; data themselves may be read-only."""

import hashlib
import os
from pathlib import Path


def cache_folder() -> Path:
    """CNNLAB_CACHE, or the user's cache folder as the system has it."""
    import pooch

    return Path(os.environ.get("CNNLAB_CACHE") or pooch.os_cache("cnnlab"))


def name_for(path: Path) -> str:
    """A file name that no other path shares."""
    path = path.absolute()
    return f"{path.name}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"
