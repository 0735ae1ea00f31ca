"""Labels of pictures in one folder: from the names of the files, or from a table beside them."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from inksight.data.readers.class_names import digit_of
from inksight.data.readers.csv_layout import DELIMITERS, LABEL_NAMES
from inksight.errors import InputError

_CLASS_FIRST = re.compile(r"([0-9]|[a-z]+[ _-]?[0-9]|[a-z]+)(?:[ _.(-].*)?", re.IGNORECASE)


def labels_by_name(files: Sequence[Path]) -> list[str]:
    """Return the text with which the name of each file begins, and which stands for a digit.

    Raises
    ------
    InputError
        If the name of a file does not begin with a digit.

    Examples
    --------
    >>> labels_by_name([Path("7_1.png"), Path("three (2).jpg"), Path("digit_4-a.png")])
    ['7', 'three', 'digit_4']
    """
    labels = []
    for file in files:
        match = _CLASS_FIRST.fullmatch(file.stem)
        if match is None or digit_of(match[1]) is None:
            raise InputError(
                f"{str(file)!r}: the class of the picture is unknown; sort the pictures into one subfolder per class, "
                "begin their names with the class as in '7_1.png', or add a file labels.csv with the columns file,label"
            )
        labels.append(match[1])
    return labels


def labels_by_table(table: Path, files: Sequence[Path]) -> list[str]:
    """Return the label of each file from a CSV table with a column of file names, with or without their endings.

    Raises
    ------
    InputError
        If no column holds the names of the files, more than one other column may be the label, or a file has no row or
        several rows with different labels.
    """
    text = table.read_text(encoding="utf-8-sig", errors="replace")
    rows = list(csv.reader(text.splitlines(), delimiter=max(DELIMITERS, key=text.count)))
    rows = [[field.strip() for field in row] for row in rows if any(row)]
    columns = min(map(len, rows), default=0)
    names = {file.name for file in files} | {file.stem for file in files}
    matches = [sum(PurePosixPath(row[i]).name in names for row in rows) for i in range(columns)]
    if not any(matches):
        raise InputError(f"{str(table)!r} must have a column of file names, none names a picture: give file,label")
    file_column = matches.index(max(matches))
    has_header = PurePosixPath(rows[0][file_column]).name not in names
    others = [i for i in range(columns) if i != file_column]
    named = [i for i in others if has_header and rows[0][i].casefold() in LABEL_NAMES]
    candidates = named or others
    if len(candidates) != 1:
        raise InputError(f"{str(table)!r} must have one column of labels, got {len(candidates)}: name it label")
    found: dict[str, str] = {}
    for row in rows[has_header:]:
        name, label = PurePosixPath(row[file_column]).name, row[candidates[0]]
        if found.setdefault(name, label) != label:
            raise InputError(f"{str(table)!r} gives {name!r} the labels {found[name]!r} and {label!r}: keep one")
    for file in files:
        if file.name not in found and file.stem not in found:
            raise InputError(f"{str(table)!r} has no row for {file.name!r}: add its label, or remove the picture")
    return [found.get(file.name) or found[file.stem] for file in files]
