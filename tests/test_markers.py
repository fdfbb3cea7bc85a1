"""Parts of files that we write."""

import pytest

from cnnlab.errors import UserError
from cnnlab.markers import between, markers, put_between

BEGIN, END = markers("claims")


def test_what_is_around_the_markers_stays() -> None:
    text = f"above\n{BEGIN}\nold\n{END}\nbelow"
    assert put_between(text, "claims", "new\n") == f"above\n{BEGIN}\nnew\n{END}\nbelow"


def test_what_was_put_there_is_found_there() -> None:
    assert between(put_between(f"{BEGIN}\n{END}", "claims", "new\n"), "claims") == "new\n"


def test_a_text_without_markers_is_an_error() -> None:
    with pytest.raises(UserError, match="claims: begin"):
        put_between("nothing", "claims", "new\n")
