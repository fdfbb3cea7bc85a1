"""The page of `cnnlab serve`, in a browser."""

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served import Served, encoded, serving

from cnnlab.launch.cell import train_cell
from conftest import TINY, compose_config

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.slow
DROP = """([field, name, text]) => {
    const files = new DataTransfer();
    files.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name));
    field.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    folder = tmp_path_factory.mktemp("served") / "run"
    train_cell(compose_config(*TINY), folder, [])
    with serving(folder) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(page: Served, browser: Any) -> Iterator[Any]:
    """The page, ready; what the console said and what was asked for are kept in `said` and `asked`."""
    tab = browser.new_page(viewport={"width": 1000, "height": 900})
    tab.said, tab.asked = [], []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.goto(page.address)
    tab.wait_for_selector("body[data-ready=yes]", timeout=60_000)
    yield tab
    tab.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    file.write_bytes(encoded(np.arange(400).reshape(20, 20) % 250))
    return file


def choose(tab: Any, file: Path) -> None:
    tab.locator("#file").set_input_files(file)


def answered(tab: Any) -> list[str]:
    """The likeliest classes, once they are there."""
    tab.wait_for_selector("#answer:not([hidden])", timeout=60_000)
    return list(tab.locator("#top td:first-child").all_text_contents())


def complaint(tab: Any) -> str:
    tab.wait_for_selector("#error:not([hidden])", timeout=60_000)
    return str(tab.locator("#error").text_content())


def test_it_opens_without_a_word_on_the_console_and_asks_its_own_server_only(opened: Any, page: Served) -> None:
    opened.wait_for_load_state("networkidle")
    assert opened.said == []
    assert len(opened.asked) == 4 + 12
    assert all(url.startswith(f"{page.address}/") for url in opened.asked)


def test_a_chosen_file_gets_five_classes_and_two_pictures(opened: Any, photo: Path) -> None:
    choose(opened, photo)
    assert len(set(answered(opened))) == 5
    assert opened.locator("#top meter").count() == 5
    for picture in ("#seen", "#map"):
        opened.wait_for_function(f"document.querySelector('{picture}').naturalWidth === 224")
    assert opened.said == []


def test_a_dropped_file_is_taken(opened: Any, photo: Path) -> None:
    field = opened.locator("#drop").element_handle()
    opened.evaluate(DROP, [field, "photo.png", base64.b64encode(photo.read_bytes()).decode()])
    assert len(answered(opened)) == 5


def test_an_example_is_taken_by_the_keyboard(opened: Any) -> None:
    opened.locator("#examples button").nth(3).focus()
    opened.keyboard.press("Enter")
    answered(opened)
    assert "(it is 3)" in opened.locator("#says").text_content()


def test_what_is_no_image_is_told_on_the_page_which_goes_on(opened: Any, photo: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("no image")
    choose(opened, text)
    assert "no image of a kind that is known here" in complaint(opened)
    choose(opened, photo)
    answered(opened)
    assert opened.locator("#error").is_hidden()


def test_a_large_file_is_not_sent(opened: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(21 * 2**20)
    choose(opened, large)
    assert complaint(opened) == "The file has more than 20 MiB, which is too large."
    assert not any(url.endswith("/predict") for url in opened.asked)


def test_a_server_that_is_gone_is_told_on_the_page(opened: Any, photo: Path) -> None:
    opened.context.set_offline(True)
    choose(opened, photo)
    assert "does not answer" in complaint(opened)


def test_its_policy_forbids_scripts_that_are_not_its_own_and_other_servers(opened: Any) -> None:
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
    assert opened.title() == "lenet5 on digits"


def test_nothing_is_cut_off_on_a_phone(opened: Any, photo: Path) -> None:
    opened.set_viewport_size({"width": 360, "height": 800})
    choose(opened, photo)
    answered(opened)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
