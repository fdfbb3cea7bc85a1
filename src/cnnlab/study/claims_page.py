"""What is printed and written about judged claims: a table, a page, the README's table."""

from datetime import date
from math import isnan

from rich.table import Table

from cnnlab.study.claims import Claim
from cnnlab.study.judge import Judgement, Outcome

EXPLAINED = """\
A check holds if the lower end of the 95 % t-interval of the mean difference, one for each seed, lies above its bound.
Differences of accuracy are in percentage points. A claim is confirmed if all of its checks hold, partly confirmed if
some do. All of it is about the size that the design tells, which a CPU trains in minutes: what is not confirmed here
may well hold at the size of its source.
"""
SHARES = ("accuracy", "f1")


def difference(outcome: Outcome) -> str:
    """'+2.31 [1.20, 3.42]', of shares in percentage points: mean and 95 % interval."""
    factor, digits = (100, 2) if outcome.check.metric.endswith(SHARES) else (1, 3)
    if outcome.check.metric.startswith("cost/"):
        digits = 0
    low, high = outcome.interval
    mean = "no seed" if isnan(outcome.mean) else f"{factor * outcome.mean:+,.{digits}f}"
    return mean if isnan(low) else f"{mean} [{factor * low:,.{digits}f}, {factor * high:,.{digits}f}]"


def summary(outcome: Outcome) -> str:
    """A check in a line."""
    return f"{'yes' if outcome.holds else 'no'}: {outcome.check.say}: {difference(outcome)}"


def n_of(judgement: Judgement) -> str:
    """'5', or '5, 1' where checks differ in how many differences they have."""
    return ", ".join(dict.fromkeys(str(outcome.n) for outcome in judgement.outcomes))


def printed(judgements: list[Judgement]) -> Table:
    """For the terminal."""
    table = Table("claim", "source", "verdict", "n", "checks: difference [95 % interval]", "minutes", show_lines=True)
    for one in judgements:
        lines = [*(summary(outcome) for outcome in one.outcomes), *notes(one)]
        row = (f"{one.claim.name}: {one.claim.card['claim']}", one.claim.card["source"], one.verdict, n_of(one))
        table.add_row(*row, "\n".join(lines), f"{one.minutes:.1f}")
    return table


def notes(judgement: Judgement) -> list[str]:
    """What kept the cells from being all that was planned."""
    lines = [f"without result: {name} ({state})" for name, state in judgement.unfinished.items()]
    lines += [f"diverged, counted as chance: {name}" for name in judgement.diverged]
    for outcome in judgement.outcomes:
        if outcome.left_out:
            seeds = "groups of seeds" if outcome.check.ensemble else "seeds"
            lines.append(f"{outcome.check.say}: {seeds} left out, since cells are missing: {outcome.left_out}")
    return lines


def markdown_table(judgements: list[Judgement], links: str = "") -> str:
    """links: the page where the claims are explained, below headings of their names."""
    lines = [
        "| claim | source | verdict | n | checks: difference [95 % interval] | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for one in judgements:
        name = f"[`{one.claim.name}`]({links}#{one.claim.name})"
        checks = "<br>".join(summary(outcome) for outcome in one.outcomes)
        row = (f"{name}: {one.claim.card['claim']}", one.claim.card["source"], one.verdict, n_of(one), checks)
        lines.append(f"| {' | '.join(_one_line(text) for text in row)} | {one.minutes:.1f} |")
    return "\n".join(lines) + "\n"


def page(judgements: list[Judgement], not_run: list[Claim], today: date) -> str:
    """All of it: cards, checks, figures, versions."""
    counts = {
        verdict: sum(one.verdict == verdict for one in judgements)
        for verdict in sorted({j.verdict for j in judgements})
    }
    parts = [
        "# Claims of the textbooks, tried\n",
        f"Written by `scripts/claims.py` on {today}. Of {len(judgements)} claims: "
        f"{', '.join(f'{count} {verdict}' for verdict, count in counts.items())}.\n",
        EXPLAINED,
        markdown_table(judgements),
        *(_chapter(one) for one in judgements),
    ]
    if not_run:
        parts.append(f"Not run: {', '.join(f'`{claim.name}`' for claim in not_run)}.\n")
    return "\n".join(parts)


def _chapter(one: Judgement) -> str:
    card = one.claim.card
    versions = ", ".join(
        f"{key} {one.environment[key]}" for key in ("cnnlab", "torch", "python") if key in one.environment
    )
    lines = [
        f"## {one.claim.name}\n",
        f"**{one.verdict[0].upper()}{one.verdict[1:]}.** {_one_line(card['claim'])}\n",
        f"- Source: {_one_line(card['source'])}",
        f"- Design: {_one_line(card['design'])}",
        f"- What counts: {_one_line(card['confirmation'])}",
        f"- Command: `cnnlab train -m ablation={one.claim.name}`, {one.minutes:.1f} minutes; {versions}\n",
        "| check | metric | n | difference [95 % interval] | bound | holds |",
        "|---|---|---|---|---|---|",
    ]
    for outcome in one.outcomes:
        check = outcome.check
        row = (
            check.say,
            check.metric,
            str(outcome.n),
            difference(outcome),
            f"{check.by:g}",
            "yes" if outcome.holds else "no",
        )
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes(one))]) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
