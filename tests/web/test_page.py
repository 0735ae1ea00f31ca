"""The page in a real browser: drawing, pictures, looking inside, editing, links, languages, and nonsense."""

import base64
import io
import json
import posixpath
import re
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import numpy as np
import pytest
from pages import CHROMIUM, check_layout, in_light_and_dark, opened, resized
from PIL import Image

import inksight
from inksight import Strokes
from inksight.inspection.barcodes import rows_of_each
from inksight.web import serve, write_site
from inksight.web.digits import EACH
from inksight.web.site import site_files

from .conftest import SEVEN, draw, place, ready, shows

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
UNSURE = [[(437, 455), (488, 592), (514, 348), (586, 624)]]  # like a 2, and like others


def says(page, words):
    """Wait until the page shows a message."""
    page.wait_for_function("(words) => document.getElementById('message').textContent.includes(words)", arg=words)


def is_painted(page, selector):
    """Return whether a canvas shows more than one color."""
    return page.eval_on_selector(
        selector,
        """(canvas) => {
        const { width, height } = canvas, context = new OffscreenCanvas(width, height).getContext("2d");
        context.drawImage(canvas, 0, 0);
        return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size > 1;
        }""",
    )


def digit_png(mnist, row=0, size=280):
    """Return a picture of a digit, dark on white, as PNG."""
    file = io.BytesIO()
    Image.fromarray(255 - mnist.images[row]).resize((size, size)).save(file, "PNG")
    return file.getvalue()


def test_a_drawing_is_read_erased_and_brought_back(page):
    shows(page, "", "Nothing to read yet")
    assert not is_painted(page, "#stage-bank1 .map")
    assert page.inner_text("#bars").count("–") == 10
    draw(page, SEVEN)
    shows(page, "7", "probability")
    assert page.inner_text("#nav-digit") == "7"
    assert page.inner_text("#status").startswith("7 ")
    for part in ("#steps figure:nth-child(3)", "#stage-bank1 .tile", "#stage-bank3 .tile", "#stage-barcode"):
        assert is_painted(page, f"{part} canvas"), part
    page.click("[data-tool=eraser]")
    draw(page, [(0.2, 0.25), (0.8, 0.24)])  # the bar of the seven
    shows(page, "1")
    page.click("[data-tool=undo]")
    shows(page, "7")
    page.click("[data-tool=clear]")
    shows(page, "", "Nothing to read yet")
    assert not is_painted(page, "#stage-bank1 .map")
    page.click("[data-tool=undo]")
    shows(page, "7")


def test_a_finger_draws_and_does_not_scroll(single, browser):
    with opened(browser, single, 360, "dark", has_touch=True) as page:
        ready(page)
        session = page.context.new_cdp_session(page)
        page.locator("#pad").scroll_into_view_if_needed()
        top = page.evaluate("scrollY")
        for kind, points in (
            ("touchStart", SEVEN[:1]),
            *(("touchMove", [point]) for point in SEVEN[1:]),
            ("touchEnd", []),
        ):
            where = [dict(zip("xy", place(page, point), strict=True)) for point in points]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})
        shows(page, "7")
        assert page.evaluate("scrollY") == top


def test_the_keyboard_draws(page):
    page.focus("#pad")
    for key, times in (("ArrowUp", 10), (" ", 1), ("ArrowDown", 20), (" ", 1)):
        for _ in range(times):
            page.keyboard.press(key)
    shows(page, "1")
    page.keyboard.press("Control+z")
    shows(page, "", "Nothing to read yet")


def test_every_example_is_read_as_its_digit(page):
    for digit in "2703416589":
        page.click("[data-tool=example]")
        shows(page, digit, "probability")


FOLLOW_LINK_TO = """async (lines) => {
  const { encode } = await import("/strokes.js");
  location.hash = "#ink=" + encode(lines);
}"""


def test_what_is_not_a_digit_or_not_sure_is_rejected_with_the_reason(page):
    star = [[(200, 200), (800, 800)], [(800, 200), (200, 800)], [(200, 500), (800, 500)], [(500, 100), (500, 900)]]
    for lines, reason, words in (
        (star, "not a digit", "above the limit of 1.41"),
        (UNSURE, "unsure", "no class has a probability of one half"),
    ):
        assert inksight.read(Strokes(lines, width=110), "post", single=True).reason == reason
        page.evaluate(FOLLOW_LINK_TO, lines)
        shows(page, "?", words)
        assert page.inner_text("#nav-share") == reason


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
def test_a_picture_is_read(page, mnist, way):
    png = digit_png(mnist)
    expected = inksight.read(png, "post", single=True)[0]
    assert expected.digit is not None
    if way == "choose":
        page.set_input_files("#file", {"name": "digit.png", "mimeType": "image/png", "buffer": png})
    else:
        page.evaluate(
            """([way, text]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "digit.png", { type: "image/png" }));
            const options = { dataTransfer: data, clipboardData: data, bubbles: true, cancelable: true };
            document.body.dispatchEvent(
              way === "drop" ? new DragEvent(way, options) : new ClipboardEvent(way, options));
            }""",
            [way, base64.b64encode(png).decode()],
        )
    shows(page, expected.digit)
    pixels = page.eval_on_selector(
        "#steps figure:nth-child(3) canvas",
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0)",
    )
    ink = 255 - np.array(pixels).reshape(28, 28)  # the 28x28 image that Python prepares, in its color map of 256
    np.testing.assert_allclose(ink, expected.image, atol=1)
    draw(page, SEVEN)  # replaces the picture
    shows(page, "7")
    page.click("[data-tool=undo]")
    shows(page, expected.digit)


def test_what_is_not_a_picture_is_refused_and_changes_nothing(page, mnist):
    huge = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(huge, "PNG")
    png = digit_png(mnist)
    files = [
        ("notes.txt", b"not a picture", "not a picture"), ("empty.png", b"", "not a picture"),
        ("damaged.png", png[:60], "not a picture"), ("huge.png", huge.getvalue(), "too large"),
        ("<img src=x onerror=alert(1)>.png", b"<svg xmlns='http://www.w3.org/2000/svg'", "not a picture"),
    ]  # fmt: skip
    draw(page, SEVEN)
    shows(page, "7")
    for name, content, message in files:
        page.evaluate("document.getElementById('message').textContent = ''")
        page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})
        says(page, message)
    shows(page, "7")
    page.set_input_files("#file", {"name": "digit.png", "mimeType": "image/png", "buffer": png})
    page.wait_for_function("() => document.getElementById('message').hidden")


def test_the_camera_takes_a_picture(page):
    """A canvas stands for the camera: it shows a bar of ink."""
    fake = """() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
      const context = canvas.getContext("2d");
      const paint = (color, ...place) => { context.fillStyle = color; context.fillRect(...place); };
      const repaint = () => { paint("#eee", 0, 0, 320, 240); paint("#111", 150, 40, 20, 160); };
      repaint();
      setInterval(repaint, 30);
      navigator.mediaDevices.getUserMedia = async () => (window.stream = canvas.captureStream());
    }"""
    page.evaluate(fake)
    page.click("#camera")
    page.wait_for_function("() => document.querySelector('video').videoWidth > 0")
    page.click("#camera-dialog button[value=take]")
    shows(page, "1")
    assert page.evaluate("window.stream.getTracks()[0].readyState") == "ended"
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = async () => { throw new Error('denied'); }; }")
    page.click("#camera")
    says(page, "no camera")


def numbers(text):
    """Return the numbers in a text with typographic signs, such as 1.5 + 0.3 − 0.2."""
    return [float(one.replace(" ", "").replace("−", "-")) for one in re.findall(r"[−+]? ?\d+\.\d+", text)]


def test_a_sum_is_written_out_so_that_it_can_be_checked_by_hand(page):
    draw(page, SEVEN)
    shows(page, "7")
    for bank, channels, pooled in ((1, 1, True), (2, 20, False)):
        page.click(f"#stage-bank{bank} .tile:nth-child(4)")
        page.wait_for_selector(".sum .grid")
        groups = page.locator(".sum .grid").all()
        window = [numbers(text)[0] for text in groups[0].locator(".cell").all_inner_texts()]
        weights = [float(cell.input_value()) for cell in groups[1].locator("input").all()]
        products = [numbers(text)[0] for text in groups[2].locator(".cell").all_inner_texts()]
        assert len(window) == len(weights) == len(products) == 25
        np.testing.assert_allclose(np.multiply(window, weights), products, atol=4e-3)
        lines = page.locator(".lines li").all_inner_texts()
        *parts, total = numbers(lines[0])
        assert parts == products
        assert total == pytest.approx(sum(products), abs=0.013)
        if channels > 1:
            *parts, total = numbers(lines[1])
            assert len(parts) == channels == page.locator("#channels button").count()
            assert total == pytest.approx(sum(parts), abs=0.011)
        if pooled:
            *four, highest = numbers(lines[1])
            assert len(four) == 4 == page.locator("#windows button").count()
            assert highest == max(four)
        start, bias, biased = numbers(lines[-2])
        assert biased == pytest.approx(start + bias, abs=0.0011)
        shown = numbers(page.get_attribute("#dial", "aria-valuetext"))[-1]
        assert shown == pytest.approx(biased if biased > 0 else 0.1 * biased, abs=0.0011)


def test_the_kernel_slides_by_slider_and_keys(page):
    page.click("[data-tool=example]")
    shows(page, "2")
    page.click("#stage-bank2 .tile:nth-child(1)")  # maps of 8x8
    presses = {"Home": 0, "ArrowRight": 1, "ArrowDown": 9, "ArrowLeft": 8, "ArrowUp": 0, "End": 63}
    for key, at in (*presses.items(), ("ArrowDown", 63)):
        page.press("#dial", key)
        assert page.get_attribute("#dial", "aria-valuenow") == str(at) == page.input_value("#position")
    assert page.get_attribute("#dial", "aria-valuetext").startswith("row 8, column 8: ")
    page.fill("#position", "10")
    assert page.get_attribute("#dial", "aria-valuenow") == "10"
    frames = page.locator(".three .frame").evaluate_all("(all) => all.map(({ style: s }) => [s.left, s.top, s.width])")
    assert frames == [["16.6667%", "8.33333%", "41.6667%"], ["25%", "12.5%", "12.5%"]]
    page.hover("#stage-bank2 .tile:nth-child(1) .map")
    assert re.fullmatch(r"row \d, column \d: −?\d+\.\d{3}", page.inner_text("#tip"))


def test_a_filter_is_switched_off_and_weights_are_changed(page):
    page.click("[data-tool=example]")
    shows(page, "2")
    before = page.inner_text("#evidence-sum")
    for filter in (2, 5, 14):
        page.click(f"#stage-bank1 .tile >> nth={filter}")
        page.click("#off")
    assert page.inner_text("#edited-text").endswith("Filters switched off: 3. Weights changed: 0.")
    assert page.get_attribute("#stage-bank1 .tile >> nth=2", "aria-label").endswith("switched off")
    assert page.inner_text("#evidence-sum") != before
    assert page.is_disabled("#step input.cell >> nth=0")
    page.click("#restore-all")
    shows(page, "2")
    assert page.inner_text("#evidence-sum") == before
    assert page.is_hidden("#edited")

    page.click("#stage-bank1 .tile:nth-child(3)")
    cell = page.locator("#step input.cell").nth(12)
    value = cell.input_value()
    cell.fill("9.5")
    assert "Weights changed: 1" in page.inner_text("#edited-text")
    assert page.input_value("#step input.cell >> nth=12") == "9.5"
    cell.fill("")  # not a number: changes nothing
    assert "Weights changed: 1" in page.inner_text("#edited-text")
    page.wait_for_function("() => location.hash.includes('weights=1.2.0.12%3A9.5')")
    page.click("#restore")
    assert page.input_value("#step input.cell >> nth=12") == value
    assert page.inner_text("#evidence-sum") == before


def test_the_decision_is_explained(page):
    page.click("[data-tool=example]")
    shows(page, "2")
    assert page.locator(".strips .nearest button").all_inner_texts() == ["Average 2"]
    page.click(".strips button:has-text('Average 7')")
    assert page.inner_text("#evidence-title") == "Evidence for 2 over 7"
    start, entries, end = numbers(page.inner_text("#evidence-sum"))
    assert end == pytest.approx(start + entries, abs=0.0011)
    assert end > 0
    assert "Evidence for 2 over 7" in page.get_attribute(".evidence", "aria-label")


def test_the_nearest_training_digits_are_those_that_python_finds(served, browser, nearest_of_the_example):
    with opened(browser, served, 1200, "light") as page:
        ready(page)
        loaded = []
        page.on("request", lambda request: loaded.append(request.url.rsplit("/", 1)[1]))
        page.click("[data-tool=example]")
        shows(page, "2")
        assert loaded == []
        page.click("#show-nearest")
        page.wait_for_selector("#nearest:not([hidden])")
        assert loaded == ["digits.bin"]
        captions = page.locator("#nearest figcaption").all_inner_texts()
        assert captions == [f"{label}, distance {distance:.2f}" for label, distance in nearest_of_the_example]
        page.select_option("#language", "de")
        page.wait_for_function("() => document.querySelector('#nearest figcaption')?.textContent.includes('Abstand')")
        page.click("[data-tool=clear]")
        page.wait_for_selector("#nearest[hidden]", state="attached")


@pytest.fixture
def nearest_of_the_example(mnist):
    """The label and the distance of the five digits that are nearest to the first example."""
    post, training = inksight.load_model("post"), mnist.split().train
    text = site_files("tiny")["examples.js"].decode()
    numbers_of = [[float(value) for value in row.split(",")] for row in re.findall(r"curve\(([-\d, ]+)\)", text)]
    cx, cy, rx, ry, start, end = numbers_of[0]
    angles = np.radians(start + (end - start) * np.arange(25) / 24)
    arc = np.floor(np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1) + 0.5).tolist()
    line = [*arc, (500, 590), (330, 790), (480, 760), (720, 780)]
    image = inksight.prepare(Strokes([line], width=110)).image
    rows = np.concatenate(rows_of_each(training, EACH, None))
    found = inksight.neighbours(post, image, training[rows], 5)
    assert found.labels is not None
    return list(zip(found.labels.ravel().tolist(), found.distances.ravel().tolist(), strict=True))


def test_a_link_shows_the_same_thing(served, browser):
    with opened(browser, served, 1200, "light") as page:
        ready(page)
        draw(page, SEVEN)
        shows(page, "7")
        page.click("#stage-bank3 .tile:nth-child(8)")
        page.click("#off")
        page.press("#dial", "Home")
        page.select_option("#language", "de")
        page.wait_for_function("() => location.hash.includes('lang=de') && location.hash.includes('at=3.7.0.0')")
        link, bars = page.url, page.inner_text("#bars")
        assert "off=3.7" in link
    with opened(browser, link, 1200, "light") as page:
        ready(page)
        shows(page, "7", "Wahrscheinlichkeit")
        assert page.inner_text("#bars") == bars
        assert page.inner_text("#off") == "Einschalten"
        assert page.get_attribute("#dial", "aria-valuenow") == "0"
        page.evaluate("location.hash = '#model=another&off=1.1'")  # a link that is pasted into the address
        says(page, "another model")
        shows(page, "", "Nothing to read yet")


def test_a_link_that_is_entered_while_the_last_state_is_saved_is_opened(page):
    page.click("[data-tool=example]")
    shows(page, "2")
    page.evaluate("""() => {
      const ends = performance.now() + 400; // until the state is about to be saved
      while (performance.now() < ends);
      setTimeout(() => { location.hash = "#model=another"; }, 0);
    }""")
    says(page, "another model")
    shows(page, "", "Nothing to read yet")


DAMAGED_LINKS = (
    "ink=<script>&pen=9e9&at=9.9.9.9&off=7.7,x&weights=1.2.0.12:x,9.9.9.9:1&lang=zz", "%", "ink=zzzz",
    "at=1.2.0.99999&off=constructor", "at=1.2.0&off=1.2.3&weights=1.2.0.12,1.2.0.12:1e9,1.2.0.25:1",
)  # fmt: skip


def test_a_damaged_link_shows_the_page(page):
    digest = inksight.load_model("post").digest[:12]
    for link in DAMAGED_LINKS:
        page.click("[data-tool=example]")
        page.wait_for_function("() => document.getElementById('digit').textContent !== ''")
        page.evaluate("(hash) => { location.hash = hash; }", f"#model={digest}&{link}")
        shows(page, "", "Nothing to read yet")
        assert page.is_hidden("#edited")
        assert page.is_hidden("#message")
        assert page.locator("#step").count() == 0


def test_there_is_a_text_for_everything_in_every_language(page):
    files = site_files("tiny")
    names = page.locator("#language option").evaluate_all("(all) => all.map((one) => one.value)")
    texts: dict[str, dict[str, dict[str, str]]] = {name: {} for name in names}
    for path, content in files.items():
        if path.startswith("texts/"):
            texts[path[-7:-5]][posixpath.dirname(path)] = json.loads(content)
    page.select_option("#language", "de")
    page.wait_for_selector("html[lang=de]")
    assert page.inner_text("h1") == texts["de"]["texts"]["title"]
    assert page.inner_text("[data-tool=pen]") == "Stift"
    scripts = "".join(text.decode() for name, text in files.items() if name.endswith(".js"))
    html = files["index.html"].decode()
    used = re.findall(r'\bt\("([^"]+)"', scripts) + re.findall(r'data-(?:text|label)="(\w+)"', html)
    assert len(used) > 80
    for language, folders in texts.items():
        assert set(used) <= {key for own in folders.values() for key in own}, language
        assert folders.keys() == texts["en"].keys(), language
        for folder, own in folders.items():
            assert own.keys() == texts["en"][folder].keys(), (language, folder)
            for key, text in own.items():
                values = [set(re.findall(r"\{(\w+)\}", one)) for one in (text, texts["en"][folder][key])]
                assert values[0] == values[1], (language, key)


def test_names_are_text_and_never_markup(browser, post_model):
    names = (*(f"<img src=x onerror=alert({number})>" for number in range(9)), "</script><script>alert(9)</script>")
    with serve(replace(post_model, class_names=names)) as address, opened(browser, address, 390, "light") as page:
        ready(page)
        page.click("[data-tool=example]")
        page.wait_for_function("() => document.getElementById('digit').textContent.length > 0")
        assert page.locator("#app img, #app script").count() == 0
        assert page.locator("#bars b").all_inner_texts() == list(names)
        assert page.locator(".strips button").count() == 0  # the classes have no average barcodes
        assert "barcode of zeros" in page.inner_text("#evidence-sum")


@pytest.mark.parametrize("name", ["tiny", "best"])
def test_other_models_work(browser, name):
    with serve(name) as address, opened(browser, address, 1200, "light") as page:
        ready(page)
        draw(page, SEVEN)
        shows(page, "7")
        assert page.inner_text("#model-name") == name
        banks = inksight.load_model(name).network.banks
        for number, bank in enumerate(banks, start=1):
            assert page.locator(f"#stage-bank{number} .tile").count() == bank.filters


def check_failed_start(browser, address, text, script="", missing=""):
    """Open the page after a script, or without a file; assert that it says what is wrong and does not start."""
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(script)
        if missing:
            page.route(f"**/{missing}", lambda route: route.fulfill(status=404))
        page.goto(address)
        page.wait_for_function("(text) => document.getElementById('start').textContent.includes(text)", arg=text)
        assert page.is_visible("#start")
        assert page.is_hidden("#app")


def test_a_damaged_model_is_refused(served, browser):
    good = site_files("tiny")["model.safetensors"]
    size = int.from_bytes(good[:8], "little")
    nan = good[:-4] + np.float32(np.nan).tobytes()
    damaged = [
        b"", b"hello", good[:200], good[:-4], nan, (2**63).to_bytes(8, "little") + good[8:],
        good[:8] + good[8 : 8 + size].replace(b'\\"filters\\": ', b'\\"filters\\":-') + good[8 + size :],
        good[:8] + good[8 : 8 + size].replace(b"F32", b"F16") + good[8 + size :],
        good[:8] + b"[" * size + good[8 + size :],
    ]  # fmt: skip
    contents = iter(damaged)
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/model.safetensors", lambda route: route.fulfill(body=next(contents)))
        for _ in damaged:
            page.goto(served)
            page.wait_for_function("() => document.getElementById('start').textContent.includes('file is damaged')")
            assert page.is_hidden("#app")
    assert next(contents, None) is None


def test_a_browser_without_simd_is_told_so(served, browser):
    check_failed_start(browser, served, "needs WebAssembly with SIMD", script="WebAssembly.validate = () => false")


def test_a_missing_file_is_named(served, browser):
    check_failed_start(browser, served, "engine.wasm: 404", missing="engine.wasm")


def test_the_folder_works_below_a_path_and_requests_nothing_later(tmp_path, browser):
    write_site(tmp_path / "a folder" / "page", "tiny")
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/a%20folder/page/"
        with opened(browser, address, 800, "light") as page:
            ready(page)
            requests = []
            page.on("request", lambda request: requests.append(request.url))
            draw(page, SEVEN)
            shows(page, "7")
            page.click("#stage-bank1 .tile >> nth=1")
            page.click("#off")
            assert requests == []
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *values):
        pass


@in_light_and_dark
def test_everything_can_be_read_on_every_screen(single, browser, scheme):
    with opened(browser, single, 390, scheme) as page:
        ready(page)
        draw(page, SEVEN)
        shows(page, "7")
        page.click("#stage-bank2 .tile >> nth=2")
        page.click("#stage-bank1 .tile >> nth=2")
        check_layout(page, scheme)
        for width in (360, 2560):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.select_option("#language", "de")
        for width in resized(page):
            assert page.evaluate("document.documentElement.scrollWidth") <= width


NAMELESS = """() => {
  const controls = "#app button, #app input, select, [role=img], [role=slider], [tabindex='0']";
  const textOf = (e) => e?.textContent.trim();
  const nameOf = (e) => e.getAttribute("aria-label") || textOf(e.labels?.[0]) || (e.tagName === "BUTTON" && textOf(e));
  return [...document.querySelectorAll(controls)].filter((e) => !e.hidden && !nameOf(e)).map((e) => e.outerHTML);
}"""


def test_everything_has_a_name_for_screen_readers(page):
    page.click("[data-tool=example]")
    page.click("#stage-bank2 .tile >> nth=2")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    nameless = page.evaluate(NAMELESS)
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids))
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("name", ["training", "explore", "collection"])
def test_a_view_that_opens_takes_the_focus_from_its_button(shared_page, name):
    shared_page.reload()
    ready(shared_page)
    shared_page.focus(f"#open-{name}")
    shared_page.keyboard.press("Enter")
    shared_page.wait_for_selector(f"#open-{name}", state="hidden")
    assert shared_page.evaluate("document.activeElement.matches('h2')")
    assert shared_page.evaluate("document.activeElement.parentElement.id") == name
