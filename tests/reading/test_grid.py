"""Grids on photos: they are found under perspective and bend, and their cells are read."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from grids import draw_page, photograph
from PIL import Image, ImageDraw

from inksight import InputError, cli, read
from inksight.imaging.perspective import homography, project, refine_mesh
from inksight.nn.model_file import load_model
from inksight.reading.grid import BLANK, CANDIDATES, REJECTED
from inksight.reading.grid_detection import find_grid

SUDOKU = [
    ["5", "3", "", "*12", "7", "", "", "", ""],
    ["6", "", "", "1", "9", "5", "", "*4", ""],
    ["", "9", "8", "", "", "", "", "6", ""],
    ["8", "", "", "", "6", "", "", "", "3"],
    ["4", "", "*25", "8", "", "3", "", "", "1"],
    ["7", "", "", "", "2", "", "", "", "6"],
    ["", "6", "", "", "", "", "2", "8", ""],
    ["", "", "", "4", "1", "9", "", "", "5"],
    ["", "", "", "", "8", "", "*31", "7", "9"],
]
MARKS = [["12", "7", "10", "0"], ["3", "15", "", "20"], ["8", "9", "14", "6"], ["", "11", "5", "13"]]
WIDTHS = [130, 70, 60, 90]


def values(texts):
    """Return what `Grid.values` should be."""
    return np.array([[BLANK if not t else CANDIDATES if t[0] == "*" else int(t) for t in row] for row in texts])


@pytest.fixture(scope="module")
def ten(mnist):
    """A test image of each digit of which the shipped model is sure."""
    images, labels = mnist.images[60_000:60_500], mnist.labels[60_000:60_500]
    sure = load_model("best").probabilities(images)[np.arange(500), labels]
    return {str(digit): images[np.where(labels == digit, sure, 0).argmax()] for digit in range(10)}


@pytest.fixture(scope="module")
def sudoku(ten):
    return photograph(*draw_page(SUDOKU, ten))


@pytest.mark.parametrize("view", [
    {}, {"bend": 0.06}, {"bend": -0.05, "shade": 0.7}, {"turn": -20, "tilt": 0.3}, {"background": 0.9},
    {"size": (2400, 2000)},
], ids=["", "bent", "bent the other way, in shade", "turned", "on a white table", "large"])  # fmt: skip
def test_a_sudoku_is_read(view, ten):
    photo, crossings = photograph(*draw_page(SUDOKU, ten), **view)
    found = find_grid(photo / 255.0)
    side = np.hypot(*(crossings[0, 0] - crossings[0, -1]))
    assert np.hypot(*np.moveaxis(found - crossings, -1, 0)).max() < 0.005 * side
    grid = read(photo, grid="auto")
    np.testing.assert_array_equal(grid.values, values(SUDOKU))


@pytest.mark.parametrize("view", [{}, {"bend": 0.05, "turn": -6}])
def test_a_table_of_marks_with_columns_of_unequal_widths_is_read(view, ten):
    photo, _ = photograph(*draw_page(MARKS, ten, widths=WIDTHS, height=44, thick=99), **view)
    grid = read(photo, grid=(4, 4))
    np.testing.assert_array_equal(grid.values, values(MARKS))
    assert grid.text.split("\n")[1] == " 3 15  . 20"


@pytest.mark.parametrize("shape", [(3, 4), (2, 2), (24, 6)])
def test_the_lines_of_large_and_of_small_cells_are_counted(shape, ten):
    empty = [[""] * shape[1]] * shape[0]
    height = 30 if shape[0] > 9 else 60
    photo, _ = photograph(*draw_page(empty, ten, height=height, thick=99), size=(1400, 1000))
    assert find_grid(photo / 255.0).shape[:2] == (shape[0] + 1, shape[1] + 1)


def test_a_path_along_a_line_and_through_digits_is_not_a_line(mnist):
    test = mnist.split().test
    page = Image.new("L", (520, 400), 235)
    draw = ImageDraw.Draw(page)
    for i in range(4):
        draw.line([(50, 50 + 100 * i), (470, 50 + 100 * i)], fill=60, width=3)
        draw.line([(50 + 140 * i, 50), (50 + 140 * i, 350)], fill=60, width=3)
    for place, mark in enumerate((7, 2, 1, 0, 4, None, None, 1, 4)):
        if mark is not None:
            ink = Image.fromarray(test.images[test.labels == mark][0]).resize((84, 84))
            page.paste(30, (78 + 140 * (place % 3), 58 + 100 * (place // 3)), ink)
    turned = page.rotate(3, expand=True, fillcolor=235, resample=Image.Resampling.BILINEAR)
    for shape in ((3, 3), "auto"):
        grid = read(turned, grid=shape)
        assert grid.shape == (3, 3)
        assert grid.values.tolist() == [[7, 2, 1], [0, 4, BLANK], [BLANK, 1, 4]]


def test_one_row_of_boxes_is_a_grid(ten):
    texts = [["1", "2", "", "5", "", "7", "8", "1"]]
    photo, _ = photograph(*draw_page(texts, ten, thick=99), size=(600, 1000))
    np.testing.assert_array_equal(read(photo, grid="auto").values, values(texts))


@pytest.mark.parametrize("shape", [(1, 50), (50, 1)])
def test_the_cells_of_a_long_row_and_of_a_long_column_are_counted_and_read(shape, ten):
    texts = [
        ["" if (row + column) % 7 == 3 else str((row + column) % 10) for column in range(shape[1])]
        for row in range(shape[0])
    ]
    page, _ = draw_page(texts, ten, thick=99, height=40)
    grid = read(page.reduce(2), grid="auto")
    assert grid.shape == shape
    assert (grid.values == values(texts)).mean() >= 0.96


def test_light_lines_and_digits_on_dark_paper_are_found(sudoku):
    np.testing.assert_array_equal(read(255 - sudoku[0], grid=(9, 9)).values, values(SUDOKU))
    with pytest.raises(InputError, match="no grid"):
        read(255 - sudoku[0], grid=(9, 9), invert=False)


def test_the_result_says_where_the_cells_are_and_how_sure_it_is(sudoku):
    photo, crossings = sudoku
    grid = read(photo, grid=(9, 9))
    assert (grid.shape, len(grid)) == ((9, 9), sum(v > 0 for v in values(SUDOKU).ravel()))
    assert grid.confidence.shape == (9, 9)
    assert ((grid.confidence > 0.5) & (grid.confidence <= 1)).all()
    left, top, width, height = grid.box[4, 5]
    corners = crossings[4:6, 5:7].reshape(-1, 2)
    np.testing.assert_allclose([left, top], corners.min(axis=0), atol=4)
    np.testing.assert_allclose([left + width, top + height], corners.max(axis=0), atol=4)
    for cell in (cell for row in grid.cells for cell in row):
        for x, y, wide, high in (digit.box for digit in cell.digits):
            assert cell.box[0] - 3 <= x < x + wide <= cell.box[0] + cell.box[2] + 3
            assert cell.box[1] - 3 <= y < y + high <= cell.box[1] + cell.box[3] + 3
    assert str(grid).split("\n")[0] == "5 3 . * 7 . . . ."
    assert grid.to_dict()["values"] == values(SUDOKU).tolist()
    figure = grid.plot()
    assert sum(text.get_text() == "*" for text in figure.axes[0].texts) == 4


def test_a_large_photo_has_boxes_in_its_own_pixels(sudoku):
    photo = Image.fromarray(sudoku[0])
    small = read(photo, grid=(9, 9))
    large = read(photo.resize((4 * photo.width, 4 * photo.height), Image.Resampling.BICUBIC), grid=(9, 9))
    np.testing.assert_array_equal(large.values, small.values)
    np.testing.assert_allclose(large.box, 4 * small.box, atol=12)
    np.testing.assert_allclose([digit.box for digit in large], [4 * np.array(digit.box) for digit in small], atol=12)
    assert tuple(-(-4 * length // large.block) for length in sudoku[0].shape) == large.picture.shape


def test_a_number_too_long_for_an_integer_keeps_its_text(sudoku):
    grid = read(sudoku[0], grid=(9, 9))
    cell = grid.cells[0][0]
    lengths = (1, 18, 19, 40)
    numbers = tuple(replace(cell, digits=cell.digits * length) for length in lengths)
    long = replace(grid, cells=(numbers,))
    assert long.values.tolist() == [[5, int("5" * 18), REJECTED, REJECTED]]
    assert long.to_dict()["values"] == long.values.tolist()
    assert long.text.split() == ["5" * length for length in lengths]


def test_what_is_not_a_digit_is_rejected_and_dirt_is_not_written(ten):
    crossed = np.eye(28, dtype=np.uint8)[4:24, 4:24]
    crossed = np.pad(255 * (crossed | crossed[::-1]), 4)
    crossed[4:24, [4, 5, 22, 23]] = crossed[[4, 5, 22, 23], 4:24] = 255
    texts = [["1", "2", "x"], ["4", "5", ""]]
    page, crossings = draw_page(texts, ten | {"x": crossed})
    page.paste(40, (int(crossings[1, 2, 0]) + 60, int(crossings[1, 2, 1]) + 60, int(crossings[1, 2, 0]) + 68,
                    int(crossings[1, 2, 1]) + 66))  # fmt: skip
    grid = read(photograph(page, crossings)[0], grid=(2, 3))
    assert grid.values.tolist() == [[1, 2, REJECTED], [4, 5, BLANK]]
    assert grid.cells[0][2].reason in ("not a digit", "unsure")
    assert grid.confidence[0, 2] < grid.confidence[0, 0]
    assert read(photograph(page, crossings)[0], grid=(2, 3), accept_all=True).values[0, 2] >= 0


def test_another_number_of_rows_is_refused(sudoku):
    with pytest.raises(InputError, match=r"must have 8x9 cells .* got 9x9: give the right numbers, or 'auto'"):
        read(sudoku[0], grid=(8, 9))


@pytest.mark.parametrize("picture", ["blank", "noise", "digit", "text"])
def test_a_picture_without_a_grid_is_refused(picture, ten):
    blank = np.full((500, 600), 230, np.uint8)
    if picture == "noise":
        blank = np.random.default_rng(0).integers(0, 256, blank.shape, np.uint8)
    elif picture == "digit":
        blank[50:450, 50:450] = 255 - np.asarray(Image.fromarray(ten["8"]).resize((400, 400)))
    elif picture == "text":
        blank[60:452, 60:508] = 255 - np.tile(np.hstack(list(ten.values())[:8]), (7, 1)).repeat(2, 0).repeat(2, 1)
    with pytest.raises(InputError, match="no grid was found on the picture"):
        read(blank, grid="auto")


@pytest.mark.parametrize("grid", ["9x9", (9,), (0, 9), (1, 1), (9, 1000), 9, (9.5, 9), True, (True, 9)])
def test_another_argument_is_refused(grid, sudoku):
    with pytest.raises(InputError, match="grid must be 'auto', or its numbers of rows and of columns"):
        read(sudoku[0], grid=grid)


def test_only_allowed_digits_are_read_in_cells(sudoku):
    free, odd = (read(sudoku[0], grid=(9, 9), allow=allow).values for allow in (None, "1,3,5,7,9"))
    assert set(odd[odd > 0].tolist()) <= {1, 3, 5, 7, 9} < set(free[free > 0].tolist())
    is_odd = free % 2 == 1
    np.testing.assert_array_equal(odd[is_odd & (free > 0)], free[is_odd & (free > 0)])


@pytest.mark.parametrize("option", [{"single": True}, {"length": 1}, {"pattern": r"\d"}, {"punctuation": True}])
def test_a_grid_and_options_for_other_pictures_exclude_each_other(option, sudoku):
    with pytest.raises(InputError, match=f"either grid or {next(iter(option))}"):
        read(sudoku[0], grid=(9, 9), **option)


def test_many_pictures_are_read_and_the_one_without_a_grid_is_named(sudoku):
    grids = read([sudoku[0], np.full((50, 50), 255, np.uint8)], grid="auto")
    np.testing.assert_array_equal(next(grids).values, values(SUDOKU))
    with pytest.raises(InputError, match="picture 1: no grid"):
        next(grids)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_files_without_a_grid_are_named(workers, tmp_path, capsys):
    files = [str(tmp_path / f"{name}.png") for name in ("one", "two")]
    for file in files:
        Image.new("L", (60, 60), 255).save(file)
    assert cli.run(["read", *files, "--grid", "auto", "--workers", workers]) == 2
    *each, last = capsys.readouterr().err.strip().split("\n")
    assert [message.split(": ")[1] for message in each] == [f"cannot read the grid on {file!r}" for file in files]
    assert last == "inksight: none of the 2 pages could be read"
    with pytest.raises(InputError, match=r"^cannot read the grid on '.*one\.png': no grid was found"):
        read(files[0], grid=(2, 2))


def test_the_command_prints_rows_and_writes_cells(sudoku, tmp_path, capsys):
    path, table, page = (str(tmp_path / name) for name in ("sudoku.png", "cells.csv", "page.html"))
    Image.fromarray(sudoku[0]).save(path)
    assert cli.run(["read", path, "--grid", "9x9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{path}: 9x9 cells (")
    assert lines[1] == "  5 3 . * 7 . . . ."
    assert cli.run(["read", path, "--grid", "auto", "--csv", table, "--show", page]) == 0
    with Path(table).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["column"]) for row in rows] == [
        (str(i), str(j)) for i in range(1, 10) for j in range(1, 10)
    ]
    assert [row["content"] for row in rows[:4]] == ["digits", "digits", "blank", "candidates"]
    assert [row["text"] for row in rows[:4]] == ["5", "3", "", ""]
    assert all(0.5 < float(row["confidence"]) <= 1 for row in rows)
    assert Path(page).read_text(encoding="utf-8").count("<polygon") == 81
    capsys.readouterr()
    assert cli.run(["read", path, "--grid", "9X9", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["values"] == values(SUDOKU).tolist()


@pytest.mark.parametrize(("arguments", "message"), [
    (["--grid", "9"], "grid must be auto, or its numbers of rows and of columns"),
    (["--grid", "0x9"], "grid must be 'auto'"),
    (["--grid", "9x9", "--single"], "either grid or single"),
])  # fmt: skip
def test_the_command_refuses_other_grids(arguments, message, capsys):
    assert cli.run(["read", "photo.png", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_homography_maps_its_points_and_keeps_lines_straight():
    source = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 5.0]])
    target = np.array([[3.0, 1.0], [40.0, 4.0], [37.0, 30.0], [1.0, 22.0]])
    matrix = homography(source, target)
    np.testing.assert_allclose(project(matrix, source), target)
    a, b, c = project(matrix, np.array([[0.0, 1.0], [4.0, 2.0], [8.0, 3.0]]))
    assert abs(np.linalg.det(np.stack([b - a, c - a]))) < 1e-9


def test_a_refined_mesh_holds_the_points_of_the_mesh_and_continues_it():
    y, x = np.mgrid[0:3, 0:4]
    mesh = np.stack([10.0 * x, 20.0 * y + x], axis=-1)
    fine = refine_mesh(mesh, np.array([-0.5, 0.0, 1.5, 2.5]), np.arange(-1.0, 5.0))
    np.testing.assert_allclose(fine[1, 1:5], mesh[0])
    np.testing.assert_allclose(fine[:, 0], [[-10, -11], [-10, -1], [-10, 29], [-10, 49]])
