"""Cutout as its paper has it; albumentations' CoarseDropout keeps its holes inside the image and is another thing."""

from typing import Any

import albumentations
import numpy as np
from numpy.typing import NDArray


class Cutout(albumentations.ImageOnlyTransform):  # type: ignore[misc]
    """Paints over a square whose centre is any pixel, each as likely, so that part of it may be outside.

    DeVries, Taylor: Improved regularization of convolutional neural networks with Cutout, 2017, section 3.2.

    size: pixels a side. fill: for each channel, in 0..1; the data's mean is the paper's zero after normalisation.
    """

    def __init__(self, size: int, fill: list[float]) -> None:
        super().__init__(p=1.0)
        self.size = size
        self.fill = np.rint(255 * np.array(fill)).astype(np.uint8)

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """The square's first row and column, which may be negative."""
        height, width = params["shape"][:2]
        return {
            f"from_{side}": self.py_random.randrange(n) - self.size // 2
            for side, n in (("top", height), ("left", width))
        }

    def apply(self, img: NDArray[np.uint8], from_top: int, from_left: int, **_: Any) -> NDArray[np.uint8]:
        """uint8 [H, W, C] -> uint8 [H, W, C]."""
        painted = img.copy()
        rows, columns = (slice(max(0, start), max(0, start + self.size)) for start in (from_top, from_left))
        painted[rows, columns] = self.fill
        return painted
