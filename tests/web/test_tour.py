"""The guided tour: what its steps do on the page, and what it leaves as it was."""

import re

import pytest
from pages import CHROMIUM, check_layout, in_light_and_dark, opened

from inksight.web import serve

from .conftest import SEVEN, draw, ready, shows

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
SCRIBBLE = [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8), (0.5, 0.1), (0.5, 0.9), (0.1, 0.5), (0.9, 0.5)]
# What each step outlines, and which filter's sums it opens: of bank 1, of bank 2, or none.
STEPS = [
    ("#steps", None), ("#step .three", 1), ("#stage-bank1", None), ("#step .lines", 1), ("#stage-bank2", 2),
    ("#barcodes .strips", None), (".evidence", None), ("#stage-bank1", None),
]  # fmt: skip


def at_step(page, number):
    """Wait until the tour is at a step and has the focus."""
    page.wait_for_function(
        "(start) => document.activeElement.id === 'tour' && document.activeElement.textContent.startsWith(start)",
        arg=f"Step {number} of ",
    )


def test_the_tour_acts_on_the_page_and_gives_the_drawing_back(page):
    draw(page, SCRIBBLE)
    shows(page, "?")
    page.wait_for_function("() => location.hash.includes('ink=')")
    own = page.evaluate("location.hash")
    page.click("#open-tour")
    for number, (target, bank) in enumerate(STEPS, start=1):
        at_step(page, number)
        if number < len(STEPS):
            shows(page, "7")  # the example, since the scribble is not read
        assert page.locator(".toured").count() == 1
        assert page.eval_on_selector(".toured", "(e, target) => e.matches(target)", target)
        opened_of = page.inner_text("#step h3") if page.locator("#step").count() else None
        assert (opened_of or "").startswith(f"Bank {bank}" if bank else "")
        assert (opened_of is None) == (bank is None)
        panel, part = page.locator("#tour").bounding_box(), page.locator(".toured").bounding_box()
        assert part["y"] < panel["y"]
        assert not re.search(r"[{}]|undefined|NaN", page.inner_text("#tour-text"))
        if number < len(STEPS):
            page.click("#tourNext")
    assert "is still 7 (" in page.inner_text("#tour-text")
    off = re.match(r"(\d+) of the 20 filters", page.inner_text("#tour-text"))
    assert off is not None
    assert 3 <= int(off[1]) == page.locator("#stage-bank1 .tile.off").count() < 20
    page.wait_for_function("() => location.hash.includes('tour=8')")
    assert page.evaluate("location.hash") == f"{own}&tour=8"  # the drawing and the edits are the visitor's own
    page.keyboard.press("Escape")
    shows(page, "?")
    assert page.locator("#tour, .toured, .tile.off").count() == 0
    page.wait_for_function("(own) => location.hash === own", arg=own)
    assert page.evaluate("document.activeElement.id") == "stage-bank1"


def test_the_tour_shows_the_own_drawing_and_keeps_what_is_drawn_meanwhile(page):
    page.emulate_media(reduced_motion="no-preference")
    draw(page, SEVEN)
    shows(page, "7")
    page.click("#stage-bank1 .tile:nth-child(3)")
    page.click("#off")
    page.click("#open-tour")
    at_step(page, 1)
    page.click("#tourNext")
    at_step(page, 2)
    place = page.input_value("#position")
    page.wait_for_function("(before) => document.getElementById('position').value !== before", arg=place)  # slides
    page.click("[data-tool=clear]")
    page.click("[data-tool=example]")
    shows(page, "2")
    page.click("#tourLeave")
    shows(page, "2")
    assert "Filters switched off: 1." in page.inner_text("#edited-text")
    assert page.inner_text("#open-tour") == "Resume the tour at step 2 of 8"
    page.click("#open-tour")
    at_step(page, 2)
    page.click("#tourBack")
    at_step(page, 1)
    assert page.is_disabled("#tourBack")


def test_a_link_opens_the_tour_at_a_step_in_its_language(served, browser):
    with opened(browser, f"{served}#tour=7&lang=de", 360, "light", reduced_motion="reduce") as page:
        ready(page)
        page.wait_for_selector("#tour")
        assert page.inner_text("#tour .small") == "Schritt 7 von 8"
        page.select_option("#language", "en")
        page.wait_for_function("() => document.querySelector('#tour .small').textContent === 'Step 7 of 8'")
        assert "7 over " in page.inner_text("#tour-text")
        page.click("#tourNext")
        at_step(page, 8)
        page.evaluate("location.hash = '#tour=99'")
        page.wait_for_selector("#tour", state="detached")
        shows(page, "", "Nothing to read yet")
        assert page.is_hidden("#edited")


def test_the_tour_ends_in_the_training(served, browser):
    with opened(browser, f"{served}#tour=8", 800, "light", reduced_motion="reduce") as page:
        ready(page)
        at_step(page, 8)
        page.click("#tourTrain")
        page.wait_for_selector("#open-training", state="hidden")
        page.wait_for_function("() => document.activeElement.id === 'training'")
        shows(page, "", "Nothing to read yet")


def test_other_networks_have_the_tour(browser):
    with (
        serve("best") as address,
        opened(browser, f"{address}#tour=4", 800, "light", reduced_motion="reduce") as page,
    ):
        ready(page)
        for number in range(4, 9):
            at_step(page, number)
            assert not re.search(r"[{}]|undefined|NaN", page.inner_text("#tour-text"))
            page.click("#tourNext")
        page.wait_for_selector("#tour", state="detached")


@in_light_and_dark
def test_the_tour_can_be_read_on_every_screen(single, browser, scheme):
    with opened(browser, single, 360, scheme, reduced_motion="reduce") as page:
        ready(page)
        page.click("#open-tour")
        for number in (1, 2):
            at_step(page, number)
            check_layout(page, scheme)
            page.focus("#tour")
            page.click("#tourNext")
