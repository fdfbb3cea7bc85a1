"""The page, in a browser."""

import re
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from example import example

from cnnlab.report.charts import charts
from cnnlab.report.content import Report
from cnnlab.report.page import page
from cnnlab.report.page_table import Value
from cnnlab.report.page_tables import page_tables

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
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(file.as_uri())
    tab.wait_for_selector("body[data-drawn=yes]", timeout=60_000)
    yield tab
    tab.close()


def test_it_opens_without_a_word_on_the_console_and_asks_no_server_for_anything(opened: Any, file: Path) -> None:
    assert opened.said == []
    assert opened.asked == [file.as_uri()]


def test_every_chart_is_drawn_and_has_words_for_those_who_do_not_see_it(opened: Any) -> None:
    places = opened.locator(".chart")
    assert places.count() >= 6
    for n in range(places.count()):
        assert places.nth(n).locator("svg.marks").count() == 1
        assert len(places.nth(n).get_attribute("aria-label")) > 40


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_it_follows_the_readers_choice_of_light_and_dark(opened: Any) -> None:
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_selector(".chart[data-drawn=dark]", timeout=60_000)
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 64


def test_nothing_is_cut_off_on_a_phone(opened: Any) -> None:
    opened.set_viewport_size({"width": 400, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_its_policy_forbids_scripts_that_are_not_its_own_and_the_network(opened: Any) -> None:
    refused = opened.evaluate("""async () => {
        const refused = [];
        document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "document.title = 'owned'";
        const image = document.createElement("img");
        image.src = "https://example.org/a.png";
        document.body.append(script, image);
        await fetch("https://example.org").catch(() => {});
        await new Promise((done) => setTimeout(done, 100));
        return refused.sort();
    }""")
    assert refused == ["connect-src", "img-src", "script-src-elem"]
    assert opened.title() != "owned"


@pytest.mark.slow
def test_tables_fit_a_wide_page(opened: Any) -> None:
    opened.set_viewport_size({"width": 1280, "height": 900})
    wider = """boxes => boxes.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.ariaLabel)"""
    assert opened.locator(".wide:visible").evaluate_all(wider) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_no_word_of_a_table_is_broken(opened: Any, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 900})
    broken = opened.locator("thead th, tbody th, td.text").evaluate_all("""cells => cells.flatMap((cell) => {
        const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT).nextNode();
        return [...(text?.data ?? "").matchAll(/[\\w]+/g)].filter((word) => {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            return range.getClientRects().length > 1;
        }).map(String);
    })""")
    assert broken == []


@pytest.mark.slow
def test_the_first_column_stays_when_a_table_is_scrolled(opened: Any) -> None:
    opened.set_viewport_size({"width": 400, "height": 900})
    box = opened.locator("[data-table=effects] .wide")
    box.evaluate("one => one.scrollLeft = 200")
    assert box.evaluate("one => one.scrollLeft") == 200
    first = box.locator("tbody tr td").first
    assert first.bounding_box()["x"] == pytest.approx(box.bounding_box()["x"], abs=1)


@pytest.mark.slow
def test_charts_are_as_narrow_as_a_phone_and_their_labels_do_not_overlap(browser: Any, file: Path) -> None:
    tab = browser.new_page(viewport={"width": 400, "height": 800})
    tab.goto(file.as_uri())
    tab.wait_for_selector("body[data-drawn=yes]", timeout=60_000)
    for chart in tab.locator(".chart svg.marks").all():
        assert chart.bounding_box()["width"] <= 400
    for name in ("effects", "seeds", "gap"):
        boxes = [label.bounding_box() for label in tab.locator(f"[data-chart={name}] .role-axis-label text").all()]
        left = [box for box in boxes if box["x"] < 60]
        ends = [(box["y"], box["y"] + box["height"]) for box in sorted(left, key=lambda box: box["y"])]
        assert len(ends) > 4
        assert all(end <= start + 2 for (_, end), (start, _) in pairwise(ends)), name
    tab.close()


def test_numbers_of_a_chart_are_read_as_a_table(opened: Any) -> None:
    numbers = opened.locator("#numbers-per_class")
    numbers.locator("summary").focus()
    opened.keyboard.press("Enter")
    heads = numbers.locator("th").all_text_contents()
    assert heads == ["class", "best", "lowest", "highest"]
    per_class = {row["class"]: row for row in datasets(opened, "per_class")}
    for line in numbers.locator("tbody tr").all():
        name, *of = line.locator("td").all_text_contents()
        assert [float(text) for text in of] == [per_class[name][head] for head in heads[1:]]


def datasets(opened: Any, chart: str) -> list[dict[str, Any]]:
    """What the chart draws."""
    return list(opened.evaluate(f"Object.values(report.charts[{chart!r}].datasets).flat()"))


@pytest.mark.slow
def test_of_many_numbers_the_first_are_shown_and_it_is_said_where_the_others_are(opened: Any) -> None:
    numbers = opened.locator("#numbers-learning_curves")
    numbers.locator("summary").click()
    assert numbers.locator("tbody tr").count() == 100
    total = len(datasets(opened, "learning_curves"))
    assert numbers.locator(".note").text_content() == f"The first 100 of {total} rows; report.json has them all."


def test_a_p_value_is_never_0() -> None:
    report = example()
    report["image_tests"][0]["p_holm"] = 0.0
    assert page_tables(report)["image_tests"].rows[0][6] == Value("< 1e-300", 0.0)


def pending(states: dict[str, int]) -> Report:
    """Of a study of one factor, in which no cell has a value."""
    report = example(3, 1)
    report["counts"], report["summary"] = states, []
    for one in report["conditions"]:
        one["mean"], one["values"], one["n"] = None, {}, 0
    return report


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ({"running": 3, "missing": 9}, "Nothing is done yet: 3 running, 9 missing."),
        ({"failed": 12}, "Nothing is done: 12 failed."),
        ({"done": 2, "missing": 1}, "No cell that is done has a test accuracy: 2 done, 1 missing."),
    ],
)
def test_a_study_without_results_says_how_far_it_is(states: dict[str, int], said: str) -> None:
    report = pending(states)
    assert f"<li>{said}</li>" in page(report, charts(report))


@pytest.fixture
def live(browser: Any, tmp_path: Path) -> Iterator[tuple[Any, Callable[[str], None]]]:
    """A live page that looks often, and a function that writes a newer one in its place."""
    report = example(2, 2)
    report["configuration"] = "model: lenet5"
    file = tmp_path / "index.html"

    def write(made: str) -> None:
        report["made"] = made
        whole = tmp_path / "whole"
        whole.write_text(page(report, {}, refresh=0.2), encoding="utf-8")
        whole.replace(file)

    write("2026-01-01T00:00:00")
    tab = browser.new_page(viewport={"width": 1100, "height": 500})
    tab.goto(file.as_uri())
    yield tab, write
    tab.close()


@pytest.mark.slow
def test_a_live_page_shows_a_newer_one_and_keeps_the_readers_place(live: Any) -> None:
    tab, write = live
    tab.locator("#filter-cells").fill("vgg16")
    tab.locator("[data-table=cells] th button").first.click()
    tab.locator("#configuration summary").click()
    tab.evaluate("window.scrollTo(0, 300)")
    write("2026-01-01T00:00:05")
    tab.wait_for_selector("html[data-made='2026-01-01T00:00:05']", state="attached", timeout=20_000)
    assert tab.locator("#filter-cells").input_value() == "vgg16"
    assert {text.split("-")[0] for text in column(tab, "cells", 1)} == {"vgg16"}
    assert tab.locator("[data-table=cells] th").first.get_attribute("aria-sort") == "ascending"
    assert tab.locator("#configuration").get_attribute("open") is None
    assert tab.evaluate("window.scrollY") == 300


@pytest.mark.slow
def test_a_live_page_stays_as_it_is_while_there_is_no_newer_one(live: Any) -> None:
    tab, _ = live
    tab.evaluate("window.here = true")
    tab.wait_for_timeout(1_000)
    assert tab.evaluate("window.here") is True


@pytest.mark.slow
def test_a_live_page_does_not_reload_while_someone_types(live: Any) -> None:
    tab, write = live
    tab.locator("#filter-cells").press_sequentially("le")
    write("2026-01-01T00:00:05")
    tab.wait_for_timeout(1_000)
    assert tab.locator("html").get_attribute("data-made") == "2026-01-01T00:00:00"
    tab.locator("#filter-cells").blur()
    tab.wait_for_selector("html[data-made='2026-01-01T00:00:05']", state="attached", timeout=20_000)
    assert tab.locator("#filter-cells").input_value() == "le"


def test_only_a_live_page_looks_for_a_newer_one(opened: Any) -> None:
    assert opened.locator("iframe").count() == 0
    assert "data-refresh" not in page(example(1, 2), {})
