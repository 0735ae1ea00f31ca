"""No ink is dropped and none is invented: shadows, pale pens, strokes across lines, and what is left out of a line."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inksight.nn.model_file import load_model
from inksight.reading.binarization import binarize
from inksight.reading.components import find_components
from inksight.reading.joined_lines import cut_between_lines
from inksight.reading.reader import read
from inksight.reading.segmentation import segment
from inksight.reading.shadow_edges import find_shadow_edges

PAPER, INK = 240.0, 40.0


def page_of(mnist, rows, *, zoom=3, lead=50, margin=60, inks=(INK,), same_in_row=False):
    """Return a gray page with rows of so many of MNIST's test digits, and its text.

    Each digit has the next of some inks, or each row.
    """
    side = 28 * zoom
    page = np.full((2 * margin + len(rows) * (side + lead) - lead, 2 * margin + max(rows) * side), PAPER)
    lines, number = [], 60_000
    for row, count in enumerate(rows):
        for column in range(count):
            ink = mnist.images[number + column].repeat(zoom, axis=0).repeat(zoom, axis=1) / 255
            top, left = margin + row * (side + lead), margin + column * side
            part = page[top : top + side, left : left + side]
            part[...] = part * (1 - ink) + inks[(row if same_in_row else column) % len(inks)] * ink
        lines.append("".join(map(str, mnist.labels[number : number + count])))
        number += count
    return page, "\n".join(lines)


def shaded(page, center, radii, depth, softness):
    """Return a page with an elliptic shadow; center and radii are shares of the page's height and width."""
    rows, columns = (np.arange(length)[:, None] / length for length in page.shape)
    distance = np.hypot((rows - center[0]) / radii[0], ((columns - center[1]) / radii[1]).T)
    return page * (1 - depth / (1 + np.exp(np.clip((distance - 1) / softness, -50, 50))))


@pytest.mark.parametrize("rows", [(4,), (5, 3)])
@pytest.mark.parametrize(
    ("center", "radii", "depth", "softness"),
    [
        ((1.0, 0.9), (0.6, 0.4), 0.55, 0.006),
        ((0.1, 0.9), (0.16, 0.21), 0.66, 0.016),
        ((0.9, 0.1), (0.44, 0.3), 0.5, 0.01),
        ((0.5, 1.0), (0.4, 0.4), 0.6, 0.03),
        ((1.0, 0.5), (0.3, 0.6), 0.4, 0.05),
    ],
)
def test_a_shadow_is_not_ink_and_hides_none(rows, center, radii, depth, softness, mnist, rng):
    page, text = page_of(mnist, rows)
    photo = shaded(page, center, radii, depth, softness) + rng.normal(0, 2, page.shape)
    assert read(np.clip(photo, 0, 255).astype(np.uint8)).text == text


@pytest.mark.parametrize("zoom", [1, 2])
def test_a_single_digit_beside_a_shadow_is_read(zoom, mnist):
    page, text = page_of(mnist, (1,), zoom=2, margin=150)
    photo = shaded(page, (0.9, 0.2), (0.25, 0.2), 0.4, 0.02)
    assert read(photo.repeat(zoom, axis=0).repeat(zoom, axis=1).astype(np.uint8)).text == text


def test_ink_across_the_edge_of_a_shadow_is_ink():
    darkness, regions = np.full((40, 60), 0.1), np.zeros((40, 60), np.int32)
    darkness[:, 30:] = 0.6
    regions[18:22, 10:50] = 1
    darkness[regions == 1] = 0.9
    boxes, everywhere = np.array([[10, 18, 50, 22]]), np.ones((40, 60), bool)
    assert not find_shadow_edges(darkness, regions, boxes, everywhere).any()
    regions[:] = 0
    regions[5:35, 30:33] = 1
    assert find_shadow_edges(darkness, regions, np.array([[30, 5, 33, 35]]), everywhere).all()


@pytest.mark.parametrize("pale", [120.0, 150.0, 185.0])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_pencil_beside_a_pen_is_read(pale, inverted, mnist):
    page, text = page_of(mnist, (6,), inks=(INK, pale))
    assert read((255 - page if inverted else page).astype(np.uint8)).text == text


@pytest.mark.parametrize("pale", [120.0, 150.0, 175.0])
@pytest.mark.parametrize("order", ["dark first", "pale first", "pale between"])
def test_a_line_in_pencil_among_lines_in_pen_is_read(pale, order, mnist, rng):
    inks = {"dark first": (INK, pale), "pale first": (pale, INK), "pale between": (INK, pale, INK)}[order]
    page, text = page_of(mnist, (3, 3, 2)[: len(inks)], inks=inks, same_in_row=True)
    assert read(np.clip(page + rng.normal(0, 3, page.shape), 0, 255).astype(np.uint8)).text == text


def test_a_smudge_is_not_pale_ink(mnist):
    page, text = page_of(mnist, (4,), margin=120)
    rows, columns = np.indices(page.shape)
    for x, y in ((60, 60), (300, 270), (500, 100)):
        page -= 50 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 400)
    assert read(page.astype(np.uint8)).text == text


@pytest.mark.parametrize("column", [1, 2, 3])
@pytest.mark.parametrize("lead", [20, 40])
def test_a_stroke_into_the_next_line_hides_no_digit(column, lead, mnist):
    page, text = page_of(mnist, (5, 5), lead=lead)
    picture = Image.fromarray(page.astype(np.uint8))
    x, top = 60 + column * 84 + 42, 60 + 84
    ImageDraw.Draw(picture).line([(x, top - 34), (x - 3, top + lead + 30)], fill=int(INK), width=6)
    lines = read(picture).text.split("\n")
    assert len(lines) == 2
    assert all(len(line) >= 5 for line in lines)  # a long stroke between the lines may be a digit 1 of its own
    for line, written in zip(lines, text.split("\n"), strict=True):
        assert line.startswith(written[:column])
        assert line.endswith(written[column + 1 :])


def test_only_what_reaches_into_two_lines_is_cut():
    boxes = np.array([(0, 0, 10, 40), (20, 0, 30, 100), (40, 60, 50, 100)])
    regions = np.zeros((100, 60), np.int32)
    for number, (left, top, right, bottom) in enumerate(boxes, 1):
        regions[top:bottom, left:right] = number
    assert cut_between_lines(regions.copy(), boxes) == 1
    assert cut_between_lines(regions.copy(), boxes[:2]) == 0  # one line, with a tall digit
    boxes[2] = (40, 0, 50, 40)
    assert cut_between_lines(regions.copy(), boxes) == 0


def test_a_piece_as_high_as_the_digits_that_is_left_out_is_rejected(mnist):
    page, text = page_of(mnist, (6,))
    (found,) = segment(page / 255, load_model("small").probabilities)
    number = min(range(6), key=lambda i: max(found.digits[i].box[2:]))  # the smallest costs least to skip

    def classifier(images):
        """Give one digit a probability of 0, so that it is skipped, and all others a high one."""
        probabilities = np.tile(np.r_[0.999, np.full(9, 1e-4)], (len(images), 1))
        probabilities[[np.array_equal(image, found.digits[number].image) for image in images]] = 0.0
        return probabilities

    (line,) = segment(page / 255, classifier)
    assert [digit.problem for digit in line] == ["not a digit" if i == number else "" for i in range(len(text))]
    assert [digit.box for digit in line] == [digit.box for digit in found]
    left, top, width, height = line.digits[number].box
    ink = page < (PAPER + INK) / 2
    share = ink[top : top + height, left : left + width].sum() / ink.sum()
    assert found.explained == 1.0
    assert line.explained == pytest.approx(1 - share, abs=0.01)


@pytest.mark.parametrize("visible", [0.5, 0.7])
def test_a_digit_cut_off_by_the_edge_of_the_picture_does_not_vanish(visible, mnist):
    page, text = page_of(mnist, (5, 5))
    ink = np.flatnonzero((page[194:278, 60 + 4 * 84 :] < 120).any(axis=0))  # of the last digit of the second line
    edge = 60 + 4 * 84 + int(ink[0] + visible * np.ptp(ink))
    page = np.pad(page[144:, :edge], [(60, 0), (0, 0)], constant_values=PAPER)
    found = read(page.astype(np.uint8))
    assert found.text.startswith(text.split("\n")[1][:3])
    assert len(found) == 5 or found.confidence < 0.95


def test_a_large_photo_is_read_with_boxes_in_its_own_pixels(mnist):
    page, text = page_of(mnist, (4, 3))
    large = Image.fromarray(page.astype(np.uint8)).resize((3 * 1001, 3 * 877), Image.Resampling.BILINEAR).convert("RGB")
    small = large.reduce(2)
    found, reduced = read(large), read(small)
    assert found.text == reduced.text == text
    for digit, other in zip(found, reduced, strict=True):
        np.testing.assert_array_equal(digit.box, 2 * np.array(other.box))
        left, top, width, height = digit.box
        assert left + width <= large.width
        assert top + height <= large.height
    assert found.block == 4
    assert found.picture.shape == (658, 751)


def test_components_of_an_empty_page():
    regions, groups, _, dropped = find_components(binarize(np.ones((60, 80))))
    assert not regions.any()
    assert groups == []
    assert dropped == []
