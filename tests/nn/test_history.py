"""`History`: columns, growth and JSON."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from inksight import History, InputError
from inksight.nn.history import Epoch

ROWS = (Epoch(1, 0.5, 0.8, 0.3, 0.9, 0.01, 2.0), Epoch(2, 0.25, 0.9, math.nan, math.nan, 0.001, 1.5))


def test_index_by_name_gives_a_column():
    history = History(ROWS)
    np.testing.assert_array_equal(history["loss"], [0.5, 0.25])
    assert math.isnan(history["val_loss"][1])
    with pytest.raises(InputError, match="history column must be one of epoch, loss"):
        history["val_acc"]


def test_epochs_that_differ_in_time_are_equal():
    other = tuple(replace(row, seconds=9.0) for row in ROWS[:1])
    assert History(other) == History(ROWS[:1])
    assert History((replace(ROWS[0], loss=0.4),)) != History(ROWS[:1])


def test_histories_can_be_added():
    assert [row.epoch for row in History(ROWS[:1]) + History(ROWS[1:])] == [1, 2]
    assert len(History()) == 0
    assert str(History(ROWS)).count("\n") == 2


def test_json_round_trip_writes_nan_as_null():
    text = json.dumps(History(ROWS).to_list(), allow_nan=False)
    assert '"val_loss": null' in text
    assert str(History.from_list(json.loads(text))) == str(History(ROWS))


GOOD = dict.fromkeys(Epoch.__slots__, 2) | {"epoch": 1, "val_loss": None, "val_accuracy": None}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "history must be a list of rows, got NoneType"),
        ({}, "history must be a list of rows, got dict"),
        ([3], "epoch must be an object with named values, got 3"),
        ([{"epoch": 1}], "loss of the epoch must be given"),
        ([GOOD | {"epoch": 1.5}], "epoch must be a number of 1 or more, got 1.5"),
        ([GOOD | {"epoch": None}], "epoch must be a number of 1 or more, got nan"),
        ([GOOD | {"loss": "x"}], "loss of an epoch must be a finite number or NaN, got 'x'"),
        ([GOOD | {"seconds": True}], "seconds of an epoch must be a finite number or NaN, got True"),
        ([GOOD | {"accuracy": 10**400}], "accuracy of an epoch must be a finite number or NaN, got 1000"),
        ([GOOD | {"note": ""}], "epoch field must be one of epoch, loss"),
    ],
)
def test_invalid_rows_raise_errors(rows, words):
    with pytest.raises(InputError) as caught:
        History.from_list(rows)
    assert words in str(caught.value)


def test_whole_numbers_are_read_as_floats():
    assert History.from_list([GOOD])["seconds"].tolist() == [2.0]
