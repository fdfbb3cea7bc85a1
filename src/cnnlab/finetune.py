"""Which weights of a network are trained."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnlab.errors import UserError, did_you_mean
from cnnlab.models.stages import heads


def freeze(net: nn.Module, what: str) -> None:
    """Takes weights out of training: 'backbone' (all but the output layers), 'none', or those below a name.

    Raises:
        UserError: no weight's name begins with that, or nothing would be left to train.
    """
    if what == "none":
        return
    free = {id(p) for head in heads(net) for p in head.parameters()} if what == "backbone" else set()
    prefix = "" if what == "backbone" else f"{what}."
    frozen = [p for name, p in net.named_parameters() if f"{name}.".startswith(prefix) and id(p) not in free]
    if not frozen:
        known = sorted({name.rsplit(".", depth)[0] for name, _ in net.named_parameters() for depth in (0, 1, 2)})
        raise UserError(
            f"model.freeze={what} is not allowed: none, backbone, or the beginning of a weight's name, as "
            f"{known[0]}.{did_you_mean(what, known)}"
        )
    for parameter in frozen:
        parameter.requires_grad_(False)
    if not any(p.requires_grad for p in net.parameters()):
        raise UserError(f"model.freeze={what} leaves nothing to train")


def keep_frozen_norms(net: nn.Module) -> None:
    """Puts norms whose weights are frozen into evaluation, so that their running statistics stay, too."""
    for module in net.modules():
        if isinstance(module, _BatchNorm) and not module.weight.requires_grad:
            module.eval()
