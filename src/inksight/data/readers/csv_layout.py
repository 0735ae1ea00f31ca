"""`Layout`: which columns of a CSV file hold the label and the pixels, found by their names or values."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inksight.config import DIGITS
from inksight.data.readers.class_names import is_number
from inksight.data.readers.pixels import PIXELS
from inksight.errors import InputError

DELIMITERS = ",;\t|"
LABEL_NAMES = ("label", "labels", "class", "classes", "digit", "digits", "y", "target", "number", "category")
_INDEX_NAMES = ("", "id", "index", "idx", "imageid", "image_id", "row", "unnamed: 0")
# A name that ends in a number (pixel0, px_1, "7") or in a row and a column (1x1).
_PIXEL_NAME = re.compile(r"(?P<stem>.*?)(?P<row>[0-9]{1,2}x)?(?P<number>[0-9]{1,3})")
_SETTLE = (
    "name the column of the label by label=COLUMN in Python or --label COLUMN: its name, its number from 1, "
    "first, last, or none if there are no labels"
)

_MAX_EXTRA = 8  # columns other than pixels


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a CSV file.

    Parameters
    ----------
    delimiter : str
        One of `DELIMITERS`.
    ends_in_delimiter : bool
        Whether every row ends in a delimiter, behind which there is no column.
    names : tuple of str
        A name for each column, for messages. A file without a header has the names ``column 1``, ``column 2``, ....
    has_header : bool
    label : int or None
        Column of the labels, counted from 0; None if the images are unlabeled.
    pixels : tuple of int
        Columns of the 784 pixels, in the order of the image, row by row.
    """

    delimiter: str
    ends_in_delimiter: bool
    names: tuple[str, ...]
    has_header: bool
    label: int | None
    pixels: tuple[int, ...]


def detect(path: Path, lines: Sequence[str], label: str | None = None) -> Layout:
    r"""Find the layout of a CSV file from its first lines.

    Parameters
    ----------
    path : Path
        For messages.
    lines : sequence of str
        The first complete lines that are not blank, at least one.
    label : str, optional
        The column of the labels: its name, its number from 1, ``first``, ``last``, or ``none``. By default it is the
        column that is named like a label. If no column has such a name, it is the first or the last column, whichever
        of them holds different values.

    Raises
    ------
    InputError
        If there is not one image per row, `label` is not a column, or more than one column may be the label.

    Examples
    --------
    >>> names = [*(f"pixel{i}" for i in range(1, 785)), "class"]
    >>> layout = detect(Path("digits.csv"), [";".join(names), "0;" * 784 + "7"])
    >>> layout.delimiter, layout.label, layout.pixels[:3]
    (';', 784, (0, 1, 2))
    """
    delimiter = max(DELIMITERS, key=lines[0].count)
    if delimiter != ",":  # then commas are decimal points
        lines = [line.replace(",", ".") for line in lines]
    try:
        rows = [[field.strip() for field in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        raise InputError(f"{str(path)!r} is not a table: {error}; give one image per row") from error
    ends_in_delimiter = len(rows[0]) > PIXELS and all(row[-1:] == [""] for row in rows)
    if ends_in_delimiter:
        rows = [row[:-1] for row in rows]
    count = len(rows[0])
    if not PIXELS <= count <= PIXELS + _MAX_EXTRA:
        raise InputError(
            f"{str(path)!r} must have {PIXELS} columns for the pixels and, if known, one for the label, "
            f"got {count}, the first {rows[0][0][:20]!r}: give one image per row"
        )
    has_header = _is_header(rows[0])
    for i, name in enumerate(rows[0] if has_header else ()):
        if name in rows[0][:i]:
            raise InputError(
                f"{str(path)!r}: the names of the columns must differ, got {name[:20]!r} twice: rename one"
            )
    names = tuple(rows[0]) if has_header else tuple(f"column {i + 1}" for i in range(count))
    values = [[row[i] for row in rows[has_header:] if len(row) == count] for i in range(count)]
    pixels = _pixels_by_name(names) if has_header else None
    if label is not None and label != "none":
        column = _column(path, names, label)
    elif label == "none":
        column = None
    else:
        column = _find_label(path, names, values, pixels, has_header)
    if pixels is None:
        pixels = tuple(i for i in range(count) if i != column and not _is_index(names[i], values[i]))
    if len(pixels) != PIXELS or column in pixels:
        label_text = "no column" if column is None else repr(names[column])
        raise InputError(
            f"{str(path)!r}: with {label_text} as the label, {len(pixels)} columns remain for the {PIXELS} pixels: "
            f"{_SETTLE}"
        )
    return Layout(delimiter, ends_in_delimiter, names, has_header, column, pixels)


def _is_header(first: Sequence[str]) -> bool:
    """Return whether the first line holds names: a field in its middle is not a number, or the fields count up."""
    counts = [[str(i + start) for i in range(PIXELS)] for start in (0, 1)]
    if any(list(first[i : i + PIXELS]) in counts for i in range(len(first) - PIXELS + 1)):
        return True
    return not all(map(is_number, first[_MAX_EXTRA:-_MAX_EXTRA]))


def _pixels_by_name(names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the columns whose names differ only in a number, in the order of these numbers, if they are 784."""
    groups: dict[tuple[str, bool], dict[tuple[int, int], int]] = {}
    for column, name in enumerate(names):
        if match := _PIXEL_NAME.fullmatch(name):
            row = match["row"]
            position = (int(row[:-1]) if row else 0, int(match["number"]))
            groups.setdefault((match["stem"], row is not None), {})[position] = column
    for group in groups.values():
        if len(group) == PIXELS:
            return tuple(group[position] for position in sorted(group))
    return None


def _find_label(
    path: Path, names: Sequence[str], values: Sequence[Sequence[str]], pixels: Sequence[int] | None, has_header: bool
) -> int | None:
    """Return the column of the label, or None if the images are unlabeled."""
    others = [i for i in range(len(names)) if not _is_index(names[i], values[i]) and i not in (pixels or ())]
    named = [i for i in others if has_header and names[i].casefold() in LABEL_NAMES]
    if len(named) == 1:
        return named[0]
    if pixels is not None:
        candidates = named or others
    elif len(others) == PIXELS:
        if not has_header:
            raise InputError(
                f"{str(path)!r} has {PIXELS} columns without names, one of which may be the label: {_SETTLE}"
            )
        return None
    else:
        candidates = [i for i in (others[0], others[-1]) if len(set(values[i])) > 1]
    if not candidates and pixels is not None:
        return None
    if len(candidates) != 1:
        listed = " and ".join(repr(names[i]) for i in candidates[:4]) or "no column"
        raise InputError(f"{str(path)!r}: {listed} may be the label, and exactly one must be: {_SETTLE}")
    return candidates[0]


def _is_index(name: str, values: Sequence[str]) -> bool:
    """Return whether a column numbers the rows: by its name, or because its values count up from 0 or 1."""
    if name.casefold() in _INDEX_NAMES + LABEL_NAMES:
        return name.casefold() in _INDEX_NAMES
    return len(values) > len(DIGITS) and list(values) in (
        [str(i + start) for i in range(len(values))] for start in (0, 1)
    )


def _column(path: Path, names: Sequence[str], label: str) -> int:
    """Return the column that the user named."""
    if label in names:
        return names.index(label)
    numbers = {"first": 0, "last": len(names) - 1} | {str(i + 1): i for i in range(len(names))}
    if label not in numbers:
        raise InputError(f"{str(path)!r} has no column {label!r} among its {len(names)} columns: {_SETTLE}")
    return numbers[label]
