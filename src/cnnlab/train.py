"""One run: from its configuration to result.json. The configuration stops here."""

import logging
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cnnlab import without_extras  # noqa: F401  # before Lightning

# isort: split
import lightning
from torch import nn

from cnnlab import checkpoints, cost, ddp, epoch_loop, fast, levers
from cnnlab.atomic import write_json
from cnnlab.build import build_classifier, build_data, build_trainer, starting_network
from cnnlab.callbacks.agreement import Agreement
from cnnlab.callbacks.budget import LastStep
from cnnlab.callbacks.divergence import Skips, Stops
from cnnlab.callbacks.last import Last
from cnnlab.callbacks.levers import Levers
from cnnlab.callbacks.predictions import Predictions
from cnnlab.callbacks.pruning import MedianPruning
from cnnlab.callbacks.rollback import RollsBack
from cnnlab.callbacks.stop import Stop, handlers_kept
from cnnlab.callbacks.stopwatch import Stopwatch
from cnnlab.cell import identity
from cnnlab.checkpoint_parts import Mark, does_not_fit, mark, raised_by_loading
from cnnlab.checkpoints import Begun
from cnnlab.code import code_of
from cnnlab.environment import environment
from cnnlab.errors import Diverged, UserError
from cnnlab.introduction import introduce, say_where
from cnnlab.loggers.csv import Curves
from cnnlab.loggers.unfailing import FAILED
from cnnlab.run import Config, Run
from cnnlab.targets import make

ON_DIVERGENCE: dict[str, type[Stops]] = {"stop": Stops, "skip_step": Skips, "rollback": RollsBack}


def fit(config: Config, folder: str, resume: bool = False) -> None:
    """Trains, tests the best weights, and writes the run's files; in a DDP run each process calls it.

    resume: goes on from the last checkpoint, if there is one.
    """
    while not fits(config, folder, resume):
        resume = True


def fits(config: Config, folder: str, resume: bool) -> bool:
    """Does that; or says that training has gone back to a checkpoint, from which it is to go on."""
    warnings.filterwarnings("ignore", message="The '.*_dataloader' does not have many workers")
    warnings.filterwarnings("ignore", message=".*sync_dist=True")  # Scores are summed over processes already
    warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")  # costs little
    warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated")  # Lightning's own affair
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")  # it goes on
    warnings.filterwarnings("ignore", message="The `srun` command is available")  # ranks come from torch's agent
    warnings.filterwarnings("ignore", message="You're resuming from a checkpoint that ended before the epoch")  # Last
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch.profilers").setLevel(logging.INFO)  # it says what debug=profile asks for
    run = Run(Path(folder))
    cell = mark(config)  # before trainer.fast decides, which may not come to the same on another machine
    begin = checkpoints.begin(run.checkpoints, cell=cell) if resume else None
    curves = Curves(run.folder / "metrics.csv", begin.epochs if begin else None, begin.curves if begin else None)
    with ExitStack() as closing:  # loggers first, which show what fails from here on
        closing.enter_context(handlers_kept())
        (run.folder / FAILED).unlink(missing_ok=True)
        wanted = config["logger"] if ddp.cluster().global_rank() == 0 else {}
        creates = [make(f"logger.{name}", what) for name, what in wanted.items() if what]
        loggers = [closing.enter_context(create(run.folder, config, curves)) for create in creates]
        net, origin = starting_network(config)
        config = fast.decided(config, net, begin.levers if begin else None)
        closing.enter_context(levers.settings(config["trainer"]))
        return fit_and_test(config, cell, net, origin, run, begin, [curves, *loggers])


def fit_and_test(
    config: Config, cell: Mark, net: nn.Module, origin: str, run: Run, begin: Begun | None, loggers: list[Any]
) -> bool:
    """The whole of a run, with its loggers, of which the first is the curves; or False, as `fits`.

    cell: its mark. origin: of the network's weights, if it was trained before.
    """
    lightning.seed_everything(config["seed"], workers=True, verbose=False)
    cost.forget_peak_memory()  # an earlier cell of the sweep may have trained in this process
    curves: Curves = loggers[0]
    on = levers.levers_of(config["trainer"])
    data = build_data(config)
    levers.pull(net, config["trainer"])
    classifier = build_classifier(config, net)
    stopwatch = Stopwatch(data.batch_size // config["trainer"]["micro_batches"])
    best = checkpoints.best(run.checkpoints)
    stop = Stop()
    divergence = ON_DIVERGENCE[config["trainer"]["on_divergence"]](run.checkpoints, cell)
    pruning = [MedianPruning(**config["pruning"])] if config["pruning"] else []
    callbacks = [
        *pruning,
        stop,
        Agreement(
            {
                "levers": str(on),
                "configuration": identity(config),
                "code": code_of(config)["digest"],
                "eval_batch_size": config["datamodule"]["eval_batch_size"],
                "micro_batches": config["trainer"]["micro_batches"],
                "folder": str(run.folder),
                "epochs": begin.epochs if begin else 0,
                "batches of the next epoch": begin.batches if begin else 0,
            }
        ),
        stopwatch,
        LastStep(),
        best,
        divergence,
        Levers(on),
        Last(run.checkpoints, stop, cell, curves),
        Predictions(run.folder / "predictions.npz"),
        *(make(f"callbacks.{name}", what) for name, what in config["callbacks"].items() if what),
    ]
    trainer = build_trainer(
        config["trainer"],
        logger=loggers,
        callbacks=callbacks,
        plugins=[checkpoints.WholeFiles(), *ddp.plugins(config["trainer"])],
        default_root_dir=run.folder,
        strategy=ddp.strategy(config["trainer"], net),
        use_distributed_sampler=False,  # data/batches.py shares batches out
        num_sanity_val_steps=0,  # they would count as an epoch's scores
        log_every_n_steps=0,  # everything is logged once an epoch
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    epoch_loop.install(trainer)
    if trainer.is_global_zero:
        introduce(config, net, trainer, origin)
        if begin:
            say_where(begin, trainer.world_size)
    if begin and begin.finished:  # it stopped early, and would not know it any more
        trainer.fit_loop.max_epochs = begin.epochs
    try:
        trainer.fit(classifier, data, ckpt_path=begin.file if begin else None)
    except Diverged as error:
        stop.obey()  # it may have been asked for in that step
        if not divergence.goes_back(trainer, error):
            raise
        return False
    except Exception as error:
        if begin is None or not raised_by_loading(error):
            raise
        raise does_not_fit(begin.file, error) from error
    if not best.best_model_path:
        raise UserError("no epoch was validated, so that there are no best weights to test")
    # not ckpt_path=: an EMA callback would put the current weights back
    saved = checkpoints.WholeFiles().load_checkpoint(best.best_model_path)
    classifier.load_state_dict(saved["state_dict"])
    curves.choose(saved["epoch"], saved["global_step"] - 1, best.scores or {})
    curves.save()  # if it was lost, and no epoch was left
    test = trainer.test(classifier, data, verbose=False)[0] if config["test"] else {}
    if trainer.is_global_zero:
        result = {
            "cell": run.folder.name,
            "seed": config["seed"],
            "metrics": {**curves.best(), **test},
            "cost": {
                "parameters": cost.parameters(net),
                "flops": cost.flops(net, data.in_channels, data.image_size),
                "train_images_per_second": stopwatch.images / stopwatch.seconds,
                "peak_memory_bytes": cost.peak_memory_bytes(),
                "fit_seconds": stopwatch.fit_seconds,
                **({"energy_joules": joules} if (joules := stopwatch.energy_joules) is not None else {}),
                "step_seconds": stopwatch.step_seconds,
                "validation_seconds": stopwatch.validation_seconds,
                "validation_step_seconds": stopwatch.validation_step_seconds,
            },
            "per_class": per_class(data.source.classes, classifier.per_class.tolist()) if test else {},
            "data": data.used(),
            "micro_batches": config["trainer"]["micro_batches"],
            **({"pruned": pruning[0].pruned} if pruning else {}),
            **divergence.count,
            "environment": {**environment(trainer.strategy.root_device), **on},
            **{key: value for key, value in run.status.items() if key == "code_changed"},
        }
        write_json(run.result_file, result)
    return True


def per_class(names: Sequence[str], scores: list[list[float]]) -> dict[str, dict[str, float]]:
    """The test's scores of each class, by its name; with the same names twice, the label follows."""
    unique = names if len(set(names)) == len(names) else [f"{name} ({label})" for label, name in enumerate(names)]
    shares = ("accuracy", "precision", "f1")
    return {
        name: {"images": int(images), **dict(zip(shares, row, strict=True))}
        for name, (images, *row) in zip(unique, scores, strict=True)
    }
