"""What a data set is like: how many images of each class, which colours, which images it holds twice."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.resize import fit_to
from cnnlab.data.source import ImageSet, Stage
from cnnlab.data.threads import in_threads
from cnnlab.track import tracked

Sums = tuple[str, NDArray[np.float64], NDArray[np.float64]]  # digest, sum and sum of squares of each channel


@dataclass(frozen=True)
class Described:
    """One set: number of images of each class [K], mean and std of each channel in 0..1, a digest of each image."""

    counts: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    digests: list[str]


def describe(data: ImageSet, num_classes: int, size: int, name: str) -> Described:
    """Looks at every image, at the network's size."""

    def sums(position: int) -> Sums:
        image = fit_to(data.images[position], size)
        pixels = image.reshape(-1, image.shape[-1]).astype(np.float64) / 255
        return hashlib.sha256(image.tobytes()).hexdigest(), pixels.sum(0), (pixels**2).sum(0)

    digests, total, squares = [], np.zeros(1), np.zeros(1)
    done = in_threads(sums, range(len(data)))
    for digest, of_values, of_squares in tracked(done, len(data), f"looking at the {name} images"):
        digests.append(digest)
        total, squares = total + of_values, squares + of_squares
    pixels = len(data) * size**2
    mean = total / pixels
    std = np.sqrt(np.maximum(0, squares / pixels - mean**2))
    return Described(np.bincount(data.labels, minlength=num_classes), mean, std, digests)


def duplicates(described: dict[Stage, Described], sets: dict[Stage, ImageSet]) -> list[dict[str, Any]]:
    """Images whose pixels are the same, to the last bit: for each pair of sets, and within each.

    images: those of the second set that the first holds, too (within one set: beyond the first of each kind).
    other_label: those of them that have another label there.
    """
    stages = list(described)
    found = []
    for n, one in enumerate(stages):
        for other in stages[n:]:
            labels = defaultdict(list)
            count = otherwise = 0
            if one != other:
                for digest, label in zip(described[one].digests, sets[one].labels, strict=True):
                    labels[digest].append(label)
            for digest, label in zip(described[other].digests, sets[other].labels, strict=True):
                count += digest in labels
                otherwise += digest in labels and label not in labels[digest]
                if one == other:
                    labels[digest].append(label)
            found.append({"of": one, "in": other, "images": count, "other_label": otherwise})
    return found
