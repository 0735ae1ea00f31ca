"""The benchmark of real pictures: kinds of sets, labels, and what it counts."""

import numpy as np
import pytest
from grids import draw_page
from PIL import Image

from benchmarks import real_pictures
from benchmarks.real_pictures import Answer, Result
from inksight import InputError


def save(folder, name, image):
    folder.mkdir(exist_ok=True)
    Image.fromarray(image).save(folder / name)


@pytest.fixture
def sets(mnist, tmp_path):
    """A folder with a set of single digits, one of lines and one of Sudokus."""
    for number in range(4):
        save(tmp_path / "digits", f"{mnist.labels[number]}_{number}.png", 255 - mnist.images[number])
    save(tmp_path / "digits", "blank_4.png", np.full((28, 28), 255, np.uint8))
    save(tmp_path / "digits", "candidates_5.png", 255 - mnist.images[0])  # digits that the label does not tell
    line = np.hstack(255 - mnist.images[60_000:60_003]).repeat(3, axis=0).repeat(3, axis=1)
    save(tmp_path / "lines", "".join(map(str, mnist.labels[60_000:60_003])) + "_0.png", line)
    save(tmp_path / "lines", "99_1.png", line)
    save(tmp_path / "sudoku", "photo.png", line)
    (tmp_path / "sudoku" / "photo.txt").write_text("0 " * 81)
    values = np.where(np.arange(81) % 4 == 0, np.arange(81) % 9 + 1, 0).reshape(9, 9)
    digits = {str(label): mnist.images[np.flatnonzero(mnist.labels == label)[0]] for label in range(10)}
    page, _ = draw_page([[str(value or "") for value in row] for row in values], digits)
    save(tmp_path / "sudoku", "sudoku.png", np.asarray(page))
    (tmp_path / "sudoku" / "sudoku.txt").write_text("\n".join(" ".join(map(str, row)) for row in values))
    return tmp_path


def test_the_kind_of_a_set_is_told_by_what_is_in_it(sets):
    found = real_pictures.find_sets(sets)
    assert {name: real_pictures.kind_of(pictures) for name, pictures in found.items()} == {
        "digits": "single digits",
        "lines": "lines",
        "sudoku": "Sudokus",
    }
    assert list(real_pictures.find_sets(sets / "lines")) == ["lines"]
    assert [path.name[0] for path in real_pictures.evenly(found["digits"], 2)] == ["0", "4"]


def test_a_table_has_a_column_for_each_set(sets, capsys):
    assert real_pictures.main(sets) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    table = {cells[0]: cells[1:] for cells in ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)}
    names = table[""]
    digits, lines, sudoku = (names.index(name) for name in ("digits", "lines", "sudoku"))
    assert [table["right"][digits], table["right"][lines]] == ["100.00% (4 of 4)", "50.00% (1 of 2)"]
    assert [table["wrong"][digits], table["wrong"][lines]] == ["0.00% (0 of 4)", "50.00% (1 of 2)"]
    assert table["refused"][sudoku] == "50.00% (81 of 162)"  # of the photo without a grid
    assert float(table["right"][sudoku].split("%")[0]) > 49
    assert [table["blanks left alone"][digits], table["blanks left alone"][lines]] == ["100.00% (1 of 1)", "-"]


def test_outcomes_are_counted_and_only_sure_readings_are_judged():
    answers = (
        Answer("7", "7", 0.999),
        Answer("7", "1", 0.995),
        Answer("7", "?", 0.999),
        Answer("7", "", 0.0),
        Answer("", "", 0.0),
        Answer("", "?", 0.4),
        Answer("", "4", 0.999),
        Answer("7", "1", 0.98),
    )
    figures = Result("s", "single digits", answers, (0.1, 0.3)).figures()
    assert figures["right"] == "20.00% (1 of 5)"
    assert figures["wrong"] == figures["refused"] == "40.00% (2 of 5)"
    assert figures["blanks left alone"] == "66.67% (2 of 3)"
    assert figures["right of those with confidence >= 0.99"] == "33.33% (1 of 3)"
    assert figures["seconds a picture (median)"] == "0.200"


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no pictures"):
        real_pictures.find_sets(tmp_path)
    with pytest.raises(InputError, match="must be an existing folder"):
        real_pictures.find_sets(tmp_path / "none")
