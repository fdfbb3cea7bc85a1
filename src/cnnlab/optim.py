"""The optimizer, with the regularizers that act on weights: weight decay, L1, max-norm."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from cnnlab.errors import UserError

MakeOptimizer = Callable[..., Optimizer]


def build_optimizer(net: nn.Module, make: MakeOptimizer, weight_decay: float, l1: float, max_norm: float) -> Optimizer:
    """Optimizer over two parameter groups: weights (ndim > 1), which are regularized, and biases and norms, which not.

    make: torch.optim's class with its hyperparameters, taking parameter groups.
    weight_decay: as that class defines it (an L2 term of the gradient, or decoupled in AdamW).
    l1: lambda in lambda * sum |w|, for `add_l1`.
    max_norm: largest L2 norm of each unit's incoming weights, restored after each step; 0 is off.

    Raises:
        UserError: torch refuses a hyperparameter.
    """
    weights = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": weight_decay, "l1": l1}]
    if others:
        groups.append({"params": others, "weight_decay": 0.0, "l1": 0.0})
    try:
        optimizer = make(groups)
    except (TypeError, ValueError) as error:  # torch's word for a hyperparameter out of range
        raise UserError(f"optim: {error}") from error
    if max_norm:
        optimizer.register_step_post_hook(lambda *_: constrain(weights, max_norm))
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
        weight.copy_(torch.renorm(weight, p=2, dim=0, maxnorm=max_norm))
