"""The page in Firefox: what other browsers than Chromium might do differently."""

import pytest
from firefox import FIREFOX, launched

from inksight.web import serve

from .conftest import SEVEN

pytestmark = pytest.mark.skipif(FIREFOX is None, reason="needs an installed Firefox")


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    with launched(tmp_path_factory.mktemp("firefox")) as firefox:
        yield firefox


def ready(firefox, address):
    firefox.open(address)
    firefox.wait_for("document.querySelector('#app:not([hidden])')")


def draw_seven(firefox):
    left, top, width, height = firefox.run(
        "const box = document.getElementById('pad').getBoundingClientRect();"
        "return [box.x, box.y, box.width, box.height]"
    )
    firefox.drag([(left + x * width, top + y * height) for x, y in SEVEN])
    firefox.wait_for("document.getElementById('digit').textContent === '7'")


def test_the_page_reads_a_drawing_looks_inside_and_guides(firefox):
    with serve("post") as address:
        ready(firefox, address)
        draw_seven(firefox)
        firefox.click("#stage-bank2 .tile:nth-child(4)")
        firefox.wait_for("document.querySelectorAll('#step .lines li').length >= 4")
        firefox.click("#show-nearest")
        firefox.wait_for("document.querySelector('#nearest figcaption')?.textContent.startsWith('7,')")
        firefox.click("#open-tour")
        firefox.wait_for("document.activeElement.id === 'tour'")
        firefox.click("#tourNext")
        firefox.wait_for("document.querySelector('#tour .small').textContent === 'Step 2 of 8'")
        firefox.click("#tourLeave")
        firefox.wait_for("location.hash.includes('ink=') && !location.hash.includes('tour')")
        for view, shown in (("training", "button"), ("explore", "select"), ("collection", "#own-name")):
            firefox.click(f"#open-{view}")
            firefox.wait_for(f"document.querySelector('#{view}-view {shown}')")
        assert firefox.run("return document.getElementById('message').hidden")


def test_one_file_opens_from_disk(firefox, single):
    ready(firefox, single.as_uri())
    draw_seven(firefox)
    firefox.click("#show-nearest")
    firefox.wait_for("document.querySelector('#nearest figcaption')?.textContent.startsWith('7,')")
    firefox.click("#open-training")
    firefox.wait_for("document.querySelector('#training-view button')")
    assert firefox.run("return document.getElementById('message').hidden")
