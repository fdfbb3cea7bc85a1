"""Tables in Markdown, as GitHub reads it."""

import re

from cnnlab.report.sheets import BEST, Entry, Sheet

SPECIAL = re.compile(r"[\\`*|<>\[\]~$&#]|(?<!\w)_|_(?!\w)")  # an underscore between letters stays one


def markdown(sheet: Sheet) -> str:
    """Title, table, notes; the best in bold."""
    lines = [
        f"**{escaped(sheet.title[:1].upper() + sheet.title[1:])}**",
        "",
        _line([escaped(name) for name in sheet.head]),
        _line([":--"] * sheet.labels + ["--:"] * (len(sheet.head) - sheet.labels)),
        *(_line([_figure(entry) for entry in row]) for row in sheet.rows),
        "",
        " ".join(sheet.notes).replace(BEST, "Bold").replace("*", r"\*").replace("[", r"\[").replace("]", r"\]"),
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """As it is to be read, on one line."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(entry: Entry) -> str:
    text = escaped(entry.text)
    shown = f"**{text}**" if entry.mark == BEST else escaped(f"{entry.text} {entry.mark}".strip())
    return f"{shown} ({escaped(entry.aside)})" if entry.aside else shown
