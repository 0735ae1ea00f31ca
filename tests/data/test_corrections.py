"""Corrections of labels: applied exactly, or rejected with the row that is wrong."""

import re
from dataclasses import replace

import numpy as np
import pytest

from inksight import Dataset, InputError
from inksight.data import apply_corrections

HEADER = "ImageId,Label,given"


@pytest.fixture
def data(mnist):
    """Six images, of which the last two are the test set."""
    return Dataset(mnist.images[:6], np.array([0, 1, 2, 0, 1, 2]), "six.csv", ("a", "b,", 'c"'), test_count=2)


@pytest.fixture
def corrections(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "corrections.csv"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def test_labels_change_and_images_are_left_out(data, corrections):
    path = corrections(f'{HEADER}\n6,a,"c"""\n1,"b,",a\n4,,a\n2,"b,","b,"\n5,,"b,"\n')
    corrected = apply_corrections(data, path)
    np.testing.assert_array_equal(corrected.labels, [1, 1, 2, 0])
    np.testing.assert_array_equal(corrected.images, data.images[[0, 1, 2, 5]])
    assert (corrected.name, corrected.class_names, corrected.test_count) == ("six.csv", data.class_names, 1)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("given,ImageId,Label\r\na,1,a\r\na,4,\r\n\r\n", "utf-8"),  # what a spreadsheet may make of it
        (f"\ufeff{HEADER}\n4,,a", "utf-8"),
        (f"{HEADER}\n4,,a\n4,,a\n 4 ,,a\n", "utf-8"),
    ],
)
def test_other_forms_of_a_file(data, corrections, text, encoding):
    corrected = apply_corrections(data, corrections(text, encoding))
    np.testing.assert_array_equal(corrected.labels, [0, 1, 2, 1, 2])


def test_no_decision_changes_nothing(data, corrections):
    corrected = apply_corrections(data, corrections(f"{HEADER}\n"))
    assert (corrected.digest, corrected.test_count) == (data.digest, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns of '{path}' must be ImageId,Label,given, got ''"),
        ("ImageId,Label\n1,a\n", "must be ImageId,Label,given, got 'ImageId,Label'"),
        (f"{HEADER}\n1,a,a\n1,a\n", "'{path}', data row 2: number of columns must be 3, got 2"),
        (f"{HEADER}\n0,a,a\n", "data row 1: ImageId must be 1 to 6, the images of 'six.csv', got '0'"),
        (f"{HEADER}\n7,a,a\n", "ImageId must be 1 to 6"),
        (f"{HEADER}\n-1,a,a\n", "ImageId must be 1 to 6"),
        (f"{HEADER}\n1.5,a,a\n", "ImageId must be 1 to 6"),
        (f"{HEADER}\n²,a,a\n", "ImageId must be 1 to 6"),
        (f"{HEADER}\n{'9' * 5000},a,a\n", "ImageId must be 1 to 6"),
        (f"{HEADER}\n1,d,a\n", "data row 1: Label must be empty or one of a, b,, c\", got 'd'"),
        (f"{HEADER}\n1,a,b\n", "image 1 was labeled 'b' when it was reviewed, but 'six.csv' has 'a'"),
        (f"{HEADER}\n1,,a\n4,a,a\n1,a,a\n", "data row 3: image 1 has another Label in an earlier row"),
        (f'{HEADER}\n1,"a,a\n', "is not a CSV file in UTF-8"),
        (b"\xff\xfe\x00", "is not a CSV file in UTF-8"),
    ],
)
def test_a_bad_file_is_an_error(data, corrections, text, words):
    path = corrections(text)
    with pytest.raises(InputError, match=re.escape(words.format(path=path))):
        apply_corrections(data, path)


def test_bad_data_is_an_error(data, corrections, tmp_path):
    quoted = ("a", '"b,"', '"c"""')
    rows = "\n".join(f"{i + 1},,{quoted[label]}" for i, label in enumerate(data.labels))
    with pytest.raises(InputError, match=r"images left of 'six\.csv' must be at least 1"):
        apply_corrections(data, corrections(f"{HEADER}\n{rows}\n"))
    with pytest.raises(InputError, match=r"correcting labels needs labels, and 'six\.csv' has none"):
        apply_corrections(replace(data, labels=None), corrections(HEADER))
    with pytest.raises(InputError, match="is a folder, not a file"):
        apply_corrections(data, tmp_path)


def test_a_message_stays_short_whatever_the_file_holds(tmp_path):
    data, path = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 4])), tmp_path / "corrections.csv"
    long = "9" * 100_000
    for rows in (f"{long},,7", f"1,{long},7", f"1,,{long}", f"1,,7,{long}"):
        path.write_text(f"ImageId,Label,given\n{rows}\n")
        with pytest.raises(InputError) as caught:
            apply_corrections(data, path)
        assert len(str(caught.value)) < 600 + len(str(path))


def test_rows_take_no_memory(tmp_path):
    import tracemalloc

    data, path = Dataset(np.zeros((3, 28, 28), np.uint8), np.array([7, 1, 4])), tmp_path / "corrections.csv"
    path.write_text("ImageId,Label,given\n" + "1,,7\n" * 100_000)
    tracemalloc.start()
    try:
        np.testing.assert_array_equal(apply_corrections(data, path).require_labels("this test"), [1, 4])
        assert tracemalloc.get_traced_memory()[1] < 8 * path.stat().st_size
    finally:
        tracemalloc.stop()
