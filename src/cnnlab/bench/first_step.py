"""Runs a command in this process until its first optimizer step, and says how long that took.

python -m cnnlab.bench.first_step SINCE MODULE [ARGUMENT ...]: SINCE is when this process was started (time.time).
"""

import os
import runpy
import sys
import time
from typing import Any


def say(*_: Any) -> None:
    """Prints the seconds, and ends the process at once."""
    print(f"first step after {time.time() - float(SINCE)} s", flush=True)
    os._exit(0)


if __name__ == "__main__":
    SINCE, module, *arguments = sys.argv[1:]
    from torch.optim.optimizer import register_optimizer_step_post_hook

    register_optimizer_step_post_hook(say)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
