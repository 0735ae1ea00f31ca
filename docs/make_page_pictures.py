"""Write ``docs/page*.png``, the pictures of the page of `inksight web`: run ``python docs/make_page_pictures.py``.

Needs Chromium and the package `playwright`. The training takes a few seconds.
"""

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from inksight.web import serve

WIDTH = 1200  # pixels
MARGIN = 16  # pixels above what is shown
COLORS = 96  # of a picture: a quarter of the size that all would need
SEVEN = ((0.3, 0.25), (0.7, 0.24), (0.55, 0.5), (0.43, 0.8))
PATIENCE = 60_000  # milliseconds


def main() -> None:
    """Draw all pictures."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        sys.exit("Chromium is not installed")
    with serve("post") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1400}, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.wait_for_selector("#app:not([hidden])")
        draw(page)
        save(page, "page", 1400)
        page.click("#stage-bank1 .tile:nth-child(6)")
        page.wait_for_selector("#step .lines li")
        show(page, "page-sums", "#step", 780)
        page.click("#close")
        page.wait_for_selector("#step", state="detached")
        show(page, "page-decision", "#decision", 900)
        train(page)
        show(page, "page-train", "#training", 900)
        explore(page)
        show(page, "page-explore", "#explore", 1000)
        collect(page)
        show(page, "page-own-data", "#collection", 560)
        page.set_viewport_size({"width": WIDTH, "height": 700})
        page.evaluate("location.hash = '#tour=3'")
        page.wait_for_selector("#tour")
        save(page, "page-tour", 700)
        browser.close()


def draw(page: Any) -> None:
    """Draw a seven with the mouse."""
    box = page.locator("#pad").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()
    page.mouse.move(0, 0)
    page.wait_for_function("() => document.getElementById('digit').textContent === '7'")


def train(page: Any) -> None:
    """Train a small network on a part of MNIST."""
    page.click("#open-training")
    page.wait_for_selector("#do-train:enabled")
    page.fill("#field-images", "5000")
    page.fill("#field-epochs", "3")
    page.click("#do-train")
    page.wait_for_function("() => document.querySelector('.state').textContent.includes('has ended')")


def explore(page: Any) -> None:
    """Examine the network on the test images."""
    page.click("#open-explore")
    page.wait_for_selector("#explore-confusion table")


def collect(page: Any) -> None:
    """Collect a few examples of two classes."""
    page.click("#open-collection")
    for name in ("seven", "other"):
        page.fill("#own-name", name)
        page.press("#own-name", "Enter")
    for place in (1, 0, 1, 1, 1):
        page.click("[data-tool=example]")
        page.wait_for_timeout(300)  # until the drawing is read
        page.locator("#own-strip button").nth(place).click()


def show(page: Any, name: str, selector: str, height: int) -> None:
    """Save the part of the page that begins with an element."""
    page.wait_for_timeout(500)  # until nothing moves any more
    page.evaluate("(selector) => document.querySelector(selector).scrollIntoView()", selector)
    save(page, name, height, page.locator(selector).bounding_box()["y"] - MARGIN)


def save(page: Any, name: str, height: int, top: float = 0) -> None:
    """Save a part of the window as a small PNG file."""
    page.wait_for_timeout(500)  # until the views are painted
    png = page.screenshot(clip={"x": 0, "y": top, "width": WIDTH, "height": height})
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    picture.save(Path(__file__).with_name(f"{name}.png"), optimize=True)


if __name__ == "__main__":
    main()
