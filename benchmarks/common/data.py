"""The images and the recipe that several benchmarks train on."""

from dataclasses import replace

import numpy as np

from inksight.config import RECIPES, Augmentation
from inksight.data.loading import load
from inksight.data.splits import Splits

KAGGLE_ROWS = 42_000  # images in the train.csv of Kaggle's Digit Recognizer, the file that the post used

# Adam alone, with the same augmentation in every epoch: the simplest recipe to compare networks and frameworks by.
PLAIN_RECIPE = replace(
    RECIPES["default"], muon_scale=0, taper=0, augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1)
)


def mnist_without_test() -> Splits:
    """Return MNIST's 50,000 training and 10,000 validation images, and no test images."""
    splits = load("mnist").split()
    return Splits(splits.train, splits.validation, None)


def kaggle_sized_mnist() -> Splits:
    """Return 42,000 of MNIST's 60,000 training images, shuffled, in the post's split: 33,600 and 8,400.

    They stand in for Kaggle's train.csv.
    """
    mnist = load("mnist")
    training_images = len(mnist) - mnist.test_count
    return mnist[np.random.default_rng(0).permutation(training_images)[:KAGGLE_ROWS]].split()
