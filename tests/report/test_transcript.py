"""The transcript: complete, small, self-contained, and working in a real browser."""

import base64
import io
import os
import re
from dataclasses import replace

import numpy as np
import pytest
from pages import ParsedPage, check_layout, in_both_schemes, in_light_and_dark, opened, resized
from PIL import Image

from inksight import InputError, cli
from inksight.nn.model_file import load_model
from inksight.reading.line import Sign
from inksight.reading.reader import read
from inksight.report import transcript
from inksight.report.transcript import Transcript

pytestmark = pytest.mark.usefixtures("few_training_digits")

HOSTILE = "<script>alert(1)<img src=x onerror=alert(2)>.png"


@pytest.fixture(scope="module")
def small():
    return load_model("small")


@pytest.fixture(scope="module")
def sheet(mnist):
    """Return the text and pixels of a page with two lines, of three and two digits, dark on gray paper."""
    rows = [60_000, 60_001, 60_002, 60_003, 60_004]
    digits = [np.kron(mnist.images[i], np.ones((3, 3), np.uint8)) for i in rows]
    page = np.full((300, 400), 210, np.uint8)
    for place, digit in enumerate(digits):
        line, column = divmod(place, 3)
        page[30 + 120 * line :, 40 + 100 * column :][:84, :84] -= (digit * 0.75).astype(np.uint8)
    text = "".join(str(mnist.labels[i]) for i in rows)
    return f"{text[:3]}\n{text[3:]}", page


@pytest.fixture(scope="module")
def folder(sheet, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "below").mkdir()
    Image.fromarray(sheet[1]).save(folder / "sheet.png")
    Image.fromarray(sheet[1]).convert("RGB").save(folder / HOSTILE)
    Image.new("L", (50, 40), 190).save(folder / "blank.jpg")
    (folder / "none.png").write_bytes(b"<b>nothing</b>")
    return folder


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "page.html"
    code = cli.run(["read", str(folder), "--model", "small", "--show", str(out)])
    assert code == 1  # because one of the files is not a picture
    return out


def test_the_page_is_small_and_self_contained(written, sheet):
    text = written.read_text()
    page = ParsedPage(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert not re.search(r"url\((?!data:)", text)
    assert len(text) < 400_000
    assert "11 digits on 3 pictures" in text
    assert sum(name.startswith("digit-") for name in page.ids) == 11


def test_hostile_file_names_are_escaped(written):
    text = written.read_text()
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert text.count("&lt;script&gt;alert(1)") >= 1
    assert ParsedPage(text).tags.count("script") == 1


def test_the_card_of_a_rejected_digit_says_why(sheet, small, tmp_path):
    readings = read(sheet[1], small)
    assert readings.text == sheet[0]
    first, *others = readings.lines[0]
    for reason in transcript.REASONS:
        rejected = replace(first, digit=None, reason=reason)
        result = Transcript(small)
        result.add(sheet[1], replace(readings, lines=((rejected, *others),)), "sheet")
        result.write(tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text()
        assert transcript.REASONS[reason] in text
        assert text.count('<li id="digit-1-0" class="is-rejected"') == 1
        assert text.count('class="is-rejected"') == 3  # the box, the text and the card


def test_nearest_digits_and_prediction_are_those_of_the_reading(sheet, small):
    readings = read(sheet[1], small)
    result = Transcript(small)
    result.add(sheet[1], readings, "sheet")
    result._add_network_view()
    for card, reading in zip(result._cards, readings, strict=True):
        labels = reading.neighbours.labels
        assert [label for _, label in card["neighbours"]] == labels[0].tolist()
        assert card["prediction"] == reading.digit


def test_models_with_other_classes_have_no_training_digits(sheet, small, tmp_path):
    letters = replace(small, class_names=("<b>", *"bcdefghij"))
    result = Transcript(letters)
    result.add(sheet[1], read(sheet[1], letters, accept_all=True), "sheet")
    result.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert '<p class="caption">barcode</p>' in text
    assert "nearest training digits<" not in text
    assert "<b><b>" not in text


def test_boxes_contain_the_digits(sheet, small):
    large = np.kron(sheet[1], np.ones((5, 5), np.uint8))  # the page shows it reduced
    result = Transcript(small)
    readings = read(large, small)
    result.add(large, readings, "sheet")
    entry = result._sheets[0]
    assert entry["size"] == (2000, 1500)
    with Image.open(io.BytesIO(_bytes(entry["source"]))) as image:
        assert image.size == (1000, 750)
        ink = np.asarray(image.convert("L")) < 120
    for card in entry["cards"]:
        left, top, width, height = (
            round(10 * part * share) for part, share in zip(card["box"], (1, 0.75) * 2, strict=True)
        )
        part = ink[top : top + height, left : left + width]
        assert part.any(axis=1).mean() > 0.9
        assert part.any(axis=0).mean() > 0.9


def _bytes(address):
    return base64.b64decode(address.split(",")[1])


@pytest.mark.parametrize("kind", ["L", "RGB", "RGBA", "LA", "P", "1", "CMYK", "I;16", "array", "floats", "jpeg"])
def test_every_image_mode_can_be_shown(kind, sheet, small):
    page = sheet[1] if kind != "1" else np.uint8(255) * (sheet[1] > 127)
    picture = {
        "I;16": lambda: Image.fromarray(page.astype(np.uint16) * 257), "array": lambda: np.dstack([page] * 3),
        "floats": lambda: page / 255, "jpeg": lambda: _saved(page),
    }.get(kind, lambda: Image.fromarray(page).convert(kind))()  # fmt: skip
    result = Transcript(small)
    result.add(picture, read(picture, small), kind)
    with Image.open(io.BytesIO(_bytes(result._sheets[0]["source"]))) as image:
        assert image.size == (400, 300)
        difference = np.asarray(image.convert("L"), int) - page
        assert np.abs(difference).mean() < 6


def _saved(page):
    """Return a JPEG, rotated by its EXIF orientation, with secrets in its metadata."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "secret"
    stream = io.BytesIO()
    Image.fromarray(page).rotate(90, expand=True).save(stream, "JPEG", exif=exif, comment=b"secret", quality=95)
    return stream.getvalue()


def test_metadata_of_pictures_is_not_copied(sheet, small):
    result = Transcript(small)
    result.add(_saved(sheet[1]), read(_saved(sheet[1]), small), "photo")
    assert b"secret" not in _bytes(result._sheets[0]["source"])


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2000, 3)])
def test_extreme_aspect_ratios_can_be_shown(shape, small, tmp_path):
    picture = np.full(shape, 200, np.uint8)
    result = Transcript(small)
    result.add(picture, read(picture, small), "odd")
    result.write(tmp_path / "page.html")


def test_the_page_is_limited_and_says_what_it_leaves_out(sheet, small, monkeypatch, tmp_path):
    monkeypatch.setattr(transcript, "MAX_PICTURES", 3)
    monkeypatch.setattr(transcript, "MAX_DIGITS", 8)
    monkeypatch.setattr(transcript, "MAX_UNREAD", 2)
    result, readings = Transcript(small), read(sheet[1], small)
    for number in range(4):
        result.add(sheet[1], readings, f"sheet {number}")
        result.add_unread(f"file {number}", "why")
    result.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "20 digits on 4 pictures" in text
    assert len(re.findall(r'<li id="digit-', text)) == 8
    assert "and 2 digits more" in text
    assert re.search(r"leaves out 2 more pictures and\s+12 digits, including those on them", text)
    assert "and 2 files more" in text
    assert "sheet 2" not in text


def test_a_page_of_unreadable_files_only(small, tmp_path):
    result = Transcript(small)
    result.add_unread("none.png", "not a picture")
    result.write(tmp_path / "page.html")
    assert "0 digits on 0 pictures" in (tmp_path / "page.html").read_text()


def test_a_transcript_does_not_keep_pictures_in_memory(sheet, small):
    result, readings = Transcript(small), read(sheet[1], small)
    result.add(sheet[1], readings, "sheet")
    assert all(image.base is None for image in result._images)
    assert not any(isinstance(value, np.ndarray) for card in result._cards for value in card.values())


def test_signs_are_in_the_text_if_they_are_in_that_of_the_page(sheet, small, tmp_path):
    found = read(sheet[1], small)
    signs = tuple(
        Sign(symbol, (0, 0, 5, 5), line, place, 0.9)
        for symbol, line, place in (("-", 0, 0), ("/", 0, 1), (".", 1, 2), ("-", 1, 2))
    )
    for punctuation in (True, False):
        page = replace(found, signs=signs, punctuation=punctuation)
        result = Transcript(small)
        result.add(sheet[1], page, "sheet")
        result.write(tmp_path / "page.html")
        text = (tmp_path / "page.html").read_text().split('<div class="text">')[1].split("</div>")[0]
        shown = [re.sub("<[^>]*>", "", line) for line in re.findall("<p>(.*?)</p>", text)]
        assert shown == page.text.split("\n")
    assert len("".join(shown)) == 5


def test_show_works_with_every_output_format(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = str(folder / "sheet.png")
    for arguments in (["--json"], ["--csv", "table.csv"], []):
        assert cli.run(["read", picture, "--model", "small", *arguments, "--show"]) == 0
        captured = capsys.readouterr()
        assert "reading.html: what was read, and how" in captured.err
        assert "reading.html" not in captured.out
        (tmp_path / "reading.html").unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_show_never_overwrites_a_picture(folder, capsys):
    picture = folder / "sheet.png"
    before = picture.read_bytes()
    for arguments in (["--show", picture, folder / "blank.jpg"], ["--show", picture]):
        assert cli.run(["read", *map(str, arguments)]) == 2
        assert "must be a name that ends in .html" in capsys.readouterr().err
    assert picture.read_bytes() == before


def test_a_page_that_cannot_be_written_is_an_error_before_reading(folder, capsys, small, tmp_path):
    assert cli.run(["read", str(folder), "--show", str(tmp_path / "nowhere" / "page.html")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "does not exist" in captured.err
    with pytest.raises(InputError, match="does not exist"):
        Transcript(small).write(tmp_path / "nowhere" / "page.html")


def test_file_names_with_any_bytes_are_shown(sheet, small, tmp_path):
    result = Transcript(small)
    result.add(sheet[1], read(sheet[1], small), os.fsdecode(b"caf\xe9.png"))
    result.write(tmp_path / "page.html")
    assert "caf\\udce9.png" in (tmp_path / "page.html").read_text()


@in_both_schemes
def test_box_text_and_card_are_highlighted_together_in_a_browser(written, sheet, browser, width, scheme):
    with opened(browser, written, width, scheme) as page:
        assert page.locator("h2 bdi").first.inner_text().endswith(HOSTILE)
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")

        section = page.locator("section", has=page.locator("h2", has_text="sheet.png"))
        assert section.locator(".text p").all_inner_texts() == sheet[0].split("\n")
        boxes = section.locator(".stage a")
        assert boxes.count() == 5
        boxes.nth(1).hover()
        lit = page.locator(".lit")
        assert lit.count() == 3  # the box, the text and the card
        assert lit.evaluate_all("parts => new Set(parts.map(part => part.dataset.digit)).size") == 1
        boxes.nth(1).click()
        card = page.locator(":target")
        assert card.locator(".head a").inner_text() == sheet[0][1]
        assert card.evaluate("e => e.getBoundingClientRect().top") >= 0
        assert card.locator(".neighbours .tile").count() == 5

        picture, box = section.locator(".stage img").bounding_box(), boxes.first.bounding_box()
        assert picture["x"] < box["x"] < box["x"] + box["width"] < picture["x"] + picture["width"]


@pytest.fixture(scope="module")
def crowded(small, mnist, tmp_path_factory):
    """A page of forty digits close to each other, and one with a single rejected digit."""
    page = np.full((300, 620), 250, np.uint8)
    for place in range(40):
        line, column = divmod(place, 10)
        digit = np.kron(mnist.images[60_000 + place], np.ones((2, 2), np.uint8))
        page[10 + 70 * line :, 10 + 60 * column :][:56, :56] -= (digit * 0.85).astype(np.uint8)
    result = Transcript(small)
    for picture, name in ((page, "crowded"), (page[:40, :40] * 0 + 200, "blank")):
        result.add(picture, read(picture, small), name)
    result.add_unread("a_folder_with_a_long_name/" * 5 + "none.png", "not a picture")
    path = tmp_path_factory.mktemp("crowded") / "page.html"
    result.write(path)
    return path


@in_light_and_dark
def test_everything_can_be_read_on_every_screen(crowded, browser, scheme):
    with opened(browser, crowded, 390, scheme) as page:
        check_layout(page, scheme)


@in_light_and_dark
def test_tags_cover_no_digit(crowded, browser, scheme):
    """A tag overlaps no box and no other tag; it may be hidden, but never on a box that is pointed at."""
    with opened(browser, crowded, 390, scheme) as page:
        stage = page.locator("#picture-1 .stage")
        rectangles = (
            "(all) => all.filter((one) => getComputedStyle(one).visibility === 'visible')"
            ".map((one) => one.getBoundingClientRect().toJSON())"
        )
        for _ in resized(page):
            boxes = stage.locator("a").evaluate_all(rectangles)
            tags = stage.locator("span").evaluate_all(rectangles)
            (picture,) = stage.evaluate_all(rectangles)
            assert len(boxes) >= 36
            assert len(tags) >= 5
            for i, tag in enumerate(tags):
                assert not [other for other in boxes + tags[:i] if _overlap(tag, other)]
                assert picture["left"] <= tag["left"]
                assert tag["right"] <= picture["right"]
        for box in stage.locator("a").all()[10:20:3]:
            box.hover(force=True)
            assert page.locator(".stage .lit span").is_visible()


def _overlap(one, other):
    return all(
        one[low] + 0.01 < other[high] and other[low] + 0.01 < one[high]
        for low, high in (("left", "right"), ("top", "bottom"))
    )
