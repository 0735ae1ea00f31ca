"""Allographs: where the added strokes are, and which digits get them."""

import numpy as np

from inksight.augmentation import allographs
from inksight.augmentation.allographs import ALLOGRAPHS, add_allographs, draw_strokes


def image_with_ink(*rows_columns):
    image = np.zeros((1, 28, 28), np.float32)
    for rows, columns in rows_columns:
        image[0, rows, columns] = 1
    return image


def test_stroke_has_the_given_width_and_ends():
    line = draw_strokes((np.array([14.0]), np.array([5.0])), (np.array([14.0]), np.array([20.0])), np.array([1.5]))[0]
    assert line[14, 5:21].min() == 1
    np.testing.assert_array_equal(np.flatnonzero(line[:, 12] > 0.5), [13, 14, 15])
    np.testing.assert_array_equal(np.flatnonzero(line[14] > 0.5)[[0, -1]], [4, 21])


def test_only_ones_fours_sevens_and_nines_change(mnist):
    sample = mnist[:400]
    ink = sample.images.astype(np.float32) / 255
    changed = (add_allographs(ink, sample.labels, np.random.default_rng(0)) != ink).any(axis=(1, 2))
    assert set(sample.labels[changed]) == {1, 4, 7, 9}


def test_upstroke_starts_at_the_top_and_goes_down_to_the_left(monkeypatch):
    monkeypatch.setattr(allographs, "ALLOGRAPHS", ALLOGRAPHS[:1])
    one = np.repeat(image_with_ink((slice(4, 24), slice(13, 15))), 200, axis=0)
    difference = add_allographs(one, np.ones(200, np.int64), np.random.default_rng(0)) - one
    upstrokes = difference[difference.any(axis=(1, 2))]
    assert 40 < len(upstrokes) < 120  # of 200, with probability 0.4
    assert upstrokes[:, :, 17:].max() == 0  # no ink on the right
    assert (upstrokes[:, 3:8, 8:13].max(axis=(1, 2)) > 0.6).all()
    assert upstrokes[:, 22:].max() == 0  # no ink at the bottom


def test_four_with_a_short_stem_keeps_its_arm_bar_and_lower_stem(monkeypatch):
    monkeypatch.setattr(allographs, "ALLOGRAPHS", ())
    monkeypatch.setattr(allographs, "SHORT_STEM_PROBABILITY", 1.0)
    four = image_with_ink((slice(4, 15), 8), (14, slice(8, 20)), (slice(4, 24), 16))
    short = add_allographs(four, np.array([4]), np.random.default_rng(0))[0]
    assert short[4:10, 16].max() == 0
    assert short[4:15, 8].min() == 1
    assert short[14, 8:20].min() == 1
    assert short[14:24, 16].min() == 1


def test_nine_with_a_tail_keeps_its_loop_and_turns_left(monkeypatch):
    monkeypatch.setattr(allographs, "ALLOGRAPHS", ())
    monkeypatch.setattr(allographs, "TAIL_PROBABILITY", 1.0)
    loop = [(4, slice(10, 17)), (12, slice(10, 17)), (slice(4, 13), 10), (slice(4, 13), 16)]
    nine = np.repeat(image_with_ink(*loop, (slice(4, 24), 16)), 50, axis=0)
    tailed = add_allographs(nine, np.full(50, 9), np.random.default_rng(0))
    np.testing.assert_array_equal(tailed[:, :13], np.maximum(tailed[:, :13], nine[:, :13]))
    assert (tailed[:, 20:25, :15].max(axis=(1, 2)) > 0.6).all()  # the original stem is straight, in column 16
    assert tailed[:, 26:].max() == 0


def test_tail_of_any_image_is_finite_and_in_range(rng):
    for ink in (np.zeros((3, 28, 28), np.float32), rng.random((3, 28, 28)).astype(np.float32)):
        tailed = add_allographs(ink, np.full(3, 9), np.random.default_rng(0))
        assert np.isfinite(tailed).all()
        assert tailed.min() >= 0
        assert tailed.max() <= 1
