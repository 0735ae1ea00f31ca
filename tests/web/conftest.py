"""The page, served and as one file, and its modules called in a browser."""

import base64
from pathlib import Path

import numpy as np
import pytest
from pages import opened

from inksight import load_model
from inksight.web import serve, write_page

PROBES = Path(__file__).with_name("probes.js")
# Opens an empty link, and waits until its state is shown.
RESET = """() => new Promise((resolve) => {
  const observer = new MutationObserver(() => { observer.disconnect(); resolve(); });
  observer.observe(document.getElementById("tools"), { childList: true });
  location.hash = `#pen=110&again=${Math.random()}`;
})"""
# Every change of the browser's storage fails, as in a full one; `window.transaction` is what it was before.
ABORT_WRITES = """() => {
  window.transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...values) {
    const begun = window.transaction.apply(this, values);
    if (values[1] === "readwrite") queueMicrotask(() => begun.abort());
    return begun;
  };
}"""
SEVEN = [(0.3, 0.25), (0.7, 0.24), (0.55, 0.5), (0.43, 0.8)]


@pytest.fixture(scope="session")
def served():
    """The address of the page with the model `post`."""
    with serve("post") as address:
        yield address


@pytest.fixture(scope="session")
def post():
    """The network of the page."""
    return load_model("post")


@pytest.fixture(scope="module")
def shared_page(served, browser):
    """A page on a wide light screen, which the tests of a module share: opening one takes longer than most tests."""
    with opened(browser, served, 1200, "light") as page:
        ready(page)
        yield page


@pytest.fixture
def page(shared_page):
    """The shared page, blank, with the network as it was."""
    shared_page.emulate_media(reduced_motion="reduce")
    shared_page.evaluate(RESET)
    shared_page.click("[data-tool=pen]")
    return shared_page


@pytest.fixture(scope="session")
def single(tmp_path_factory):
    """The page with the model `post` as one file."""
    path = tmp_path_factory.mktemp("web") / "page.html"
    write_page(path)
    return path


@pytest.fixture(scope="module")
def modules(served, browser):
    """Call a function of `probes.js`, which calls the page's modules, with JSON values."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(served + "settings.json")

        def call(name, **values):
            return page.evaluate(PROBES.read_text(encoding="utf-8"), [name, values])

        yield call


def encoded(array):
    """Return the bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def decoded(text, dtype):
    """Return the array whose bytes are `text` in base64."""
    return np.frombuffer(base64.b64decode(text), dtype)


def ready(page):
    """Wait until the network has started."""
    page.wait_for_selector("#app:not([hidden])")


def place(page, point):
    box = page.locator("#pad").bounding_box()
    return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]


def draw(page, points):
    """Draw a line with the mouse."""
    page.locator("#pad").scroll_into_view_if_needed()
    page.mouse.move(*place(page, points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, point), steps=6)
    page.mouse.up()


def shows(page, digit, reason=""):
    """Wait until the page shows an answer; `reason` is a part of its text."""
    page.wait_for_function(
        "([digit, reason]) => document.getElementById('digit').textContent === digit"
        " && document.getElementById('reason').textContent.includes(reason)",
        arg=[digit, reason], timeout=5000,
    )  # fmt: skip
