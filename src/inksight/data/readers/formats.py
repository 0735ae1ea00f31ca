"""Detection of a file's format by its first bytes, and advice for the formats that are not read."""

import re
from pathlib import Path

from inksight._shared.untrusted import open_unpacked, read_bounded
from inksight.imaging.heif import heif_format

_SAVE = "save the arrays with np.savez('digits.npz', x=images, y=labels)"

_MAGIC = (
    (b"\xef\xbb\xbf", "CSV"),  # byte order marks of UTF-8 and UTF-16
    (b"\xff\xfe", "CSV"),
    (b"\xfe\xff", "CSV"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty archive
    (b"\x93NUMPY", "npy"),
    (b"PAR1", "Parquet"),
    (b"\0\0", "IDX"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"II+\0", "picture"),  # BigTIFF
    (b"MM\0+", "picture"),
    (b"RIFF", "picture"),
    (b"%PDF", "a PDF document"),
    (b"MATLAB", "a MATLAB file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!", "an archive"),
    (b"\xfd7zXZ", "an archive"),
    (b"\x28\xb5\x2f\xfd", "an archive"),
    *((bytes([0x80, protocol]), "a pickle") for protocol in range(2, 6)),
)
_TAR = slice(257, 262)  # where a tar archive says what it is: it begins with the name of its first file
ARFF_START = re.compile(rb"\s*(%|@relation\b)", re.IGNORECASE)
ADVICE = {
    "a PDF document": "save its pages as pictures, for example with pdftoppm -png",
    "a MATLAB file": f"open it with scipy.io.loadmat, or with h5py if it is of version 7.3, and {_SAVE}",
    "an HDF5 file": f"open it with h5py, and {_SAVE}",
    "an archive": "unpack it, and give the file or folder in it",
    "a pickle": f"loading a pickle can run any code, so it is not opened; if you trust its author, load it and {_SAVE}",
}
"""What to do with a file in a format that is detected, but not read."""


def detect_format(path: Path) -> str:
    """Return the format of a file by its first bytes, after unpacking.

    Returns
    -------
    str
        A key of `ADVICE`, or CSV, ARFF, zip, npy, Parquet, IDX, picture, empty or unknown.
    """
    with open_unpacked(path) as stream:
        head = bytes(read_bounded(stream, 512))
    if not head:
        return "empty"
    if heif_format(head):  # first, because the size of its first box may look like IDX
        return "picture"
    if head[_TAR] == b"ustar":
        return "an archive"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    # Text contains no control characters other than tab, line feed and carriage return.
    if any(byte < 32 and byte not in b"\t\n\r" for byte in head):
        return "unknown"
    return "ARFF" if ARFF_START.match(head) else "CSV"
