"""Exploring a network in the page: confusion matrix, map, hardest images, doubtful labels, accuracy after an edit."""

import re
from dataclasses import replace

import numpy as np
import pytest
from pages import CHROMIUM, check_layout, opened

import inksight
from inksight.inspection.ablation import without_filters
from inksight.web import serve
from inksight.web.mnist import FEW

from .conftest import encoded

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")
# Remembers the workers that the page starts, so that a test can end them.
KEEP_WORKERS = """() => {
  const Plain = Worker;
  window.workers = [];
  window.Worker = class extends Plain {
    constructor(...values) { super(...values); window.workers.push(this); }
  };
}"""
# Returns the numbers that the views of a data set show, by the modules that compute them.
SURVEY = """async ({ logits, barcodes, labels, classes }) => {
  const { survey } = await import("/explore/survey.js");
  const array = (Kind, text) => new Kind(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const found = survey({
    logits: array(Float32Array, logits), barcodes: array(Float32Array, barcodes), labels: array(Uint8Array, labels),
    classes,
  });
  const list = (value) => (ArrayBuffer.isView(value) ? [...value] : value);
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, list(value)]));
}"""


END_LAST_WORKER = """() => {
  const last = window.workers.at(-1);
  last.terminate();
  last.onerror({ message: "the worker was lost" });
}"""


@pytest.fixture(scope="module")
def test_set(mnist):
    part = mnist.split().test
    assert part is not None
    return part


@pytest.fixture(scope="module")
def page(served, browser):
    """The page after the network was explored on the test images, shared by the tests of this file."""
    with opened(browser, served, 1200, "light") as page:
        page.add_init_script(f"({KEEP_WORKERS})()")
        page.reload()
        page.wait_for_selector("#app:not([hidden])")
        page.click("#open-explore")
        explored(page)
        yield page


def explored(page, images="10,000 images: "):
    page.wait_for_selector("#explore-confusion table")
    page.wait_for_function(
        "(words) => document.getElementById('explore-status')?.textContent.startsWith(words)", arg=images
    )


def table(page):
    """Return the confusion matrix that the page shows."""
    rows = page.locator("#explore-confusion tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"
    )
    return np.array([[int(text.replace(",", "") or 0) for text in row] for row in rows])


def gallery(page, part):
    """Return the captions of the images that are listed in a part of the view."""
    return page.locator(f"section:has(> #explore-{part}) .thumbnail span").all_inner_texts()


def image_read(page):
    """Return the image (28, 28) that the network of the page reads."""
    pixels = page.eval_on_selector(
        "#steps figure:nth-child(3) canvas",
        "(c) => Array.from(c.getContext('2d').getImageData(0, 0, 28, 28).data).filter((_, i) => i % 4 === 0)",
    )
    return 255 - np.array(pixels).reshape(28, 28)


def test_judgments_and_the_map_are_those_of_python(page, post, test_set):
    data = test_set[:1500]
    stages = post.activations(data.images, only=["logits", "barcode"])
    labels = data.labels.astype(np.uint8)
    values = {"logits": encoded(stages["logits"]), "barcodes": encoded(stages["barcode"]), "classes": 10}
    found = page.evaluate(SURVEY, {**values, "labels": encoded(labels)})
    expected = inksight.evaluate(post, data)
    np.testing.assert_array_equal(np.reshape(found["confusion"], (10, 10)), expected.confusion)
    np.testing.assert_array_equal(found["predictions"], expected.predictions)
    np.testing.assert_array_equal(found["hardest"][:50], expected.hardest)
    np.testing.assert_allclose(found["probability"], expected.label_probability, rtol=1e-6)
    log_p = post.log_probabilities(data.images)
    others = np.where(np.arange(10) == data.labels[:, None], -np.inf, log_p)
    doubt = others.max(axis=1) - log_p[np.arange(len(data)), data.labels]
    np.testing.assert_allclose(found["doubt"], doubt, atol=1e-5)
    np.testing.assert_array_equal(found["suggested"], others.argmax(axis=1))
    np.testing.assert_array_equal(
        found["doubtful"], [row for row in np.argsort(-doubt, kind="stable") if doubt[row] > 0]
    )
    for given in (labels, labels % 2):
        drawn = page.evaluate(SURVEY, {**values, "labels": encoded(given)})
        names = inksight.config.DIGITS[: int(given.max()) + 1]
        by_python = inksight.embedding(post, inksight.Dataset(data.images, given.astype(np.int64), class_names=names))
        assert drawn["method"] == by_python.method
        points = np.reshape(drawn["points"], (-1, 2))
        np.testing.assert_allclose(points, by_python.points, atol=1e-6 * np.abs(by_python.points).max())
        np.testing.assert_allclose(drawn["share"], by_python.share, rtol=1e-9)


def test_the_cells_of_the_confusion_matrix_open_their_images(page, post, test_set):
    expected = inksight.evaluate(post, test_set)
    np.testing.assert_array_equal(table(page), expected.confusion)
    assert f"{expected.accuracy:.2%} are read correctly" in page.inner_text("#explore-status")
    label, prediction = (9, 4)
    rows = np.flatnonzero((test_set.labels == label) & (expected.predictions == prediction))
    page.locator(f"#explore-confusion tbody tr:nth-child({label + 1}) td:nth-of-type({prediction + 1}) button").click()
    captions = gallery(page, "confusion")
    assert len(captions) == len(rows) == expected.confusion[label, prediction]
    assert all(caption.startswith("9, read as 4: ") for caption in captions)
    assert page.evaluate("document.activeElement.textContent") == f"Label 9, read as 4: {len(rows)}"
    page.locator("section:has(> #explore-confusion) .thumbnail").first.click()
    page.wait_for_function("() => document.getElementById('digit').textContent !== ''")
    np.testing.assert_allclose(image_read(page), test_set.images[rows[0]].astype(int), atol=1)
    share = post.probabilities(test_set.images[rows[:1]])[0, prediction]
    assert f"{share:.1%}" in page.inner_text("#bars")
    page.click("[data-tool=clear]")


def test_the_hardest_images_and_doubtful_labels_are_listed(page, post, test_set):
    expected = inksight.evaluate(post, test_set)
    captions = gallery(page, "hardest")
    first = expected.hardest[0]
    label, prediction = test_set.labels[first], expected.predictions[first]
    assert captions[0] == f"{label}, read as {prediction}: {expected.label_probability[first]:.1%}"
    part = "section:has(> #explore-hardest)"
    page.locator(f"{part} > div > button").click()
    assert len(gallery(page, "hardest")) == 2 * len(captions)
    assert page.evaluate("document.activeElement.textContent") == gallery(page, "hardest")[len(captions)]
    errors = expected.n - int(np.trace(expected.confusion))
    assert page.inner_text("#explore-doubtful").startswith(f"{errors} of 10,000 labels.")
    assert "was not trained on these images" in page.inner_text("#explore-doubtful")
    assert gallery(page, "doubtful")[0] == f"{label}, or {prediction}? {expected.label_probability[first]:.1%}"


def test_points_show_their_image_and_a_lasso_lists_them(page, test_set):
    canvas = page.locator(".points")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def at(x, y):
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    page.mouse.move(*at(0.5, 0.5))
    page.wait_for_selector(".near:not([hidden])")
    assert re.match(r"\d(: |, read as \d: )", page.inner_text(".near figcaption"))
    for corners, isall in (([(0.001, 0.001), (0.999, 0.001), (0.999, 0.999), (0.001, 0.999)], True),
                           ([(0.3, 0.3), (0.6, 0.3), (0.6, 0.6)], False)):  # fmt: skip
        page.mouse.move(*at(*corners[0]))
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*at(*corner), steps=3)
        page.mouse.up()
        title = page.inner_text("section:has(> #explore-map) h4")
        count = int(title.removeprefix("Chosen on the map: ").replace(",", ""))
        assert (count == 10_000) if isall else 100 < count < 10_000
        assert len(gallery(page, "map")) == 24
    before = canvas.evaluate("(canvas) => canvas.toDataURL()")
    page.click("[data-kind=error]")
    assert canvas.evaluate("(canvas) => canvas.toDataURL()") != before
    assert page.locator(".map-classes li").all_inner_texts() == ["right", "wrong"]
    page.focus("#list-all")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "All images"
    assert gallery(page, "map")[0].startswith(str(test_set.labels[0]))
    page.click("[data-kind=class]")


def test_other_images_can_be_chosen(page, post, mnist):
    expected = inksight.evaluate(post, mnist.split().train[:10_000])
    page.select_option("#explore-source", "train")
    page.wait_for_function("() => document.getElementById('explore-doubtful').textContent.includes('by heart')")
    np.testing.assert_array_equal(table(page), expected.confusion)
    page.select_option("#explore-source", "test")
    page.wait_for_function("() => document.getElementById('explore-doubtful').textContent.includes('was not trained')")


def switch_off(page, bank, filter_number):
    page.locator(f"#stage-bank{bank} .tile").nth(filter_number).click()
    page.wait_for_selector("#off")
    page.click("#off")


def accuracy_says(page, words):
    page.wait_for_function("(words) => document.getElementById('accuracy')?.textContent.includes(words)", arg=words)


def says_accuracy(page, evaluation):
    """Wait until the view of a data set says the accuracy."""
    page.wait_for_function(
        "(words) => document.getElementById('explore-status').textContent.includes(words)",
        arg=f"images: {evaluation.accuracy:.2%} are",
    )


def sentence(post, test_set, filters):
    """Return what the page says of the accuracy after filters are switched off."""
    before = post.predict(test_set.images) == test_set.labels
    now = without_filters(post, filters).predict(test_set.images) == test_set.labels
    return (
        f"Accuracy on 10,000 test images: {before.mean():.2%} before, {now.mean():.2%} now. "
        f"{(before & ~now).sum():,} images that were right are wrong now, "
        f"{(now & ~before).sum():,} that were wrong are right."
    )


def test_an_edit_changes_the_test_accuracy(page, post, test_set):
    switch_off(page, 1, 5)
    page.click("#open-accuracy")
    accuracy_says(page, sentence(post, test_set, {1: [5]}))
    page.evaluate(
        """() => {
        window.said = [];
        const text = document.getElementById("accuracy");
        new MutationObserver(() => window.said.push(text.textContent)).observe(text, { childList: true });
        }"""
    )
    switch_off(page, 2, 3)  # its evaluation is ended by that of the next edit
    page.wait_for_function("() => window.said.length > 0")
    switch_off(page, 2, 7)
    accuracy_says(page, sentence(post, test_set, {1: [5], 2: [3, 7]}))
    results = {text for text in page.evaluate("window.said") if text.startswith("Accuracy")}
    assert results == {sentence(post, test_set, {1: [5], 2: [3, 7]})}
    edited = without_filters(post, {1: [5], 2: [3, 7]})
    expected = inksight.evaluate(edited, test_set)
    page.locator("#explore-status").scroll_into_view_if_needed()  # the view waits until it is in sight
    says_accuracy(page, expected)
    np.testing.assert_array_equal(table(page), expected.confusion)
    page.select_option("#language", "de")
    accuracy_says(page, "Genauigkeit auf 10.000 Testbildern: vorher 99,")
    page.select_option("#language", "en")
    page.click("#restore-all")
    assert page.is_hidden("#edited")


def test_a_lost_worker_is_said_and_replaced(page, post, test_set, mnist):
    page.evaluate(
        "() => window.workers.forEach((one) => { one.terminate(); one.onerror({ message: 'the worker was lost' }); })"
    )
    switch_off(page, 1, 2)
    accuracy_says(page, sentence(post, test_set, {1: [2]}))
    page.evaluate(
        "() => { window.post = window.workers.at(-1).postMessage; window.workers.at(-1).postMessage = () => {}; }"
    )
    switch_off(page, 1, 3)
    accuracy_says(page, "is computed")
    page.evaluate(END_LAST_WORKER)
    accuracy_says(page, "could not be computed: the worker was lost")
    switch_off(page, 1, 4)
    accuracy_says(page, sentence(post, test_set, {1: [2, 3, 4]}))
    page.evaluate("() => { window.workers.at(-1).postMessage = () => {}; }")
    page.locator("#explore-status").scroll_into_view_if_needed()
    page.select_option("#explore-source", "train")
    page.wait_for_selector("#explore-view progress:not([hidden])")
    page.evaluate(END_LAST_WORKER)
    page.wait_for_selector("#explore-status button")
    assert "could not be examined: the worker was lost" in page.inner_text("#explore-status")
    page.click("#explore-status button")
    edited = without_filters(post, {1: [2, 3, 4]})
    says_accuracy(page, inksight.evaluate(edited, mnist.split().train[:10_000]))
    page.select_option("#explore-source", "test")
    says_accuracy(page, inksight.evaluate(edited, test_set))
    page.click("#restore-all")


def draw_by_finger(page, corners):
    """Draw a lasso on the map with a finger."""
    canvas = page.locator(".points")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    session = page.context.new_cdp_session(page)
    points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in corners]
    for kind, places in (
        ("touchStart", points[:1]),
        *(("touchMove", [point]) for point in points[1:]),
        ("touchEnd", []),
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


def test_the_single_file_says_how_many_images_it_has(single, browser, post, test_set):
    with opened(browser, single, 390, "dark", has_touch=True) as page:
        page.wait_for_selector("#app:not([hidden])")
        page.click("#open-explore")
        explored(page, f"{FEW['test']:,} images: ")
        expected = inksight.evaluate(post, test_set[: FEW["test"]])
        np.testing.assert_array_equal(table(page), expected.confusion)
        draw_by_finger(page, [(0.01, 0.01), (0.01, 0.99), (0.99, 0.99), (0.99, 0.01)])
        assert page.inner_text("section:has(> #explore-map) h4") == f"Chosen on the map: {FEW['test']:,}"
        switch_off(page, 1, 5)
        page.click("#open-accuracy")
        accuracy_says(page, f"Accuracy on {FEW['test']:,} test images")


def test_a_network_with_other_classes_is_explored_on_own_examples(browser, post_model, mnist):
    names = tuple(f"<img src=x onerror=alert({number})>" for number in range(10))
    with serve(replace(post_model, class_names=names)) as address, opened(browser, address, 1200, "light") as page:
        page.wait_for_selector("#app:not([hidden])")
        page.click("#open-explore")
        page.wait_for_function(
            "() => document.getElementById('explore-status')?.textContent.includes('There are no images')"
        )
        images, labels = mnist.images[:40], mnist.labels[:40]
        page.evaluate(
            """async ([names, labels, images]) => {
            const { collection } = await (await import("/collection/opened.js")).openCollection();
            const pixels = Uint8Array.from(atob(images), (letter) => letter.charCodeAt(0));
            for (const name of names) collection.addClass(name);
            labels.forEach((label, i) =>
              collection.add(collection.classes[label], [pixels.slice(784 * i, 784 * (i + 1))]));
            }""",
            [names, labels.tolist(), encoded(images)],
        )
        page.select_option("#language", "de")
        page.wait_for_selector("#explore-confusion table")
        expected = inksight.evaluate(
            replace(post_model, class_names=inksight.config.DIGITS), inksight.Dataset(images, labels)
        )
        found = table(page)
        assert found.sum() == 40
        np.testing.assert_array_equal(found, expected.confusion)
        assert page.locator("#app img").count() == 0


def test_everything_can_be_read_and_reached(page):
    page.select_option("#language", "de")
    page.click("[data-tool=example]")
    switch_off(page, 1, 5)
    accuracy_says(page, "Genauigkeit auf")
    explored(page, "10.000 Bilder: ")
    page.locator("#explore-confusion button").nth(1).click()
    for scheme in ("light", "dark"):
        check_layout(page, scheme)
        page.click("#theme")
