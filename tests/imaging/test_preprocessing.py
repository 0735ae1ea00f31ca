"""Pictures of a digit in any form are converted to images like those of MNIST."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from commands import import_script
from hypothesis import given, settings, strategies as st
from PIL import Image
from scipy import ndimage

from inksight.errors import InputError, InputWarning
from inksight.imaging.foreground import threshold_otsu
from inksight.imaging.framing import BOX_SIZE, CENTER
from inksight.imaging.grayscale import to_grayscale
from inksight.imaging.illumination import flatten_illumination, polarity_score
from inksight.imaging.preprocessing import prepare, prepare_grayscale
from inksight.imaging.resampling import block_mean, downscale, resample, triangle_weights


def on_paper(image, side=90, *, light=1.0, ink=0.1, noise=0.0, slope=0.0, rng=None):
    """Enlarge a digit of MNIST and draw it dark on illuminated paper: brightness (side + 30, side + 40)."""
    box = Image.fromarray(image).crop(Image.fromarray(image).getbbox())
    ratio = side / max(box.size)
    large = np.asarray(box.resize([max(1, round(x * ratio)) for x in box.size], Image.Resampling.BICUBIC)) / 255
    page = np.zeros((side + 30, side + 40))
    page[12 : 12 + large.shape[0], 17 : 17 + large.shape[1]] = large
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    shade = light * (1 - slope * (rows + columns) / sum(page.shape))
    grayscale = shade * (1 - (1 - ink) * page)
    if rng is not None:
        grayscale = grayscale + rng.normal(0, noise, grayscale.shape)
    return np.clip(grayscale, 0, 1)


@pytest.fixture(scope="module")
def some(mnist):
    return mnist.images[50_000:50_060]


def test_images_of_mnist_hardly_change(some):
    differences = [np.abs(prepare(image).image.astype(int) - image).mean() for image in some]
    assert np.median(differences) < 0.5  # of 255
    assert not any(prepare(image).dark for image in some)


@pytest.mark.parametrize(
    "look",
    [{}, {"light": 0.6}, {"slope": 0.6}, {"ink": 0.5}, {"noise": 0.03}, {"slope": 0.4, "noise": 0.02, "ink": 0.3}],
    ids=str,
)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_digit_on_paper_becomes_the_original_digit(look, inverted, some, rng):
    for image in some[:20]:
        grayscale = on_paper(image, rng=rng, **look)
        prepared = prepare_grayscale(1 - grayscale if inverted else grayscale)
        assert prepared.problem == ""
        assert prepared.dark != inverted
        # The center of mass may be rounded to the next pixel.
        shifted = [np.roll(image, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        assert max(np.corrcoef(prepared.image.ravel(), other.ravel())[0, 1] for other in shifted) > 0.85


def test_the_box_is_in_pixels_of_the_original_picture(some):
    for side in (40, 90, 180, 400):
        prepared = prepare_grayscale(on_paper(some[0], side))
        left, top, width, height = prepared.box
        tolerance = max(3, side // 30)
        assert abs(left - 17) <= tolerance
        assert abs(top - 12) <= tolerance
        assert abs(max(width, height) - side) <= 2 * tolerance


@pytest.mark.parametrize("shape", [(1000, 19), (2000, 39), (9600, 180), (1000, 38), (97, 55), (700, 700), (30, 3000)])
def test_ink_at_the_edges_is_found(shape):
    for axis in (0, 1):
        grayscale = np.ones(shape)
        thick = max(2, shape[axis] // 8)
        place = [slice(None), slice(None)]
        place[axis] = slice(shape[axis] - thick, None)
        other = shape[1 - axis]
        place[1 - axis] = slice(other // 4, other - other // 4)
        grayscale[tuple(place)] = 0
        left, top, width, height = prepare_grayscale(grayscale).box
        pixel = max(shape) / 96 + 1
        expected = [part.start for part in place[::-1]]
        assert abs(left - expected[0]) <= 2 * pixel
        assert abs(top - expected[1]) <= 2 * pixel
        assert left + width <= shape[1]
        assert top + height <= shape[0]
        assert (left + width, top + height)[1 - axis] >= shape[axis] - 2 * pixel


def test_digits_have_the_box_and_the_center_of_mnist(some, rng):
    for image in some[:20]:
        prepared = prepare_grayscale(on_paper(image, int(rng.integers(30, 200)))).image
        rows, columns = np.nonzero(prepared > 20)
        assert BOX_SIZE - 2 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= BOX_SIZE
        assert np.abs(np.array(ndimage.center_of_mass(prepared)) - CENTER).max() <= 0.6


@pytest.mark.parametrize(
    ("grayscale", "problem"),
    [
        (np.ones((40, 40)), "blank"),
        (np.zeros((1, 1)), "blank"),
        (np.full((3, 900), 0.4), "blank"),
        (np.where(np.eye(40, dtype=bool), 0.96, 1.0), "faint"),
        (np.pad(np.zeros((2, 2)), 20, constant_values=1.0), "small"),
    ],
)
def test_pictures_without_a_digit_have_a_problem(grayscale, problem):
    prepared = prepare_grayscale(grayscale)
    assert prepared.problem == problem
    assert not prepared.image.any()
    assert problem in repr(prepared)


def test_specks_are_removed(some):
    page = on_paper(some[0], 90)
    page[3:5, 100:102] = 0
    clean, dirty = prepare_grayscale(on_paper(some[0], 90)), prepare_grayscale(page)
    np.testing.assert_array_equal(clean.image, dirty.image)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 400), width=st.integers(1, 60), transpose=st.booleans(),
    kind=st.sampled_from(["noise", "binary", "flat", "line"]),
    seed=st.integers(0, 2**31), invert=st.sampled_from([None, True, False]),
)  # fmt: skip
def test_any_array_gives_an_image_or_a_problem(height, width, transpose, kind, seed, invert):
    height, width = (width, height) if transpose else (height, width)
    rng = np.random.default_rng(seed)
    grayscale = {
        "noise": rng.random((height, width)), "binary": rng.integers(0, 2, (height, width)).astype(float),
        "flat": np.full((height, width), rng.random()), "line": np.tile(rng.random(width), (height, 1)),
    }[kind]  # fmt: skip
    prepared = prepare_grayscale(grayscale, invert=invert)
    assert prepared.image.shape == (28, 28)
    assert bool(prepared.image.any()) != bool(prepared.problem)
    assert 0 <= prepared.ink.min() <= prepared.ink.max() <= 1
    left, top, box_width, box_height = prepared.box
    assert 0 <= left <= left + box_width <= width
    assert 0 <= top <= top + box_height <= height


def saved(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def test_every_kind_of_input_gives_the_same_image(some, tmp_path, rng):
    color = np.clip(on_paper(some[1], 60)[..., None] * (250, 240, 200) + rng.normal(0, 6, (90, 100, 3)), 0, 255)
    color = color.astype(np.uint8)
    expected = prepare(color).image
    picture = Image.fromarray(color)
    path = tmp_path / "digit.not-a-picture"
    path.write_bytes(saved(picture))
    opaque = np.dstack([color, np.full(color.shape[:2], 255, np.uint8)])
    forms = [
        path, str(path), saved(picture), bytearray(saved(picture)), io.BytesIO(saved(picture)),
        picture, opaque, Image.fromarray(opaque), color / 255, color.astype(np.uint16) * 257,
        saved(picture, "TIFF"), saved(picture, "BMP"), saved(picture, "WEBP", lossless=True),
    ]  # fmt: skip
    for form in forms:
        np.testing.assert_array_equal(prepare(form).image, expected)
    with path.open("rb") as file, Image.open(path) as lazy:
        np.testing.assert_array_equal(prepare(file).image, expected)
        np.testing.assert_array_equal(prepare(lazy).image, expected)


def test_closed_file_is_an_input_error(tmp_path):
    not_readable = pytest.raises(InputError, match="cannot read the file given: read; open it for reading bytes")
    with (tmp_path / "digit.png").open("wb") as written, not_readable:
        prepare(written)
    with (tmp_path / "digit.png").open("rb") as file, io.BytesIO() as stream:
        pass
    for closed in (file, stream):
        with pytest.raises(InputError, match=r"cannot read the file given: .* closed file\.?; open it for reading"):
            prepare(closed)


def test_grayscale_pictures_of_any_depth_give_the_same_image(some):
    grayscale = np.round(on_paper(some[1], 60) * 255).astype(np.uint8)
    expected = prepare(grayscale).image
    deep = grayscale.astype(np.uint16) * 257
    transparent = np.dstack([np.zeros((*grayscale.shape, 3), np.uint8), 255 - grayscale])  # black ink on nothing
    for form in (
        Image.fromarray(grayscale), grayscale[..., None], grayscale / 255, deep, deep.astype(">u2"),
        saved(Image.fromarray(deep)), transparent, saved(Image.fromarray(transparent)),
        Image.fromarray(grayscale).convert("LA"),
    ):  # fmt: skip
        np.testing.assert_array_equal(prepare(form).image, expected)
    for mode in ("CMYK", "P", "RGBA"):
        assert np.abs(prepare(Image.fromarray(grayscale).convert(mode)).image.astype(int) - expected).max() <= 60
    binary = grayscale > 128
    np.testing.assert_array_equal(prepare(binary).image, prepare(Image.fromarray(binary)).image)


def test_exif_orientation_is_applied(some):
    picture = Image.fromarray(np.round(on_paper(some[2], 80) * 255).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    rotated = saved(picture.rotate(90, expand=True), exif=exif)
    for form in (rotated, Image.open(io.BytesIO(rotated))):
        prepared = prepare(form)
        np.testing.assert_array_equal(prepared.image, prepare(picture).image)
        assert prepared.box == prepare(picture).box


def test_the_first_frame_of_an_animation_is_used(some):
    frames = [Image.fromarray(255 - image) for image in some[:3]]
    for kind, options in {"GIF": {}, "PNG": {}, "WEBP": {"lossless": True}}.items():
        animation = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        with pytest.warns(InputWarning, match="'the picture given' is animated, and only its first frame is used"):
            prepared = prepare(animation)
        np.testing.assert_array_equal(prepared.image, prepare(frames[0]).image)


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
        (Image.new("F", (5, 5)), "pixels of mode F"),
        (io.StringIO("text"), "must be a path, bytes, a binary file"),
        ("a\0b", "cannot read"),
        ("x" * 300, "cannot read"),
        (".", "a folder, not a file"),
        (b"<!doctype html><title>digit.png</title>", "damaged or is not a picture"),
        (saved(Image.new("RGB", (90, 90), "white"))[:60], "damaged or is not a picture"),
        (saved(Image.new("RGB", (90, 90), "white"), "JPEG")[:300], "damaged or is not a picture"),
        (saved(Image.new("1", (9000, 9000))), "81,000,000 pixels, 67,108,864 are allowed: make it smaller"),
        (saved(Image.new("1", (20_000, 20_000))), "400,000,000 pixels, 67,108,864 are allowed: make it smaller"),
        (b"", "damaged or is not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "damaged or is not a picture"),
        ("nowhere.png", "cannot read 'nowhere.png'"),
        (7, "picture must be a path, bytes, a binary file, a PIL image, an array or Strokes, got int"),
    ],
)
def test_wrong_pictures_are_reported_in_one_line(picture, words):
    with pytest.raises(InputError) as caught:
        prepare(picture)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_steps_agree_with_the_stored_vectors():
    make = import_script(Path(__file__).parent / "vectors" / "make.py")
    stored = json.loads(make.PATH.read_text())
    assert [vector["name"] for vector in stored] == list(make.pictures())
    for vector, computed in zip(stored, make.vectors(), strict=True):
        for name, value in computed.items():
            assert vector[name] == value, (vector["name"], name)


def test_triangle_weights_sum_to_one():
    for before, after in ((5, 5), (5, 20), (20, 5), (7, 3), (1, 9), (9, 1)):
        table = triangle_weights(before, after)
        np.testing.assert_allclose(table.sum(axis=1), 1)
        assert (table >= 0).all()
    np.testing.assert_array_equal(triangle_weights(5, 5), np.eye(5))
    ramp = np.tile(np.arange(40.0), (3, 1))
    np.testing.assert_allclose(np.diff(resample(ramp, 3, 10)[0, 1:-1]), 4)


def test_resampling_agrees_with_pillow(rng):
    grayscale = rng.random((37, 53))
    for height, width in ((20, 29), (80, 90), (37, 20)):
        expected = Image.fromarray(grayscale.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(resample(grayscale, height, width), np.asarray(expected), atol=1e-5)


def test_downscaling_keeps_the_mean_and_the_aspect_ratio(rng):
    for shape in ((300, 200), (1000, 10), (97, 96), (50, 60), (3000, 1)):
        grayscale = rng.random(shape)
        small, pixel = downscale(grayscale, 96)
        assert max(small.shape) <= 96
        for length, before, size in zip(small.shape, shape, pixel, strict=True):
            assert (
                before <= length * size < before + max(shape) / 384 + 1
            )  # covers the picture, and exceeds it by less than a block
        assert small.shape == shape or abs(small.mean() - grayscale.mean()) < 0.05


def test_otsu_separates_two_clusters(rng):
    values = np.concatenate([rng.normal(0.2, 0.02, 900), rng.normal(0.7, 0.05, 100)]).reshape(20, 50)
    assert 0.27 < threshold_otsu(values) < 0.6


def test_polarity_and_flattened_illumination(some):
    page = on_paper(some[3], 100, slope=0.7)
    coarse, _ = downscale(page, 32)
    assert polarity_score(coarse) < 0
    assert polarity_score(1 - coarse) > 0
    assert np.median(1 - page) > 0.3
    contrast = flatten_illumination(page, coarse)
    assert np.median(contrast) < 0.05
    assert contrast.max() > 0.3


@pytest.mark.parametrize("shape", [(12, 18), (13, 19), (2, 31), (31, 2), (1, 1), (4, 5)])
@pytest.mark.parametrize("block", [1, 3, 4, 50])
def test_block_means_repeat_the_edge(shape, block, rng):
    grayscale = rng.random(shape)
    padded = np.pad(grayscale, [(0, -length % block) for length in shape], mode="edge")
    height, width = (length // block for length in padded.shape)
    expected = [[padded[y * block : (y + 1) * block, x * block : (x + 1) * block].mean() for x in range(width)]
                for y in range(height)]  # fmt: skip
    np.testing.assert_allclose(block_mean(grayscale, block), expected, rtol=0, atol=1e-15)


def test_a_large_picture_is_converted_in_bands_as_at_once(rng, monkeypatch):
    for mode in ("L", "RGB", "RGBA", "P", "1", "CMYK"):
        image = Image.fromarray(rng.integers(0, 256, (50, 40, 3), np.uint8)).convert(mode)
        at_once = to_grayscale(image)
        with monkeypatch.context() as patch:
            patch.setattr("inksight.imaging.grayscale.BAND_PIXELS", 300)
            np.testing.assert_array_equal(to_grayscale(image), at_once)
            if mode in ("L", "RGB", "RGBA"):
                np.testing.assert_array_equal(to_grayscale(np.asarray(image)), at_once)
