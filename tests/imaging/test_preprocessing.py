"""Pictures of a digit, however they come, end as MNIST's digits are."""

import importlib.util
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from inksight import InputError
from inksight.imaging.foreground import threshold_otsu
from inksight.imaging.framing import BOX_SIZE, CENTER
from inksight.imaging.illumination import flatten_illumination, polarity_score
from inksight.imaging.preprocessing import prepare, prepare_grayscale
from inksight.imaging.resampling import downscale, resample, triangle_weights


def on_paper(image, side=90, *, light=1.0, ink=0.1, noise=0.0, slope=0.0, rng=None):
    """A digit of MNIST, enlarged, dark on lit paper, as brightness (side + 30, side + 40)."""
    box = Image.fromarray(image).crop(Image.fromarray(image).getbbox())
    ratio = side / max(box.size)
    large = np.asarray(box.resize([max(1, round(x * ratio)) for x in box.size], Image.Resampling.BICUBIC)) / 255
    page = np.zeros((side + 30, side + 40))
    page[12 : 12 + large.shape[0], 17 : 17 + large.shape[1]] = large
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    shade = light * (1 - slope * (rows + columns) / sum(page.shape))
    grey = shade * (1 - (1 - ink) * page)
    if rng is not None:
        grey = grey + rng.normal(0, noise, grey.shape)
    return np.clip(grey, 0, 1)


@pytest.fixture(scope="module")
def some(mnist):
    return mnist.images[50_000:50_060]


def test_mnists_digits_stay_as_they_are(some):
    differences = [np.abs(prepare(image).image.astype(int) - image).mean() for image in some]
    assert np.median(differences) < 0.5  # of 255
    assert not any(prepare(image).dark for image in some)


@pytest.mark.parametrize(
    "look",
    [{}, {"light": 0.6}, {"slope": 0.6}, {"ink": 0.5}, {"noise": 0.03}, {"slope": 0.4, "noise": 0.02, "ink": 0.3}],
    ids=str,
)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_digit_on_paper_becomes_the_digit_it_was(look, inverted, some, rng):
    for image in some[:20]:
        grey = on_paper(image, rng=rng, **look)
        found = prepare_grayscale(1 - grey if inverted else grey)
        assert found.problem == ""
        assert found.dark != inverted
        # Half a pixel this way or that decides where a centre of mass is put.
        moved = [np.roll(image, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        assert max(np.corrcoef(found.image.ravel(), other.ravel())[0, 1] for other in moved) > 0.85


def test_the_box_is_that_of_the_picture_handed_in(some):
    for side in (40, 90, 180, 400):
        found = prepare_grayscale(on_paper(some[0], side))
        left, top, width, height = found.box
        reach = max(3, side // 30)
        assert abs(left - 17) <= reach
        assert abs(top - 12) <= reach
        assert abs(max(width, height) - side) <= 2 * reach


@pytest.mark.parametrize("shape", [(1000, 19), (2000, 39), (9600, 180), (1000, 38), (97, 55), (700, 700), (30, 3000)])
def test_ink_at_the_far_edges_is_seen_and_boxed(shape):
    for axis in (0, 1):
        grey = np.ones(shape)
        thick = max(2, shape[axis] // 8)
        place = [slice(None), slice(None)]
        place[axis] = slice(shape[axis] - thick, None)
        other = shape[1 - axis]
        place[1 - axis] = slice(other // 4, other - other // 4)
        grey[tuple(place)] = 0
        left, top, width, height = prepare_grayscale(grey).box
        pixel = max(shape) / 96 + 1
        expected = [part.start for part in place[::-1]]
        assert abs(left - expected[0]) <= 2 * pixel
        assert abs(top - expected[1]) <= 2 * pixel
        assert left + width <= shape[1]
        assert top + height <= shape[0]
        assert (left + width, top + height)[1 - axis] >= shape[axis] - 2 * pixel


def test_fit_has_mnists_box_and_centre(some, rng):
    for image in some[:20]:
        found = prepare_grayscale(on_paper(image, int(rng.integers(30, 200)))).image
        rows, columns = np.nonzero(found > 20)
        assert BOX_SIZE - 2 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= BOX_SIZE
        assert np.abs(np.array(ndimage.center_of_mass(found)) - CENTER).max() <= 0.6


@pytest.mark.parametrize(
    ("grey", "problem"),
    [
        (np.ones((40, 40)), "blank"),
        (np.zeros((1, 1)), "blank"),
        (np.full((3, 900), 0.4), "blank"),
        (np.where(np.eye(40, dtype=bool), 0.96, 1.0), "faint"),
        (np.pad(np.zeros((2, 2)), 20, constant_values=1.0), "small"),
    ],
)
def test_what_holds_no_digit_is_said_to(grey, problem):
    found = prepare_grayscale(grey)
    assert found.problem == problem
    assert not found.image.any()
    assert problem in repr(found)


def test_dirt_is_left_out(some):
    page = on_paper(some[0], 90)
    page[3:5, 100:102] = 0
    clean, dirty = prepare_grayscale(on_paper(some[0], 90)), prepare_grayscale(page)
    np.testing.assert_array_equal(clean.image, dirty.image)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 400), width=st.integers(1, 60), across=st.booleans(),
    kind=st.sampled_from(["noise", "binary", "flat", "line"]),
    seed=st.integers(0, 2**31), invert=st.sampled_from([None, True, False]),
)  # fmt: skip
def test_anything_at_all_gives_an_image_or_a_problem(height, width, across, kind, seed, invert):
    height, width = (width, height) if across else (height, width)
    rng = np.random.default_rng(seed)
    grey = {
        "noise": rng.random((height, width)), "binary": rng.integers(0, 2, (height, width)).astype(float),
        "flat": np.full((height, width), rng.random()), "line": np.tile(rng.random(width), (height, 1)),
    }[kind]  # fmt: skip
    found = prepare_grayscale(grey, invert=invert)
    assert found.image.shape == (28, 28)
    assert bool(found.image.any()) != bool(found.problem)
    assert 0 <= found.ink.min() <= found.ink.max() <= 1
    left, top, across, down = found.box
    assert 0 <= left <= left + across <= width
    assert 0 <= top <= top + down <= height


def saved(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_every_way_in_gives_the_same(some, tmp_path, rng):
    colour = np.clip(on_paper(some[1], 60)[..., None] * (250, 240, 200) + rng.normal(0, 6, (90, 100, 3)), 0, 255)
    colour = colour.astype(np.uint8)
    expected = prepare(colour).image
    picture = Image.fromarray(colour)
    path = tmp_path / "digit.not-a-picture"
    path.write_bytes(saved(picture))
    opaque = np.dstack([colour, np.full(colour.shape[:2], 255, np.uint8)])
    forms = [
        path, str(path), saved(picture), bytearray(saved(picture)), io.BytesIO(saved(picture)),
        picture, opaque, Image.fromarray(opaque), colour / 255, colour.astype(np.uint16) * 257,
        saved(picture, "TIFF"), saved(picture, "BMP"), saved(picture, "WEBP", lossless=True),
    ]  # fmt: skip
    for form in forms:
        np.testing.assert_array_equal(prepare(form).image, expected)
    with path.open("rb") as file, Image.open(path) as lazy:
        np.testing.assert_array_equal(prepare(file).image, expected)
        np.testing.assert_array_equal(prepare(lazy).image, expected)


def test_grey_pictures_of_any_depth_are_the_same_too(some):
    grey = np.round(on_paper(some[1], 60) * 255).astype(np.uint8)
    expected = prepare(grey).image
    deep = grey.astype(np.uint16) * 257
    see_through = np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey])  # black ink, thinner or thicker
    for form in (
        Image.fromarray(grey), grey[..., None], grey / 255, deep, deep.astype(">u2"), saved(Image.fromarray(deep)),
        see_through, saved(Image.fromarray(see_through)), Image.fromarray(grey).convert("LA"),
    ):  # fmt: skip
        np.testing.assert_array_equal(prepare(form).image, expected)
    for mode in ("CMYK", "P", "RGBA"):
        assert np.abs(prepare(Image.fromarray(grey).convert(mode)).image.astype(int) - expected).max() <= 60
    binary = grey > 128
    np.testing.assert_array_equal(prepare(binary).image, prepare(Image.fromarray(binary)).image)


def test_a_photo_lies_as_its_camera_was_held(some):
    picture = Image.fromarray(np.round(on_paper(some[2], 80) * 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    turned = saved(picture.rotate(90, expand=True), exif=exif)
    for form in (turned, Image.open(io.BytesIO(turned))):
        found = prepare(form)
        np.testing.assert_array_equal(found.image, prepare(picture).image)
        assert found.box == prepare(picture).box


def test_of_an_animation_the_first_picture_is_read(some):
    frames = [Image.fromarray(255 - image) for image in some[:3]]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(prepare(moving).image, prepare(frames[0]).image)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.full((5, 5), np.nan), "values of a picture must be 0 to 1"),
        (np.full((5, 5), 7.0), "values of a picture must be 0 to 1"),
        (np.zeros((5, 5, 2)), "shape of a picture must be (height, width)"),
        (np.zeros((0, 5)), "not empty"),
        (np.zeros(5), "shape of a picture"),
        (np.zeros((5, 5), complex), "type of a picture must be bool, uint8, uint16"),
        (np.zeros((5, 5), np.int64), "type of a picture must be bool, uint8, uint16"),
        (Image.new("F", (5, 5)), "pixels of kind F"),
        (io.StringIO("text"), "must be a path, bytes, a binary file"),
        ("a\0b", "cannot read"),
        ("x" * 300, "cannot read"),
        (".", "is no file"),
        (b"<!doctype html><title>digit.png</title>", "damaged or no picture"),
        (saved(Image.new("RGB", (90, 90), "white"))[:60], "damaged or no picture"),
        (saved(Image.new("RGB", (90, 90), "white"), "JPEG")[:300], "damaged or no picture"),
        (saved(Image.new("1", (9000, 9000))), "81,000,000 pixels, 67,108,864 are allowed: make it smaller"),
        (saved(Image.new("1", (20_000, 20_000))), "too many pixels, 67,108,864 are allowed: make it smaller"),
        (b"", "damaged or no picture"),
        (b"%PDF-1.7 nothing to see", "damaged or no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "damaged or no picture"),
        ("nowhere.png", "cannot read 'nowhere.png'"),
        (7, "picture must be a path, bytes, a binary file, a PIL image, an array or Strokes, got int"),
    ],
)
def test_what_is_no_picture_is_told_in_one_line(picture, words):
    with pytest.raises(InputError) as caught:
        prepare(picture)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_steps_are_those_that_were_agreed_on():
    spec = importlib.util.spec_from_file_location("vectors", Path(__file__).parent / "vectors" / "make.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    agreed = json.loads(made.PATH.read_text())
    assert [vector["name"] for vector in agreed] == list(made.pictures())
    for vector, now in zip(agreed, made.vectors(), strict=True):
        for name, value in now.items():
            assert vector[name] == value, (vector["name"], name)


def test_weights_are_a_triangle_that_adds_up_to_one():
    for before, after in ((5, 5), (5, 20), (20, 5), (7, 3), (1, 9), (9, 1)):
        table = triangle_weights(before, after)
        np.testing.assert_allclose(table.sum(axis=1), 1)
        assert (table >= 0).all()
    np.testing.assert_array_equal(triangle_weights(5, 5), np.eye(5))
    ramp = np.tile(np.arange(40.0), (3, 1))
    np.testing.assert_allclose(np.diff(resample(ramp, 3, 10)[0, 1:-1]), 4)


def test_resampling_agrees_with_pillow(rng):
    grey = rng.random((37, 53))
    for height, width in ((20, 29), (80, 90), (37, 20)):
        expected = Image.fromarray(grey.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(resample(grey, height, width), expected, atol=1e-5)


def test_shrinking_keeps_the_mean_and_the_proportions(rng):
    for shape in ((300, 200), (1000, 10), (97, 96), (50, 60), (3000, 1)):
        grey = rng.random(shape)
        small, pixel = downscale(grey, 96)
        assert max(small.shape) <= 96
        for length, before, size in zip(small.shape, shape, pixel, strict=True):
            assert before <= length * size < before + max(shape) / 384 + 1  # all of it, and less than a block more
        assert small.shape == shape or abs(small.mean() - grey.mean()) < 0.05


def test_otsu_parts_two_heaps(rng):
    values = np.concatenate([rng.normal(0.2, 0.02, 900), rng.normal(0.7, 0.05, 100)]).reshape(20, 50)
    assert 0.27 < threshold_otsu(values) < 0.6


def test_polarity_and_light(some):
    page = on_paper(some[3], 100, slope=0.7)
    coarse, _ = downscale(page, 32)
    assert polarity_score(coarse) < 0
    assert polarity_score(1 - coarse) > 0
    assert np.median(1 - page) > 0.3
    contrast = flatten_illumination(page, coarse)
    assert np.median(contrast) < 0.05
    assert contrast.max() > 0.3
