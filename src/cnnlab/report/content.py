"""What report.json holds, from which tables, charts and the page are made.

Accuracies are shares (0.93), differences of them too (-0.031); times are seconds, sizes bytes. A number that is not
known is None, never NaN. A condition is one combination of the factors' levels, whose cells differ in the seed only;
where a condition is referred to, it is by its place in `conditions`.
"""

from typing import TypedDict

Levels = dict[str, str]  # factor -> level, as shown: {"model": "vgg16", "regularizer": "BatchNorm + dropout"}


class Factor(TypedDict):
    """What differs between cells. baseline: the level that the others are compared with."""

    name: str
    levels: list[str]
    baseline: str


class Cost(TypedDict):
    """Means over the cells that are done."""

    parameters: float | None
    flops: float | None
    train_images_per_second: float | None
    peak_memory_bytes: float | None
    fit_seconds: float | None
    energy_joules: float | None


class Condition(TypedDict):
    """n: seeds with a value; diverged ones count as chance. gap: train - test accuracy, None without both.

    not_worse: no test tells it from the best. untested: it shares too few seeds with that. states: {"done": 4, ...}.
    """

    levels: Levels
    n: int
    mean: float | None
    std: float | None
    values: dict[str, float]  # seed -> value
    best: bool
    not_worse: bool
    untested: bool
    states: dict[str, int]
    cost: Cost
    gap: float | None
    gap_std: float | None


class CellRow(TypedDict):
    """folder: relative to the report's. command: trains this cell alone."""

    name: str
    folder: str
    state: str
    why: str
    seed: int | None
    levels: Levels
    value: float | None
    seconds: float | None
    command: str


class Estimate(TypedDict):
    """The mean of n paired differences, one for each seed, with its 95 % interval.

    p: two-sided, of the paired t-test; p_holm: corrected for the family it was tested in. effect_size: Hedges' g of
    paired differences, their mean over their standard deviation, corrected for small n. None where n < 2; of equal
    differences only p is known.
    """

    n: int
    mean: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    effect_size: float | None
    differences: list[float]


class Effect(TypedDict):
    """What a level of a factor changes against a baseline, within levels of the others ({}: averaged over them)."""

    factor: str
    level: str
    baseline: str
    within: Levels
    estimate: Estimate


class Interaction(TypedDict):
    """How much more (+) or less (-) two levels bring together than the sum of what each brings alone."""

    first: tuple[str, str]  # factor, level
    second: tuple[str, str]
    within: Levels
    estimate: Estimate


class Curve(TypedDict):
    """Of a condition, over epochs: the mean over seeds, and the range from the lowest to the highest of them."""

    condition: int
    metric: str  # "train/loss", "val/accuracy"
    epoch: list[int]
    mean: list[float]
    low: list[float]
    high: list[float]
    n: list[int]


class Bin(TypedDict):
    """Of a reliability diagram. confidence, accuracy: means of the images in it; share: of all images."""

    confidence: float
    accuracy: float
    share: float


class Images(TypedDict):
    """What the predictions of a condition's cells say, image by image.

    ece: expected calibration error, mean over seeds. ensemble: accuracy of the seeds' averaged probabilities; single:
    the mean accuracy of its members. per_class: accuracy of each class, mean over seeds. confusion: [label][predicted],
    shares of each label's images, mean over seeds; empty where that would be too many numbers.
    """

    condition: int
    n: int
    images: int
    ece: float
    bins: list[Bin]
    ensemble: float
    single: float
    per_class: list[float | None]  # None: none of the images is of this class
    confusion: list[list[float]]


class ImageTest(TypedDict):
    """Two conditions on the same test images, the seeds' ensembles compared (first - second).

    p: of McNemar's test; p_holm: over all of these. low, high: bootstrap over images.
    """

    first: int
    second: int
    images: int
    only_first: int  # images that only the first gets right
    only_second: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float


class HardImage(TypedDict):
    """A test image that most cells get wrong. predicted: what most of those say; confidence: their mean in it."""

    index: int
    label: str
    wrong: int
    cells: int
    predicted: str
    confidence: float


class Report(TypedDict):
    """report.json. commands: of the whole study, in the order they were given."""

    study: str
    made: str  # ISO 8601, UTC
    metric: str
    metrics: list[str]  # that every finished cell has
    design: str | None  # the ablation preset, "leave_one_out"
    factors: list[Factor]
    rows: list[str]
    columns: list[str]
    seeds: list[int]
    counts: dict[str, int]  # cells in each state
    summary: list[str]
    warnings: list[str]
    conditions: list[Condition]
    cells: list[CellRow]
    effects: list[Effect]  # within levels of the other factors
    main_effects: list[Effect]
    interactions: list[Interaction]
    curves: list[Curve]
    classes: list[str]
    images: list[Images]
    image_tests: list[ImageTest]
    hardest: list[HardImage]
    commands: list[str]
    configuration: str  # of a single run, as YAML; else empty
    pictures: list[str]  # of a single run, made by `cnnlab look`: files, relative to the report's folder
    environment: dict[str, str]
    code: dict[str, int]  # "4bb227f (with changes)" -> cells
