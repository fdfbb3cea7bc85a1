"""What passes through the stages of a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from cnnlab.look.stage_words import in_words
from cnnlab.models.stages import stages


@dataclass(frozen=True)
class Passed:
    """A stage, and what it made of the images: [N, C, H, W] or [N, F]."""

    number: int  # among those that were passed, from 1
    stage: nn.Module
    output: Tensor

    @property
    def name(self) -> str:
        return f"{self.number} {in_words(self.stage)}"

    @property
    def is_map(self) -> bool:
        return self.output.ndim == 4


def passed(net: nn.Module, images: Tensor) -> tuple[Any, list[Passed]]:
    """What the network gives, and its stages in the order in which the images passed them."""
    made: list[tuple[nn.Module, Tensor]] = []
    hooks = [
        stage.register_forward_hook(lambda module, _, output: made.append((module, output))) for stage in stages(net)
    ]
    try:
        outputs = net(images)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs, [Passed(number, *pair) for number, pair in enumerate(made, start=1)]


def with_weights(those: Sequence[Passed]) -> list[Passed]:
    """Those that learn."""
    return [one for one in those if next(one.stage.parameters(), None) is not None]
