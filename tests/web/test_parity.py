"""What the page computes is what Python computes: prepared pixels, every stage, rejections, evidence, strokes."""

import json
from pathlib import Path

import numpy as np
import pytest
from pages import CHROMIUM

import inksight
from inksight import Strokes
from inksight.imaging.grayscale import to_grayscale
from inksight.imaging.preprocessing import prepare_grayscale
from inksight.imaging.strokes import rasterize
from inksight.inspection.ablation import without_filters
from inksight.inspection.barcodes import average_barcodes
from inksight.nn.ood import ood_score
from inksight.reading.classification import FoundDigit, readings_of
from inksight.web.settings import IMAGES_PER_CLASS

from .conftest import decoded, encoded

VECTORS = json.loads((Path(__file__).parents[1] / "imaging" / "vectors" / "prepare.json").read_text())
COUNT = 1000
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")


@pytest.fixture(scope="module")
def images(mnist):
    test = mnist.split().test
    assert test is not None
    return test.images[:COUNT]


@pytest.fixture(scope="module")
def computed(modules, images):
    """The stages of the test images, and their margins of rejection."""
    return modules("predict", images=encoded(images), count=COUNT)


def test_every_stage_of_a_thousand_images_agrees(computed, post, images):
    stages = post.activations(images)
    assert computed["stages"].keys() == stages.keys()
    for name, expected in stages.items():
        values = decoded(computed["stages"][name], np.float32).reshape(expected.shape)
        scale = max(float(np.abs(expected).max()), 1)
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5 * scale, err_msg=name)


def test_the_same_images_are_rejected(computed, post, images):
    expected = ood_score(post, images) - post.ood_detector.threshold
    np.testing.assert_allclose(decoded(computed["margins"], np.float64), expected, rtol=0, atol=1e-4)


def test_pictures_are_prepared_to_the_last_bit(modules):
    pictures = [{name: vector[name] for name in ("height", "width", "picture")} for vector in VECTORS]
    found = modules("prepare", pictures=pictures)
    assert len(found) == len(VECTORS) >= 6
    for vector, one in zip(VECTORS, found, strict=True):
        gray = decoded(vector["picture"], np.uint8).reshape(vector["height"], vector["width"]) / 255
        expected = prepare_grayscale(gray)
        assert one["image"] == vector["image"] == encoded(expected.image)
        assert (one["gray"], one["ink"]) == (encoded(expected.grayscale), encoded(expected.ink))
        assert (one["height"], one["width"]) == expected.grayscale.shape
        assert (tuple(one["box"]), one["dark"], one["problem"]) == (expected.box, expected.dark, expected.problem)
        assert one["ambiguous"] == expected.polarity_ambiguous


def drawings():
    """Drawings of several kinds: digits, a dot, a scribble, thick and thin, and none."""
    rng = np.random.default_rng(0)
    seven = [[(300, 250), (690, 240), (560, 480), (430, 790)]]
    angles = np.linspace(0, 2 * np.pi, 40)
    zero = [np.stack([500 + 190 * np.cos(angles), 500 + 290 * np.sin(angles)], axis=1).round().tolist()]
    scribble = rng.integers(0, 1001, (3, 30, 2)).tolist()
    return [
        (seven, 110), (seven, 220), (zero, 90), (zero, 30), (scribble, 60), ([[(400, 400)]], 100), ([], 110),
        ([[(500, 200), (490, 800)], [(20, 30), (25, 30)]], 70),
        ([[(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]], 200),
    ]  # fmt: skip


def test_drawings_are_rasterized_to_the_last_bit_and_answered_as_by_python(modules, post):
    reasons = set()
    for (lines, width), found in zip(drawings(), modules("answer", drawings=drawings()), strict=True):
        sheet = rasterize(Strokes(lines, width=width))
        assert (found["height"], found["width"]) == sheet.shape
        assert found["sheet"] == encoded(sheet)
        prepared = inksight.prepare(Strokes(lines, width=width))
        (reading,) = readings_of([FoundDigit(prepared, 0, False, None)], post, accept_all=False)
        assert found["image"] == encoded(reading.image)
        assert found["reason"] == reading.reason
        assert (None if found["reason"] else str(found["digit"])) == reading.digit
        assert found["confidence"] == pytest.approx(reading.confidence, abs=1e-5)
        reasons.add(reading.reason)
    assert {"", "blank", "not a digit"} <= reasons


def test_pixels_become_brightness_as_in_python(modules):
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (20, 30, 4), np.uint8)
    opaque = photo.copy()
    opaque[..., 3] = 255
    white_ink = np.zeros((40, 30, 4), np.uint8)
    white_ink[8:30, 10:14] = 255
    mixed_ink = white_ink.copy()
    mixed_ink[30:34, 4:22] = (0, 0, 0, 255)
    pictures = [photo, opaque, white_ink, mixed_ink]
    given = [{"data": encoded(p), "height": p.shape[0], "width": p.shape[1]} for p in pictures]
    for picture, found in zip(pictures, modules("brightness", given=given), strict=True):
        np.testing.assert_allclose(
            decoded(found, np.float64).reshape(picture.shape[:2]), to_grayscale(picture), rtol=0, atol=1e-15
        )


def test_a_value_written_out_is_the_value_of_the_feature_map(modules, post, images):
    """Every position of some filters of every bank: convolution, pooling, bias and leaky ReLU."""
    differences = modules("explain", image=encoded(images[0]))
    scales = [float(np.abs(post.activations(images[0])[f"bank{number}"]).max()) for number in (1, 2, 3)]
    assert len(differences) == 3
    for difference, scale in zip(differences, scales, strict=True):
        assert difference < 1e-5 * max(scale, 1)


def test_evidence_agrees_and_its_sum_is_exact(modules, post, mnist, images):
    means = average_barcodes(post, mnist.split().train, IMAGES_PER_CLASS)
    barcodes = post.barcodes(images[:5])
    wanted = [inksight.evidence(post, image, means) for image in images[:5]]
    cases = [(barcode.tolist(), one.predicted, one.against) for barcode, one in zip(barcodes, wanted, strict=True)]
    for one, found in zip(wanted, modules("evidence", cases=cases), strict=True):
        np.testing.assert_allclose(found["values"], one.values, rtol=0, atol=1e-5)
        assert found["margin"] == pytest.approx(one.margin, abs=1e-5)
        assert sum(found["values"]) == pytest.approx(found["margin"] - found["baselineMargin"], abs=1e-9)


def test_a_filter_that_is_switched_off_is_a_map_of_zeros(modules, post, images):
    found = modules("switchOff", images=encoded(images[:50]), off=["1.5", "1.9", "3.0"], count=50)
    expected = without_filters(post, {1: [5, 9], 3: [0]}).probabilities(images[:50])
    np.testing.assert_allclose(decoded(found, np.float32).reshape(expected.shape), expected, rtol=0, atol=1e-5)
    assert np.abs(expected - post.probabilities(images[:50])).max() > 0.01


def test_a_changed_weight_is_that_of_its_row_column_and_channel(modules, post):
    kernel = post.filters(2)  # (filters, channels, k, k)
    changed, other = modules("changeWeight", key="2.7.3.11", value=0.75)
    expected = kernel[7, 3].ravel().copy()
    expected[11] = 0.75
    np.testing.assert_allclose(changed, expected, rtol=0, atol=0)
    np.testing.assert_allclose(other, kernel[7, 4].ravel(), rtol=0, atol=0)


def test_strokes_are_erased_within_the_circle_and_nowhere_else(modules):
    line = [[0, 500], [1000, 500]]
    cases = [
        ([line], [500, 500], 100), ([line], [500, 700], 100), ([line], [0, 500], 50), ([line], [500, 500], 900),
        ([[[10, 10]], [[90, 90]]], [0, 0], 20), ([[[0, 0], [100, 0], [100, 100]]], [100, 0], 10),
        ([[[5, 5], [5, 5], [50, 5]]], [200, 200], 10),
    ]  # fmt: skip
    assert modules("erase", cases=cases) == [
        [[[0, 500], [400, 500]], [[600, 500], [1000, 500]]], [line], [[[50, 500], [1000, 500]]], [],
        [[[90, 90]]], [[[0, 0], [90, 0]], [[100, 10], [100, 100]]], [[[5, 5], [5, 5], [50, 5]]],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "-", "zz", "zzzz", "0a0", "0a0b-", "0A0B", "<img>", "0a0b" * 20_001, "0a0b\n0a0b"]
)
def test_damaged_strokes_of_a_link_are_none(modules, text):
    assert modules("decodeStrokes", text=text) == []


def test_a_link_holds_the_whole_state(modules):
    lines = [[[0, 0], [1000, 1000], [35, 36]], [[500, 1]]]
    assert modules("followLink", lines=lines) == {
        "model": "abc", "pen": 90, "lines": lines, "language": "de", "tour": 4,
        "selected": {"bank": 2, "filter": 5, "channel": 1, "place": 33},
        "off": ["1.3", "2.0"], "weights": [["1.0.0.12", -0.5], ["3.1.2.8", 1e-7]],
    }  # fmt: skip
