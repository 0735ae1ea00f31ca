"""Any one picture, however it is handed in, as brightness: upright, colours and transparency gone."""

import io
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.untrusted import damage_as_input_error, take
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.imaging.decoding import MAX_PIXELS, open_upright, upright
from inksight.imaging.strokes import Strokes, draw

Picture = str | os.PathLike[str] | bytes | bytearray | IO[bytes] | Image.Image | NDArray[Any] | Strokes

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601
FILE = 1 << 28  # bytes a picture file may have
HANDED = Path("the picture given")  # for messages about what has no name


def to_grayscale(picture: Picture) -> NDArray[np.float64]:
    """Return the brightness of a picture.

    Parameters
    ----------
    picture : path, bytes, file object, PIL image, array, or Strokes
        Of an animation the first picture. Arrays are (height, width), with a last axis of 1, 3 (RGB) or 4 (RGBA) if
        there is one; of booleans, bytes (uint8), 16-bit numbers (uint16), or floats 0..1. Where it is transparent the
        paper is white.

    Returns
    -------
    (height, width) float64, 0..1
        As the picture is to be looked at: turned as its camera was held.

    Raises
    ------
    InputError
        If it is no picture, damaged, too large, empty, or has values out of range.

    Examples
    --------
    >>> to_grayscale(np.array([[0, 255], [51, 102]], np.uint8))
    array([[0. , 1. ],
           [0.2, 0.4]])
    """
    found = open_picture(picture)
    return image_to_grayscale(found) if isinstance(found, Image.Image) else _of_array(found)


def open_picture(picture: Picture) -> Image.Image | NDArray[Any]:
    """Return a picture upright, with its colours; arrays, and strokes drawn, as arrays. See `to_grayscale`."""
    if isinstance(picture, np.ndarray):
        return picture
    if isinstance(picture, Strokes):
        return draw(picture)
    if isinstance(picture, Image.Image):
        check(picture.width * picture.height > 0, "size of a picture", picture.size, "at least 1x1")
        with damage_as_input_error(HANDED, "picture", warned=False):
            return upright(picture, HANDED)
    if isinstance(picture, (str, os.PathLike)):
        with _opened(picture) as file:
            return open_upright(file, Path(picture))
    if isinstance(picture, (bytes, bytearray)):
        return open_upright(io.BytesIO(picture), HANDED)
    if hasattr(picture, "read") and isinstance(picture.read(0), bytes):
        content = take(picture, FILE + 1)
        check(len(content) <= FILE, "bytes of a picture", len(content), f"at most {FILE:,}")
        return open_upright(io.BytesIO(content), HANDED)
    raise InputError(
        f"picture must be a path, bytes, a binary file, a PIL image, an array or Strokes, got {type(picture).__name__}"
    )


def _opened(name: str | os.PathLike[str]) -> IO[bytes]:
    try:
        path = Path(name)
        if path.exists() and not path.is_file():
            raise InputError(f"{str(path)!r} is no file: give pictures")
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {os.fspath(name)!r:.200}: {reason}; check its name and permissions") from error


def image_to_grayscale(image: Image.Image) -> NDArray[np.float64]:
    """Return the brightness of a picture that `inksight.imaging.decoding` has opened; see `to_grayscale`."""
    if image.mode.startswith("I;16"):
        return _of_array(np.asarray(image).astype(np.uint16))
    if image.mode in ("1", "L"):
        return _of_array(np.asarray(image.convert("L")))
    return _of_array(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")))


def _of_array(array: NDArray[Any]) -> NDArray[np.float64]:
    shape = array.shape
    if array.ndim == 3 and shape[2] == 1:
        array = array[..., 0]
    flat = array.ndim == 2
    good = (flat or (array.ndim == 3 and shape[2] in (3, 4))) and array.size > 0
    check(good, "shape of a picture", shape, "(height, width), or with a last axis of 1, 3 or 4, not empty")
    check(shape[0] * shape[1] <= MAX_PIXELS, "pixels of a picture", shape, f"up to {MAX_PIXELS:,}")
    kind = array.dtype.newbyteorder("=").name
    top = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}.get(kind, 1.0)
    check(
        top > 1 or kind == "bool" or array.dtype.kind == "f", "type of a picture", kind,
        "bool, uint8, uint16, or float with values 0 to 1",
    )  # fmt: skip
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())  # NaN, if there is one, comes through
        check(0 <= low <= high <= 1, "values of a picture", (low, high), "0 to 1")
    if flat:
        return array.astype(np.float64) / top
    # One channel after the other: a large picture is not held several times over.
    grey: NDArray[np.float64] = np.zeros(shape[:2])
    for channel, share in enumerate(LUMA):
        grey += array[..., channel] * (share / top)
    return grey if shape[2] == 3 else 1 - (1 - grey) * (array[..., 3] / top)
