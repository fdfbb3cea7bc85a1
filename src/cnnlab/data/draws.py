"""What is drawn once from a data set, by a seed: which images train, which validate, and what is done to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.data.source import ImageSet, Labels
from cnnlab.errors import UserError

Positions = NDArray[np.int64]


# Streams of their own beside those of the order of training, [seed, epoch], and of augmentation, [seed, epoch, 1 or 2]:
# else which labels are wrong would follow the order in which they come.
TAIL, WRONG, SHIFT = 3, 4, 5
Seed = int | list[int]


def stratified_split(labels: Labels, fraction: float, seed: Seed) -> tuple[Positions, Positions]:
    """Positions of the rest and of a random `fraction` that holds the same share of every class, both ascending."""
    by_class = _by_class(labels, seed)
    chosen = np.diff(np.floor(np.arange(len(labels) + 1) * fraction + 1e-9)) > 0  # evenly spaced through all classes
    return np.sort(by_class[~chosen]), np.sort(by_class[chosen])


def stratified_fold(labels: Labels, fold: int, folds: int, seed: int) -> tuple[Positions, Positions]:
    """Positions of the rest and of the fold, of which there are `folds` that together are everything, once each."""
    by_class = _by_class(labels, seed)
    chosen = np.arange(len(labels)) % folds == fold
    return np.sort(by_class[~chosen]), np.sort(by_class[chosen])


def _by_class(labels: Labels, seed: Seed) -> Positions:
    """All positions, class after class, shuffled within each."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    return shuffled[np.argsort(labels[shuffled], kind="stable")]


def long_tail(labels: Labels, num_classes: int, ratio: float, seed: int) -> Positions:
    """Positions of a set whose classes shrink exponentially, the first being `ratio` times the last (Cui et al., 2019).

    n_k = n_0 * ratio^(-k / (K - 1)), with the largest n_0 for which every class has enough.

    Raises:
        UserError: the last class would have no image.
    """
    counts = np.bincount(labels, minlength=num_classes)
    shares = ratio ** -(np.arange(num_classes) / (num_classes - 1))
    largest = (counts / shares).min()
    if largest * shares[-1] < 1 - 1e-9:
        raise UserError(
            f"datamodule.imbalance={ratio:g}: of the training images the first class can keep {largest:.0f} for the "
            "classes to fall evenly, which leaves none of the last; take a smaller one, or more images"
        )
    wanted = np.floor(largest * shares + 1e-9).astype(int)
    rng = np.random.default_rng([seed, 0, TAIL])
    kept = [rng.permutation(np.flatnonzero(labels == k))[: wanted[k]] for k in range(num_classes)]
    return np.sort(np.concatenate(kept))


def noisy(labels: Labels, num_classes: int, share: float, seed: int) -> Labels:
    """The labels, of which that share, in every class, is replaced by one of the other classes, each as likely."""
    _, wrong = stratified_split(labels, share, [seed, 0, WRONG])
    shift = np.random.default_rng([seed, 0, SHIFT]).integers(1, num_classes, len(wrong))
    changed = labels.copy()
    changed[wrong] = (labels[wrong] + shift) % num_classes
    return changed


@dataclass(frozen=True)
class Draws:
    """How the training images are divided and changed; all of it drawn with `split_seed`.

    val_fraction: of each class, for validation, where the data set has no validation set of its own.
    fold, folds: instead of val_fraction, the validation set is that fold (from 0) of so many.
    fraction: of the training images that are left. imbalance: largest class over smallest; 1 leaves them as they are.
    label_noise: share of the training labels that are wrong.
    """

    val_fraction: float
    split_seed: int
    fold: int
    folds: int | None
    fraction: float
    imbalance: float
    label_noise: float

    def divided(self, train: ImageSet, val: ImageSet | None) -> tuple[ImageSet, ImageSet]:
        """Training and validation set.

        Raises:
            UserError: folds of a data set that has a validation set of its own.
        """
        if self.folds is not None:
            if val is not None:
                raise UserError(
                    f"datamodule.folds={self.folds}: this data set has a validation set of its own, which is no fold"
                )
            kept, held_out = stratified_fold(train.labels, self.fold, self.folds, self.split_seed)
        elif val is not None:
            return train, val
        else:
            kept, held_out = stratified_split(train.labels, self.val_fraction, self.split_seed)
        return train.subset(kept), train.subset(held_out)

    def changed(self, train: ImageSet, num_classes: int) -> ImageSet:
        """The training set, made smaller, unbalanced and wrong as asked for, in this order."""
        if self.fraction < 1:
            train = train.subset(stratified_split(train.labels, self.fraction, self.split_seed)[1])
        if self.imbalance > 1 and len(train):
            train = train.subset(long_tail(train.labels, num_classes, self.imbalance, self.split_seed))
        if self.label_noise:
            labels = noisy(train.labels, num_classes, self.label_noise, self.split_seed)
            train = ImageSet(train.images, labels, train.skipped)
        return train
