"""How the processes of a run compute one step together."""

import os
from typing import Any

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.plugins.layer_sync import LayerSync, TorchSyncBatchNorm
from lightning.pytorch.strategies import DDPStrategy, Strategy
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnlab.errors import UserError
from cnnlab.models.parts.synced_norm import SyncedBatchNorm2d
from cnnlab.run import Config


def cluster() -> ClusterEnvironment:
    """Where this process learns its rank: from torch's agent, or it is alone.

    Lightning would ask SLURM and MPI, too, and take a single run inside of a job for a rank.
    """
    return TorchElasticEnvironment() if "TORCHELASTIC_RUN_ID" in os.environ else LightningEnvironment()


def strategy(trainer: Config, net: nn.Module) -> "Strategy | str":
    """DDP if there are several processes.

    Raises:
        UserError: there are not as many processes as configured.
    """
    configured = trainer["devices"] * trainer["num_nodes"]
    started = int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 1
    if started != configured:
        raise UserError(
            f"{started} processes were started, but trainer.devices={trainer['devices']} x "
            f"trainer.num_nodes={trainer['num_nodes']} are {configured}: set both to what torchrun was told"
        )
    if configured == 1:
        return "auto"
    # legal if each step's backward reaches the same weights in the same order: so it is in our networks, none of which
    # branches on its images; a step's first pieces, which exchange nothing, are not what DDP wants to see first
    ours = type(net).__module__.startswith("cnnlab.models.")
    at_once = trainer["accumulate_grad_batches"] == trainer["micro_batches"] == 1
    return DDPStrategy(find_unused_parameters=False, gradient_as_bucket_view=True, static_graph=ours and at_once)


class SyncedNorms(LayerSync):
    """BatchNorm over the images of all processes: torch's where there are GPUs, ours on CPUs."""

    def __init__(self) -> None:
        self.of_torch = TorchSyncBatchNorm()

    def apply(self, model: nn.Module) -> nn.Module:
        if next(model.parameters()).is_cuda or torch.distributed.get_backend() == "nccl":
            return self.of_torch.apply(model)
        if other := {type(m).__name__ for m in model.modules() if isinstance(m, _BatchNorm)} - {"BatchNorm2d"}:
            raise UserError(f"trainer.sync_batchnorm=true: on a CPU there is none of {', '.join(sorted(other))}")
        return changed(model, nn.BatchNorm2d, SyncedBatchNorm2d)

    def revert(self, model: nn.Module) -> nn.Module:
        return self.of_torch.revert(changed(model, SyncedBatchNorm2d, nn.BatchNorm2d))


def changed(model: nn.Module, old: type[nn.Module], new: type[nn.Module]) -> nn.Module:
    """Modules of one class become another's, which has the same state and computes with it differently."""
    for module in model.modules():
        if type(module) is old:
            module.__class__ = new
    return model


def plugins(trainer: Config) -> list[Any]:
    """What the Trainer needs beside its strategy."""
    return [cluster(), *([SyncedNorms()] if trainer["sync_batchnorm"] else [])]
