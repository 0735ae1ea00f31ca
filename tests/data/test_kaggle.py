"""Submissions: ids from 1, and an invalid prediction leaves no file."""

import numpy as np
import pytest

from inksight import InputError
from inksight.data.kaggle import write_submission


def test_ids_count_from_one(tmp_path):
    path = tmp_path / "submission.csv"
    write_submission(np.array([3, 0, 9]), path)
    assert path.read_text() == "ImageId,Label\n1,3\n2,0\n3,9\n"


@pytest.mark.parametrize(
    ("predictions", "words"),
    [
        ([], "shape of predictions"),
        ([[1]], "shape of predictions"),
        ([1.5], "whole numbers"),
        ([10], "0 to 9"),
    ],
)
def test_invalid_predictions_leave_no_file(predictions, words, tmp_path):
    with pytest.raises(InputError, match=words):
        write_submission(predictions, tmp_path / "submission.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_previous_submission(tmp_path):
    path = tmp_path / "submission.csv"
    path.write_text("mine")
    with pytest.raises(InputError):
        write_submission([99], path)
    assert path.read_text() == "mine"
