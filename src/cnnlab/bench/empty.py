"""What it costs to have a process for each cell."""

import time

from cnnlab.launch.places import Places
from cnnlab.launch.pool import Pool
from cnnlab.launch.preload import preloaded
from cnnlab.run import Config

TIMES = 20


def nothing() -> None:
    """An empty cell."""


def seconds_of_an_empty_cell(config: Config) -> float:
    """From the start to the end of a process that the launcher's server forks, once that server is up."""
    context = Pool(Places(1, [], 1), None, 1, preloaded([config])).context

    def one() -> None:
        process = context.Process(target=nothing)
        process.start()
        process.join()

    one()  # waits for the server
    begun = time.perf_counter()
    for _ in range(TIMES):
        one()
    return (time.perf_counter() - begun) / TIMES
