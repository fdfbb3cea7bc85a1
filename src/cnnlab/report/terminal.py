"""Tables for the terminal."""

from textwrap import wrap

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from cnnlab.report.sheets import BEST, Entry, Sheet

LABEL = 16  # characters into which a label may be folded
GAP = 2  # between columns
HEADER = 10  # characters, above which a header of several words is broken


def terminal(sheet: Sheet) -> Group:
    """Title, table, notes; what is between brackets in a name is no markup."""
    title = Text(sheet.title[:1].upper() + sheet.title[1:], style="bold")
    return Group(title, _table(sheet), *(Text(note, style="dim") for note in sheet.notes), Text())


def fits(sheet: Sheet, width: int) -> bool:
    """With no figure broken, and labels in readable pieces."""
    columns = [[head, *(_figure(row[place]) for row in sheet.rows)] for place, head in enumerate(_heads(sheet))]
    widths = [max(len(line) for text in column for line in text.plain.split("\n")) for column in columns]
    labels = [min(widths[place], LABEL) for place in range(sheet.labels)]
    return sum(labels) + sum(widths[sheet.labels :]) + GAP * len(widths) <= width


def _table(sheet: Sheet) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for place, head in enumerate(_heads(sheet)):
        label = place < sheet.labels
        table.add_column(head, justify="left" if label else "right", no_wrap=not label, overflow="fold")
    for row in sheet.rows:
        table.add_row(*map(_figure, row))
    return table


def _heads(sheet: Sheet) -> list[Text]:
    """Those of figures in lines, which the column itself does not fold."""
    figures = ("\n".join(wrap(name, HEADER, break_long_words=False)) for name in sheet.head[sheet.labels :])
    return [Text(name) for name in (*sheet.head[: sheet.labels], *figures)]


def _figure(entry: Entry) -> Text:
    text = Text(f"{entry.text} {entry.mark}".strip(), style="bold" if entry.mark == BEST else "")
    aside = entry.aside.replace(": ", ":\n").replace(", ", ",\n")
    return text.append(f"\n{aside}", style="not bold") if aside else text
