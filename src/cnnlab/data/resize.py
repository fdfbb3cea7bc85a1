"""Images brought to the network's size."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from cnnlab.data.source import Image, Images
from cnnlab.track import tracked


def fit_to(image: Image, size: int) -> Image:
    """[H, W, C] -> [size, size, C]: the shorter side resized to `size`, or a seventh more where there is room to crop.

    The margin is the usual one of ImageNet (256 for 224); images up to 64 pixels are only resized. Resizing is bilinear
    with antialiasing, as Pillow does it.
    """
    height, width = image.shape[:2]
    if height == width == size:
        return image
    short = round(size * 256 / 224) if min(height, width) > size > 64 else size
    scale = short / min(height, width)
    shape = max(size, round(height * scale)), max(size, round(width * scale))
    batch = torch.from_numpy(np.require(image, requirements="W")).permute(2, 0, 1)[None]
    resized = F.interpolate(batch, shape, mode="bilinear", antialias=True)[0].permute(1, 2, 0).numpy()
    top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    fitted: Image = resized[top : top + size, left : left + size]
    return fitted


def all_at(images: Images, size: int) -> NDArray[np.uint8]:
    """All images as one array [N, size, size, C]: those of files decoded, those of another size resized."""
    if isinstance(images, np.ndarray) and images.shape[1:3] == (size, size):
        return images
    first = fit_to(images[0], size)
    together = np.empty((len(images), *first.shape), np.uint8)

    def put(position: int) -> None:
        together[position] = fit_to(images[position], size)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(put, range(len(images)))
        if isinstance(images, np.ndarray):
            list(done)
        else:
            list(tracked(done, len(images), "decoding the images"))
    return together
