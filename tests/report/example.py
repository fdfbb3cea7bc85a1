"""A made-up report, as large as a test wants it."""

from itertools import combinations, product
from math import exp, sqrt

import numpy as np

from cnnlab.report.content import (
    CellRow,
    Condition,
    Cost,
    Curve,
    Effect,
    Estimate,
    Images,
    ImageTest,
    Interaction,
    Levels,
    Report,
)

MODELS = [
    "lenet5",
    "vgg16",
    "resnet20",
    "densenet_bc_100_12",
    "googlenet",
    "mobilenet_v1",
    "nin",
    "alexnet",
    "xception",
]
PARTS = ["BatchNorm", "dropout", "weight decay", "label smoothing"]
ALL = "BatchNorm + dropout + weight decay + label smoothing"
CLASSES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
EPOCHS = 12


def example(models: int = 4, regularizers: int = 6, seeds: int = 5, classes: int = 10, spoilt: bool = True) -> Report:
    """A grid of models x regularizers. spoilt: a condition of its own is short of cells, and one has none."""
    random = np.random.default_rng(7)
    factors = {"model": _levels(MODELS, models), "regularizer": _levels(["none", *PARTS, ALL], regularizers)}
    every = [dict(zip(factors, levels, strict=True)) for levels in product(*factors.values())]
    conditions = [_condition(levels, place, seeds, random) for place, levels in enumerate(every)]
    if spoilt:
        _spoil(conditions)
    known = [place for place, condition in enumerate(conditions) if condition["mean"] is not None]
    best = max(known, key=lambda place: conditions[place]["mean"] or 0)
    conditions[best]["best"] = True
    for place in known:
        conditions[place]["not_worse"] = (conditions[place]["mean"] or 0) > (conditions[best]["mean"] or 0) - 0.002
    cells = [cell for condition in conditions for cell in _cells(condition, seeds)]
    bases = {"model": factors["model"][0], "regularizer": "none"}
    names = _class_names(classes)
    return Report(
        study="fashion-grid",
        made="2026-11-22T15:47:00+00:00",
        metric="test/accuracy",
        metrics=["test/accuracy", "test/loss"],
        design="one_factor",
        factors=[{"name": name, "levels": levels, "baseline": bases[name]} for name, levels in factors.items()],
        rows=["regularizer"],
        columns=["model"],
        seeds=list(range(seeds)),
        counts={state: sum(c["state"] == state for c in cells) for state in ("done", "failed", "diverged", "missing")},
        summary=["BatchNorm helps all four networks.", "Dropout helps vgg16 only (+1.2 [0.8, 1.6] points)."],
        warnings=["lenet5, none: one cell failed.", "With 5 seeds, differences below 0.6 points are invisible."],
        conditions=conditions,
        cells=cells,
        effects=_effects(factors, random, seeds),
        main_effects=[
            e for e in _effects({**factors, "model": ["all"]}, random, seeds) if not e["within"].pop("model")
        ],
        interactions=_interactions(factors, random, seeds),
        curves=[curve for place in known for curve in _curves(place, conditions[place], random)],
        classes=names,
        images=[_images(place, conditions[place], len(names), random) for place in known],
        image_tests=[_image_test(a, b, random) for a, b in combinations(known[:12], 2)],
        hardest=[
            {
                "index": int(random.integers(10_000)),
                "label": names[k % len(names)],
                "wrong": len(cells) - k,
                "cells": len(cells),
                "predicted": names[(k + 1) % len(names)],
                "confidence": 0.97 - 0.01 * k,
            }
            for k in range(24)
        ],
        commands=["cnnlab sweep ablation=fashion study=fashion-grid", "cnnlab sweep --resume runs/fashion-grid"],
        configuration="",
        pictures=[],
        environment={"python": "3.11.7", "torch": "2.13.0", "gpu": "NVIDIA H100", "host": "box"},
        code={"4bb227f": len(cells) - 3, "556c3cd (with changes)": 3},
    )


def _levels(names: list[str], count: int) -> list[str]:
    return [names[k % len(names)] + ("" if k < len(names) else f" {k // len(names) + 1}") for k in range(count)]


def _class_names(count: int) -> list[str]:
    return CLASSES if count == len(CLASSES) else [f"class {k}" for k in range(count)]


def _condition(levels: Levels, place: int, seeds: int, random: np.random.Generator) -> Condition:
    strength = MODELS.index(levels["model"].split()[0])
    centre = 0.90 + 0.012 * sqrt(strength) + 0.006 * sqrt(place % 6) + float(random.normal(0, 0.002))
    values = {str(seed): float(random.normal(centre, 0.003)) for seed in range(seeds)}
    numbers = np.array(list(values.values()))
    cost = Cost(
        parameters=61_706 * 4.0**strength,
        flops=4.1e5 * 5.0**strength * float(random.uniform(1, 1.05)),
        train_images_per_second=41_000 / (strength + 1),
        peak_memory_bytes=2**28 * (strength + 1.0),
        fit_seconds=40 * 1.8**strength * float(random.uniform(1, 1.3)),
        energy_joules=None,
    )
    return Condition(
        levels=levels,
        n=seeds,
        mean=float(numbers.mean()),
        std=float(numbers.std(ddof=1)) if seeds > 1 else None,
        values=values,
        best=False,
        not_worse=False,
        untested=False,
        states={"done": seeds},
        cost=cost,
        gap=float(random.normal(0.03, 0.01)),
        gap_std=0.004,
    )


def _spoil(conditions: list[Condition]) -> None:
    short, none = conditions[0], conditions[-2]
    short["states"] = {"done": 3, "failed": 1, "diverged": 1}
    short["values"] = dict(list(short["values"].items())[:-1])
    short["n"] = len(short["values"])
    none |= Condition(
        levels=none["levels"],
        n=0,
        mean=None,
        std=None,
        values={},
        best=False,
        not_worse=False,
        untested=False,
        states={"missing": 5},
        cost=Cost(**dict.fromkeys(none["cost"])),  # type: ignore[typeddict-item]
        gap=None,
        gap_std=None,
    )


def _cells(condition: Condition, seeds: int) -> list[CellRow]:
    states = [state for state, count in condition["states"].items() for _ in range(count)]
    name = "-".join(condition["levels"].values()).replace(" ", "")
    return [
        CellRow(
            name=f"{name}-s{seed}",
            folder=f"../{name}-s{seed}",
            state=state,
            why="out of memory at epoch 3" if state == "failed" else "",
            seed=seed,
            levels=condition["levels"],
            value=condition["values"].get(str(seed)),
            seconds=57.7 if state == "done" else None,
            command=f"cnnlab train model={condition['levels']['model']} seed={seed} datamodule=fashion_mnist",
        )
        for seed, state in zip(range(seeds), states, strict=False)
    ]


def _estimate(mean: float, n: int, random: np.random.Generator) -> Estimate:
    differences = [float(random.normal(mean, 0.004)) for _ in range(n)]
    if n < 2:
        return Estimate(n=n, mean=mean, low=None, high=None, p=None, p_holm=None, effect_size=None, differences=[mean])
    mean, half = float(np.mean(differences)), 2.8 * float(np.std(differences, ddof=1)) / sqrt(n)
    p = exp(-((mean / half) ** 2) * 3)
    size = mean / half
    return Estimate(
        n=n,
        mean=mean,
        low=mean - half,
        high=mean + half,
        p=p,
        p_holm=min(1, 4 * p),
        effect_size=size,
        differences=differences,
    )


def _effects(factors: dict[str, list[str]], random: np.random.Generator, n: int) -> list[Effect]:
    return [
        Effect(
            factor=factor,
            level=level,
            baseline=levels[0],
            within={other: value},
            estimate=_estimate(float(random.normal(0.004, 0.008)), n, random),
        )
        for factor, levels in factors.items()
        for other in factors.keys() - {factor}
        for level in levels[1:]
        for value in factors[other]
    ]


def _interactions(factors: dict[str, list[str]], random: np.random.Generator, n: int) -> list[Interaction]:
    return [
        Interaction(
            first=("regularizer", first),
            second=("regularizer", second),
            within={"model": model},
            estimate=_estimate(float(random.normal(0, 0.006)), n, random),
        )
        for model in factors["model"]
        for first, second in combinations([level for level in factors["regularizer"] if level in PARTS], 2)
    ]


def _curves(place: int, condition: Condition, random: np.random.Generator) -> list[Curve]:
    last, pace = condition["mean"] or 0, float(random.uniform(0.2, 0.5))
    mean = [last - 0.3 * exp(-pace * epoch) for epoch in range(EPOCHS)]
    spread = [0.02 * exp(-0.1 * epoch) for epoch in range(EPOCHS)]
    return [
        Curve(
            condition=place,
            metric=metric,
            epoch=list(range(EPOCHS)),
            mean=[value + by for value in mean],
            low=[value + by - width for value, width in zip(mean, spread, strict=True)],
            high=[value + by + width for value, width in zip(mean, spread, strict=True)],
            n=[condition["n"]] * EPOCHS,
        )
        for metric, by in (("train/accuracy", 0.03), ("val/accuracy", 0.0))
    ]


def _images(place: int, condition: Condition, classes: int, random: np.random.Generator) -> Images:
    mean = condition["mean"] or 0
    right = np.clip(random.normal(mean, 0.05, classes), 0, 1)
    confusion = random.dirichlet(np.full(classes, 0.3), classes)
    np.fill_diagonal(confusion, 0)
    confusion *= ((1 - right) / confusion.sum(axis=1))[:, None]
    np.fill_diagonal(confusion, right)
    confidence = np.linspace(0.2, 0.99, 13)
    share = confidence**6 / (confidence**6).sum()
    return Images(
        condition=place,
        n=condition["n"],
        images=10_000,
        ece=float(random.uniform(0.01, 0.06)),
        bins=[
            {"confidence": float(c), "accuracy": float(c - 0.08 * c * (1 - c) * 4), "share": float(s)}
            for c, s in zip(confidence, share, strict=True)
        ],
        ensemble=mean + 0.006,
        single=mean,
        per_class=right.tolist(),
        confusion=confusion.tolist(),
    )


def _image_test(first: int, second: int, random: np.random.Generator) -> ImageTest:
    a, b = (int(count) for count in random.integers(50, 400, 2))
    difference = (a - b) / 10_000
    p = exp(-abs(a - b) / 30)
    return ImageTest(
        first=first,
        second=second,
        images=10_000,
        only_first=a,
        only_second=b,
        difference=difference,
        low=difference - 0.004,
        high=difference + 0.004,
        p=p,
        p_holm=min(1, 8 * p),
    )
