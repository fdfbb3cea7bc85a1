"""Compares a small grid: a notebook in plain Python (each `# %%` begins a cell).

Larger grids are for `cnnlab train -m`, which trains several cells at once and goes on after a crash; what this one has
trained is read by `cnnlab report example_grid`, too.
"""

# %% Two regularizers, two seeds; what has been trained before is not trained again
from itertools import product
from statistics import mean

from cnnlab import Fitted, fit

REGULARIZERS = ("none", "batch_norm")
SEEDS = (0, 1)
COMMON = {"study": "example_grid", "model": "lenet5", "trainer.max_epochs": 3, "callbacks": "quiet"}
grid: dict[tuple[str, int], Fitted] = {
    (regularizer, seed): fit(COMMON, {"regularizer": ["none", regularizer], "seed": seed})
    for regularizer, seed in product(REGULARIZERS, SEEDS)
}

# %% Means over the seeds
for regularizer in REGULARIZERS:
    accuracies = [grid[regularizer, seed].metrics["test/accuracy"] for seed in SEEDS]
    print(f"{regularizer:<10} {mean(accuracies):.1%}   ({', '.join(f'{one:.1%}' for one in accuracies)})")

# %% The same seeds meet the same data and the same first weights: differences are paired
gains = [
    grid["batch_norm", seed].metrics["test/accuracy"] - grid["none", seed].metrics["test/accuracy"] for seed in SEEDS
]
print(f"BatchNorm: {mean(gains):+.1%}, by seed {', '.join(f'{gain:+.1%}' for gain in gains)}")
