"""`Dataset`, the packaged MNIST and `write_csv`, compared with plain NumPy and with published figures."""

import hashlib
import io
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from inksight.data.dataset import Dataset
from inksight.data.loading import load, write_csv
from inksight.data.readers import read
from inksight.errors import InputError, InputWarning

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)
LABELS = np.array([3, 1, 3, 0, 9, 3])


@pytest.fixture
def six():
    return Dataset(IMAGES, LABELS, "six")


def test_mnist_has_the_published_figures(mnist):
    assert mnist.images.shape == (70_000, 28, 28)
    assert mnist.name == "mnist"
    assert mnist.test_count == 10_000
    # The published counts per digit, and the well-known mean and standard deviation of the training pixels.
    train, test = mnist[:60_000], mnist[60_000:]
    assert train.counts.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    histogram, levels = np.bincount(train.images.ravel(), minlength=256), np.arange(256) / 255
    mean = np.average(levels, weights=histogram)
    assert round(mean, 4) == 0.1307
    assert round(np.sqrt(np.average((levels - mean) ** 2, weights=histogram)), 4) == 0.3081
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_reading_mnist_does_not_affect_other_threads(mnist, monkeypatch):
    def fail():
        raise AssertionError("reading MNIST changed the warning filters, which all threads share")

    monkeypatch.setattr(warnings, "catch_warnings", fail)
    assert load("mnist").digest == mnist.digest


def test_mnist_splits_into_the_official_parts(mnist):
    parts = mnist.split()
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [50_000, 10_000, 10_000]
    for part, start in ((parts.train, 0), (parts.validation, 50_000), (parts.test, 60_000)):
        rows = slice(start, start + len(part))
        assert np.array_equal(part.images, mnist.images[rows])
        assert np.array_equal(part.labels, mnist.labels[rows])
        assert part.test_count == 0


ONE = np.zeros((1, 28, 28), np.uint8)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "images a list": ({"images": [[0]]}, "images must be uint8 of shape (n, 28, 28), got list"),
    "images floats": ({"images": ONE / 255}, "got float64 of shape (1, 28, 28)"),
    "images flat": ({"images": ONE.reshape(1, 784)}, "got uint8 of shape (1, 784)"),
    "one image": ({"images": ONE[0]}, "got uint8 of shape (28, 28)"),
    "images of another size": ({"images": np.zeros((1, 28, 27), np.uint8)}, "(1, 28, 27)"),
    "a scalar": ({"images": np.uint8(3)}, "images must be uint8"),
    "labels a list": ({"images": ONE, "labels": [1]}, "labels must be integers of shape (n,), got list"),
    "labels floats": ({"images": ONE, "labels": np.ones(1)}, "got float64 of shape (1,)"),
    "labels bools": ({"images": ONE, "labels": np.ones(1, bool)}, "got bool"),
    "labels in a column": ({"images": ONE, "labels": np.ones((1, 1), int)}, "got int64 of shape (1, 1)"),
    "too many labels": ({"images": ONE, "labels": np.ones(2, int)}, "number of labels must be 1, one per image"),
    "label too high": ({"images": ONE, "labels": np.array([10])}, "must be 0 to 9, got 10 for image 0"),
    "label negative": ({"images": ONE, "labels": np.array([-1])}, "must be 0 to 9, got -1 for image 0"),
    "label huge": ({"images": ONE, "labels": np.array([2**64 - 1], np.uint64)}, "labels must be 0 to 9"),
    "no classes": ({"images": ONE, "class_names": ()}, "class_names must be 1 to 1000 strings"),
    "classes are numbers": ({"images": ONE, "class_names": (1, 2)}, "class_names must be 1 to 1000 strings"),
    "test_count too many": ({"images": ONE, "test_count": 2}, "test_count must be 0 to 1, got 2"),
    "test_count negative": ({"images": ONE, "test_count": -1}, "test_count must be 0 to 1, got -1"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arrays_are_rejected(case):
    arguments, words = WRONG[case]
    with pytest.raises(InputError) as caught:
        Dataset(**arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arrays_are_contiguous_and_read_only():
    images = np.asfortranarray(IMAGES)
    data = Dataset(images, LABELS.astype(np.uint8))
    assert data.labels is not None
    assert data.labels.dtype == np.int64
    assert data.images.flags.c_contiguous
    np.testing.assert_array_equal(data.images, IMAGES)
    arrays: tuple[NDArray[Any], ...] = (data.images, data.labels)
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    images[0] = 0  # the array of the caller stays writable


def test_repr_is_one_line(six):
    assert str(six) == repr(six) == "Dataset('six', 6 images, 10 classes)"
    assert repr(Dataset(IMAGES, name="six")) == "Dataset('six', 6 images, 10 classes, unlabeled)"
    assert len(repr(six.split())) < 250


def test_digest_depends_on_pixels_and_labels_only(six):
    by_hand = hashlib.sha256(b"(6, 28, 28) True" + IMAGES.tobytes() + LABELS.astype("<i8").tobytes())
    assert six.digest == by_hand.hexdigest()
    assert six.digest == Dataset(np.asfortranarray(IMAGES), LABELS.astype(np.int8), "other").digest
    others = [Dataset(IMAGES), Dataset(IMAGES, LABELS[::-1]), Dataset(255 - IMAGES, LABELS), six[:0]]
    assert len({six.digest, *(other.digest for other in others)}) == 5


@pytest.mark.parametrize(
    "index",
    [
        slice(1, 4),
        slice(None, None, -2),
        [0, 0, 5],
        [-1],
        np.array([2, 1], np.uint8),
        LABELS == 3,
        [],
        slice(9, 9),
    ],
)
def test_subsets(six, index):
    part = six[index]
    rows = np.array(index, np.intp) if isinstance(index, list) else index
    np.testing.assert_array_equal(part.images, IMAGES[rows])
    np.testing.assert_array_equal(part.labels, LABELS[rows])
    assert part.name == "six"
    assert Dataset(IMAGES)[index].labels is None


@pytest.mark.parametrize(
    "index",
    [3, np.int64(3), "3", 0.5, None, [0.5], [6], [-7], [True], [[1]], [[1], [2, 3]], (1, 2, "x"), slice("a")],
)
def test_wrong_subsets(six, index):
    with pytest.raises(InputError):
        six[index]


def test_counts_and_images_of_one_class(six):
    assert six.counts.tolist() == [1, 1, 0, 3, 0, 0, 0, 0, 0, 1]
    for three in (six.of_digit(3), six.of_digit("3"), six.of_digit(np.int64(3))):
        np.testing.assert_array_equal(three.images, IMAGES[[0, 2, 5]])
    assert len(six.of_digit(2)) == 0
    signs = Dataset(IMAGES[:2], np.array([1, 0]), class_names=("minus", "plus"))
    np.testing.assert_array_equal(signs.of_digit("plus").images, IMAGES[:1])
    assert signs.counts.tolist() == [1, 1]


@pytest.mark.parametrize("digit", [10, -1, "ten", 3.0, True, None])
def test_unknown_class(six, digit):
    with pytest.raises(InputError, match="digit must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 or an index"):
        six.of_digit(digit)


def test_missing_labels_are_reported():
    data = Dataset(IMAGES, name="test.csv")
    with pytest.raises(InputError, match=r"training needs labels, and 'test.csv' has none"):
        data.require_labels("training")
    with pytest.raises(InputError, match="needs labels"):
        _ = data.counts
    with pytest.raises(InputError, match="needs labels"):
        data.of_digit(3)
    np.testing.assert_array_equal(Dataset(IMAGES, LABELS).require_labels("training"), LABELS)


def test_summary(mnist):
    lines = mnist.summary().splitlines()
    assert lines[:3] == [
        "mnist: 70,000 images, 28x28 pixels, the last 10,000 are its test set",
        "images  (70000, 28, 28)  uint8",
        "labels  (70000,)  int64",
    ]
    assert [int(line.split()[1].replace(",", "")) for line in lines[3:]] == mnist.counts.tolist()
    assert len({len(line) for line in lines[3:]}) == 1
    assert Dataset(IMAGES).summary().splitlines()[-1] == "labels  none"


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.booleans(), st.integers(0, 2**32 - 1))
def test_csv_is_in_kaggles_layout_and_reads_back(n, labeled, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n) if labeled else None
    data = Dataset(rng.integers(0, 256, (n, 28, 28)).astype(np.uint8), labels)

    with tempfile.TemporaryDirectory() as folder:
        write_csv(data, Path(folder) / "train.csv")
        text = (Path(folder) / "train.csv").read_text()
        raw = read(Path(folder) / "train.csv")
        assert Dataset(raw.images, raw.labels).digest == data.digest
        assert [path.name for path in Path(folder).iterdir()] == ["train.csv"]
    header = text.splitlines()[0].split(",")
    assert header == ["label"] * labeled + [f"pixel{i}" for i in range(784)]
    numbers = np.loadtxt(io.StringIO(text), int, delimiter=",", skiprows=1, ndmin=2)
    np.testing.assert_array_equal(numbers[:, -784:], data.images.reshape(n, 784))
    if labeled:
        np.testing.assert_array_equal(numbers[:, 0], labels)


def test_names_of_sources(tmp_path, monkeypatch, mnist):
    write_csv(mnist[:3], tmp_path / "train.csv")
    monkeypatch.chdir(tmp_path)
    assert load("train.csv").name == "train.csv"
    assert load(tmp_path / "train.csv").name == "train.csv"
    assert load(tmp_path).name == load(".").name == tmp_path.name


def numbered(count, start, labels, **options):
    """Images whose first pixel is their number."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(start, start + count)
    return Dataset(images, np.resize(labels, count), **options)


def numbers(data):
    return data.images[:, 0, 0].tolist()


def test_sum_of_datasets_has_all_images_in_order(six):
    parts = [numbered(3, start, [start], name=name) for start, name in ((0, "a"), (3, "b"), (6, "b"))]
    total = sum(parts)
    assert isinstance(total, Dataset)
    assert (numbers(total), total.name) == (list(range(9)), "a + b + b")
    assert total.labels is not None
    assert total.labels.tolist() == [0, 0, 0, 3, 3, 3, 6, 6, 6]
    assert (six[:2] + six[2:]).digest == six.digest
    assert (six + six).name == "six"
    assert (Dataset(IMAGES) + Dataset(IMAGES)).labels is None


@pytest.mark.parametrize(
    ("first", "second", "names", "labels"),
    [
        (("a", "b"), ("b", "c"), ("a", "b", "c"), [0, 1, 1, 2]),
        (("a", "b"), ("b", "a"), ("a", "b"), [0, 1, 1, 0]),
        (("3", "7"), tuple("0123456789"), tuple("0123456789"), [3, 7, 0, 1]),
        (tuple("0123456789"), ("3", "7"), tuple("0123456789"), [0, 1, 3, 7]),
    ],
)
def test_sum_unites_classes(first, second, names, labels):
    total = numbered(2, 0, [0, 1], class_names=first) + numbered(2, 2, [0, 1], class_names=second)
    assert total.class_names == names
    assert total.labels is not None
    assert total.labels.tolist() == labels


@pytest.mark.parametrize("swapped", [False, True])
def test_sum_keeps_validation_and_test_images(swapped):
    official = numbered(20, 0, [0, 1], name="official", validation_count=4, test_count=6)
    tested = numbered(14, 20, [0, 1], name="tested", test_count=2)
    plain = numbered(10, 34, [0, 1], name="plain")
    total = sum([plain, tested, official] if swapped else [official, tested, plain])
    assert isinstance(total, Dataset)
    assert sorted(numbers(total)) == list(range(44))
    got = total.split().parts
    for name, part in got.items():
        all_parts = [data.split().parts for data in (official, tested, plain)]
        assert sorted(numbers(part)) == sorted(n for parts in all_parts if name in parts for n in numbers(parts[name]))
    assert set(numbers(got["test"])) == {*range(14, 20), 32, 33}
    assert len(got["train"]) == 10 + 10 + 8


def test_an_image_stays_in_one_set_of_a_sum():
    first = numbered(20, 0, [0, 1], validation_count=4, test_count=6)  # training 0 to 9, then validation, then test
    own = Dataset(first.images[[9, 12, 15]], np.array([1, 0, 1]), "own", validation_count=1, test_count=1)
    total = first + own  # each image is in the same set twice
    parts = {name: numbers(part) for name, part in total.split().parts.items()}
    assert parts == {"train": [*range(10), 9], "validation": [*range(10, 14), 12], "test": [*range(14, 20), 15]}
    moved = replace(own, images=first.images[[15, 16, 3]])  # test images to train and to validate on, and the reverse
    with pytest.warns(InputWarning, match="3 images of 'digits . own'"):
        total = first + moved
    parts = {name: numbers(part) for name, part in total.split().parts.items()}
    train = [i for i in range(10) if i != 3]
    assert parts == {"train": train, "validation": list(range(10, 14)), "test": [*range(14, 20), 3]}
    plain = numbered(3, 0, [0])
    assert numbers(plain + plain) == [0, 1, 2, 0, 1, 2]  # without such sets, there is nothing to protect


def test_a_single_image_is_added_to_the_training_images():
    data, one = numbered(20, 0, [0], validation_count=4, test_count=6), numbered(1, 20, [5])
    parts = (data + one).split().parts
    assert numbers(parts["train"]) == [*range(10), 20]
    assert [numbers(parts[name]) for name in ("validation", "test")] == [list(range(10, 14)), list(range(14, 20))]


def test_wrong_sums(six):
    with pytest.raises(InputError, match=r"both datasets must have labels or none, 'test.csv' has none: add labels"):
        six + Dataset(IMAGES, name="test.csv")
    first, second = (numbered(1, 0, [0], class_names=[f"{letter}{i}" for i in range(600)]) for letter in "ab")
    with pytest.raises(InputError, match="class_names must be 1 to 1000 strings"):
        first + second
    for other in (1, "train.csv", None):
        with pytest.raises(TypeError):
            six + other
