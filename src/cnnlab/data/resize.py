"""Images brought to the network's size."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from cnnlab.data.source import Image, Images
from cnnlab.data.threads import in_threads
from cnnlab.track import tracked

LENGTHY = 20  # times as long as wide, beyond which only the middle of an image is looked at
LARGE = 2 * 2**30  # bytes of a set at another size than it came in; beyond, images are resized one by one


def fit_to(image: Image, size: int) -> Image:
    """[H, W, C] -> [size, size, C]: the shorter side resized to `size`, or a seventh more where there is room to crop.

    The margin is the usual one of ImageNet (256 for 224); images up to 64 pixels are only resized. Resizing is bilinear
    with antialiasing, as Pillow does it.
    """
    height, width = image.shape[:2]
    if height == width == size:
        return image
    if max(height, width) > LENGTHY * min(height, width):  # resized as a whole, a line of pixels would fill the memory
        image = middle(image, LENGTHY * min(height, width))
        height, width = image.shape[:2]
    short = round(size * 256 / 224) if min(height, width) > size > 64 else size
    scale = short / min(height, width)
    shape = max(size, round(height * scale)), max(size, round(width * scale))
    batch = torch.from_numpy(np.require(image, requirements="W")).permute(2, 0, 1)[None]
    resized = F.interpolate(batch, shape, mode="bilinear", antialias=True)[0].permute(1, 2, 0).numpy()
    top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    fitted: Image = resized[top : top + size, left : left + size]
    return fitted


def middle(image: Image, longest: int) -> Image:
    """What lies around the image's middle, with no side longer than that."""
    cut = [
        slice((side - longest) // 2, (side + longest) // 2) if side > longest else slice(None)
        for side in image.shape[:2]
    ]
    part: Image = image[cut[0], cut[1]]
    return part


def all_at(images: Images, size: int) -> NDArray[np.uint8]:
    """All images as one array [N, size, size, C]: those of files decoded, those of another size resized."""
    if isinstance(images, np.ndarray) and images.shape[1:3] == (size, size):
        return images
    first = fit_to(images[0], size)
    together = np.empty((len(images), *first.shape), np.uint8)

    def put(position: int) -> None:
        together[position] = fit_to(images[position], size)

    done = in_threads(put, range(len(images)))
    for _ in done if isinstance(images, np.ndarray) else tracked(done, len(images), "decoding the images"):
        pass
    return together


def fits(images: NDArray[np.uint8], size: int) -> bool:
    """Whether an array may be held at that size: always as it is, else up to LARGE bytes."""
    return images.shape[1:3] == (size, size) or len(images) * size**2 * images.shape[3] <= LARGE
