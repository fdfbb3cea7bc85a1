"""What the textbooks claim: ablations with a card and with checks that bear it out or do not."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from cnnlab.errors import UserError, did_you_mean
from cnnlab.study.results import Selector

CARD = ("claim", "source", "design", "confirmation")


@dataclass(frozen=True)
class Check:
    """Holds if the interval of the mean of `of - times * over`, one difference a seed, lies above `by`.

    of, over: selectors (see results.select), or two of them, [a, b], for the difference a - b.
    ensemble: the metric is the accuracy of probabilities averaged over so many seeds (0..4, 5..9, ...) for `of`, the
    mean of those members for `over`, and there is a difference for each such group of seeds.
    """

    say: str
    metric: str
    of: Selector | list[Selector]
    over: Selector | list[Selector]
    by: float = 0.0
    times: float = 1.0
    ensemble: int | None = None

    def __post_init__(self) -> None:
        for side in (self.of, self.over):
            if not isinstance(side, Mapping) and len(side) != 2:
                raise UserError(f"check '{self.say}': {side} is neither a selector nor a list of two of them")
        if self.ensemble is not None and self.metric != "test/accuracy":
            raise UserError(f"check '{self.say}': an ensemble is judged by test/accuracy, not by {self.metric}")


@dataclass(frozen=True)
class Claim:
    """An ablation with a card. card: the texts of CARD."""

    name: str
    card: dict[str, str]
    checks: list[Check]


def read_claim(file: Path) -> Claim | None:
    """The card and the checks of conf/ablation/<name>.yaml; None if it has no card.

    Raises:
        UserError: a part of the card is missing, or a check has an unknown key or lacks one.
    """
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    ablation = content.get("ablation") or {}
    card = ablation.get("card")
    if not card:
        return None
    if missing := [part for part in CARD if not card.get(part)]:
        raise UserError(f"{file}: the card says nothing about {', '.join(missing)}")
    if not ablation.get("checks"):
        raise UserError(f"{file}: a claim without checks can be neither confirmed nor refuted")
    return Claim(file.stem, card, [_check(file, values) for values in ablation["checks"]])


def read_claims(*folders: Path) -> dict[str, Claim]:
    """All claims of folders of ablations, by name."""
    claims = (read_claim(file) for folder in folders for file in sorted(folder.glob("[!_]*.yaml")))
    return {claim.name: claim for claim in claims if claim}


def _check(file: Path, values: dict[str, Any]) -> Check:
    known = [field.name for field in fields(Check)]
    for key in values:
        if key not in known:
            raise UserError(f"{file}: a check has no {key}.{did_you_mean(key, known)} It has: {', '.join(known)}")
    if missing := [key for key in ("say", "metric", "of", "over") if key not in values]:
        raise UserError(f"{file}: the check {values.get('say', values)} lacks {', '.join(missing)}")
    return Check(**values)
