"""Every format gives the same digits."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
import sources
from hypothesis import given, settings, strategies as st
from PIL import Image
from sources import LIMIT, csv_bytes, picture_bytes, refused, some_digits, write

from inksight.data.loading import load
from inksight.data.readers import read
from inksight.errors import InputWarning
from inksight.imaging.preprocessing import prepare

X, Y = some_digits()


@pytest.mark.parametrize("kind", sources.LABELLED)
def test_every_labeled_source_gives_the_same_digits(kind, tmp_path):
    data = load(sources.LABELLED[kind](tmp_path, X, Y), memory_limit=LIMIT)
    np.testing.assert_array_equal(data.images, X)
    np.testing.assert_array_equal(data.labels, Y)
    assert data.class_names == tuple("0123456789")
    assert data.test_count == 0


@pytest.mark.parametrize("kind", sources.PICTURES)
def test_pictures_in_folders_are_converted_as_by_prepare(kind, tmp_path):
    data = load(sources.PICTURES[kind](tmp_path, X, Y), memory_limit=LIMIT)
    assert data.labels is not None
    by_class = np.argsort(data.labels, kind="stable")  # names of classes may sort in another order
    np.testing.assert_array_equal(data.images[by_class], [prepare(image).image for image in X])
    np.testing.assert_array_equal(data.labels[by_class], Y)
    assert data.class_names == tuple("0123456789")
    assert data.test_count == 0


def test_images_of_mnist_stored_as_pictures_hardly_change(mnist, tmp_path):
    rows = np.arange(50_000, 50_060)
    rows = rows[np.argsort(mnist.labels[rows], kind="stable")]
    data = load(sources.write_pictures(tmp_path, mnist.images[rows], mnist.labels[rows]))
    np.testing.assert_array_equal(data.labels, mnist.labels[rows])
    differences = np.abs(data.images.astype(int) - mnist.images[rows]).mean(axis=(1, 2))
    assert np.median(differences) < 0.5  # of 255


@pytest.mark.parametrize("kind", sources.HELD_OUT)
def test_a_source_with_a_test_set_keeps_it_last(kind, tmp_path):
    data = load(sources.HELD_OUT[kind](tmp_path, X, Y), memory_limit=LIMIT)
    np.testing.assert_array_equal(data.images, X)
    np.testing.assert_array_equal(data.labels, Y)
    assert data.test_count == len(X) // 3


@pytest.mark.parametrize("kind", sources.UNLABELLED)
def test_a_source_without_labels(kind, tmp_path):
    data = load(sources.UNLABELLED[kind](tmp_path, X), memory_limit=LIMIT)
    np.testing.assert_array_equal(data.images, X)
    assert data.labels is None


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32 - 1), st.sampled_from([1, 10, 100, 256]))
def test_csv_agrees_with_numpy_loadtxt(n, seed, top):
    rng = np.random.default_rng(seed)
    text = csv_bytes(rng.integers(0, top, (n, 28, 28)).astype(np.uint8), rng.integers(0, 10, n))
    with tempfile.TemporaryDirectory() as folder:  # up to 1.2 MB: several blocks of the reader
        data = read(write(Path(folder), "train.csv", text), LIMIT)
    expected = np.loadtxt(io.BytesIO(text), np.int64, delimiter=",", skiprows=1, ndmin=2)
    np.testing.assert_array_equal(data.images.reshape(n, -1), expected[:, 1:])
    np.testing.assert_array_equal(data.labels, expected[:, 0])


def test_classes_are_the_names_of_the_subfolders(tmp_path):
    for name in ("tilde", "dash", ".hidden", "__MACOSX"):
        write(tmp_path, f"{name}/a.png", picture_bytes(X[0]))
    write(tmp_path, "dash/Thumbs.db", b"not a picture")
    data = load(tmp_path)
    assert data.class_names == ("dash", "tilde")
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1]


PARTS = [
    ("train", "valid", "test", "{label}/{i}.png"),
    ("Training", "validation", "Testing", "digit_{label}/{i}.png"),
    ("train", "val", "test", "{label}-{i}.png"),
]


@pytest.mark.parametrize(("train", "validation", "test", "place"), PARTS)
def test_folders_of_parts(train, validation, test, place, tmp_path):
    for name, rows in ((train, slice(0, 6)), (validation, slice(6, 8)), (test, slice(8, None))):
        sources.write_pictures(tmp_path / name, X[rows], Y[rows], place=place)
    raw = read(tmp_path)
    assert (raw.validation_count, raw.test_count) == (2, 4)
    np.testing.assert_array_equal(raw.labels, Y)
    np.testing.assert_array_equal(raw.images, [prepare(image).image for image in X])


def test_a_stray_file_is_named_and_left_out(tmp_path):
    sources.write_pictures(tmp_path, X, Y)
    write(tmp_path, f"{Y[0]}/notes.txt", b"by hand")
    write(tmp_path, f"{Y[0]}/data.bin", bytes(100))
    with pytest.warns(InputWarning, match=r"that are not pictures are left out, 2: 'data.bin', 'notes.txt'"):
        assert len(load(tmp_path)) == len(X)


WRONG_TABLES = {
    "no names": ("a,b\n5,6\n", "must have a column of file names"),
    "two labels": ("file,a,b\n0.png,1,2\n1.png,3,4\n", "one column of labels, got 2"),
    "missing": ("file,label\n0.png,1\n", "no row for '1.png'"),
    "twice": ("0.png,1\n1.png,2\n0,3\n0.png,3\n", "the labels '1' and '3'"),
    "not a digit": ("0.png,1\n1.png,x\n", "label must be 0 to 9, got 'x'"),
}


@pytest.mark.parametrize("case", WRONG_TABLES)
def test_wrong_tables_of_labels(case, tmp_path):
    table, words = WRONG_TABLES[case]
    for i in range(2):
        write(tmp_path, f"{i}.png", picture_bytes(X[i]))
    write(tmp_path, "labels.csv", table.encode())
    refused(tmp_path, words)


def test_pictures_of_unknown_classes(tmp_path):
    for name in ("7_1.png", "photo.png"):
        write(tmp_path, name, picture_bytes(X[0]))
    refused(tmp_path, "photo.png", "class of the picture is unknown", "labels.csv")
    write(tmp_path, "a.csv", b"")
    write(tmp_path, "b.csv", b"")
    refused(tmp_path, "one table of labels, got a.csv, b.csv")


def stroke(width, height, ink, paper):
    """A picture with a vertical bar in the middle, a fifth of the width."""
    image = np.full((height, width), paper, np.uint8)
    image[height // 4 : -height // 4, width * 2 // 5 : width * 3 // 5] = ink
    return image


def read_one(folder, content):
    return load(write(folder, "1/a.png", content).parents[1]).images[0]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA"])
@pytest.mark.parametrize(("width", "height"), [(28, 28), (140, 140), (40, 120), (120, 40), (12, 12)])
def test_dark_ink_gives_high_values(tmp_path, mode, width, height):
    dark = read_one(tmp_path, picture_bytes(stroke(width, height, 0, 255), mode=mode))
    assert dark.shape == (28, 28)
    assert dark[14].max() > 90
    assert max(dark[0].max(), dark[-1].max(), dark[:, 0].max(), dark[:, -1].max()) == 0
    bright = read_one(tmp_path, picture_bytes(stroke(width, height, 255, 0), mode=mode))
    np.testing.assert_array_equal(bright, dark)


def test_a_transparent_background_is_paper(tmp_path):
    ink = stroke(56, 56, 255, 0)  # opaque black where 255, transparent black elsewhere
    content = io.BytesIO()
    Image.merge("LA", [Image.new("L", (56, 56)), Image.fromarray(ink)]).save(content, "PNG")
    np.testing.assert_array_equal(read_one(tmp_path, content.getvalue()), read_one(tmp_path, picture_bytes(ink)))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    content = io.BytesIO()
    Image.fromarray(X[0].astype(np.uint16) * 257).save(content, "PNG")
    np.testing.assert_array_equal(read_one(tmp_path, content.getvalue()), prepare(X[0]).image)


def test_a_very_long_picture(tmp_path):
    long = np.zeros((2, 500), np.uint8)
    long[:, 200:300] = 255
    assert read_one(tmp_path, picture_bytes(long)).any()


def test_exif_orientation_is_applied(tmp_path):
    sideways = Image.fromarray(np.rot90(stroke(60, 120, 0, 255)).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    content = io.BytesIO()
    sideways.save(content, "PNG", exif=exif)
    image = read_one(tmp_path, content.getvalue())
    assert (image > 128).any(1).sum() > (image > 128).any(0).sum()
