"""The first images that training showed the network, as it saw them."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.build import build_classifier
from cnnlab.look.canvas import grid, percent, short, show
from cnnlab.look.subject import Subject
from cnnlab.mixing import Targets

CHEAP = True


def first_batch(subject: Subject) -> tuple[Tensor, Targets]:
    """Of the first step of the first epoch: augmented, normalised and, where the run mixes images, mixed."""
    subject.set_of("train")
    images, labels, _ = next(iter(subject.data.train_dataloader()))
    torch.manual_seed(hash((subject.config["seed"], 0, 0)))  # as Classifier.on_train_batch_start
    mixing = build_classifier(subject.config, subject.net).mixing
    return mixing(subject.data.normalize(images), labels)


def draw(subject: Subject) -> Figure:
    """Normalisation is undone; over each image stands its label, of mixed ones both with their shares."""
    images, targets = first_batch(subject)
    shown = images[: subject.count]
    done = "augmented" if subject.config["augment"]["transforms"] else "without augmentation"
    below = f"the first {len(shown)} of {len(images)} images of the first step, {done}, normalisation undone"
    figure, places = grid(len(shown), 8, f"A batch as the network sees it: {subject.name}", below, side=1.1)
    for number, (axes, image) in enumerate(zip(places, subject.pixels(shown), strict=True)):
        show(axes, image, label_in_words(targets, number, subject.classes))
    return figure


def label_in_words(targets: Targets, number: int, classes: Sequence[str]) -> str:
    """'cat', or of a mixed image '70 % cat' over 'dog'."""
    own = classes[int(targets.labels[number])]
    if targets.partners is None:
        return short(own)
    return f"{percent(targets.share)} {short(own, 9)}\n+ {short(classes[int(targets.partners[number])], 11)}"
