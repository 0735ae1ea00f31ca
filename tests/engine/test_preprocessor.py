"""The engine's preprocessing on every instruction set of this machine, compared with the steps in NumPy."""

import base64
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

from inksight.engine import library as native
from inksight.imaging import preprocessing
from inksight.imaging.preprocessing import prepare_grayscale, prepare_with_engine, prepare_with_numpy
from inksight.imaging.resampling import resample

pytestmark = pytest.mark.skipif(not native.computes(), reason="the native engine is not built here")

EXAMPLES = 10 * int(os.environ.get("INKSIGHT_EXAMPLES", "25"))  # fewer under sanitizers, which are ten times slower
VECTORS = json.loads((Path(__file__).parents[1] / "imaging" / "vectors" / "prepare.json").read_text())


def agree(gray, invert=None):
    """Preprocess a picture on the engine and in NumPy, compare everything, and return the NumPy result."""
    ours, expected = prepare_with_engine(gray, invert), prepare_with_numpy(gray, invert)
    assert (ours.problem, ours.dark, ours.polarity_ambiguous) == (
        expected.problem,
        expected.dark,
        expected.polarity_ambiguous,
    )
    assert ours.box == expected.box
    np.testing.assert_array_equal(ours.image, expected.image)
    np.testing.assert_allclose(ours.grayscale, expected.grayscale, rtol=0, atol=1e-12)
    # If all paper lies on one line, the slope across it is a quotient of small numbers.
    np.testing.assert_allclose(ours.ink, expected.ink, rtol=0, atol=1e-8)
    return expected


def decode(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


@pytest.mark.parametrize("preprocess", [prepare_with_engine, prepare_with_numpy])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_both_reproduce_the_test_vectors(preprocess, vector, isa):
    found = preprocess(decode(vector["picture"]).reshape(vector["height"], vector["width"]) / 255)
    np.testing.assert_array_equal(found.image.ravel(), decode(vector["image"]))
    assert (list(found.box), found.dark, found.problem) == (vector["box"], vector["dark"], vector["problem"])
    for name in ("grayscale", "ink"):
        if vector[name] is not None:
            np.testing.assert_array_equal(np.floor(getattr(found, name) * 255 + 0.5).ravel(), decode(vector[name]))


def draw(kind, height, width, rng):
    """Draw a picture: rings like digits, and pictures without one. Many have ties wherever values are compared."""
    rows, columns = np.mgrid[:height, :width].astype(float)
    first, second = rng.integers(0, 256, 2) / 255
    if kind == "rings":
        gray = np.round((0.9 + rng.normal(0, rng.choice([0, 0.01, 0.05]), (height, width))) * 255) / 255
        for _ in range(rng.integers(1, 5)):
            distance = np.hypot(rows - rng.uniform(0, height), columns - rng.uniform(0, width))
            thick = max(1, max(height, width) / 25)
            gray = np.where(np.abs(distance - rng.uniform(0, max(height, width) / 2)) < thick, second, gray)
        return np.clip(gray, 0, 1)
    if kind == "quarter":  # a square with a quarter of the area, whose polarity score is near the threshold
        inner = (abs(2 * rows + 1 - height) < height / 2) & (abs(2 * columns + 1 - width) < width / 2)
        return np.where(inner, 0.94, 1) * rng.choice([1, 200 / 255])
    return {
        "noise": lambda: rng.random((height, width)),
        "binary": lambda: (rng.random((height, width)) < rng.choice([0.05, 0.25, 0.5, 0.8])).astype(float),
        "flat": lambda: np.full((height, width), first),
        "columns": lambda: np.tile(rng.random(width), (height, 1)),
        "rows": lambda: np.tile(rng.random((height, 1)), (1, width)),
        "slope": lambda: (rows * first + columns * second) / (height + width),
        "line": lambda: np.where(rows == rng.integers(height), first, second),
        "diagonal": lambda: np.where(np.abs(rows - columns) < rng.integers(1, 5), first, second),
        "squares": lambda: np.where((columns // rng.integers(1, 9) + rows // rng.integers(1, 9)) % 2, first, second),
    }[kind]()


KINDS = ("rings", "quarter", "noise", "binary", "flat", "columns", "rows", "slope", "line", "diagonal", "squares")
lengths = st.one_of(st.integers(1, 6), st.integers(1, 40), st.integers(20, 120), st.integers(90, 420))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    kind=st.sampled_from(KINDS), height=lengths, width=lengths, square=st.booleans(), seed=st.integers(0, 2**31),
    inverted=st.booleans(), columns_first=st.booleans(), invert=st.sampled_from([None, None, True, False]),
)  # fmt: skip
@example("quarter", 80, 80, True, 0, False, False, None)
@example("quarter", 96, 96, True, 1, True, True, None)
@example("noise", 1, 1, True, 0, False, False, None)
def test_both_agree_on_anything(kind, height, width, square, seed, inverted, columns_first, invert):
    gray = draw(kind, height, height if square else width, np.random.default_rng(seed))
    gray = 1 - gray if inverted else gray
    agree(np.asfortranarray(gray) if columns_first else gray, invert)


def test_both_agree_on_digits(mnist, isa, rng):
    for image in mnist.images[:40]:
        side = int(rng.integers(28, 201))
        gray = resample(image / 255, side, side) * rng.uniform(0.2, 0.8)
        gray = np.round(np.clip(0.9 - gray + rng.normal(0, rng.uniform(0, 0.03), gray.shape), 0, 1) * 255) / 255
        assert agree(gray).problem == ""


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (2000, 39), (767, 768), (1153, 1537), (800, 3), (384, 385)])
def test_both_agree_on_large_pictures(shape, isa, rng):
    agree(np.floor(rng.random(shape) * 1.2).clip(0, 1))


def test_a_strided_view_is_read_correctly(rng):
    whole = rng.random((90, 120))
    agree(whole[10:70:2, 100:20:-3])


def test_no_value_reads_out_of_bounds(isa, rng):
    for value in (np.nan, np.inf, -np.inf, 1e308, -1e308):
        for share in (0.01, 0.5, 1.0):
            gray = np.where(rng.random((120, 60)) < share, value, rng.random((120, 60)))
            assert prepare_with_engine(gray).image.shape == (28, 28)


def test_the_engine_preprocesses_only_if_it_computes(monkeypatch, rng):
    calls = []
    monkeypatch.setattr(preprocessing, "prepare_with_engine", lambda *arguments: calls.append(arguments))
    monkeypatch.setenv("INKSIGHT_ENGINE", "numpy")
    assert prepare_grayscale(rng.random((30, 30))).image.any()
    assert not calls
    monkeypatch.delenv("INKSIGHT_ENGINE")
    prepare_grayscale(rng.random((30, 30)))
    assert len(calls) == 1
