"""`ArraySource`: the images of a NumPy file, read piece by piece."""

from collections.abc import Iterator

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from inksight._shared.untrusted import damage_as_input_error
from inksight._shared.validation import check
from inksight.config import IMAGE_SIZE
from inksight.errors import DamagedFileError
from inksight.scale.storage import open_file

BATCH = 8192  # images that are read and predicted at a time: 6 MB
_PIXELS = IMAGE_SIZE * IMAGE_SIZE


class ArraySource:
    """The images of a .npy file: uint8, shape (n, 28, 28), high = ink.

    Raises
    ------
    InputError
        If the file is damaged or truncated, or its array is of another type or shape.
    """

    of_arrays = True

    def __init__(self, name: str) -> None:
        self.name = name
        with open_file(name) as file, damage_as_input_error(name, "a NumPy file"):
            version = numpy_format.read_magic(file)
            read = numpy_format.read_array_header_1_0 if version == (1, 0) else numpy_format.read_array_header_2_0
            shape, fortran, dtype = read(file)
            self._start = file.tell()
            size = file.seek(0, 2)
        ok = len(shape) == 3 and shape[0] >= 0 and shape[1:] == (IMAGE_SIZE, IMAGE_SIZE)
        ok = ok and dtype == np.uint8 and not fortran
        got = f"{dtype} {shape}" + (" in Fortran order" if fortran else "")
        check(ok, f"array of {name!r}", got, "uint8 (n, 28, 28) in C order", "convert it, with ink as high values")
        self._count = int(shape[0])
        needed = self._start + self._count * _PIXELS
        check(size >= needed, f"bytes of {name!r}", size, f"{needed:,}", "it is truncated", DamagedFileError)

    def __len__(self) -> int:
        return self._count

    def read(self, start: int, stop: int) -> Iterator[NDArray[np.uint8]]:
        """Yield images, at most `BATCH` at a time."""
        with open_file(self.name) as file:
            file.seek(self._start + start * _PIXELS)
            for first in range(start, stop, BATCH):
                count = min(BATCH, stop - first)
                content = file.read(count * _PIXELS)
                check(len(content) == count * _PIXELS, f"bytes of {self.name!r}", len(content), f"{count * _PIXELS:,}",
                      "it was cut off meanwhile", DamagedFileError)  # fmt: skip
                yield np.frombuffer(content, np.uint8).reshape(count, IMAGE_SIZE, IMAGE_SIZE)
