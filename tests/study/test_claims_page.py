"""What is written about claims."""

from datetime import date

import pytest

from cnnlab.markers import put_between
from cnnlab.study.claims import CARD, Check, Claim
from cnnlab.study.claims_page import difference, markdown_table, page
from cnnlab.study.judge import Judgement, Outcome
from conftest import REPOSITORY


def outcome(metric: str = "test/accuracy") -> Outcome:
    return Outcome(Check("a beats b", metric, {}, {}), [0.01, 0.02, 0.03], [])


def judgement(unfinished: dict[str, str] | None = None) -> Judgement:
    claim = Claim("some", {part: f"the {part}\n| of it" for part in CARD}, [])
    return Judgement(claim, [outcome()], unfinished or {}, ["cell9"], 2.5, {"torch": "2.13"})


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("test/accuracy", "+2.00 [-0.48, 4.48]"),
        ("test/loss", "+0.020 [-0.005, 0.045]"),
        ("cost/parameters", "+0 [-0, 0]"),
    ],
)
def test_shares_are_in_percentage_points(metric: str, text: str) -> None:
    assert difference(outcome(metric)) == text


def test_a_row_is_a_line_with_six_cells() -> None:
    rows = markdown_table([judgement()], "docs/claims.md").splitlines()
    assert len(rows) == 3
    assert rows[2].replace("\\|", "").count("|") == 7
    assert "[`some`](docs/claims.md#some): the claim" in rows[2]


def test_the_page_tells_all_of_it() -> None:
    text = page([judgement({"cell7": "failed"})], [Claim("other", {}, [])], date(2026, 1, 2))
    for words in ("2026-01-02", "the design", "the confirmation", "torch 2.13", "+2.00", "1 unfinished"):
        assert words in text
    assert "without result: cell7 (failed)" in text
    assert "diverged, counted as chance: cell9" in text
    assert "Not run: `other`" in text


def test_our_readme_has_a_place_for_the_table() -> None:
    assert put_between((REPOSITORY / "README.md").read_text(), "claims", "the table\n").count("the table\n") == 1
