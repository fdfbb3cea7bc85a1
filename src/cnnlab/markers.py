"""Parts of a text file that we write: what lies between <!-- name: begin --> and <!-- name: end -->."""

from cnnlab.errors import UserError


def put_between(text: str, name: str, block: str) -> str:
    """The text with what lies between the two markers replaced.

    Raises:
        UserError: it has no such markers.
    """
    begin, end = markers(name)
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise UserError(f"the README has no lines {begin} and {end}, between which this belongs")
    return f"{before}{begin}\n{block}{end}{after}"


def between(text: str, name: str) -> str:
    """What lies there."""
    begin, end = markers(name)
    return text.partition(f"{begin}\n")[2].partition(end)[0]


def markers(name: str) -> tuple[str, str]:
    """Of the beginning, and of the end."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
