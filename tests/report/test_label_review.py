"""The review of labels: every way to decide works in a real browser, and the decisions become corrected data."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from pages import check_layout, in_both_schemes, in_light_and_dark, opened

from inksight import Dataset
from inksight.data import apply_corrections
from inksight.inspection.label_errors import DoubtfulLabels
from inksight.report import write_review

NAMES = ("0", "1", "a,b", 'say "c"', "<b>")


@pytest.fixture(scope="module")
def result(mnist):
    """Twelve images of five classes. The last has the most doubtful label; only the first two are not suspected."""
    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.ones(5), 12)
    labels = np.arange(12) % 5
    others = np.where(np.arange(5) == labels[:, None], -1, probabilities)
    return DoubtfulLabels(
        "twelve.csv", NAMES, mnist.images[:12], labels, others.argmax(axis=1), probabilities,
        np.linspace(-1, 4, 12), np.arange(12)[::-1], np.arange(12)[None] % 2, 0, 1, 1.0,
    )  # fmt: skip


@pytest.fixture
def written(result, tmp_path):
    write_review(result, tmp_path / "labels.html", top=8)
    return tmp_path / "labels.html"


def data_of(result):
    return Dataset(result.images, result.labels, result.name, result.class_names)


def saved(page, folder):
    """Press the button, and return the path of the downloaded file."""
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "corrections.csv"
    download.value.save_as(folder / "corrections.csv")
    return folder / "corrections.csv"


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return {int(row["ImageId"]): (row["Label"], row["given"]) for row in csv.DictReader(file)}


@in_light_and_dark
def test_everything_can_be_read_on_every_screen(result, mnist, tmp_path, browser, scheme):
    digits = replace(result, class_names=tuple("01234"))
    write_review(digits, tmp_path / "labels.html")
    with opened(browser, tmp_path / "labels.html", 390, scheme) as page:
        check_layout(page, scheme)


@in_both_schemes
def test_decisions_become_corrected_data(written, result, tmp_path, browser, width, scheme):
    """The images are 12 to 5, counted from 1. Labels of 12, 11, 10, 9: 1, 0, <b>, say "c"."""
    other = next(name for name in ("a,b", 'say "c"') if name != NAMES[result.suggested[9]])
    with opened(browser, written, width, scheme) as page:
        assert page.inner_text("#count") == "0 of 8 decided"
        assert page.is_disabled("#save")
        image = [page.locator(f"#image-{number}") for number in range(13)]

        image[12].locator("button").nth(0).click()  # keep
        image[11].locator("button").nth(1).click()  # take the suggested class
        image[10].locator("select").select_option(other)
        image[9].locator("select").select_option("leave out")
        image[8].locator("button").nth(0).click()
        image[8].locator("button").nth(0).click()  # taken back
        image[7].locator("select").select_option("1")
        image[7].locator("select").select_option("other…")  # taken back
        image[6].locator("button").nth(1).click()
        image[6].locator("button").nth(0).click()  # decided again
        states = [place.get_attribute("data-decision") for place in image[5:]]
        assert states == [None, "kept", None, None, "left out", "changed", "changed", "kept"]
        pressed = page.locator('[aria-pressed="true"]').evaluate_all("all => all.map((one) => one.closest('li').id)")
        assert pressed == ["image-12", "image-11", "image-6"]
        assert page.inner_text("#count") == "5 of 8 decided"

        path = saved(page, tmp_path)
        suggested = NAMES[result.suggested[10]]
        assert rows_of(path) == {
            6: ("0", "0"), 9: ("", 'say "c"'), 10: (other, "<b>"), 11: (suggested, "0"), 12: ("1", "1"),
        }  # fmt: skip
    corrected = apply_corrections(data_of(result), path)
    expected = result.labels.copy()
    expected[[9, 10]] = NAMES.index(other), result.suggested[10]
    np.testing.assert_array_equal(corrected.labels, np.delete(expected, 8))
    np.testing.assert_array_equal(corrected.images, np.delete(result.images, 8, axis=0))


@in_both_schemes
def test_the_keyboard_decides(written, tmp_path, browser, width, scheme):
    with opened(browser, written, width, scheme) as page:
        page.focus("#image-12")
        for key in ("Enter", "0", "ArrowRight", "Delete", "1", "1", "ArrowLeft", "Backspace", "q"):
            page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == "image-7"
        assert rows_of(saved(page, tmp_path)) == {9: ("", 'say "c"'), 8: ("1", "a,b"), 11: ("0", "0"), 12: ("1", "1")}
        page.keyboard.press("Tab")
        page.focus("#image-5 select")
        page.keyboard.press("Delete")  # is for the list, not for the image
        assert page.locator("#image-5").get_attribute("data-decision") is None


@in_both_schemes
def test_decisions_are_kept_for_the_data(written, result, tmp_path, browser, width, scheme):
    with opened(browser, written, width, scheme) as page:
        page.locator("#image-12 button").first.click()
        page.locator("#image-6 select").select_option("leave out")
        page.reload()
        assert page.inner_text("#count") == "2 of 8 decided"
        assert page.locator("#image-6 select").evaluate("list => list.selectedOptions[0].text") == "leave out"

        other = page.context.new_page()  # a shorter page on the same data, open at the same time
        write_review(result, tmp_path / "short.html", top=1)
        other.goto((tmp_path / "short.html").as_uri())
        assert other.inner_text("#count") == "1 of 1 decided, and 1 on other pages of this data"
        other.locator("#image-12 button").nth(1).click()
        page.locator("#image-7 button").first.click()
        assert len(rows_of(saved(other, tmp_path))) == 3

        write_review(replace(result, labels=(result.labels + 1) % 5), tmp_path / "other.html", top=8)
        other.goto((tmp_path / "other.html").as_uri())
        assert other.inner_text("#count") == "0 of 8 decided"


@in_both_schemes
def test_a_browser_that_keeps_nothing_loses_nothing_until_the_page_is_closed(written, tmp_path, browser, width, scheme):
    with opened(browser, written, width, scheme) as page:
        page.locator("#image-5 button").first.click()  # from when there was still room
        page.locator("#image-5 button").first.click()
        page.add_init_script("Storage.prototype.setItem = () => { throw new Error('no storage'); };")
        page.reload()
        for number in (12, 11):
            page.locator(f"#image-{number} button").first.click()
        assert "Not kept by this browser: save before you close the page" in page.inner_text("#count")
        leaves = "() => { const event = new Event('beforeunload', { cancelable: true }); return dispatchEvent(event); }"
        assert page.evaluate(leaves) is False  # the browser asks before it leaves
        assert len(rows_of(saved(page, tmp_path))) == 2
        assert page.evaluate(leaves) is True
        page.locator("#image-10 button").first.click()
        assert page.evaluate(leaves) is False
        assert len(rows_of(saved(page, tmp_path))) == 3


def test_the_key_of_the_decisions_depends_on_the_data_alone(written, result, tmp_path):
    def key(path):
        text = path.read_text()
        return json.loads(text.split('id="review">')[1].split("</script>")[0])["key"]

    write_review(replace(result, name="renamed.csv", doubt=-result.doubt), tmp_path / "same.html", top=2)
    assert key(tmp_path / "same.html") == key(written)
    write_review(replace(result, images=255 - result.images), tmp_path / "other.html")
    assert key(tmp_path / "other.html") != key(written)
