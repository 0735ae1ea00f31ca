"""Strokes that other hands add: where they begin, and to which digits."""

import numpy as np

from inksight.augmentation import allographs as habits
from inksight.augmentation.allographs import ALLOGRAPHS, add_allographs, stroke


def drawn(*rows_columns):
    image = np.zeros((1, 28, 28), np.float32)
    for rows, columns in rows_columns:
        image[0, rows, columns] = 1
    return image


def test_a_stroke_is_as_wide_as_asked_for_and_ends_where_it_should():
    line = stroke((np.array([14.0]), np.array([5.0])), (np.array([14.0]), np.array([20.0])), np.array([1.5]))[0]
    assert line[14, 5:21].min() == 1
    np.testing.assert_array_equal(np.flatnonzero(line[:, 12] > 0.5), [13, 14, 15])
    np.testing.assert_array_equal(np.flatnonzero(line[14] > 0.5)[[0, -1]], [4, 21])


def test_only_ones_fours_sevens_and_nines_change(mnist):
    some = mnist[:400]
    ink = some.images.astype(np.float32) / 255
    changed = (add_allographs(ink, some.labels, np.random.default_rng(0)) != ink).any(axis=(1, 2))
    assert set(some.labels[changed]) == {1, 4, 7, 9}


def test_an_upstroke_begins_at_the_top_and_falls_to_the_left(monkeypatch):
    monkeypatch.setattr(habits, "HABITS", ALLOGRAPHS[:1])
    one = np.repeat(drawn((slice(4, 24), slice(13, 15))), 200, axis=0)
    added = add_allographs(one, np.ones(200, np.int64), np.random.default_rng(0)) - one
    some = added[added.any(axis=(1, 2))]
    assert 40 < len(some) < 120  # of 200, with a chance of 0.4
    assert some[:, :, 17:].max() == 0  # nothing to the right
    assert (some[:, 3:8, 8:13].max(axis=(1, 2)) > 0.6).all()
    assert some[:, 22:].max() == 0  # nor at the foot


def test_a_short_four_keeps_its_left_arm_bar_and_stem(monkeypatch):
    monkeypatch.setattr(habits, "HABITS", ())
    monkeypatch.setattr(habits, "SHORT_FOURS", 1.0)
    four = drawn((slice(4, 15), 8), (14, slice(8, 20)), (slice(4, 24), 16))
    short = add_allographs(four, np.array([4]), np.random.default_rng(0))[0]
    assert short[4:10, 16].max() == 0
    assert short[4:15, 8].min() == 1
    assert short[14, 8:20].min() == 1
    assert short[14:24, 16].min() == 1


def test_a_nine_with_a_tail_keeps_its_loop_and_turns_to_the_left(monkeypatch):
    monkeypatch.setattr(habits, "HABITS", ())
    monkeypatch.setattr(habits, "TAILED_NINES", 1.0)
    loop = [(4, slice(10, 17)), (12, slice(10, 17)), (slice(4, 13), 10), (slice(4, 13), 16)]
    nine = np.repeat(drawn(*loop, (slice(4, 24), 16)), 50, axis=0)
    tailed = add_allographs(nine, np.full(50, 9), np.random.default_rng(0))
    np.testing.assert_array_equal(tailed[:, :13], np.maximum(tailed[:, :13], nine[:, :13]))
    assert (tailed[:, 20:25, :15].max(axis=(1, 2)) > 0.6).all()  # the stem went straight down at 16
    assert tailed[:, 26:].max() == 0


def test_ink_of_any_form_can_be_given_a_tail(rng):
    for ink in (np.zeros((3, 28, 28), np.float32), rng.random((3, 28, 28)).astype(np.float32)):
        tailed = add_allographs(ink, np.full(3, 9), np.random.default_rng(0))
        assert np.isfinite(tailed).all()
        assert tailed.min() >= 0
        assert tailed.max() <= 1
