"""A range test of the learning rate (Smith: Cyclical learning rates for training neural networks, 2017)."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from cnnlab.build import build_classifier, learning_rate
from cnnlab.finetune import freeze
from cnnlab.look.canvas import BLUE, GREY, ORANGE, SMALL, canvas, plain
from cnnlab.look.subject import Subject
from cnnlab.optim import add_l1
from cnnlab.track import tracked

CHEAP = False
LOW, HIGH, STEPS = 1e-6, 10.0, 100
FALL = 0.05  # of the loss; what falls by less may be chance
MEMORY, TOO_MUCH = 0.9, 4.0  # of the running mean; times the smallest loss, where it ends


def batches(subject: Subject) -> Iterator[tuple[Tensor, Tensor]]:
    """Those of training, epoch after epoch."""
    subject.set_of("train")
    feed, epoch = subject.data.train_dataloader(), 0
    while True:
        feed.sampler.set_epoch(epoch)
        for images, labels, _ in feed:
            yield subject.data.normalize(images.to(subject.device)), labels.to(subject.device)
        epoch += 1


def range_test(subject: Subject, net: nn.Module) -> tuple[list[float], list[float]]:
    """Learning rates, each a little larger, and the objective before each step, until it explodes."""
    config = subject.config
    freeze(net, config["model"]["freeze"])
    classifier = build_classifier(config, net).to(subject.device).train()
    optimizer = classifier.make_optimizer(net)
    base = learning_rate(config)
    factors = [group["lr"] / base for group in optimizer.param_groups]
    rates, losses, best = [], [], math.inf
    for step, (rate, (images, labels)) in enumerate(
        zip(tracked(np.geomspace(LOW, HIGH, STEPS), STEPS, "lr_finder"), batches(subject), strict=False)
    ):
        torch.manual_seed(hash((config["seed"], step, 0)))
        for group, factor in zip(optimizer.param_groups, factors, strict=True):
            group["lr"] = float(rate) * factor
        mixed, targets = classifier.mixing(images, labels)
        loss = classifier.objective(net(mixed), targets)[0]
        if not loss.isfinite() or (step > 10 and loss.item() > TOO_MUCH * best):
            break
        rates.append(float(rate))
        losses.append(loss.item())
        best = min(best, smoothed(losses)[-1])
        optimizer.zero_grad()
        loss.backward()
        add_l1(optimizer)
        if clip := config["trainer"]["gradient_clip_val"]:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
    return rates, losses


def smoothed(losses: list[float]) -> list[float]:
    """Exponential running means, without the bias of their beginning."""
    mean, means = 0.0, []
    for step, loss in enumerate(losses, start=1):
        mean = MEMORY * mean + (1 - MEMORY) * loss
        means.append(mean / (1 - MEMORY**step))
    return means


def steepest(rates: list[float], means: list[float]) -> float | None:
    """Where the running mean falls fastest over the logarithm of the rate; None if it falls nowhere.

    Its first tenth does not count: it is the mean of a few losses only.
    """
    later = np.array(means[len(means) // 10 :])
    if len(later) < 2 or (np.maximum.accumulate(later) - later).max() < FALL * later[0]:
        return None
    return rates[len(means) - len(later) + int(np.argmin(np.gradient(later)))]


def draw(subject: Subject) -> Figure:
    """From the weights that the run began with, by its optimizer; nothing of the run is changed."""
    rates, losses = range_test(subject, subject.initial())
    means, own = smoothed(losses), learning_rate(subject.config)
    fastest = steepest(rates, means)
    optimizer = subject.config["optim"]["_target_"].rpartition(".")[2]
    below = f"{optimizer} from the initial weights, a step a learning rate, until the loss explodes"
    figure = canvas(7.2, 4.2, f"Learning-rate finder: {subject.name}", below)
    axes = figure.subplots()
    axes.plot(rates, losses, color=GREY, linewidth=0.6, alpha=0.6, label="objective of each step")
    axes.plot(rates, means, color=BLUE, linewidth=1.8, label="running mean")
    if fastest is None:
        axes.plot([], [], " ", label="it falls nowhere")
    else:
        axes.axvline(fastest, color=BLUE, linestyle=":", label=f"falls fastest at {fastest:.1e}")
    axes.axvline(own, color=ORANGE, linestyle="--", label=f"this run's optim.lr, {own:g}")
    axes.set_xscale("log")
    axes.set_ylim(min(means) * 0.7 if means else 0, max(means[: len(means) // 2 + 1]) * 1.4)
    axes.set_xlabel("learning rate", fontsize=9)
    axes.set_ylabel("training objective", fontsize=9)
    plain(axes)
    axes.legend(fontsize=SMALL, frameon=False, loc="lower left")
    return figure
