"""Networks with auxiliary heads, which push gradients into the middle (Szegedy et al., 2015, section 5)."""

from torch import Tensor, nn


class WithAuxiliary(nn.Module):
    """Features, a classifier over the last of them, and heads over some of those before, in training only."""

    def __init__(self, features: nn.Sequential, heads: dict[int, nn.Module], classifier: nn.Module) -> None:
        """heads: by the position of the feature that each looks at."""
        super().__init__()
        self.features = features
        self.taps = sorted(heads)
        self.auxiliary = nn.ModuleList(heads[position] for position in self.taps)
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """[N, C, H, W] -> logits [N, K]; in training followed by those of each auxiliary head."""
        tapped: list[Tensor] = []
        x = images
        for position, stage in enumerate(self.features):
            x = stage(x)
            if self.training and position in self.taps:
                tapped.append(x)
        logits: Tensor = self.classifier(x)
        heads = [head(features) for head, features in zip(self.auxiliary, tapped, strict=False)]
        return (logits, *heads) if heads else logits
