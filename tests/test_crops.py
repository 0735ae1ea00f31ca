"""The pictures that the reader is trained on: fonts, digits with clutter, and what is not a digit."""

from pathlib import Path

import matplotlib
import numpy as np
import pytest

from benchmarks import ship_reader
from benchmarks.synthetic import crop_dataset
from benchmarks.synthetic.crops import NOT_A_DIGIT, Sources, draw_crop
from benchmarks.synthetic.fonts import draw_text, find_fonts, is_held_out
from benchmarks.synthetic.line_crops import _content, crops_of_a_line
from inksight import load_model
from inksight.config import get_network
from inksight.nn.model import Model
from inksight.nn.ood import ood_score
from inksight.nn.rejection_output import RejectionOutput
from inksight.reading.detection import prepare_digit
from inksight.training.calibration import with_temperature

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@pytest.fixture(scope="module")
def fonts() -> list[Path]:
    return find_fonts(FONTS)


@pytest.fixture(scope="module")
def sources(mnist, fonts) -> Sources:
    return Sources(mnist[:2000], fonts)


def test_fonts_without_digits_are_left_out(fonts, tmp_path):
    names = {font.name for font in fonts}
    assert {"DejaVuSans.ttf", "STIXGeneralBol.ttf"} <= names
    assert not any("STIXSiz" in name or name in ("cmsy10.ttf", "cmex10.ttf") for name in names)
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    assert find_fonts(tmp_path) == []


def test_the_styles_of_a_family_are_held_out_together():
    names = ["Lato-Bold.ttf", "Lato-Italic.ttf", "Lato.otf"]
    assert len({is_held_out(Path("a") / name) for name in names}) == 1
    families = map("".join, np.random.default_rng(0).choice(list("abcdefgh"), (500, 6)))
    held_out = [is_held_out(Path(f"{family}-Bold.ttf")) for family in families]
    assert 0.05 < np.mean(held_out) < 0.15


def test_text_is_drawn_with_a_margin_of_four_pixels(fonts):
    mask = np.asarray(draw_text(fonts[0], "8"))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert rows[0] == 4
    assert 4 <= columns[0] <= 8  # the box of a glyph starts at the pen's position
    assert mask.max() == 255
    with pytest.raises(ValueError, match="no glyph"):
        draw_text(fonts[0], " ")


def test_a_picture_depends_on_its_seed_alone_and_has_the_share_of_digits(sources):
    one, other = ([draw_crop(sources, 0.6, np.random.default_rng(seed)) for seed in range(120)] for _ in range(2))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.picture, b.picture)
        assert a.label == b.label
        assert a.picture.dtype == np.float64
        assert 0 <= a.picture.min() <= a.picture.max() <= 1
    digits = [crop for crop in one if crop.label != NOT_A_DIGIT]
    assert 0.45 < len(digits) / len(one) < 0.75
    assert len({crop.label for crop in digits}) == 10


def test_most_drawn_digits_can_be_read(sources):
    crops = [draw_crop(sources, 1.0, np.random.default_rng([1, seed])) for seed in range(200)]
    prepared = [prepare_digit(crop.picture, None) for crop in crops]
    images, labels = np.stack([p.image for p in prepared]), np.array([crop.label for crop in crops])
    right = load_model("best").predict(images) == labels  # never saw a printed digit
    assert right.mean() > 0.7


def test_images_are_the_same_for_any_number_of_processes(sources, monkeypatch):
    monkeypatch.setattr(crop_dataset, "CHUNK", 20)
    one, two = (crop_dataset.draw_images(sources, 50, 7, processes) for processes in (1, 2))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    images, labels = one
    assert images.shape == (len(labels), 28, 28)
    assert 40 < len(labels) <= 50


def test_crops_of_lines_have_the_labels_of_their_digits(mnist):
    rng = np.random.default_rng(5)
    crops = [crop for _ in range(30) for crop in crops_of_a_line(mnist[:2000], rng)]
    images, labels = np.stack([image for image, _ in crops]), np.array([label for _, label in crops])
    is_digit = labels != NOT_A_DIGIT
    assert 100 < is_digit.sum() <= 30 * 9
    assert 20 < (~is_digit).sum() <= 30 * 9
    best = load_model("best")
    assert (best.predict(images[is_digit]) == labels[is_digit]).mean() > 0.85
    assert ood_score(best, images[~is_digit]).mean() > ood_score(best, images[is_digit]).mean()


def test_what_a_crop_shows_follows_from_the_ink_of_each_digit():
    amounts = np.array([100, 100, 100])
    for counts, aspect, expected in (
        ([100, 0, 0], 0.6, 0), ([2, 95, 0], 0.6, 1), ([100, 95, 0], 1.2, -1), ([0, 95, 20], 0.8, -1),
        ([50, 0, 0], 0.5, -1), ([50, 0, 0], 0.2, None), ([80, 0, 0], 0.6, None), ([0, 95, 7], 0.6, None),
        ([0, 0, 0], 0.2, None),
    ):  # fmt: skip
        assert _content(np.array(counts), amounts, aspect) == expected


def test_candidates_that_are_read_wrong_are_hard(mnist):
    model = Model.untrained(get_network("4x5p,6x3", 11), 0, ship_reader.CLASSES)
    images, labels = ship_reader.hard_ones(model, (mnist.images[:50], mnist.labels[:50]))
    assert (model.predict(images) != labels).all()
    assert len(images) == (model.predict(mnist.images[:50]) != mnist.labels[:50]).sum() > 0


def test_the_eleventh_class_becomes_the_detector(mnist):
    digits = ship_reader.with_redrawn(mnist[:300], 0)
    images, labels = ship_reader.with_negatives(digits, 0)
    assert (labels[:300] == mnist.labels[:300]).all()
    assert (labels[300:600] == mnist.labels[:300]).all()
    assert (images[:300] != images[300:600]).any(axis=(1, 2)).mean() > 0.9
    assert (labels[600:] == NOT_A_DIGIT).all()
    assert 100 < len(labels) - 600 <= 330  # as many as half of the digits, and noise
    assert (np.abs(np.diff(images[-30:].astype(int))) > 0).mean() > 0.1
    eleven = Model.untrained(get_network("4x5p,6x3", 11), 0, ship_reader.CLASSES)
    model = ship_reader.with_rejection_output(eleven, [(images, labels)])
    assert isinstance(model.ood_detector, RejectionOutput)
    assert (model.network.classes, model.class_names) == (10, tuple("0123456789"))
    np.testing.assert_allclose(
        model.probabilities(images[:5]).argmax(axis=1), eleven.probabilities(images[:5])[:, :10].argmax(axis=1)
    )
    again = ship_reader.with_eleven_classes(with_temperature(model, 2.0))
    assert (again.network, again.class_names) == (eleven.network, eleven.class_names)
    for name, values in eleven.params.items():
        np.testing.assert_allclose(again.params[name], values, rtol=1e-5, atol=1e-7)
