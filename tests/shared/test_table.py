"""Text from outside never becomes a formula in a table."""

import csv
import io

import numpy as np
import pytest

from inksight._shared.table import as_cell, write_rows
from inksight.inspection.label_errors import COLUMNS, DoubtfulLabels, write_table


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_a_formula_gets_one_quote(start):
    file = io.StringIO(newline="")
    write_rows(file, ["name", "value"], [[f"{start}A1", -1.5], ["a=b", np.int64(-3)]])
    file.seek(0)
    assert list(csv.reader(file)) == [["name", "value"], [f"'{start}A1", "-1.5"], ["a=b", "-3"]]


def test_numbers_are_not_changed():
    for number in (-1, -1.5, np.float64(-2.5), np.int64(-2), float("-inf")):
        assert as_cell(number) is number


def test_class_names_in_the_table_of_doubtful_labels(tmp_path, monkeypatch):
    row = dict(zip(COLUMNS, (7, 8, "=1", "+", -0.5, 0.25, 0.75), strict=True))
    monkeypatch.setattr(DoubtfulLabels, "rows", lambda self, n: [row])
    monkeypatch.setattr(DoubtfulLabels, "order", [0], raising=False)
    write_table(object.__new__(DoubtfulLabels), tmp_path / "table.csv")
    header, line = (tmp_path / "table.csv").read_text().splitlines()
    assert (header, line) == (",".join(COLUMNS), "7,8,'=1,'+,-0.5,0.25,0.75")
