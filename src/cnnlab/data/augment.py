"""The one place that knows albumentations: random changes of a training image."""

import os
from typing import Any

from cnnlab.data.source import Image

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks pypi.org, and warns when offline


class Augment:
    """A policy of albumentations' transforms whose randomness comes from outside.

    albumentations seeds a policy once, so that workers share one stream and epochs repeat it; here every image is
    given its own seed instead.
    """

    def __init__(self, transforms: list[Any]) -> None:
        import albumentations

        self.policy = albumentations.Compose(transforms)

    def __call__(self, image: Image, seed: int) -> Image:
        """[H, W, C] -> [H', W', C], the same for the same seed."""
        self.policy.set_random_seed(seed)
        changed: Image = self.policy(image=image)["image"]
        return changed
