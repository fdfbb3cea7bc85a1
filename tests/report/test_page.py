"""The page, in a browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from example import example

from cnnlab.report.charts import charts
from cnnlab.report.content import Report
from cnnlab.report.page import page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = example()
    written = tmp_path_factory.mktemp("report") / "index.html"
    written.write_text(page(report, charts(report)), encoding="utf-8")
    return written


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Any]:
    """The page, drawn; what the console said and what was asked for are kept in `said` and `asked`."""
    tab = browser.new_page(viewport={"width": 1100, "height": 900})
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(file.as_uri())
    tab.wait_for_selector("body[data-drawn=yes]", timeout=60_000)
    yield tab
    tab.close()


def test_it_opens_without_an_error_and_asks_no_server_for_anything(opened: Any, file: Path) -> None:
    assert opened.said == []
    assert opened.asked == [file.as_uri()]


def test_every_chart_is_drawn_and_has_words_for_those_who_do_not_see_it(opened: Any) -> None:
    places = opened.locator(".chart")
    assert places.count() >= 6
    for n in range(places.count()):
        assert places.nth(n).locator("svg.marks").count() == 1
        assert len(places.nth(n).get_attribute("aria-label")) > 40


def test_arrow_keys_walk_through_a_charts_marks_and_say_them(opened: Any) -> None:
    chart = opened.locator(".chart[data-chart=effects]")
    chart.focus()
    opened.keyboard.press("ArrowRight")
    spoken = opened.locator("#plot-effects .spoken")
    first = spoken.text_content()
    opened.keyboard.press("ArrowRight")
    assert re.match(r"1 of \d+: ", first)
    assert re.match(r"2 of \d+: ", spoken.text_content())


def column(opened: Any, table: str, place: int) -> list[str]:
    return list(opened.locator(f"[data-table={table}] tbody tr td:nth-child({place})").all_text_contents())


def test_a_click_on_a_column_sorts_by_its_numbers_and_another_turns_it_round(opened: Any) -> None:
    heads = opened.locator("[data-table=effects] th button")
    place = heads.all_text_contents().index("difference") + 1
    heads.nth(place - 1).click()
    assert opened.locator(f"[data-table=effects] th:nth-child({place})").get_attribute("aria-sort") == "ascending"
    rising = [float(text.split()[0]) for text in column(opened, "effects", place) if text[0] in "+-0"]
    assert rising == sorted(rising)
    heads.nth(place - 1).click()
    falling = [float(text.split()[0]) for text in column(opened, "effects", place) if text[0] in "+-0"]
    assert falling == sorted(falling, reverse=True)
    assert falling != rising


def test_a_column_is_sorted_by_the_keyboard_too(opened: Any) -> None:
    opened.locator("[data-table=cells] th button").first.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("[data-table=cells] th").first.get_attribute("aria-sort") == "ascending"


def test_words_filter_a_table(opened: Any) -> None:
    before = len(column(opened, "cells", 1))
    opened.locator("[data-table=cells] input").fill("lenet5 failed")
    after = column(opened, "cells", 2)
    assert 0 < len(after) < before
    assert set(after) == {"failed"}


def test_it_follows_the_readers_choice_of_light_and_dark(opened: Any) -> None:
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_selector(".chart[data-drawn=dark]", timeout=60_000)
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 64


def test_nothing_is_cut_off_on_a_phone(opened: Any) -> None:
    opened.set_viewport_size({"width": 400, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 400


def test_ten_thousand_cells_can_be_searched(browser: Any, tmp_path: Path) -> None:
    report: Report = example()
    report["cells"] = [{**report["cells"][0], "name": f"cell-{n}"} for n in range(10_000)]
    file = tmp_path / "index.html"
    file.write_text(page(report, {}), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    section = tab.locator("[data-table=cells]")
    assert "10,000 of 10,000 match, the first 200 are shown" in section.locator(".count").text_content()
    section.locator("input").fill("cell-9999")
    assert section.locator("tbody tr").count() == 1
    tab.close()


def test_names_from_folders_cannot_bring_in_code(browser: Any, tmp_path: Path) -> None:
    evil = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    report = example()
    report["study"] = report["cells"][0]["why"] = report["cells"][0]["name"] = evil
    report["warnings"] = report["summary"] = [evil]
    report["classes"] = [evil, *report["classes"][1:]]
    file = tmp_path / "index.html"
    file.write_text(page(report, charts(report)), encoding="utf-8")
    tab = browser.new_page()
    tab.goto(file.as_uri())
    tab.wait_for_selector("body[data-drawn=yes]", timeout=60_000)
    assert tab.title().startswith("</script>")
    assert tab.locator("img[src=x]").count() == 0
    tab.close()


def test_a_live_page_loads_itself_again() -> None:
    assert '<meta http-equiv="refresh" content="5">' in page(example(), {}, refresh=5)
    assert "http-equiv" not in page(example(), {}).split("</head>")[0]
