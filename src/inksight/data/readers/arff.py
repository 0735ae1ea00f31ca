"""ARFF, the format of Weka and OpenML: declarations of the columns, then rows as in CSV."""

import re
from pathlib import Path

from inksight._shared.untrusted import Readable, open_unpacked, read_bounded
from inksight.data.readers import csv
from inksight.data.readers.raw import Raw
from inksight.errors import DamagedFileError, UnsupportedFileError

_HEAD = 1 << 18  # bytes: largest size of the declarations
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
    with open_unpacked(path) as stream:
        return parse(path, stream, memory_limit, label)


def parse(path: Path, stream: Readable, memory_limit: int, label: str | None = None) -> Raw:
    """Read unpacked ARFF from a stream; `path` is for messages."""
    head = read_bounded(stream, _HEAD).replace(b"\r\n", b"\n")
    start = _DATA.search(head)
    if start is None:
        raise DamagedFileError(f"{str(path)!r} has no line @DATA: it is truncated or is not an ARFF file")
    names = [name.strip(b"\"'") for name in _ATTRIBUTE.findall(head, 0, start.start())]
    rows = head[start.end() :].lstrip()
    if rows.startswith(b"{"):
        raise UnsupportedFileError(
            f"{str(path)!r} has sparse rows, which are not read: save all pixels of each row, as CSV"
        )
    table = _Joined(b",".join(names) + b"\n" + rows, stream)
    return csv.parse(path, table, memory_limit, label)


class _Joined:
    """A stream of some bytes that are in memory and those of another stream."""

    def __init__(self, start: bytes, rest: Readable) -> None:
        self.start, self.rest = start, rest

    def read(self, size: int, /) -> bytes:
        part, self.start = self.start[:size], self.start[size:]
        return part or self.rest.read(size)
