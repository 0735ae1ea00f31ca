"""Pictures of one sign with clutter around it, as they are cut out of forms, grids and photos.

The sign is a digit, handwritten or printed, or something that is not a digit: a letter, several digits, half a digit, a
sign, a scribble, a texture, or nothing. The same clutter is around all of them: pieces of frames, ruled and squared
paper, patterns, dots, commas, dashes, underlines, slices of neighbours.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from benchmarks.synthetic.fonts import draw_text
from benchmarks.synthetic.noise import Array, smooth_noise
from benchmarks.synthetic.non_digits import drawn_sign, scribble, texture
from inksight.data.dataset import Dataset

NOT_A_DIGIT = 10  # label
SIDES = (28, 128)  # pixels: range of the sides of a picture
LOW_RESOLUTION_SHARE, LOWEST_SIDE = 0.12, 8  # of the pictures that are reduced further; pixels
# Letters and signs that many people or fonts write like a digit are left out: nobody can reject them and accept it.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrtuvwxyzABBBCDDDEFGGGHJJZ"
SIGNS = "$€£%&#@*+-=?!~^:;.,()[]{}<>§"
IS_INK = [255 * (value > 60) for value in range(256)]
PRINTED_SHARE = 0.5  # of the digits
NARROW_SHARE = 0.2  # of the handwritten digits
SQUEEZE = (0.35, 1.0)  # natural logarithm of the factor by which they are narrower
MIN_I_ASPECT = 0.4  # width / height: a capital I with serifs, which is not a 1
# What a picture shows if it is not one digit, and how often.
OTHERS = {
    "letter": 0.4, "sign": 0.07, "drawn": 0.08, "scribble": 0.12, "texture": 0.05, "blank": 0.06, "several": 0.15,
    "part": 0.07,
}  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """What signs are drawn from: handwritten digits, and fonts."""

    digits: Dataset
    fonts: list[Path]


@dataclass(frozen=True)
class Crop:
    """A picture and what it shows.

    Parameters
    ----------
    picture : (height, width) float64, 0..1
        Brightness.
    label : int
        0 to 9, or `NOT_A_DIGIT`.
    """

    picture: Array
    label: int


def draw_crop(sources: Sources, digit_share: float, rng: np.random.Generator) -> Crop:
    """Draw a picture; it shows a digit with a probability of `digit_share`."""
    side = int(np.exp(rng.uniform(*np.log(SIDES))))
    width, height = side, max(int(side * rng.choice([1, rng.uniform(0.75, 1.35)])), 24)
    if rng.random() < digit_share:
        label = int(rng.integers(10))
        sign: Image.Image | None = _digit(sources, label, rng)
    else:
        label, kind = NOT_A_DIGIT, str(rng.choice(list(OTHERS), p=list(OTHERS.values())))
        if kind == "texture":
            return Crop(_resized(texture(rng), (width, height)), label)
        sign = None if kind == "blank" else _other(kind, sources, rng)
    ink = Image.new("L", (width, height))
    if sign is not None:
        _place(sign, ink, label, rng)
    lines = _lines(width, height, sign is None, rng)
    picture = _expose(np.asarray(ink) / 255, lines, rng)
    if rng.random() < LOW_RESOLUTION_SHARE:
        small = [
            max(int(length * LOWEST_SIDE / min(picture.shape) * rng.uniform(1, 2.5)), 8) for length in (width, height)
        ]
        picture = _resized(picture, (small[0], small[1]))
    return Crop(picture, label)


def _resized(picture: Array, size: tuple[int, int]) -> Array:
    """Return a picture with another width and height."""
    return np.asarray(Image.fromarray(np.uint8(255 * picture)).resize(size, Image.Resampling.BOX)) / 255


def _digit(sources: Sources, label: int, rng: np.random.Generator) -> Image.Image:
    """Draw one digit as a mask, high = ink."""
    if rng.random() < PRINTED_SHARE:
        return _bend(_printed(str(label), sources, rng), rng)
    mask = _handwritten(sources, label, rng)
    if rng.random() < NARROW_SHARE:
        mask = mask.resize((int(mask.width * np.exp(-rng.uniform(*SQUEEZE))), mask.height), Image.Resampling.BILINEAR)
    return _bend(mask, rng)


def _handwritten(sources: Sources, label: int, rng: np.random.Generator) -> Image.Image:
    labels = sources.digits.require_labels("drawing digits")
    while labels[row := rng.integers(len(labels))] != label:
        pass
    return Image.fromarray(sources.digits.images[row]).resize((96, 96), Image.Resampling.BICUBIC)


def _printed(text: str, sources: Sources, rng: np.random.Generator) -> Image.Image:
    """Draw text in a random font that has it; sometimes hollow, thinner or bolder."""
    while True:
        path = sources.fonts[rng.integers(len(sources.fonts))]
        try:
            mask, style = draw_text(path, text), rng.random()
            if style > 0.25:
                return mask
            stroke = int(rng.integers(1, 4))
            bold = draw_text(path, text, stroke)
            if style < 0.06:  # hollow: the outline alone
                bold.paste(0, (stroke, stroke), mask)
            return bold
        except (OSError, ValueError):
            continue


def _other(kind: str, sources: Sources, rng: np.random.Generator) -> Image.Image:
    """Draw something that is not one digit."""
    if kind == "letter":
        letter = str(rng.choice(list(LETTERS))) if rng.random() < 0.95 else "I"
        mask = _printed(letter, sources, rng)
        left, top, right, bottom = mask.getbbox() or (0, 0, 1, 1)
        if letter == "I" and right - left < MIN_I_ASPECT * (bottom - top):
            mask = _printed("A", sources, rng)
        return _bend(mask, rng)
    if kind == "sign":
        return _bend(_printed(str(rng.choice(list(SIGNS))), sources, rng), rng)
    if kind in ("drawn", "scribble"):
        draw = drawn_sign if kind == "drawn" else scribble
        return Image.fromarray(np.uint8(255 * (1 - draw(rng))))
    if kind == "several":
        if rng.random() < 0.5:
            return _bend(_printed("".join(map(str, rng.integers(0, 10, rng.integers(2, 4)))), sources, rng), rng)
        first, second = (_trimmed(_handwritten(sources, int(rng.integers(10)), rng)) for _ in range(2))
        gap = int(rng.integers(-6, 16))
        pair = Image.new("L", (first.width + second.width + max(gap, 0), max(first.height, second.height)))
        pair.paste(first, (0, int(rng.integers(0, pair.height - first.height + 1))))
        x, y = first.width + gap, int(rng.integers(0, pair.height - second.height + 1))
        pair.paste(ImageChops.lighter(pair.crop((x, y, x + second.width, y + second.height)), second), (x, y))
        return pair
    whole = _trimmed(_digit(sources, int(rng.choice([0, 2, 3, 4, 5, 6, 8, 9])), rng))
    share = rng.uniform(0.3, 0.6)
    if rng.random() < 0.7:
        start = 0 if rng.random() < 0.5 else int(whole.width * (1 - share))
        return whole.crop((start, 0, start + max(int(whole.width * share), 3), whole.height))
    start = 0 if rng.random() < 0.5 else int(whole.height * (1 - share))
    return whole.crop((0, start, whole.width, start + max(int(whole.height * share), 3)))


def _trimmed(mask: Image.Image) -> Image.Image:
    return mask.crop(mask.point(IS_INK).getbbox() or (0, 0, 8, 8))


def _bend(mask: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Rotate, slant and stretch a mask, slightly; sometimes thicken or thin its strokes."""
    angle, slant = np.radians(rng.uniform(-10, 10) * rng.random()), rng.uniform(-0.45, 0.45) * rng.random()
    stretch = np.exp(rng.uniform(-0.35, 0.6) * rng.random())
    pad = max(mask.size) // 3
    mask = mask.crop((-pad, -pad, mask.width + pad, mask.height + pad))
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ [[stretch, slant], [0, 1]]
    middle = np.array(mask.size) / 2
    shift = middle - matrix @ middle
    transform = (*matrix[0], shift[0], *matrix[1], shift[1])
    return mask.transform(mask.size, Image.Transform.AFFINE, transform, Image.Resampling.BILINEAR)


def _place(sign: Image.Image, ink: Image.Image, label: int, rng: np.random.Generator) -> None:
    """Paste a sign into a picture, and what is often written beside one."""
    sign = _trimmed(sign)
    width, height = ink.size
    tight = rng.random() < 0.2
    share = rng.uniform(0.85, 1.02) if tight else rng.uniform(0.35, 0.85)
    scale = min(share * height / sign.height, share * width / sign.width)
    if label == NOT_A_DIGIT and sign.height * scale < 5:
        scale *= 1.5
    size = max(int(sign.width * scale), 2), max(int(sign.height * scale), 4)
    sign = sign.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR)
    free = width - size[0], height - size[1]
    x, y = (int(np.clip(rng.normal(0.5, 0.16), 0.02, 0.98) * space) for space in free)
    draw, thick = ImageDraw.Draw(ink), max(size[1] / 12 * rng.uniform(0.6, 1.6), 1)
    right, bottom = x + size[0], y + size[1]
    if rng.random() < 0.16:  # a dot or a comma behind the sign
        gap = rng.uniform(0.5, 3) * thick
        dot = (right + gap, bottom - thick, right + gap + thick, bottom)
        draw.ellipse(dot, 255)
        if rng.random() < 0.3:
            draw.line((dot[2], dot[3], dot[0], dot[3] + 2 * thick), 255, max(int(thick / 2), 1))
    if rng.random() < 0.04:  # an underline
        level = bottom + rng.uniform(0.06, 0.2) * height
        start, end = x - rng.uniform(0, 0.3) * width, right + rng.uniform(0, 0.3) * width
        draw.line((start, level, end, level + rng.normal(0, 1)), 255, max(int(thick), 1))
    if not tight and rng.random() < 0.08:  # the edge of a neighbour
        slice_width, gap = max(int(size[0] * rng.uniform(0.05, 0.2)), 1), rng.uniform(0.1, 0.3) * size[0]
        if right + gap + slice_width < width:
            neighbour = sign.transpose(
                Image.Transpose.FLIP_LEFT_RIGHT if rng.random() < 0.5 else Image.Transpose.ROTATE_180
            )
            ink.paste(neighbour.crop((0, 0, slice_width, size[1])), (width - slice_width, y))
    for _ in range(int(rng.random() < 0.08) * int(rng.integers(1, 6))):  # specks
        spot, radius = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.2, 0.6) * thick
        draw.ellipse((*(spot - radius), *(spot + radius)), 255)
    window = ink.crop((x, y, right, bottom))
    ink.paste(ImageChops.lighter(window, sign), (x, y))


def _lines(width: int, height: int, empty: bool, rng: np.random.Generator) -> Array:
    """Draw the coverage of frames and of ruled, squared or patterned paper."""
    lines = Image.new("L", (width, height))
    draw, side = ImageDraw.Draw(lines), max(width, height)
    kind = rng.random()
    if kind < (0.6 if empty else 0.35):  # a frame, of which some edges show
        thickness = max(int(rng.uniform(0.01, 0.06) * side), 1)
        inset, tilt = rng.uniform(-0.02, 0.14, 4) * side, np.tan(np.radians(rng.normal(0, 1.2)))
        for edge in np.flatnonzero(rng.random(4) < rng.choice([0.3, 0.6, 1.0])).tolist():
            length = width if edge < 2 else height
            near, far = inset[edge], inset[edge] + tilt * length
            start, end = (0.0, float(length)) if rng.random() < 0.7 else sorted(rng.uniform(-0.2, 1.2, 2) * length)
            if edge % 2:
                near, far = (height if edge < 2 else width) - near, (height if edge < 2 else width) - far
            draw.line((start, near, end, far) if edge < 2 else (near, start, far, end), 255, thickness)
    elif kind < 0.41:  # ruled or squared paper
        step, thickness, level = rng.uniform(0.15, 0.6) * side, max(int(0.015 * side), 1), int(rng.uniform(30, 110))
        for axis in range(int(rng.integers(1, 3))):
            for position in np.arange(rng.uniform(0, step), side, step):
                draw.line(
                    (0, position, width, position) if axis == 0 else (position, 0, position, height), level, thickness
                )
    coverage = np.asarray(lines) / 255
    if rng.random() < 0.04:  # a security pattern
        rows, columns = np.indices((height, width)) / side
        angle, frequency = rng.uniform(0, np.pi), rng.uniform(20, 80)
        wave = np.sin(frequency * (columns * np.cos(angle) + rows * np.sin(angle)) + 3 * np.sin(9 * rows))
        coverage = np.maximum(coverage, rng.uniform(0.05, 0.25) * (wave > 0.3))
    return coverage


def _expose(ink: Array, lines: Array, rng: np.random.Generator) -> Array:
    """Return the brightness of a picture with ink and lines on paper, under a light, seen by a camera."""
    paper, depth = rng.uniform(0.45, 1.0), rng.uniform(0.3, 0.95)
    line_depth = depth * rng.uniform(0.5, 1.2)
    picture = paper * (1 - depth * ink) * (1 - np.minimum(line_depth, 0.95) * lines)
    height, width = picture.shape
    slope = rng.uniform(-0.25, 0.25, 2) * (rng.random() < 0.5)
    light = 1 + slope[0] * np.linspace(-1, 1, height)[:, None] + slope[1] * np.linspace(-1, 1, width)
    if rng.random() < 0.3:
        light = light * (1 + 0.02 * smooth_noise((height, width), rng.uniform(1, 12), rng))
    image = Image.fromarray((255 * np.clip(picture * light, 0, 1)).astype(np.uint8))
    if rng.random() < 0.7:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, max(0.02 * min(image.size), 0.5))))
    result: NDArray[np.float64] = np.asarray(image) / 255
    if rng.random() < 0.7:
        result = result + rng.normal(0, rng.uniform(0.002, 0.03), result.shape)
    result = np.clip(result, 0, 1)
    return 1 - result if rng.random() < 0.12 else result
