"""What it costs to have a process for each cell."""

import time
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from cnnlab.launch.child import Work
from cnnlab.launch.places import Places
from cnnlab.launch.pool import Pool
from cnnlab.launch.preload import preloaded
from cnnlab.run import Config, Run

TIMES = 20


def nothing(work: Work, _: Connection) -> None:
    """An empty cell: it is done when it begins."""
    with Run(work.folder).attempt(work.config):
        pass


def seconds_of_an_empty_cell(config: Config) -> float:
    """From the start of its process to the launcher's having cleared it away, once the server is up."""
    pool = Pool(Places(1, [], 1), None, 1, preloaded([config]), task=nothing)
    with TemporaryDirectory() as folder:
        cells = [Work(config, Path(folder, str(n)), [], {}, 1, folder) for n in range(TIMES)]
        for _ in pool.run([Work(config, Path(folder, "first"), [], {}, 1, folder)]):
            pass  # it waits for the server
        begun = time.perf_counter()
        for _ in pool.run(cells):
            pass
        return (time.perf_counter() - begun) / TIMES
