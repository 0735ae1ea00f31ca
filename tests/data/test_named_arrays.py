"""Arrays are found by the names and shapes that people give them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sources import WORDS, some_digits

from inksight.data.readers.named_arrays import Array, read_parts

X, Y = some_digits(12)

NAMES = {
    "keras": ("x_train", "y_train", "x_test", "y_test"),
    "capital": ("X_train", "Y_train", "X_test", "Y_test"),
    "images": ("train_images", "train_labels", "test_images", "test_labels"),
    "camel": ("trainX", "trainY", "testX", "testY"),
    "words": ("TrainingImages", "TrainingLabels", "TestingImages", "TestingLabels"),
    "joined": ("xtrain", "ytrain", "xtest", "ytest"),
    "reversed": ("train/data", "train/target", "test/data", "test/target"),
}
WHOLE = {"X y": ("X", "y"), "images": ("images", "labels"), "data": ("data", "target"), "arr": ("arr_0", "arr_1")}
SHAPES = {
    "28x28": lambda x: x,
    "channel last": lambda x: x[..., None],
    "channel first": lambda x: x[:, None],
    "flat": lambda x: x.reshape(len(x), 784),
}
TYPES = {
    "uint8": lambda x: x,
    "int64": lambda x: x.astype(np.int64),
    "whole floats": lambda x: x.astype(np.float32),
    "0 to 1": lambda x: x / 255,
    "half precision": lambda x: (x / 255).astype(np.float16),
}
LABELS = {
    "int64": lambda y: y,
    "column": lambda y: y[:, None].astype(np.uint8),
    "floats": lambda y: y.astype(np.float32),
    "one-hot": lambda y: np.eye(10)[y],
    "text": lambda y: y.astype(str),
    "bytes": lambda y: y.astype("S1"),
    "words": lambda y: np.array(WORDS)[y],
}


def read(content):
    arrays = [Array(name, array.shape, array.dtype) for name, array in content.items()]
    return read_parts(Path("digits.npz"), arrays, content.__getitem__)


@settings(deadline=None)
@given(
    st.sampled_from(list(NAMES)), st.sampled_from(list(SHAPES)), st.sampled_from(list(TYPES)),
    st.sampled_from(list(LABELS)), st.booleans(),
)  # fmt: skip
def test_images_and_labels_are_found_and_converted(names, shape, kind, labels, another):
    x, y = TYPES[kind](SHAPES[shape](X)), LABELS[labels](Y)
    content = dict(zip(NAMES[names], (x[:8], y[:8], x[8:], y[8:]), strict=True))
    raw = read(content | ({"writer": np.arange(8), "note": np.array("made by hand")} if another else {}))
    np.testing.assert_array_equal(raw.images, X)
    np.testing.assert_array_equal(raw.labels, Y)
    assert raw.class_names == tuple("0123456789")
    assert (raw.validation_count, raw.test_count) == (0, 4)


@pytest.mark.parametrize("names", WHOLE)
def test_a_single_part(names):
    images, labels = WHOLE[names]
    raw = read({labels: Y, images: X})
    np.testing.assert_array_equal(raw.images, X)
    np.testing.assert_array_equal(raw.labels, Y)


def test_images_alone_have_no_labels():
    assert read({"arr_0": X}).labels is None


def test_the_validation_set_is_taken():
    raw = read(
        {
            "val_images": X[6:8],
            "val_labels": Y[6:8],
            "x_train": X[:6],
            "y_train": Y[:6],
            "x_test": X[8:],
            "y_test": Y[8:],
        }
    )
    np.testing.assert_array_equal(raw.images, X)
    assert (raw.validation_count, raw.test_count) == (2, 4)


def test_booleans_are_ink():
    assert read({"x": X > 0}).images.max() == 255


def test_zeros_and_ones_are_not_scaled():
    np.testing.assert_array_equal(read({"x": (X > 0).astype(float)}).images, X > 0)


def test_one_column_per_class_of_other_classes():
    raw = read({"x": X[:3], "y": np.eye(3)})
    assert raw.class_names == ("0", "1", "2")
