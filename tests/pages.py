"""Checks of the HTML pages and SVG elements that inksight writes: their structure, and how they work in a browser."""

import io
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

WIDTHS = (390, 768, 1440)  # CSS pixels: a phone, a tablet and a wide screen
FAULTS = Path(__file__).with_name("faults.js")
SVG = "{http://www.w3.org/2000/svg}"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class ParsedPage(HTMLParser):
    """The tags, ids and links of a page; asserts that elements close in the order in which they opened."""

    VOID = ("meta", "link", "br", "img", "input", "hr", "path", "image", "use", "rect", "circle", "g")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str | None] = []
        self.links: list[str | None] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        attributes = dict(attrs)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [attributes[name] for name in ("src", "href") if name in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def check_svg(text: str, prefix: str) -> ET.Element:
    """Assert that an ``<svg>`` element can stand in any page, and return it."""
    assert text.startswith("<svg ")
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert "width" not in root.attrib
    assert "height" not in root.attrib
    assert root.attrib["viewBox"]
    assert "max-width:100%" in root.attrib["style"]
    assert not list(root.iter(f"{SVG}style"))  # it would apply to the whole page
    assert not list(root.iter(f"{SVG}metadata"))
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert all(name.startswith(prefix) for name in ids)
    used = {
        name
        for element in root.iter()
        for value in element.attrib.values()
        for name in re.findall(r"url\(#([^)]+)\)|^#([\w-]+)$", value)
    }
    assert {one or other for one, other in used} == set(ids)
    for element in root.iter(f"{SVG}text"):
        assert "font-family: 'DejaVu Sans', Verdana, sans-serif" in element.attrib["style"]
    return root


def in_both_schemes(test: Any) -> Any:
    """Run a test on a wide light screen and on a dark phone screen."""
    test = pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])(test)
    return pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")(test)


def in_light_and_dark(test: Any) -> Any:
    """Run a test in both color schemes."""
    test = pytest.mark.parametrize("scheme", ["light", "dark"])(test)
    return pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")(test)


@contextmanager
def launched() -> Iterator[Any]:
    """Start Chromium, and end it afterwards."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, place: Path | str, width: int, scheme: Literal["light", "dark"], **options: Any
) -> Iterator[Any]:
    """Open a page in a profile of its own; assert that it has no error and requests nothing from elsewhere.

    A page from disk, given by its path, is offline. One that is served is given by its address.
    """
    offline = isinstance(place, Path)
    address = place.as_uri() if isinstance(place, Path) else place
    own = ("file:" if offline else address.partition("#")[0], "data:", "blob:")
    viewport = {"width": width, "height": 800}
    with browser.new_context(viewport=viewport, color_scheme=scheme, offline=offline, **options) as context:
        page = context.new_page()
        problems, requests = [], []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing overflows sideways
        yield page
        assert problems == []
        assert all(url.startswith(own) for url in requests)


DRAWN = """async (width) => {
  const frame = () => new Promise(requestAnimationFrame);
  while (innerWidth !== width) await frame();
  await frame();  // lays out the page, after which observers of sizes run
  await frame();  // lays out what they changed
}"""


def resized(page: Any) -> Iterator[int]:
    """Give a page each of `WIDTHS`, one after the other."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1600})
        page.evaluate(DRAWN, width)
        yield width


def check_layout(page: Any, scheme: str) -> None:
    """Assert that everything on a page can be read and reached at every width, and that its theme can be switched.

    Nothing is outside the viewport, unless it is in a box that scrolls and shows that it does. No text is smaller than
    10 pixels or has a contrast below 4.5:1. Links and buttons are at least 24 pixels wide and high. No area of a dark
    page is white.
    """
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    for width in resized(page):
        assert page.evaluate(FAULTS.read_text(encoding="utf-8")) == [], f"{width} pixels wide"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        button = page.locator("#theme").bounding_box()
        assert 0 <= button["x"] <= button["x"] + button["width"] <= width
        if scheme == "dark" and width == WIDTHS[-1]:  # where nothing is scrolled out of view sideways
            assert white_areas(page) == []
        page.click("#theme")
        assert page.evaluate("document.documentElement.dataset.theme") != scheme
        page.click("#theme")


def white_areas(page: Any, side: int = 16) -> list[tuple[int, int]]:
    """Return the places (x, y) of squares of `side` pixels that are lighter on average than light ink, which is 229."""
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    found = []
    height, step = page.evaluate("document.documentElement.scrollHeight"), page.viewport_size["height"]
    for top in range(0, height, step):
        page.evaluate(f"scrollTo(0, {top})")
        with Image.open(io.BytesIO(page.screenshot(type="jpeg", quality=95))) as picture:
            squares = picture.convert("RGB").reduce(side)
        white = np.asarray(squares).min(axis=2) > 235
        found += [(int(x) * side, int(y) * side + page.evaluate("scrollY")) for y, x in np.argwhere(white)]
    return found
