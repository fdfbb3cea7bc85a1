"""A sweep as W&B's own sweeps want it: a server draws the values, agents call `cnnlab train` with them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import OmegaConf

from cnnlab import conf
from cnnlab.atomic import write_text
from cnnlab.check import check
from cnnlab.errors import UserError
from cnnlab.sweep.arguments import default_study, with_pieces
from cnnlab.sweep.design import Design, axes, swept
from cnnlab.sweep.space import Space, spaces

FLAG = "--wandb-sweep"
EXPRESSIBLE = ("axes", "search", "seeds", "card", "checks", "subset_seed")  # of a design; the rest is no product
METHODS = {"optuna": "bayes", "random": "random"}


def write_sweep(arguments: Sequence[str]) -> None:
    """Writes the file and says what to do with it.

    Raises:
        UserError: it is no product of values and intervals, or a cell of it is not legal.
    """
    words = [word for word in arguments if word not in (FLAG, "-m", "--multirun", "--all")]
    conf.register(words)
    study = next((word.split("=", 1)[1] for word in words if word.startswith("study=")), None)
    # not that of `train -m`: agents would find cells that are done, of which the server has never heard
    study = study or f"{default_study(['-m', *words])}-agents"
    file = Path(f"wandb-sweep-{study}.yaml")
    told = sweep_of(with_pieces(words), study)
    write_text(file, yaml.safe_dump(told, sort_keys=False, width=120))
    print(f"written: {file}\nnext:    wandb sweep {file}, then on each machine the `wandb agent` that it names")


def sweep_of(words: Sequence[str], study: str) -> dict[str, Any]:
    """The file's content."""
    with initialize_config_dir(str(conf.conf_folder()), version_base="1.3"):
        parsed = OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(list(words))
        ours = [o for o in parsed if not (o.key_or_group or "").startswith("hydra") and o.key_or_group != "study"]
        lines = [o.input_line or "" for o in ours if not o.is_sweep_override()]
        lines += [] if any(line.startswith("logger=") for line in lines) else ["logger=wandb"]
        cfg = compose("train", lines)
        design: Design = OmegaConf.to_container(cfg.ablation, resolve=True)  # type: ignore[assignment]
        if cfg.tune is not None:
            raise UserError("tune: W&B's sweeps know no trials that come first; leave it out")
    values, found = parameters(design, ours)
    fixed = [line for line in lines if not line.lstrip("+~").startswith("ablation")]
    wandb = checked([*fixed, f"study={study}"], values, found)
    search = design["search"]
    method = METHODS[search["kind"] if search else "optuna"] if found else "grid"
    ordinary = {"name": study, "project": wandb["project"], "entity": wandb["entity"]}
    return {
        "program": "cnnlab",
        "command": ["${program}", "train", *fixed, f"study={study}", "${args_no_hyphens}"],
        **{key: value for key, value in ordinary.items() if value is not None},
        "method": method,
        "metric": {"name": "val/accuracy", "goal": "maximize"},
        **({"run_cap": search["trials"]} if search else {}),
        "parameters": {
            **{key: {"values": [plain(text) for text in texts]} for key, texts in values.items()},
            **{key: distribution(space) for key, space in found.items()},
        },
    }


def parameters(design: Design, arguments: Sequence[Override]) -> tuple[dict[str, list[str]], dict[str, Space]]:
    """What is swept: keys with their values, and keys with intervals."""
    if odd := [piece for piece, value in design.items() if value and piece not in EXPRESSIBLE]:
        raise UserError(f"ablation.{odd[0]}: a W&B sweep is a product of values; cnnlab train -m trains this design")
    mine = [o for o in arguments if not (o.key_or_group or "").startswith("ablation")]
    given = {o.key_or_group or "" for o in mine}
    search = design["search"]
    if search and search["kind"] not in METHODS:
        raise UserError(f"ablation.search.kind={search['kind']}: W&B knows none; take random or optuna")
    intervals = any(o.is_interval_sweep() for o in mine)
    found = spaces(search or ({"kind": "optuna", "trials": 1} if intervals else None), mine)
    values = axes(design["axes"], given)
    values |= {o.get_key_element(): swept(o) for o in mine if o.is_sweep_override() and not o.is_interval_sweep()}
    if design["seeds"] and "seed" not in given:
        values["seed"] = [str(seed) for seed in range(design["seeds"])]
    if not values and not found:
        raise UserError(f"{FLAG}: nothing is swept. Give values: model=lenet5,nin 'seed=range(3)', or an interval")
    return values, found


def checked(fixed: Sequence[str], values: Mapping[str, list[str]], found: Mapping[str, Space]) -> dict[str, Any]:
    """Composes each value once, with the others' first; gives what is configured of W&B.

    Raises:
        UserError: one is not legal, or there is no logger=wandb.
    """
    every = {**values, **{key: [str(space.at(0)), str(space.at(0.999))] for key, space in found.items()}}
    first = {key: texts[0] for key, texts in every.items()}
    tried = [first, *({**first, key: text} for key, texts in every.items() if key != "seed" for text in texts[1:])]
    for changes in tried:
        config = conf.composed(*fixed, *(f"{key}={text}" for key, text in changes.items()))
        check(config)
        if not config["logger"].get("wandb"):
            raise UserError(f"{FLAG}: the server learns of scores by logger=wandb only: 'logger=[csv,wandb]'")
    wandb: dict[str, Any] = config["logger"]["wandb"]
    return wandb


def plain(text: str) -> Any:
    """A number as such, which W&B orders; all else as it is typed."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def distribution(space: Space) -> dict[str, Any]:
    """In W&B's words."""
    if space.choices:
        return {"values": list(space.choices)}
    kinds: dict[tuple[bool, bool], dict[str, Any]] = {
        (False, False): {"distribution": "uniform"},
        (True, False): {"distribution": "log_uniform_values"},
        (False, True): {"distribution": "int_uniform"},
        (True, True): {"distribution": "q_log_uniform_values", "q": 1},
    }
    return {**kinds[space.log, space.integer], "min": space.low, "max": space.high}
