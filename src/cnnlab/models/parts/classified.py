"""The two halves of nearly every network."""

from torch import Tensor, nn


class Classified(nn.Module):
    """Features, and a classifier over them."""

    features: nn.Module
    classifier: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] -> logits [N, K]."""
        logits: Tensor = self.classifier(self.features(images))
        return logits
