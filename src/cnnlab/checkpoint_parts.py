"""What a checkpoint must hold for a run to go on from it, and which run that is."""

from pathlib import Path
from traceback import walk_tb
from types import NoneType
from typing import Any

from torch import Tensor

from cnnlab.cell import identity, named
from cnnlab.errors import UserError
from cnnlab.launch.memory import is_out_of_memory

BEST = "best.ckpt"
Mark = dict[str, str]
PARTS: dict[str, type] = {
    "epoch": int,
    "global_step": int,
    "state_dict": dict,
    "loops": dict,
    "optimizer_states": list,
    "lr_schedulers": list,
    "callbacks": dict,
    "position": dict,
}
OF_POSITION: dict[str, type | tuple[type, ...]] = {
    "batches": int,
    "ended": bool,
    "finished": bool,
    "lr": (int, float, NoneType),
    "sums": list,
}
RESTORING = ("restore", "_restore", "resume")  # Lightning's functions
# where a run trains, and in how many parts: it may go on elsewhere
OF_A_PLACE = ("accelerator", "devices", "num_nodes", "micro_batches", "sync_batchnorm", "strategy")


def mark(config: dict[str, Any]) -> Mark:
    """Says in a checkpoint which cell it is of: its name, and what stays the same wherever it goes on."""
    trainer = {key: value for key, value in config["trainer"].items() if key not in OF_A_PLACE}
    return {"name": named(config), "lineage": identity({**config, "trainer": trainer})}


def require_same_cell(saved: dict[str, Any], of: Mark | None) -> None:
    """Raises ValueError if it says that it is of another cell; those from before do not say."""
    told = saved.get("cell")
    if of is None or told is None:
        return
    require("cell", told, dict)
    if told.get("lineage") != of["lineage"]:
        raise ValueError(f"it is of cell {told.get('name')}")


def require_parts(saved: dict[str, Any]) -> None:
    """Raises ValueError that names the first part that is missing or of another kind."""
    for name, kind in PARTS.items():
        require(name, saved.get(name), kind)
    for name, of_kind in OF_POSITION.items():
        require(f"position.{name}", saved["position"].get(name), of_kind)
    require_tensors(saved)
    counts = {"epoch": saved["epoch"], "global_step": saved["global_step"], "batches": saved["position"]["batches"]}
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} is {count}")
    require("loops.fit_loop", saved["loops"].get("fit_loop"), dict)
    require(f"callbacks.{BEST}", saved["callbacks"].get(BEST), dict)
    if len(saved["optimizer_states"]) != 1:
        raise ValueError(f"it has the state of {len(saved['optimizer_states'])} optimizers")
    (optimizer,) = saved["optimizer_states"]
    for part, kind in {"state": dict, "param_groups": list}.items():
        require(f"optimizer_states.{part}", optimizer.get(part), kind)
    if not saved["position"]["sums"]:
        raise ValueError("position.sums is empty")
    for sums in saved["position"]["sums"]:
        require("position.sums", sums, dict)
    if "curves" in saved:  # those from before have none
        require("curves", saved["curves"], list)
        done = [row["epoch"] for row in saved["curves"] if row["epoch"] < saved["epoch"]]
        if done != list(range(saved["epoch"])):
            raise ValueError("curves does not have each epoch's row")


def require_tensors(saved: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of its weights, by name."""
    weights = saved.get("state_dict")
    if not isinstance(weights, dict) or not weights or not all(isinstance(one, Tensor) for one in weights.values()):
        raise ValueError("it has no weights in state_dict")
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def require_best_of(saved: dict[str, Any], best: dict[str, Any]) -> None:
    """Raises ValueError unless these best weights can be of the same run, at that time or later."""
    if require_tensors(best) != require_tensors(saved):
        raise ValueError(f"{BEST} is of another network")
    score, own = saved["callbacks"][BEST]["score"], best["callbacks"][BEST]["score"]
    if own is None or float(own) < float(score):
        raise ValueError(f"{BEST} has val/accuracy {own}, where there were weights with {float(score):g}")


def require(name: str, value: object, kind: type | tuple[type, ...]) -> None:
    """Raises ValueError unless it is of that kind; True is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} is {'missing' if value is None else f'of another kind ({type(value).__name__})'}")


def raised_by_loading(error: BaseException) -> bool:
    """Whether it was while Lightning put a checkpoint's parts where they belong, and for what they are."""
    if isinstance(error, (UserError, OSError)) or (isinstance(error, RuntimeError) and is_out_of_memory(error)):
        return False
    codes = [frame.f_code for frame, _ in walk_tb(error.__traceback__)]
    return any(c.co_filename.endswith("checkpoint_connector.py") and c.co_name.startswith(RESTORING) for c in codes)


def does_not_fit(file: Path, error: BaseException) -> UserError:
    """What to say of an error of loading."""
    why = " ".join(str(error).split())[:200]
    return UserError(
        f"{file} does not fit this run ({type(error).__name__}: {why}). Delete it, and the same command goes on from "
        "the one before, if there is one"
    )
