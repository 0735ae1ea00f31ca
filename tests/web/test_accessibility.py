"""Every view against the rules of axe-core, in light and dark: names, roles, contrast, structure, size of targets."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from pages import CHROMIUM, in_light_and_dark, opened

from .conftest import SEVEN, draw, ready, shows

AXE = find_spec("axe_playwright_python")
pytestmark = pytest.mark.skipif(CHROMIUM is None or AXE is None, reason="needs Chromium and axe-playwright-python")
RULES = """async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`);
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = {"light": 1440, "dark": 360}


@in_light_and_dark
def test_no_rule_is_broken(served, browser, scheme):
    assert AXE is not None
    assert AXE.origin is not None
    script = Path(AXE.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    with opened(browser, served, WIDTHS[scheme], scheme, reduced_motion="reduce") as page:
        ready(page)
        draw(page, SEVEN)
        shows(page, "7")
        page.click("#show-nearest")
        page.click("#stage-bank2 .tile:nth-child(4)")
        page.click("#off")
        page.click("#open-accuracy")
        for view, shown in (
            ("training", "#do-train:enabled"),
            ("explore", "#explore-confusion table"),
            ("collection", "#own-name"),
        ):
            page.click(f"#open-{view}")
            page.wait_for_selector(shown)
        page.fill("#own-name", "seven")
        page.press("#own-name", "Enter")
        page.locator("#own-strip button").first.click()
        page.fill("#field-images", "200")
        page.fill("#field-epochs", "1")
        page.click("#do-train")
        page.wait_for_function("() => document.querySelector('.state').textContent.includes('has ended')")
        page.evaluate(script)
        assert page.evaluate(RULES, TAGS) == []
        page.click("#open-tour")
        page.wait_for_selector("#tour")
        assert page.evaluate(RULES, TAGS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[scheme]
