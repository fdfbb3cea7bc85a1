"""The optimizer, with the regularizers that act on weights: weight decay, L1, max-norm."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from cnnlab.errors import UserError
from cnnlab.models.stages import heads

MakeOptimizer = Callable[..., Optimizer]


def build_optimizer(
    net: nn.Module,
    make: MakeOptimizer,
    weight_decay: float,
    l1: float,
    max_norm: float,
    backbone_lr_factor: float,
) -> Optimizer:
    """Optimizer over groups: weights (ndim > 1), which are regularized, and biases and norms, which are not.

    make: torch.optim's class with its hyperparameters, taking parameter groups.
    weight_decay: as that class defines it (an L2 term of the gradient, or decoupled in AdamW).
    l1: lambda in lambda * sum |w|, for `add_l1`.
    max_norm: largest L2 norm of each unit's incoming weights, restored after each step; 0 is off.
    backbone_lr_factor: other than 1, all but the output layers are in groups of their own, with lr times it.

    Raises:
        UserError: torch refuses a hyperparameter.
    """
    trained = [p for p in net.parameters() if p.requires_grad]
    parts = {1.0: trained}
    if backbone_lr_factor != 1:
        output = {id(p) for head in heads(net) for p in head.parameters()}
        if not output:
            raise UserError(
                f"model.backbone_lr_factor={backbone_lr_factor}: this network has no output layer made by "
                "layers.logits, from which to tell the backbone"
            )
        parts = {1.0: [p for p in trained if id(p) in output]}
        parts[backbone_lr_factor] = [p for p in trained if id(p) not in output]
    groups: list[dict[str, Any]] = []
    factors: list[float] = []
    for factor, parameters in parts.items():
        weights, others = ([p for p in parameters if (p.ndim > 1) == many] for many in (True, False))
        for members, decay, penalty in ((weights, weight_decay, l1), (others, 0.0, 0.0)):
            if members:
                groups.append({"params": members, "weight_decay": decay, "l1": penalty})
                factors.append(factor)
    try:
        optimizer = make(groups)
    except (TypeError, ValueError) as error:  # torch's word for a hyperparameter out of range
        raise UserError(f"optim: {error}") from error
    for group, factor in zip(optimizer.param_groups, factors, strict=True):
        group["lr"] *= factor
    if max_norm:
        constrained = [p for p in trained if p.ndim > 1]
        optimizer.register_step_post_hook(lambda *_: constrain(constrained, max_norm))
    return optimizer


@torch.no_grad()
def add_l1(optimizer: Optimizer) -> None:
    """Adds the subgradient of lambda * sum |w| to the gradients, so that the reported loss stays free of it.

    To be called between backward and step: no hook of the optimizer will do, since Lightning's step runs backward.
    """
    for group in optimizer.param_groups:
        if group["l1"]:
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.grad.add_(weight.sign(), alpha=group["l1"])


@torch.no_grad()
def constrain(weights: list[nn.Parameter], max_norm: float) -> None:
    """Scales each unit's incoming weights down to that L2 norm (Srivastava et al., 2014, section 5.1)."""
    for weight in weights:
        if weight.grad is None:  # it is frozen for the time being
            continue
        weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=max_norm))
