"""ARFF, the format of Weka and OpenML: declarations of the columns, then rows as in CSV."""

import re
from pathlib import Path

from inksight._shared.untrusted import read_unpacked
from inksight.data.readers import csv
from inksight.data.readers.raw import Raw
from inksight.errors import InputError

_DATA = re.compile(rb"^[ \t]*@data[ \t]*$", re.IGNORECASE | re.MULTILINE)
_ATTRIBUTE = re.compile(rb"""^[ \t]*@attribute[ \t]+("[^"\n]*"|'[^'\n]*'|[^ \t\n]+)""", re.IGNORECASE | re.MULTILINE)


def read(path: Path, memory_limit: int, label: str | None = None) -> Raw:
    r"""Read an ARFF file with one image per row, such as OpenML's mnist_784; see `csv.read`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> columns = "".join(f"@ATTRIBUTE pixel{i} real\n" for i in range(1, 785))
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.arff"
    ...     text = "% one digit\n@RELATION digits\n" + columns + "@ATTRIBUTE class {3,7}\n@DATA\n" + "0," * 784 + "7"
    ...     size = path.write_text(text)
    ...     read(path, 100_000).labels
    array([7])
    """
    text = csv.normalized_lines(path, read_unpacked(path, memory_limit))
    start = _DATA.search(text)
    if start is None:
        raise InputError(f"{str(path)!r} has no line @DATA: it is truncated or is not an ARFF file")
    names = [name.strip(b"\"'") for name in _ATTRIBUTE.findall(text, 0, start.start())]
    rows = text[start.end() + 1 :]
    if rows.startswith(b"{"):
        raise InputError(f"{str(path)!r} has sparse rows, which are not read: save all 784 pixels of each row, as CSV")
    return csv.parse(path, bytearray(b",".join(names) + b"\n") + rows, label)
