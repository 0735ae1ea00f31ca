"""Augmentation by a function: how it is called, what it may return, and what a model says about it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from trials import QUICK, TINY

from inksight import Augmentation, InputError, Model, card
from inksight._shared.markdown import escape_markdown
from inksight.augmentation import apply_function
from inksight.augmentation.user_function import name_of
from inksight.training.fitting import fit, train

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)


def roll(images, rng):
    return np.roll(images, rng.integers(1, 28), axis=1)


def roll_with_option(images, axis=1, *, rng=None):
    assert rng is not None
    return np.roll(images, rng.integers(1, 28), axis=axis)


class Roll:
    def __call__(self, images, generator):
        return roll(images, generator)

    def alone(self, images, count=1):
        assert count == 1  # an optional second argument is not the generator
        return np.roll(images, count, axis=1)


def in_place(images):
    images[:, 0] = 0
    return images


def test_a_function_gets_a_generator_that_depends_on_seed_and_epoch():
    results = {(seed, epoch): apply_function(roll, IMAGES, seed, epoch) for seed in range(4) for epoch in range(4)}
    for (seed, epoch), result in results.items():
        assert sorted(result.ravel()) == sorted(IMAGES.ravel())
        for function in (roll_with_option, Roll(), partial(roll_with_option, axis=1), lambda a, b: roll(a, b)):
            np.testing.assert_array_equal(apply_function(function, IMAGES, seed, epoch), result)
    assert len({result.tobytes() for result in results.values()}) > 8


@pytest.mark.parametrize(
    "function",
    [np.fliplr, np.invert, in_place, Roll().alone, lambda x: ndimage.grey_dilation(x, (1, 3, 3)), lambda x: x.tolist()
     and x[::-1], lambda *images: images[0].copy(order="F")],
)  # fmt: skip
def test_a_function_of_images_alone(function):
    before = IMAGES.copy()
    result = apply_function(function, IMAGES, 0, 0)
    np.testing.assert_array_equal(IMAGES, before)
    np.testing.assert_array_equal(result, function(IMAGES.copy()))
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "nothing": (lambda x: None, "must return images of shape (5, 28, 28), got NoneType: return one image for each"),
    "one image": (lambda x: x[0], "got an array of shape (28, 28)"),
    "fewer": (lambda x: x[1:], "got an array of shape (4, 28, 28)"),
    "a channel": (lambda x: x[..., None], "got an array of shape (5, 28, 28, 1)"),
    "shares": (lambda x: x / 255, "must return values 0 to 255, got 0 to 1: multiply them by 255"),
    "bools": (lambda x: x > 99, "must return values 0 to 255, got 0 to 1"),
    "rounded shares": (lambda x: (x / 255).astype(np.uint8), "got 0 to 1: multiply them by 255"),
    "normalized": (lambda x: (x - 127.0) / 60, "must return uint8, got float64 from -2.12 to 2.13: end with np.clip"),
    "overflow": (lambda x: x.astype(int) + 9, "must return uint8, got int64 from 9 to 264: end with np.clip(images"),
    "floats": (lambda x: x.astype(np.float32), "must return uint8, got float32 from 0 to 255"),
    "NaN": (lambda x: x * np.nan, "must return uint8, got float64 from nan to nan"),
    "texts": (lambda x: x.astype(str), "must return uint8, got <U3: return an array of numbers"),
    "no argument": (lambda: IMAGES, "must be callable with images"),
    "named argument": (lambda x, *, k: x, "missing a required argument: 'k'"),
    "generator first": (lambda rng, x: x, "multiple values for argument 'rng'"),
    "class": (Roll, "must be callable with images"),
    "ragged": (lambda x: [[1], [2, 3]], "must return images of shape (5, 28, 28), got list"),
    "negative": (lambda x: x.astype(int) - 300, "must return uint8, got int64 from -300 to"),
    "arguments": (lambda x, labels, rng2: x, "missing a required argument: 'labels'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_results_are_refused(case):
    function, words = WRONG[case]
    with pytest.raises(InputError) as caught:
        apply_function(function, IMAGES, 0, 0)
    assert words in str(caught.value)
    assert f" {name_of(function)} " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_blank_training_images_may_stay_blank():
    blank = np.zeros((2, 28, 28), np.uint8)
    np.testing.assert_array_equal(apply_function(np.fliplr, blank, 0, 0), blank)


def test_errors_of_the_function_are_its_own():
    with pytest.raises(ZeroDivisionError):
        apply_function(lambda x: 1 // 0, IMAGES, 0, 0)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (roll, f"{__name__}.roll"),
        (partial(roll, rng=1), f"{__name__}.roll"),
        (Roll(), f"{__name__}.Roll"),
        (Roll().alone, f"{__name__}.Roll.alone"),
        (partial(partial(roll), 1), f"{__name__}.roll"),
    ],
)
def test_names(function, name):
    assert name_of(function) == name


@pytest.fixture(scope="module")
def rolled(few):
    return train(few, TINY, replace(QUICK, epochs=2), augmentation=roll, progress=False)


def test_training_applies_the_function_in_every_epoch(few, rolled):
    calls = []

    def spy(images, rng):
        calls.append(images.copy())
        return roll(images, rng)

    recipe = replace(QUICK, epochs=2)
    again = train(few, TINY, recipe, augmentation=spy, progress=False)
    assert len(calls) == 2
    for images in calls:
        np.testing.assert_array_equal(images, few.train.images)
    plain = train(few, TINY, recipe, progress=False)
    assert rolled.digest == again.digest != plain.digest
    assert rolled.normalization == plain.normalization
    assert rolled.trained_on == few.train.digest
    identity = train(few, TINY, recipe, augmentation=lambda images: images, progress=False)
    assert identity.digest == plain.digest  # so the augmentation of the recipe still follows


def test_the_function_comes_before_the_pen_style(few):
    recipe = replace(QUICK, epochs=1, augmentation=Augmentation(pen_style=0.5))
    rolled_before = replace(few.train, images=apply_function(roll, few.train.images, 0, 0))
    by_function = fit(few, TINY, recipe, augmentation=roll, progress=False).model
    by_hand = fit(replace(few, train=rolled_before), TINY, recipe, progress=False).model
    assert by_function.params.keys() == by_hand.params.keys()
    for name, weights in by_function.params.items():
        np.testing.assert_allclose(
            weights, by_hand.params[name], atol=1e-5
        )  # the mean of the pixels differs by rounding


def test_an_augmentation_replaces_that_of_the_recipe(few):
    own = Augmentation(rotation=30)
    model = train(few, TINY, replace(QUICK, epochs=1), augmentation=own, progress=False)
    assert model.recipe == replace(QUICK, epochs=1, augmentation=own)
    assert model.augmentation_function == ""


def test_file_and_card_name_the_function(rolled, few, digits, tmp_path):
    rolled.save(tmp_path / "rolled.safetensors")
    model = Model.load(tmp_path / "rolled.safetensors")
    assert model.augmentation_function == f"{__name__}.roll"
    text = card(model, digits.test, "all")
    assert f"by a function of the user, {escape_markdown(__name__)}.roll, which is not stored" in str(text)
    assert text.to_dict()["augmentation_function"] == f"{__name__}.roll"
    more = train(few, start=model, recipe=QUICK, epochs=1, progress=False)
    assert more.augmentation_function == ""  # like the recipe, that of the last training
    assert "function of the user" not in str(card(more, digits.test, "all"))
    more.save(tmp_path / "more.safetensors")
    assert b"augmentation_function" not in (tmp_path / "more.safetensors").read_bytes()
