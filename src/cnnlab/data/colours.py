"""AlexNet's change of an image's colours, which albumentations does not have."""

from typing import Any

import albumentations
import numpy as np
from numpy.typing import NDArray

# Of the covariance of RGB values in 0..1 over ImageNet's training images, as the field's implementations share them.
VALUES = np.array([0.2175, 0.0188, 0.0045])
VECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


class ShiftColours(albumentations.ImageOnlyTransform):  # type: ignore[misc]
    """Adds one colour to the whole image: principal components times eigenvalues times normal numbers.

    std: the deviation of those numbers (Krizhevsky et al., 2012, section 4.1: 0.1).
    """

    def __init__(self, std: float) -> None:
        super().__init__(p=1.0)
        self.std = std

    def get_params(self) -> dict[str, Any]:
        """The colour that is added, in 0..255."""
        return {"colour": 255 * VECTORS @ (VALUES * self.random_generator.normal(0, self.std, 3))}

    def apply(self, img: NDArray[np.uint8], colour: NDArray[np.float64], **_: Any) -> NDArray[np.uint8]:
        """uint8 [H, W, C] -> uint8 [H, W, C]."""
        shift = colour if img.shape[2] == len(colour) else colour.mean()  # of a grey image its brightness
        shifted: NDArray[np.uint8] = np.clip(np.rint(img + shift), 0, 255).astype(np.uint8)
        return shifted
