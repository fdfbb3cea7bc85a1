"""The cells of a sweep in joblib's workers, as Hydra's joblib launcher trains them: composed and run in a worker.

python -m cnnlab.bench.joblib_cells CELLS JOBS [group=choice ...] [key=value ...] runs_dir=FOLDER
"""

import sys
from pathlib import Path

from joblib import Parallel, delayed

from cnnlab.conf import composed, register
from cnnlab.launch.cell import train_cell


def train(words: list[str], seed: int) -> None:
    """One cell; joblib keeps the worker, and what it has imported, for the next."""
    register()
    config = composed(*words, f"seed={seed}")
    train_cell(config, Path(config["runs_dir"], f"seed{seed}"), words)


if __name__ == "__main__":
    cells, jobs, *words = sys.argv[1:]
    Parallel(n_jobs=int(jobs))(delayed(train)(words, seed) for seed in range(int(cells)))
