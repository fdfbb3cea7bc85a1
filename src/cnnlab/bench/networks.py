"""Which networks a bench is to measure, and their configurations."""

from cnnlab.check import check
from cnnlab.conf import choices, composed
from cnnlab.errors import UserError, did_you_mean
from cnnlab.run import Config

CPU_BATCH, GPU_BATCH = 16, 256
STEP_FLOPS = 6e9  # of a training step, where a CPU is to try it often


def configurations(models: str, words: list[str], batch_size: int) -> dict[str, Config]:
    """By name: of 'a,b', of 'all', or of 'families', each network class' variant with the fewest operations.

    words: of `cnnlab train`; without a datamodule among them, synthetic images of 32 pixels.

    Raises:
        UserError: there is no such network, or what is composed is not legal.
    """
    known = choices("model")
    names = known if models in ("all", "families") else models.split(",")
    for name in names:
        if name not in known:
            raise UserError(
                f"models={models}: there is no network {name}.{did_you_mean(name, known)} See cnnlab models"
            )
    if "datamodule" not in {word.split("=")[0] for word in words}:
        words = ["datamodule=synthetic", *words]
    if taken := [word for word in words if word.startswith(("model=", "datamodule.batch_size="))]:
        raise UserError(f"{taken[0]}: here models=... and batch_size=... say it")
    configs = {}
    for name in names:
        config = composed(f"model={name}", *words, f"datamodule.batch_size={batch_size}")
        check(config)
        configs[name] = config
    return lightest(configs) if models == "families" else configs


def few_images(config: Config, flops: int) -> Config:
    """The configuration with as many images in a batch as make a step short, of those that it has; two at least."""
    fits = int(STEP_FLOPS / max(1, 3 * flops))
    data = {**config["datamodule"], "batch_size": max(2, min(config["datamodule"]["batch_size"], fits))}
    return {**config, "datamodule": data}


def lightest(configs: dict[str, Config]) -> dict[str, Config]:
    """Of each network class the variant whose card tells of the fewest operations; of those that have a card."""
    first: dict[str, str] = {}
    for name, config in sorted(configs.items(), key=lambda item: (item[1]["model"]["card"] or {}).get("flops", 0)):
        if config["model"]["card"]:
            first.setdefault(config["model"]["_target_"], name)
    return {name: configs[name] for name in sorted(first.values())}
