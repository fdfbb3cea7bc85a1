"""Ends a trial of a search that is worse than the others were at the same epoch."""

from pathlib import Path

from lightning import Callback, LightningModule, Trainer

from cnnlab.journal import journal

AT_LEAST = 5  # trials that must have come to their end before one is judged


class MedianPruning(Callback):
    """Tells the search each epoch's val/accuracy; ends the run if it is below the median of the trials before it.

    Golovin et al.: Google Vizier, 2017, section 3.2.2 (median stopping). What was told stays told, so that a run that
    goes on says it once.
    """

    def __init__(self, storage: str, study: str, trial: int) -> None:
        import optuna

        pruner = optuna.pruners.MedianPruner(n_startup_trials=AT_LEAST)
        self.study = optuna.load_study(study_name=study, storage=journal(Path(storage)), pruner=pruner)
        self.number = trial
        self.pruned = False

    def state_dict(self) -> dict[str, bool]:
        """For a run that goes on."""
        return {"pruned": self.pruned}

    def load_state_dict(self, state_dict: dict[str, bool]) -> None:
        """What state_dict gave."""
        self.pruned = state_dict["pruned"]

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.is_global_zero:
            self.pruned = self._is_worse(trainer.current_epoch, float(trainer.callback_metrics["val/accuracy"]))
        self.pruned = trainer.strategy.broadcast(self.pruned)
        trainer.should_stop = trainer.should_stop or self.pruned

    def _is_worse(self, epoch: int, accuracy: float) -> bool:
        import optuna

        frozen = self.study.trials[self.number]
        trial = optuna.trial.Trial(self.study, frozen._trial_id)
        if epoch not in frozen.intermediate_values:
            trial.report(accuracy, epoch)
        elif epoch < max(frozen.intermediate_values):  # a run that goes on has been judged here before
            return False
        return bool(trial.should_prune())  # numpy's own would not be read back from a checkpoint
