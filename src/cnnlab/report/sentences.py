"""What the tests say, in sentences: which level helps where, what is best, what helps or replaces what."""

from collections.abc import Sequence

from cnnlab.report.conditions import ALPHA, has_a_best, lower_is_better
from cnnlab.report.content import Condition, Effect, Estimate, Factor, Interaction, Levels
from cnnlab.report.ingredients import FACTOR, SUM_OF_SINGLES, WITH
from cnnlab.report.wording import difference, value
from cnnlab.study.results import LABELS

FEW = ("no", "one", "both", "all three", "all four", "all five", "all six")
MOST = 12  # interactions told in words
MANY = 8  # levels, or combinations of the others, that are each named


def summary(
    metric: str,
    factors: Sequence[Factor],
    conditions: Sequence[Condition],
    effects: Sequence[Effect],
    main_effects: Sequence[Effect],
    interactions: Sequence[Interaction],
) -> list[str]:
    """The best first, then each factor's levels, then interactions that the tests show."""
    said = best(metric, conditions)
    bases = {factor["name"]: factor["baseline"] for factor in factors}
    for factor in sorted(factors, key=lambda factor: factor["name"] == "model"):  # ingredients first
        by_level = [
            [one for one in effects if (one["factor"], one["level"]) == (factor["name"], level)]
            for level in factor["levels"]
        ]
        compared = [of for of in by_level if of]
        telling = [of for of in compared if any(map(shows, of))] if len(compared) > MANY else compared
        said += [_of_level(metric, of) for of in telling]
        if silent := len(compared) - len(telling):
            said.append(f"No difference is shown for {silent} other levels of {factor['name']}.")
    averages = [one for one in main_effects if not one["within"] and shows(one)]
    averages.sort(key=lambda one: one["factor"] == "model")
    said += [_on_average(metric, one) for one in averages[:MANY]]
    joint = [one for one in interactions if significant(one["estimate"])]
    joint.sort(key=lambda one: one["estimate"]["p_holm"] or 0)
    said += [_interaction(metric, one, bases, main_effects) for one in joint[:MOST]]
    if len(joint) > MOST:
        said.append(f"{len(joint) - MOST} more interactions are significant; the table has them.")
    return said


def best(metric: str, conditions: Sequence[Condition]) -> list[str]:
    """'Best: ...'; and how many cannot be told from it."""
    winners = [one for one in conditions if one["best"]]
    if not winners or len(conditions) < 2:
        return []
    one = winners[0]
    tied, untested = (sum(other[how] for other in conditions) for how in ("not_worse", "untested"))
    spread = "" if one["std"] is None else f" ± {value(metric, one['std'], unit=False)}"
    words = [f"{'one other' if tied == 1 else f'{tied} others'} cannot be told from it"] if tied else []
    if untested:
        words.append(f"{untested} cannot be tested against it (fewer than two seeds in common)")
    others = "; ".join(words) or "every other is significantly worse"
    return [f"Best {metric}: {named(one['levels'])}, {value(metric, one['mean'])}{spread} (n = {one['n']}); {others}."]


def _of_level(metric: str, effects: Sequence[Effect]) -> str:
    """'BatchNorm helps vgg16 (+3.1) and nin (+2.0), hurts lenet5 (-0.4); no difference is shown for resnet20.'"""
    first = effects[0]
    subject = _subject(first)
    if not first["within"]:
        return f"{subject}: {_outcome(metric, first['estimate'])}."
    verbs: dict[str, list[str]] = {"helps": [], "hurts": [], "raises it": [], "lowers it": []}
    unclear: list[str] = []
    untested: list[str] = []
    for one in effects:
        where = named(one["within"])
        if significant(one["estimate"]):
            verbs[_verb(metric, one["estimate"])].append(f"{where} ({difference(metric, one['estimate']['mean'])})")
        else:
            (untested if one["estimate"]["p"] is None else unclear).append(where)
    if len(effects) > MANY:
        counts = [f"{verb} {len(of)}" for verb, of in verbs.items() if of]
        counts += [f"shows no difference in {len(unclear)}"] if unclear else []
        counts += [f"cannot be tested in {len(untested)}"] if untested else []
        return f"{subject}: of {len(effects)} combinations it {', '.join(counts)}."
    said = {"helps": "is better with", "hurts": "is worse with"} if first["factor"] == "model" else {}
    parts = [f"{said.get(verb, verb)} {_all(of, len(effects))}" for verb, of in verbs.items() if of]
    rest = [f"no difference is shown for {_listed(unclear)}"] if unclear else []
    rest += [f"too few seeds to test it for {_listed(untested)}"] if untested else []
    told = "; ".join([f" {', '.join(parts)}", *rest] if parts else [f": {rest[0]}", *rest[1:]])
    return f"{subject}{told}."


def _on_average(metric: str, effect: Effect) -> str:
    """Of a level, over all combinations of the other factors, or of an ingredient, over all recipes."""
    if effect["level"] == WITH:
        return f"On average over all recipes, {effect['factor']} {_outcome(metric, effect['estimate'])}."
    said = _outcome(metric, effect["estimate"])
    if effect["factor"] == "model":
        said = said.replace("helps,", "is better,").replace("hurts,", "is worse,")
    return f"{_subject(effect)}, on average over all else: {said}."


def _subject(effect: Effect) -> str:
    for sign, verb in (("- ", "Leaving out"), ("+ ", "Adding")):
        if effect["level"].startswith(sign):
            return f"{verb} {effect['level'].removeprefix(sign)} (against {effect['baseline']})"
    return f"{_level(effect['factor'], effect['level'])} (against {effect['baseline']})"


def _interaction(metric: str, one: Interaction, bases: Levels, main_effects: Sequence[Effect]) -> str:
    mean = one["estimate"]["mean"] or 0.0
    better = (mean < 0) == lower_is_better(metric)
    (first, a), (second, b) = one["first"], one["second"]
    where = f"With {named(one['within'])}, " if one["within"] else ""
    shown = _with_interval(metric, one["estimate"])
    if b == SUM_OF_SINGLES:
        words = f"{a} together bring {'more' if better else 'less'} than {b}"
    elif a == WITH and b == WITH:
        both_help = all(_helps(metric, part, one["within"], main_effects) for part in (first, second))
        if both_help:
            words = f"{first} and {second} {'help' if better else 'stand in for'} one another"
        else:
            words = f"{first} and {second} together bring {'more' if better else 'less'} than the sum of each"
    else:
        than = "" if a[:2] == "+ " else f" than with {_level(first, bases[first])}"
        words = f"{_level(second, b)} brings {'more' if better else 'less'} with {_level(first, a)}{than}"
    return f"{where}{words}: {shown}."


def _helps(metric: str, ingredient: str, within: Levels, main_effects: Sequence[Effect]) -> bool:
    """Whether it does so on average, however surely."""
    return any(
        _verb(metric, one["estimate"]) == "helps"
        for one in main_effects
        if (one["factor"], one["level"], one["within"]) == (ingredient, WITH, within)
    )


def _level(factor: str, level: str) -> str:
    """A level that says what it is stands alone: 'dropout', 'vgg16'; others say of what: 'optim.lr=0.1'."""
    if level.startswith("- "):
        return f"without {level.removeprefix('- ')}"
    return level if factor in ("model", FACTOR, *LABELS) else f"{factor}={level}"


def _verb(metric: str, estimate: Estimate) -> str:
    if not has_a_best(metric):
        return "raises it" if (estimate["mean"] or 0) > 0 else "lowers it"
    return "helps" if ((estimate["mean"] or 0) < 0) == lower_is_better(metric) else "hurts"


def _outcome(metric: str, estimate: Estimate) -> str:
    if estimate["p"] is None:
        return f"too few seeds to test it, {_with_interval(metric, estimate)}"
    if estimate["p"] < ALPHA and not significant(estimate):
        return f"no difference is shown once corrected for all comparisons, {_with_interval(metric, estimate)}"
    if not significant(estimate):
        return f"no difference is shown, {_with_interval(metric, estimate)}"
    return f"{_verb(metric, estimate)}, {_with_interval(metric, estimate)}"


def _with_interval(metric: str, estimate: Estimate) -> str:
    if estimate["mean"] is None:
        return "no seed has both"
    mean = difference(metric, estimate["mean"])
    if estimate["low"] is None or estimate["high"] is None:
        return f"{mean} (n = {estimate['n']})"
    low, high = (difference(metric, end, unit=False) for end in (estimate["low"], estimate["high"]))
    return f"{mean} [{low}, {high}] (n = {estimate['n']})"


def significant(estimate: Estimate) -> bool:
    """After Holm's correction, at 5 %."""
    return estimate["p_holm"] is not None and estimate["p_holm"] < ALPHA


def shows(effect: Effect) -> bool:
    return significant(effect["estimate"])


def named(levels: Levels) -> str:
    """'vgg16 with dropout'; of other factors also their names."""
    words = [_level(factor, level) for factor, level in levels.items()]
    return " with ".join(words[:2]) + "".join(f", {word}" for word in words[2:]) if words else "the one condition"


def _all(items: Sequence[str], of: int) -> str:
    """'all four: a, b, c and d' if it is all there are."""
    if len(items) < of or of < 2:
        return _listed(items)
    return f"{FEW[of] if of < len(FEW) else f'all {of}'}: {_listed(items)}"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
