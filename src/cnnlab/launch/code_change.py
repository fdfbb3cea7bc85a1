"""on_code_change: what becomes of cells that were trained, or begun, with other code than there is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnnlab.code import Code, code_with, differs, own_modules
from cnnlab.errors import UserError
from cnnlab.run import Config, Run

NAMED = 3  # cells and commits in a message


@dataclass
class SortedOut:
    """The cells of a sweep by what is to be done with them, and what is to be said about it, if anything."""

    kept: list[Path] = field(default_factory=list)
    todo: list[Path] = field(default_factory=list)
    anew: list[Path] = field(default_factory=list)  # those of `todo` that are done, with other code
    said: str = ""


def sort_out(cells: Mapping[Path, Config]) -> SortedOut:
    """Which cells are done, and which are to be trained.

    Raises:
        UserError: some were trained or begun with other code, and on_code_change=error.
    """
    codes: dict[frozenset[str], Code] = {}
    others: dict[str, list[Path]] = {"error": [], "retrain": [], "warn": []}
    out = SortedOut()
    for folder, config in cells.items():
        run, policy = Run(folder), config["on_code_change"]
        modules = own_modules(config)
        code = codes[modules] = codes.get(modules) or code_with(modules)
        done = run.settled
        other = differs(run.status, code) and (done or run.half_done)
        if other:
            others[policy].append(folder)
        if done and not (other and policy == "retrain"):
            out.kept.append(folder)
        else:
            out.todo.append(folder)
            out.anew += [folder] if done else []
    now = next(iter(codes.values()), {})
    refuse(others["error"], now)
    out.said = "\n".join(what_is_done(policy, folders, now) for policy, folders in others.items() if folders)
    return out


def refuse(folders: Sequence[Path], now: Code) -> None:
    """Raises a UserError that names these cells, if there are any."""
    if folders:
        names = ", ".join(folder.name for folder in folders[:NAMED])
        more = f" and {len(folders) - NAMED} more" if len(folders) > NAMED else ""
        raise UserError(
            f"{with_other_code(folders, now)}: {names}{more}. With on_code_change=error nothing is trained then; "
            "on_code_change=warn goes on with what is there, on_code_change=retrain trains it anew"
        )


def what_is_done(policy: str, folders: Sequence[Path], now: Code) -> str:
    """A line about cells whose code is not that of now."""
    anew = "trains it anew" if len(folders) == 1 else "trains them anew"
    does = {"warn": f"; on_code_change=retrain {anew}", "retrain": f"; on_code_change=retrain, which {anew}"}
    return with_other_code(folders, now) + does[policy]


def with_other_code(folders: Sequence[Path], now: Code) -> str:
    """24 cells were trained with other code (commit abc1234, now def5678 with changes not committed)."""
    runs = [Run(folder) for folder in folders]
    trained, begun = sum(run.done for run in runs), sum(not run.done for run in runs)
    were = "1 cell was" if len(folders) == 1 else f"{len(folders)} cells were"
    what = f"trained or begun ({begun})" if trained and begun else "trained" if trained else "begun"
    before = list(dict.fromkeys(described(run.status["code"]) for run in runs))
    return f"{were} {what} with other code{_commits(before, described(now))}"


def described(code: Code) -> str:
    """abc1234, or abc1234 with changes not committed; empty where the code lies in no checkout."""
    commit = str(code.get("commit") or "")[:7]
    return f"{commit} with changes not committed" if commit and code.get("dirty") else commit


def _commits(before: Sequence[str], now: str) -> str:
    known = [one for one in before if one]
    if not known or not now:
        return ""
    if known == [now]:
        return f" (commit {now.split()[0]} then and now, with other changes that are not committed)"
    more = " or others" if len(known) > NAMED else ""
    return f" (commit {' or '.join(known[:NAMED])}{more}, now {now})"
