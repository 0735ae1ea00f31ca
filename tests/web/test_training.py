"""Training in the page, in a real browser: from the settings to a model file, and what may go wrong on the way."""

import re

import numpy as np
import pytest
from pages import CHROMIUM, check_layout, opened

import inksight

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
WAIT = 30_000  # milliseconds, against hangs
# Keep the workers, so that tests can end them. The page makes them later.
KEEP_WORKERS = """() => {
  const Original = Worker;
  window.workers = [];
  window.Worker = class extends Original {
    constructor(...values) {
      super(...values);
      window.workers.push(this);
    }
  };
}"""


def open_training(page, **values):
    """Open the view, with a network that is trained in a moment."""
    page.wait_for_selector("#app:not([hidden])")
    page.evaluate(KEEP_WORKERS)
    page.click("#tools >> text=Example")
    page.dblclick("#open-training")
    page.wait_for_selector("#do-train:enabled")
    assert page.locator(".training-form").count() == 1
    while page.locator(".bank").count() > 1:
        page.click(".bank:last-child .remove")
    enter(page, **{"filters-0": 4, "dense": 0, "images": 200, "epochs": 2, "batch_size": 50} | values)


def enter(page, **values):
    for name, value in values.items():
        page.fill(f"#field-{name}", str(value))


def waits_for(page, words, selector=".state"):
    """Wait until the state of the training, or another element, contains words."""
    found = "([words, selector]) => document.querySelector(selector)?.textContent.includes(words)"
    page.wait_for_function(found, arg=[words, selector], timeout=WAIT)


def epochs_of(page):
    """Return how many epochs the first run in the table has."""
    return int(page.inner_text("#comparison tbody td >> nth=2"))


def train(page, button="#do-train"):
    page.click(button)
    waits_for(page, "has ended")


def saved(page, tmp_path):
    """Download the model and load it."""
    with page.expect_download() as download:
        page.click("#save-network")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return inksight.load_model(path)


def colors(page, selector):
    """Return how many colors a canvas shows."""
    return page.eval_on_selector(
        selector,
        """(canvas) => {
        const { width, height } = canvas, data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        return new Set(new Uint32Array(data.buffer)).size;
        }""",
    )


@pytest.fixture(scope="module")
def shared(served, browser):
    with opened(browser, served, 1200, "light", accept_downloads=True) as page:
        open_training(page)
        yield page


@pytest.fixture
def page(shared):
    """The page, with the settings of `open_training` and without runs."""
    if shared.is_enabled("#do-reset"):
        shared.click("#do-reset")
    enter(shared, images=200, epochs=2, seed=0, learning_rate=0.01)
    return shared


def test_a_training_shows_its_course_and_its_network(page):
    train(page)
    assert "After epoch 2" in page.inner_text(".state")
    assert re.search(
        r"\d images a second, .* seconds of training, \d workers?, seed 0", page.inner_text(".training-grid")
    )
    assert page.locator(".chart circle.first").count() == 4  # two epochs in two charts
    for selector in (".filters canvas", ".inside .strip", ".inside .confusion"):
        assert colors(page, f"#comparison {selector}") > 2, selector
    assert re.search(r"read as \d \(", page.inner_text(".answer-line >> nth=0"))
    assert "errors among 10,000 validation images" in page.inner_text(".inside >> nth=0")
    assert page.inner_text("#comparison tbody tr").split("\t")[:4] == ["1", "4×5", "200", "2"]


def test_the_epoch_slider_goes_back(page):
    train(page)
    texts = [page.inner_text(".inside >> nth=0")]
    for epoch in (1, 0):
        page.fill("#epoch", str(epoch))
        texts.append(page.inner_text(".inside >> nth=0"))
    titles = [text.split("\n")[0] for text in texts]
    assert titles == ["Run 1, after epoch 2", "Run 1, after epoch 1", "Run 1, before training"]
    assert len(set(texts)) == 3
    page.focus("#epoch")
    page.keyboard.press("End")
    assert page.inner_text(".inside h4 >> nth=0") == "Run 1, after epoch 2"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("images", "99", "100 to 50,000"), ("epochs", "1.5", "whole number"), ("learning_rate", "0", "a number"),
        ("seed", "-1", "whole number"), ("seed", "", "whole number"), ("batch_size", "x", "whole number"),
        ("filters-0", "65", "1 to 64"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_said_beside_the_field(page, field, value, words):
    before = page.input_value(f"#field-{field}")
    enter(page, **{field: value})
    assert words in page.inner_text(f"#wrong-{field}")
    assert page.get_attribute(f"#field-{field}", "aria-invalid") == "true"
    assert page.is_disabled("#do-train")
    enter(page, **{field: before})
    assert page.inner_text(f"#wrong-{field}") == ""
    assert page.is_enabled("#do-train")


def test_a_network_that_leaves_no_pixels_or_is_too_large_is_refused(page):
    for _ in range(7):
        page.click("#add-bank")
    assert page.is_disabled("#add-bank")
    page.select_option(".bank:last-child select", "7")
    for number in (2, 3, 4):
        page.check(f".bank:nth-child({number}) input[type=checkbox] >> nth=0")
    assert "leave nothing" in page.inner_text("#network-size")
    assert page.is_disabled("#do-train")
    page.select_option("#preset-network", "post")
    assert "18,810 weights" in page.inner_text("#network-size")
    enter(page, **{"filters-0": 64, "filters-1": 64, "filters-2": 64})
    page.uncheck(".bank:first-child input[type=checkbox] >> nth=0")
    assert "too many for a browser" in page.inner_text("#network-size")
    assert page.is_disabled("#do-train")
    while page.locator(".bank").count() > 1:
        page.click(".bank:last-child .remove")
    page.check(".bank:first-child input[type=checkbox] >> nth=0")
    enter(page, **{"filters-0": 4, "dense": 0})
    assert page.input_value("#preset-network") == "own"
    assert page.is_enabled("#do-train")


def test_a_training_pauses_continues_and_stops(page):
    enter(page, epochs=200)
    page.click("#do-train")
    waits_for(page, "After epoch 1")
    page.click("#do-pause")
    waits_for(page, "paused")
    page.wait_for_timeout(600)  # an epoch that had ended is validated
    epochs, points = epochs_of(page), page.get_attribute(".chart path >> nth=0", "d")
    page.wait_for_timeout(400)
    assert (epochs_of(page), page.get_attribute(".chart path >> nth=0", "d")) == (epochs, points)
    page.click("#do-pause")
    more = "(n) => Number(document.querySelectorAll('#comparison tbody td')[2].textContent) > n"
    page.wait_for_function(more, arg=epochs, timeout=WAIT)
    page.evaluate("""() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }""")
    waits_for(page, "while this page is in the background")
    page.wait_for_function(more, arg=epochs_of(page), timeout=WAIT)
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
    page.click("#do-stop")
    waits_for(page, "was stopped")


def test_an_epoch_that_is_stopped_counts(page, tmp_path):
    enter(page, images=6000, batch_size=1)
    page.click("#do-train")
    page.wait_for_function("() => document.querySelector('.chart path').getAttribute('d')", timeout=WAIT)
    page.click("#do-stop")
    waits_for(page, "was stopped. After epoch 1")
    assert len(saved(page, tmp_path).history) == 1
    enter(page, batch_size=50)


def test_going_on_adds_to_the_history(page, tmp_path):
    train(page)
    train(page, "#do-further")
    model = saved(page, tmp_path)
    assert [row.epoch for row in model.history.rows] == [1, 2, 3, 4]
    assert model.recipe is not None
    assert model.recipe.batch_size == 50


def test_a_lost_worker_changes_nothing(page, tmp_path):
    """The same seed gives the same weights, with and without a loss in between."""
    enter(page, images=2000, epochs=4, batch_size=20, seed=5)
    train(page)
    expected = saved(page, tmp_path)
    page.click("#do-train")
    waits_for(page, "epoch 3 of 4")
    page.evaluate("window.workers.at(-1).terminate()")
    waits_for(page, "Run 2 has ended")
    assert "A worker of the browser was lost" in page.inner_text("#training-message")
    again = saved(page, tmp_path)
    assert again.digest == expected.digest
    assert [row.accuracy for row in again.history.rows] == [row.accuracy for row in expected.history.rows]
    page.select_option("#comparedRun", "1")
    assert page.locator(".inside:visible").count() == 2
    assert page.locator(".chart path.second").count() == 4


def test_errors_are_sentences_and_the_page_goes_on(page):
    page.evaluate("""() => {
      window.kept = window.Worker;
      window.Worker = class { constructor() { throw new RangeError("out of memory"); } };
    }""")
    page.click("#do-train")
    waits_for(page, "has failed")
    assert "no more memory" in page.inner_text("#training-message")
    page.evaluate("() => { window.Worker = window.kept; }")
    train(page)
    assert page.is_hidden("#training-message")


def test_the_trained_network_is_shown_in_all_views(page, tmp_path):
    train(page)
    page.click("#use-network")
    waits_for(page, "your run 1", "#model-name")
    assert "no out-of-distribution detector" in page.inner_text("#training-message")
    assert page.locator("#stage-bank1 .tile").count() == 4
    assert page.locator("#stage-bank2").count() == 0
    assert page.locator(".strips li").count() >= 11  # the drawing and the average of each class
    model = saved(page, tmp_path)
    assert page.evaluate("location.hash").count(model.digest[:12]) == 1
    shares = page.locator("#bars .share").all_inner_texts()
    assert f"({max(shares, key=lambda share: float(share[:-1]))})" in page.inner_text(".answer-line >> nth=0")
    page.click("[data-tool=undo]")
    waits_for(page, "Nothing to read", "#reason")
    assert "Draw a digit first" in page.inner_text(".answer-line >> nth=0")
    page.click("#tools >> text=Example")


def test_model_files_come_and_go(page, tmp_path, mnist):
    names = ("<img src=x onerror=alert(1)>", "cat", "dog")
    data = inksight.Dataset(mnist.images[:60], np.arange(60) % 3, "mine", names)
    recipe = inksight.Recipe(epochs=1, batch_size=30)
    inksight.train(inksight.Splits(data), "3x3p,5x3s", recipe, progress=False).save(tmp_path / "<i>.safetensors")
    page.set_input_files("#model-file", tmp_path / "<i>.safetensors")
    waits_for(page, "<i>.safetensors", "#model-name")
    assert page.locator("#bars b").all_inner_texts() == list(names)
    assert page.locator("#stage-bank2 .tile").count() == 5
    (tmp_path / "text.safetensors").write_text("label,pixel0\n")
    (tmp_path / "damaged.safetensors").write_bytes((tmp_path / "<i>.safetensors").read_bytes()[:-3])
    for name in ("text", "damaged"):
        page.set_input_files("#model-file", tmp_path / f"{name}.safetensors")
        waits_for(page, f"{name}.safetensors could not be opened", "#training-message")
        assert page.inner_text("#model-name") == "<i>.safetensors"
    inksight.load_model("post").save(tmp_path / "post.safetensors")
    page.set_input_files("#model-file", tmp_path / "post.safetensors")
    waits_for(page, "post.safetensors", "#model-name")
    assert page.locator("#bars b").all_inner_texts() == list("0123456789")


def test_everything_can_be_read_at_every_width_in_every_language(page):
    train(page)
    enter(page, images=1)
    page.select_option("#language", "de")
    page.wait_for_selector("html[lang=de]")
    assert "Lauf 1 ist fertig" in page.inner_text(".state")
    assert page.inner_text("#do-train") == "Trainieren"
    check_layout(page, "light")
    page.select_option("#language", "en")
    page.wait_for_selector("html[lang=en]")
    page.set_viewport_size({"width": 1200, "height": 800})


def test_the_single_file_trains_too(single, browser, tmp_path):
    with opened(browser, single, 390, "dark", accept_downloads=True) as page:
        open_training(page, epochs=1)
        train(page)
        assert "errors among 2,000 validation images" in page.inner_text(".inside >> nth=0")
        assert len(saved(page, tmp_path).history) == 1
        check_layout(page, "dark")
