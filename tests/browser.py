"""A page in a real browser, offline: what it complains of or asks for from elsewhere fails the test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def in_both_schemes(test: Any) -> Any:
    """Run a test on a wide, light screen and on a phone's dark one."""
    test = pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])(test)
    return pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")(test)


@contextmanager
def opened(path: Path, width: int, scheme: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
        page = context.new_page()
        problems, requests = [], []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing hangs out sideways
        yield page
        assert problems == []
        assert all(url.startswith(("file:", "data:")) for url in requests)
        browser.close()
