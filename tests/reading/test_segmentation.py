"""Segmentation: digits are found on pages, in reading order, and dirt, lines and tables are not taken for digits."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image
from scipy import ndimage

from benchmarks import page_reading
from benchmarks.synthetic import ink, pages
from inksight.nn.model_file import load_model
from inksight.reading.binarization import _Tiles, binarize
from inksight.reading.reader import read
from inksight.reading.ruled_lines import find_ruled_lines, open_rows
from inksight.reading.segmentation import segment
from inksight.reading.text_lines import group_into_lines


@pytest.fixture(scope="module")
def network():
    return load_model("small")


@pytest.fixture(scope="module")
def clear(mnist, network):
    """Several MNIST digits of each class that the network is sure of, without margins; ink 0..1."""
    images, labels = mnist.images[:2000], mnist.labels[:2000]
    sure = network.probabilities(images)[np.arange(2000), labels] > 0.999
    found = {}
    for digit in range(10):
        found[str(digit)] = [
            np.asarray(Image.fromarray(image).crop(Image.fromarray(image).getbbox())) / 255
            for image in images[sure & (labels == digit)][:6]
        ]
    return found


def page_of(texts, clear, *, size=60, gap=14, ink=0.15, rng=None):
    """Draw lines of digits on white; return the brightness and the digits' boxes, line by line."""
    rng = rng or np.random.default_rng(0)
    page = np.ones((60 + (size + 50) * len(texts), 80 + max(map(len, texts)) * (size + gap)))
    boxes = []
    for row, text in enumerate(texts):
        left, placed = 40, []
        for digit in text:
            image = clear[digit][rng.integers(len(clear[digit]))]
            large = np.clip(ndimage.zoom(image, size / 20, order=1), 0, 1)
            tall, wide = large.shape
            top = 40 + row * (size + 50) + size - tall
            part = page[top : top + tall, left : left + wide]
            part[...] = np.minimum(part, 1 - (1 - ink) * large)
            placed.append((left, top, wide, tall))
            left += wide + gap
        boxes.append(placed)
    return page, boxes


def texts_of(page, network, **options):
    return read(page, network, **options).text.split("\n")


@pytest.mark.parametrize("texts", [["2026"], ["314", "15926", "53"], ["10", "01"]])
def test_digits_are_found_where_they_are_drawn(texts, clear, network):
    page, boxes = page_of(texts, clear)
    found = segment(page, network.probabilities)
    assert [len(line) for line in found] == [len(text) for text in texts]
    for line, placed in zip(found, boxes, strict=True):
        for digit, box in zip(line, placed, strict=True):
            assert np.abs(np.array(digit.box) - box).max() <= 4
            assert digit.dark
    assert texts_of(page, network) == texts
    assert texts_of(1 - page, network) == texts
    pages = list(read([page, 1 - page, page], network))
    assert [each.text for each in pages] == ["\n".join(texts)] * 3
    assert [reading.line for reading in pages[0]] == [row for row, text in enumerate(texts) for _ in text]


@pytest.mark.parametrize("angle", [-7, -3, 3, 7])
def test_a_page_held_askew_is_read_in_the_same_order(angle, clear, network):
    texts = ["4071", "25863"]
    page, _ = page_of(texts, clear, size=50)
    assert texts_of(np.clip(ndimage.rotate(page, angle, cval=1.0, order=1), 0, 1), network) == texts


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("slope", [0.0, 0.05, -0.12])
def test_ruled_lines_are_removed(slope, across, clear, network, rng):
    texts = ["60219", "8475"]
    page, _ = page_of(texts, clear, rng=rng)
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    position = rows - slope * columns if across else columns + slope * rows
    lined = np.minimum(page, np.where(position % 37 < 2, 0.6, 1.0))
    assert texts_of(lined, network) == texts
    strong = np.where(position % 37 < 2, 0.1, 1.0)
    found = find_ruled_lines(strong < 0.5)
    assert found[strong < 0.5].mean() > 0.8


def test_rows_are_opened_as_by_scipy(rng):
    for length in range(1, 25):
        mask = rng.random((40, 60 // length + 9)) < 1 - 0.5 / length
        np.testing.assert_array_equal(open_rows(mask, length), ndimage.binary_opening(mask, np.ones((1, length))))


def test_the_quantile_of_tiles_is_that_of_their_pixels(rng):
    tiles = _Tiles(rng.random((3, 4)), np.array([2, 3, 2]), np.array([5, 4, 5, 4]))
    pixels = tiles.expanded()
    assert pixels.shape == (7, 18)
    assert (pixels[2:5, 5:9] == tiles.values[1, 1]).all()
    for share in (0.1, 0.37, 1.0):
        assert tiles.quantile(share) == np.quantile(pixels, share, method="inverted_cdf")


def test_shading_shadows_and_noise_change_nothing(clear, network, rng):
    texts = ["1803", "5297"]
    page, _ = page_of(texts, clear)
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    slope = 1 - 0.5 * columns / page.shape[1]
    shadow = np.where(rows + 0.5 * columns < 200, 1.0, 0.5)
    noise = rng.normal(0, 0.02, page.shape)
    for light in (slope, shadow, slope * shadow):
        assert texts_of(np.clip(page * light + noise, 0, 1), network) == texts


def test_dirt_and_a_table_are_not_digits(clear, network, rng):
    texts = ["396", "4150"]
    page, _ = page_of(texts, clear)
    for _ in range(15):
        y, x = rng.integers(0, page.shape[0] - 3), rng.integers(0, page.shape[1] - 3)
        page[y : y + 3, x : x + 3] = 0.3
    around = np.pad(page, 30, constant_values=0.25)
    assert texts_of(page, network) == texts
    assert texts_of(around, network) == texts


def test_a_grainy_table_around_a_page_is_not_writing(clear, network, rng):
    texts = ["3964", "7150"]
    page, _ = page_of(texts, clear)
    around = np.pad(page, 50, constant_values=0.0)
    coarse = rng.random([length // 5 + 1 for length in around.shape])
    wood = 0.5 + 0.2 * ndimage.zoom(coarse, 5, order=1)[: around.shape[0], : around.shape[1]]
    around = np.where(np.pad(np.ones(page.shape, bool), 50), around, wood)
    assert texts_of(around, network) == texts
    assert texts_of(np.clip(around - 0.35, 0, 1), network) == texts


def test_a_white_page_on_a_dark_table_is_not_ink(clear, network):
    page, _ = page_of(["725482"], clear)
    around = np.pad(page, 70, constant_values=0.1)
    assert texts_of(around, network) == ["725482"]


def test_digits_that_touch_are_cut(clear, network):
    texts = ["6086"]
    page, _ = page_of(texts, clear, gap=-3)
    assert ndimage.label(page < 0.6, np.ones((3, 3)))[1] < 4
    assert texts_of(page, network) == texts


def test_a_broken_stroke_is_joined(clear, network):
    texts = ["8523"]
    page, boxes = page_of(texts, clear)
    left, top, wide, tall = boxes[0][1]
    page[top + tall // 3 : top + tall // 3 + 4, left : left + wide] = 1.0
    assert ndimage.label(page < 0.6, np.ones((3, 3)))[1] > 4
    assert texts_of(page, network) == texts


def test_a_single_digit_is_prepared_as_with_single(mnist, network):
    same = []
    for image in mnist.images[:40]:
        large = np.kron(255 - image, np.ones((5, 5), np.uint8))
        page, single = read(large, network), read(large, network, single=True)
        assert len(single) == 1
        same.append(len(page) == 1 and np.array_equal(page[0].image, single[0].image))
    assert sum(same) >= 39  # a 5 much wider than high may be cut in two


def test_an_empty_page_gives_one_refusal(network, rng):
    for empty in (np.ones((300, 400)), np.clip(rng.normal(0.8, 0.004, (300, 400)), 0, 1)):
        page = read(empty, network)
        assert page.text == "?"
        assert page.reason in ("blank", "faint", "small")
        assert page[0].box == (0, 0, 0, 0)


@pytest.mark.parametrize("shape", [(700, 900), (1300, 1100)])
def test_noise_takes_bounded_work(shape, network, rng):
    batch_sizes = []

    def counting_classifier(images):
        batch_sizes.append(len(images))
        return network.probabilities(images)

    page = rng.integers(0, 2, shape).astype(np.float64)
    segment(page, counting_classifier)
    segment(np.clip(rng.normal(0.7, 0.1, shape), 0, 1), counting_classifier)
    assert sum(batch_sizes) <= 20_000


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 300), width=st.integers(1, 300), kind=st.sampled_from(["noise", "binary", "flat", "bars"]),
    seed=st.integers(0, 2**31), invert=st.sampled_from([None, True, False]),
)  # fmt: skip
def test_boxes_lie_within_any_picture(height, width, kind, seed, invert, network):
    rng = np.random.default_rng(seed)
    gray = {
        "noise": rng.random((height, width)), "binary": ndimage.median_filter(rng.random((height, width)), 5).round(),
        "flat": np.full((height, width), rng.random()), "bars": np.tile(rng.random(width) > 0.8, (height, 1)) * 1.0,
    }[kind]  # fmt: skip
    for line in segment(gray, network.probabilities, invert=invert):
        for digit in line:
            left, top, wide, tall = digit.box
            assert 0 <= left < left + wide <= width
            assert 0 <= top < top + tall <= height
            assert digit.image.shape == (28, 28)
            assert digit.image.any()


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=5), slope=st.floats(-0.1, 0.1), seed=st.integers(0, 2**31)
)
def test_boxes_are_grouped_in_reading_order(counts, slope, seed):
    rng = np.random.default_rng(seed)
    boxes, line_of = [], []
    for row, count in enumerate(counts):
        for i in range(count):
            x = 30 * i + rng.uniform(-3, 3)
            boxes.append((x, 60 * row + slope * x + rng.uniform(-3, 3), 20, 30 + rng.uniform(-3, 3)))
            line_of.append(row)
    order = rng.permutation(len(boxes))
    found = group_into_lines(np.array(boxes)[order])
    assert [[line_of[order[i]] for i in line] for line in found] == [[row] * count for row, count in enumerate(counts)]
    assert [order[i] for line in found for i in line] == list(range(len(boxes)))


def test_polarity_is_detected_or_given(clear):
    page, _ = page_of(["77", "31"], clear)
    assert binarize(page).dark
    assert not binarize(1 - page).dark
    assert not binarize(page, invert=True).dark


def test_composed_photos_are_the_same_for_the_same_seed(mnist):
    digits = mnist[:500]
    photo, again = pages.compose(digits, 7), pages.compose(digits, 7)
    np.testing.assert_array_equal(photo.image, again.image)
    assert photo.lines == again.lines
    assert photo.image.dtype == np.uint8
    assert ink.DIGIT_COUNT[0] <= sum(map(len, photo.lines)) <= ink.DIGIT_COUNT[1]
    assert abs(photo.skew) <= pages.MAX_SKEW


def test_most_lines_of_composed_photos_are_read(mnist):
    correct = []
    for seed in range(12):
        photo = pages.compose(mnist[:5000], seed)
        correct += page_reading.lines_right(photo.lines, tuple(read(photo.image).text.split("\n")))
    assert np.mean(correct) > 0.75


def test_the_benchmark_reads_a_photo_with_and_without_refusals(mnist, network):
    result = page_reading.read_photo(pages.compose(mnist[:500], 9), network)
    assert list(map(len, result.read)) == list(map(len, result.accepted)) == list(map(len, result.photo.lines))
    assert "?" not in "".join(result.accepted)


def test_the_benchmark_counts_lines_strictly():
    assert page_reading.lines_right(("12", "345"), ("12", "34?")) == [True, False]
    assert page_reading.lines_right(("12", "345"), ("12",)) == [False, False]
    assert page_reading.digits_right(("12", "345"), ("13", "345")) == [True, False, True, True, True]
    assert page_reading.digits_right(("12",), ("123",)) == [False, False]


@pytest.mark.parametrize("height", [14, 18, 22])
def test_no_digit_of_a_small_line_vanishes(height, mnist):
    """Thin strokes of a few gray pixels beside a bold one."""
    picked = (60_002, 60_008, 60_015, 60_023)
    page = np.full((height + 16, 4 * (height + 8) + 8), 234.0)
    for i, number in enumerate(picked):
        ink = np.asarray(Image.fromarray(mnist.images[number]).resize((height, height), Image.Resampling.BICUBIC)) / 255
        at = (slice(8, 8 + height), slice(8 + i * (height + 8), 8 + i * (height + 8) + height))
        page[at] *= 1 - (0.9 if i == 0 else 0.6) * ink
    assert read(page.astype(np.uint8)).text == "".join(str(mnist.labels[number]) for number in picked)


def test_boxes_on_a_small_page_are_in_its_own_pixels():
    page = np.full((30, 60), 255, np.uint8)
    page[6:24, 10:13] = page[8:26, 40:43] = 0
    for digit, (left, top, width, height) in zip(read(page), [(10, 6, 3, 18), (40, 8, 3, 18)], strict=True):
        np.testing.assert_allclose(digit.box, (left, top, width, height), atol=1)
