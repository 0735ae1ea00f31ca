"""The report: complete, small, self-contained, and working in a real browser."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pages import ParsedPage, check_layout, in_both_schemes, in_light_and_dark, opened
from PIL import Image

from inksight import Dataset, InputError, Splits, evaluate, plot
from inksight.plot.grammar import in_dark_mode
from inksight.report.pictures import gallery
from inksight.report.report import write_figures, write_report


@pytest.fixture(scope="module")
def written(small_run, digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    evaluation = evaluate(small_run.model, digits.test)
    return write_report(folder, small_run, digits, evaluation), evaluation


def test_the_report_is_small_and_self_contained(written):
    path, _ = written
    text = path.read_text()
    page = ParsedPage(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#") and len(link) > 1} <= set(page.ids)
    assert not re.search(r"url\((?!#|data:)", text.replace("`url(data:", ""))
    assert path.stat().st_size < 6e6


def test_every_picture_is_on_the_page_and_in_the_folder(written, small_run, digits):
    path, evaluation = written
    pictures = gallery(small_run.model, digits.test, evaluation=evaluation)
    ids = ParsedPage(path.read_text()).ids
    for picture in pictures:
        assert picture.name in ids
        with Image.open(path.parent / "figures" / f"{picture.name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 1  # the picture is not empty
        assert ET.parse(path.parent / "figures" / f"{picture.name}.svg").getroot().tag.endswith("svg")
    assert len(list((path.parent / "figures").iterdir())) == 2 * len(pictures)


def test_the_gallery_has_the_pictures_of_the_post_and_more(small_run, digits, written):
    names = [picture.name for picture in gallery(small_run.model, digits.test, evaluation=written[1])]
    of_the_post = {"one-of-each", "examples", "history", "confusion", "filters-1", "filters-2", "maps-1", "maps-2"}
    assert of_the_post | {"barcode", "average-barcodes", "detrended-barcodes"} <= set(names)
    assert {"separation", "neighbours", "embedding", "similarity-1", "evidence", "evidence-hardest"} <= set(names)


def test_names_of_classes_cannot_break_the_page(small_run, digits, tmp_path, monkeypatch):
    monkeypatch.setattr(plot, "save", lambda figure, path: None)  # only the page is checked
    evil = ("<script>alert(1)</script>", "</script>", *"23456789")
    model = replace(small_run.model, class_names=evil)
    parts = [replace(part, class_names=evil) for part in (digits.train, digits.validation, digits.test)]
    run = replace(small_run, model=model)
    path = write_report(tmp_path, run, Splits(*parts), evaluate(model, parts[2]))
    text = path.read_text()
    assert "<script>alert" not in text
    assert ParsedPage(text).tags.count("script") == 2


def test_images_without_labels_have_pictures(model, mnist, tmp_path):
    pictures = gallery(model, Dataset(mnist.images[:20], None, "unlabeled"), image=3)
    names = [picture.name for picture in pictures]
    assert "maps-2" in names
    assert "average-barcodes" not in names
    paths = write_figures(tmp_path, [picture for picture in pictures if picture.name in ("examples", "barcode")])
    assert all(path.stat().st_size for path in paths)
    with pytest.raises(InputError, match="image must be a row from 0 to 19, got 20"):
        gallery(model, Dataset(mnist.images[:20]), image=20)


@in_both_schemes
def test_a_cell_of_the_confusion_matrix_shows_its_images_in_a_browser(written, browser, width, scheme):
    path, evaluation = written
    with opened(browser, path, width, scheme) as page:
        confusion = evaluation.confusion
        mistakes = np.where(np.eye(10, dtype=bool), 0, confusion)
        assert page.get_attribute('[aria-pressed="true"]', "data-count") == str(mistakes.max())  # shown at first
        mistake = np.argwhere((confusion > 0) & ~np.eye(10, dtype=bool))[0]
        for true, read in (mistake, (1, 1)):
            page.click(f'[data-cell="{true},{read}"]')
            shown = page.locator("#cell-images li")
            assert shown.count() == min(confusion[true, read], 40)
            assert str(confusion[true, read]) in page.inner_text("#cell-title")
        assert page.locator('[aria-pressed="true"]').count() == 1
        tile = page.locator("#cell-images .tile").first
        assert tile.evaluate("e => getComputedStyle(e).backgroundImage").startswith('url("data:image/png')

        page.click("#theme")
        assert page.evaluate("document.documentElement.dataset.theme") != scheme


@in_light_and_dark
def test_everything_can_be_read_on_every_screen(written, browser, scheme):
    with opened(browser, written[0], 390, scheme) as page:
        check_layout(page, scheme)


def test_the_table_has_the_colors_of_the_plot(written):
    """In light and dark: those that the same counts have in the picture of the confusion matrix."""
    path, evaluation = written
    image = evaluation.plot().axes[0].images[0]
    colors = image.to_rgba(image.get_array().compressed())
    text = path.read_text()
    assert set(re.findall("--cell:(#[0-9a-f]{6})", text)) == {to_hex(color) for color in colors}
    assert set(re.findall("--dark-cell:(#[0-9a-f]{6})", text)) == {to_hex(in_dark_mode(color)) for color in colors}
