#!/usr/bin/env python3
"""Known holes in the dependencies as pinned (pip-audit); what could not be asked about is listed, and fails nothing."""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

PINNED = Path(__file__).parents[1] / "constraints.txt"


def asked() -> list[dict[str, Any]] | None:
    """What is known of each dependency; None where pip-audit cannot be had or does not answer."""
    with tempfile.TemporaryDirectory(prefix="cnnlab-audit-") as folder:  # its own dependencies are none of ours
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        wanted = ["-r", str(PINNED), "--no-deps", "--disable-pip", "--format=json", "--timeout=10"]
        try:
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit"]
            subprocess.run(install, check=True, timeout=300)
            told = subprocess.run([python, "-m", "pip_audit", *wanted], capture_output=True, text=True, timeout=300)
            dependencies: list[dict[str, Any]] = json.loads(told.stdout)["dependencies"]
        except (subprocess.SubprocessError, OSError, ValueError, LookupError) as error:
            print(f"pip-audit does not answer: {error}")
            return None
    return dependencies


def main() -> None:
    """Exits with 1 if a hole is known."""
    known = asked()
    pinned = [line for line in PINNED.read_text().splitlines() if "==" in line]
    audited = [one for one in known or [] if "skip_reason" not in one]
    holes = [f"{one['name']} {one['version']}: {hole['id']}" for one in audited for hole in one["vulns"]]
    print(f"{len(audited)} of {len(pinned)} dependencies were audited, {len(holes)} holes are known")
    if len(audited) < len(pinned):
        names = {one["name"] for one in audited}
        print("not audited:", ", ".join(line for line in pinned if line.split("==")[0].lower() not in names))
    print("\n".join(holes))
    sys.exit(bool(holes))


if __name__ == "__main__":
    main()
