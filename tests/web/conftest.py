"""The page, served and as one file, and its modules called in a browser."""

import base64
from pathlib import Path

import numpy as np
import pytest

from inksight.web import serve, write_page

PROBES = Path(__file__).with_name("probes.js")


@pytest.fixture(scope="module")
def served():
    """The address of the page with the model `post`."""
    with serve("post") as address:
        yield address


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
