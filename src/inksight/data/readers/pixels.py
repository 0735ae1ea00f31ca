"""`PixelBuffer`: collects the pixels of images, as numbers of any type, and returns them as bytes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE
from inksight.errors import InputError

PIXELS = IMAGE_SIZE * IMAGE_SIZE
_BLOCK = 1024  # images that are converted at once, so that temporary arrays stay small


class PixelBuffer:
    """Images whose pixels are whole numbers from 0 to 255, or numbers from 0 to 1, which are multiplied by 255.

    Pixels that are all 0 or 1 are not multiplied, unless other images of the same buffer have fractions.

    Parameters
    ----------
    where : callable
        Returns the place of an image, given its position, for messages.

    Examples
    --------
    >>> buffer = PixelBuffer(str)
    >>> buffer.append(np.ones((1, 784)))
    >>> buffer.append(np.full((1, 784), 0.4))
    >>> buffer.images().max(axis=(1, 2))
    array([255, 102], dtype=uint8)
    """

    def __init__(self, where: Callable[[int], str]) -> None:
        self.where = where
        self._content = bytearray()
        self._whole: list[slice] = []  # where the content has whole numbers
        self._has_fractions = False

    def __len__(self) -> int:
        return len(self._content) // PIXELS

    def append(self, rows: NDArray[Any]) -> None:
        """Add images, (n, 784) numbers.

        Raises
        ------
        InputError
            If a number is not from 0 to 255, or is a fraction above 1.
        """
        whole: NDArray[np.bool_] | np.bool_ = np.True_
        if rows.dtype != np.uint8:
            self._require((rows >= 0) & (rows <= 255), rows, "numbers from 0 to 255")  # NaN is not
            whole = rows == np.round(rows)
        if np.all(whole):
            start = len(self._content)
            self._content += rows.astype(np.uint8, copy=False).tobytes()
            self._whole.append(slice(start, len(self._content)))
        else:
            self._require(whole | (rows <= 1), rows, "whole numbers from 0 to 255, or all from 0 to 1")
            self._require(rows <= 1, rows, "from 0 to 1, like others")
            self._has_fractions = True
            self._content += np.round(rows * 255).astype(np.uint8).tobytes()

    def images(self) -> NDArray[np.uint8]:
        """Return all images, (n, 28, 28) uint8.

        Raises
        ------
        InputError
            If some have fractions and others numbers above 1.
        """
        content = np.frombuffer(self._content, np.uint8)
        for piece in self._whole if self._has_fractions else ():
            part = content[piece]
            rows = part.reshape(-1, PIXELS)
            self._require(rows <= 1, rows, "from 0 to 1, like others", piece.start // PIXELS)
            part *= 255
        return content.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)

    def _require(self, valid: NDArray[np.bool_], rows: NDArray[Any], allowed: str, first: int | None = None) -> None:
        """Raise `InputError` for the first pixel that is not valid."""
        if not valid.all():
            row, column = np.argwhere(~valid)[0]
            place = self.where((len(self) if first is None else first) + int(row))
            raise InputError(f"{place}: pixels must be {allowed}, got {rows[row, column]:g}; correct or convert them")


def to_images(pixels: NDArray[Any], where: Callable[[int], str]) -> NDArray[np.uint8]:
    """Return images uint8, shape (n, 28, 28), from an array with 784 numbers or booleans per image.

    Raises the errors of `PixelBuffer`. True means ink.

    Examples
    --------
    >>> to_images(np.full((1, 784), 0.4), str).max()
    np.uint8(102)
    """
    shape = (-1, IMAGE_SIZE, IMAGE_SIZE)
    if pixels.dtype == np.uint8:
        return pixels.reshape(shape)
    if pixels.dtype == np.bool_:
        return pixels.reshape(shape).astype(np.uint8) * np.uint8(255)
    buffer, rows = PixelBuffer(where), pixels.reshape(-1, PIXELS)
    for start in range(0, len(rows), _BLOCK):
        buffer.append(rows[start : start + _BLOCK])
    return buffer.images()
