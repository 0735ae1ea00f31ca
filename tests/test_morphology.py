"""Closings and regions, against SciPy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from inksight.morphology import closing, regions


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), share=st.floats(0, 1), blocks=st.integers(1, 4),
    seed=st.integers(0, 2**31),
)  # fmt: skip
def test_regions_are_scipys(height, width, share, blocks, seed):
    mask = np.random.default_rng(seed).random((height, width)) < share
    mask = np.kron(mask, np.ones((blocks, blocks), bool))
    expected, count = ndimage.label(mask, np.ones((3, 3)))
    found = regions(mask)
    assert found[1] == count
    np.testing.assert_array_equal(found[0], expected)


def test_spirals_are_one_region():
    side = 61
    mask = np.zeros((side, side), bool)
    for ring in range(0, side // 2, 2):
        mask[ring, max(ring - 1, 0) : side - ring] = mask[ring : side - ring, side - 1 - ring] = True
        mask[side - 1 - ring, ring : side - ring] = mask[ring + 2 : side - ring, ring] = True
    for turned in (mask, mask.T, mask[::-1], mask[:, ::-1]):
        np.testing.assert_array_equal(regions(turned)[0], ndimage.label(turned, np.ones((3, 3)))[0])


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 32), width=st.integers(1, 32), half=st.integers(0, 12), seed=st.integers(0, 2**31),
)  # fmt: skip
def test_closings_are_scipys(height, width, half, seed):
    values = np.random.default_rng(seed).normal(size=(height, width))
    window = 2 * half + 1
    expected = ndimage.maximum_filter(values, window, mode="nearest")
    expected = ndimage.minimum_filter(expected, window, mode="nearest")
    np.testing.assert_array_equal(closing(values, window), expected)
