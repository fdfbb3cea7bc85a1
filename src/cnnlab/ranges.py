"""Types and ranges of the configuration's values; its defaults are in conf/ alone."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
FolderName = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f]+$", min_length=1, max_length=200)]
# W&B's and MLflow's own rules, of which they tell when a run has begun
ProjectName = Annotated[str, StringConstraints(pattern=r"^[^/\\#?%:\x00-\x1f]+$", max_length=128)]
EntityName = Annotated[str, StringConstraints(pattern=r"^[^/\\#?%:\s]+$", max_length=128)]
TrackingUri = Annotated[
    str,
    StringConstraints(
        pattern=r"^(https?://[^/]+.*|file:.*|databricks(-uc)?(://.*)?|uc(:.*)?"
        r"|(sqlite|mysql|postgresql|mssql)(\+\w+)?://.*|[^:]+)$"
    ),
]
Limit = Annotated[float, Field(gt=0, le=1)] | Count


class Group(BaseModel):
    """A group whose other keys are the business of what it makes."""

    model_config = ConfigDict(extra="allow", strict=True)


class Model(Group):
    name: FolderName
    in_channels: Count
    num_classes: Annotated[int, Field(ge=2)]
    image_size: Count
    activation: Literal["relu", "relu6", "sigmoid", "tanh", "scaled_tanh", "leaky_relu", "elu", "gelu", "silu"]
    init: Literal["paper", "he", "xavier", "lecun", "uniform", "gaussian", "orthogonal"]
    init_std: Positive
    pool: Literal["paper", "max", "avg"]
    width: Positive
    norm_eps: Positive
    weights: str | None
    freeze: str
    backbone_lr_factor: Positive
    auxiliary_weight: NotNegative
    stem: Literal["auto", "imagenet", "small"] | None = None
    kernel: Count = 1
    lrn: bool = False
    auxiliary: bool = False
    bottleneck: bool = False
    transform_input: bool = False
    blocks: list[Count] = []
    base_width: Count = 1
    cardinality: Count = 1
    inner_width: Count = 1
    squeeze_excitation: Natural = 0
    widen: Count = 1
    growth: Count = 1
    initial: Count = 1
    compression: Annotated[float, Field(gt=0, le=1)] = 1
    widths: list[Count] = []
    depth: Count = 1


class Regularizer(Group):
    norm: Literal["none", "batch", "group", "instance", "layer"]
    dropout: Probability
    spatial_dropout: Probability
    stochastic_depth: Probability
    weight_decay: NotNegative
    l1: NotNegative
    max_norm: NotNegative
    label_smoothing: Probability
    mixup: NotNegative
    cutmix: NotNegative


class Optim(Group):
    lr: Positive
    momentum: Probability = 0
    betas: tuple[Probability, Probability] = Field((0, 0), strict=False)


class Scheduler(Group):
    warmup_epochs: NotNegative
    step_size: Count = 1
    gamma: Positive = 1
    milestones: list[Count] = []
    patience: Natural = 0
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    pct_start: Annotated[float, Field(gt=0, lt=1)] = 0.5


class Datamodule(Group):
    name: FolderName
    num_classes: Annotated[int, Field(ge=2)]
    in_channels: Count
    image_size: Count
    batch_size: Count
    eval_batch_size: Count
    val_fraction: Annotated[float, Field(gt=0, lt=1)]
    feed: Literal["auto", "device", "workers"]
    device_mib: NotNegative
    num_workers: Natural
    split_seed: Natural
    folds: Annotated[int, Field(ge=2)] | None
    fold: Natural
    fraction: Annotated[float, Field(gt=0, le=1)]
    imbalance: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    label_noise: Annotated[float, Field(ge=0, le=1)]
    download: bool
    mirrors: list[str]
    verify: bool
    on_bad: Literal["error", "skip"]
    mean: list[float]
    std: list[Positive]


class Trainer(Group):
    accelerator: Literal["auto", "cpu", "gpu"]
    devices: Count
    num_nodes: Count
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true"]
    fast: bool
    channels_last: bool
    compile: bool | Literal["reduce-overhead", "max-autotune"]
    cudnn_benchmark: bool
    matmul_precision: Literal["highest", "high", "medium"]
    activation_checkpointing: bool
    max_epochs: Count
    max_steps: Count | Literal[-1]
    gradient_clip_val: Positive | None
    accumulate_grad_batches: Count
    micro_batches: Count
    sync_batchnorm: bool
    scale_lr: Literal["none", "linear"]
    lr_batch_size: Count
    max_restarts: Natural
    on_divergence: Literal["stop", "skip_step", "rollback"]
    check_val_every_n_epoch: Count
    limit_train_batches: Limit
    limit_val_batches: Limit
    limit_test_batches: Limit


class Budget(Group):
    name: Literal["epochs", "steps", "flops", "seconds"]
    amount: Positive | None


class Wandb(Group):
    project: ProjectName
    entity: EntityName | None
    group: str
    tags: list[Annotated[str, StringConstraints(min_length=1, max_length=64)]]  # as W&B has it
    offline: bool
    watch: Literal["gradients", "parameters", "all"] | None
    watch_freq: Count
    log_model: bool
    log_code: bool
    finish_timeout: NotNegative


class Mlflow(Group):
    tracking_uri: TrackingUri | None
    runs_dir: str
    experiment: Annotated[str, StringConstraints(min_length=1)]
    log_model: bool


class Loggers(Group):
    wandb: Wandb | None = None
    mlflow: Mlflow | None = None


class Config(Group):
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    study: FolderName
    test: bool
    on_code_change: Literal["error", "warn", "retrain"]
    model: Model
    regularizer: Regularizer
    optim: Optim
    scheduler: Scheduler
    datamodule: Datamodule
    trainer: Trainer
    budget: Budget
    logger: Loggers
