"""How long training takes, and what depends on it."""

from typing import Any

from cnnlab.errors import UserError


def check_schedule(scheduler: dict[str, Any], trainer: dict[str, Any]) -> None:
    """What would not happen in so few epochs must not look as if it did."""
    epochs, every = trainer["max_epochs"], trainer["check_val_every_n_epoch"]
    if scheduler["warmup_epochs"] >= epochs:
        raise UserError(f"scheduler.warmup_epochs={scheduler['warmup_epochs']} leaves nothing of the {epochs} epochs")
    falls = {"step_size": scheduler.get("step_size", 0), "milestones": min(scheduler.get("milestones", [0]), default=0)}
    for key, first in falls.items():
        if first >= epochs > 1:
            raise UserError(
                f"scheduler.{key}: the first fall, after {first} epochs, is beyond trainer.max_epochs={epochs}"
            )
    if every > epochs:
        raise UserError(f"trainer.check_val_every_n_epoch={every}: nothing would be validated in {epochs} epochs")
    if every > 1 and scheduler["_target_"].endswith(".plateau"):
        raise UserError(f"trainer.check_val_every_n_epoch={every}: scheduler=plateau needs val/loss after each epoch")


TIMELESS = ("constant", "exponential", "plateau")  # schedules that do not ask how long training takes


def check_budget(budget: dict[str, Any], trainer: dict[str, Any], scheduler: dict[str, Any]) -> None:
    """What a budget decides must be as it decided."""
    name, amount = budget["name"], budget["amount"]
    if (name == "epochs") != (amount is None):
        instead = "trainer.max_epochs is the budget" if name == "epochs" else "it must be a number above 0"
        raise UserError(f"budget.amount={amount}: with budget={name} {instead}")
    for key, value in (("max_epochs", budget.get("epochs")), ("max_steps", budget.get("steps"))):
        if value is not None and trainer[key] != value:
            raise UserError(
                f"trainer.{key}={trainer[key]}: budget={name} makes it {value}. Leave it to the budget (debug= may set "
                "it), or take budget=epochs"
            )
    if name != "seconds":
        return
    schedule = scheduler["_target_"].rpartition(".")[2]
    if schedule not in TIMELESS:
        raise UserError(
            f"scheduler={schedule} must know how long training takes, which budget=seconds leaves open; take "
            f"scheduler={', '.join(TIMELESS)}"
        )
    if (every := trainer["check_val_every_n_epoch"]) > 1:
        raise UserError(
            f"trainer.check_val_every_n_epoch={every}: with budget=seconds any epoch may be the last; take 1"
        )
