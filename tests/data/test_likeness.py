"""Images that are not like MNIST's are noticed, and repaired on request."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from inksight.data.dataset import Dataset
from inksight.data.likeness import prepared, turn, unusual
from inksight.data.loading import load, write_csv
from inksight.errors import InputWarning
from inksight.nn.model_file import load_model

CHANGES = {
    "have only the values 0 and 1, not 0 to 255": lambda x: (x > 100).astype(np.uint8),
    "have dark ink on light ground": lambda x: 255 - x,
    "have a gray ground": lambda x: (60 + x * 0.7).astype(np.uint8),
    "are transposed, as in the files of EMNIST": lambda x: x.transpose(0, 2, 1),
    "are upside down": lambda x: x[:, ::-1, ::-1],
    "are mirrored": lambda x: x[:, :, ::-1],
    "are turned by 90 degrees to the right": lambda x: np.rot90(x, -1, axes=(1, 2)),
    "are turned by 90 degrees to the left": lambda x: np.rot90(x, 1, axes=(1, 2)),
}


@pytest.mark.parametrize("cause", CHANGES)
def test_each_kind_is_noticed_and_repaired(cause, mnist, tmp_path):
    some = mnist[50_000:50_300]
    write_csv(Dataset(CHANGES[cause](some.images), some.labels), tmp_path / "digits.csv")
    with pytest.warns(InputWarning, match=f"the images {cause}.*--prepare"):
        changed = load(tmp_path / "digits.csv")
    repaired = load(tmp_path / "digits.csv", prepare=True)
    best = load_model("best")
    accuracy = [(best.predict(data.images) == some.labels).mean() for data in (some, changed, repaired)]
    assert accuracy[2] >= accuracy[0] - 0.02
    assert accuracy[1] < accuracy[2]


MNIST = load("mnist")


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 400), st.lists(st.integers(0, 9), min_size=2, max_size=10, unique=True), st.integers(0, 999))
def test_images_of_mnist_are_not_unusual_whatever_their_number_and_classes(n, classes, seed):
    labels = MNIST.require_labels("this test")
    rows = np.random.default_rng(seed).permutation(60_000)
    rows = rows[np.isin(labels[rows], classes)][:n]
    assert unusual(MNIST.images[rows], labels[rows]) is None


def test_orientations_turn_back(mnist):
    images, labels = mnist.images[:200], mnist.labels[:200]
    for orientation in range(8):
        turned = next(turn(images, k) for k in range(8) if (turn(turn(images, k), orientation) == images).all())
        np.testing.assert_array_equal(prepared(turned, labels, progress=False), prepared(images, None, progress=False))


def test_images_without_labels_are_not_turned(mnist):
    assert unusual(mnist.images[:300].transpose(0, 2, 1), None) is None


def test_blank_images_stay_blank():
    assert not prepared(np.zeros((2, 28, 28), np.uint8), None).any()
    assert unusual(np.zeros((2, 28, 28), np.uint8), None) is None
