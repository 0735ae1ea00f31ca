"""Conversion of any kind of picture to grayscale: orientation, colors and transparency are resolved."""

import io
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.untrusted import damage_as_input_error, read_bounded
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.imaging.decoding import MAX_PIXELS, apply_orientation, open_upright
from inksight.imaging.strokes import Strokes, rasterize

Picture = str | os.PathLike[str] | bytes | bytearray | IO[bytes] | Image.Image | NDArray[Any] | Strokes

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue in the brightness: ITU-R BT.601
MAX_FILE_SIZE = 1 << 28  # bytes: largest picture that is read from a file object
UNNAMED = Path("the picture given")  # name, in messages, of a picture without a file name


def to_grayscale(picture: Picture) -> NDArray[np.float64]:
    """Return the brightness of a picture.

    Parameters
    ----------
    picture : path, bytes, file object, PIL image, array, or Strokes
        The first frame of an animation is used. Arrays have the shape (height, width) or a third axis of length 1,
        3 (RGB) or 4 (RGBA), and the type bool, uint8, uint16, or float with values 0 to 1. Transparent pixels are
        blended with a white background.

    Returns
    -------
    (height, width) float64, 0..1
        Brightness, 0 is black, with the EXIF orientation applied.

    Raises
    ------
    InputError
        If it is not a picture, is damaged, too large or empty, or has values out of range.

    Examples
    --------
    >>> to_grayscale(np.array([[0, 255], [51, 102]], np.uint8))
    array([[0. , 1. ],
           [0.2, 0.4]])
    """
    opened = open_picture(picture)
    return image_to_grayscale(opened) if isinstance(opened, Image.Image) else _array_to_grayscale(opened)


def open_picture(picture: Picture) -> Image.Image | NDArray[Any]:
    """Return a picture upright and in color: arrays unchanged, strokes rasterized, all else as a PIL image.

    Parameters and errors are those of `to_grayscale`.
    """
    if isinstance(picture, np.ndarray):
        return picture
    if isinstance(picture, Strokes):
        return rasterize(picture)
    if isinstance(picture, Image.Image):
        check(picture.width * picture.height > 0, "size of a picture", picture.size, "at least 1x1")
        with damage_as_input_error(UNNAMED, "a picture", warned=False):
            return apply_orientation(picture, UNNAMED)
    if isinstance(picture, (str, os.PathLike)):
        with _open_file(picture) as file:
            return open_upright(file, Path(picture))
    if isinstance(picture, (bytes, bytearray)):
        return open_upright(io.BytesIO(picture), UNNAMED)
    if hasattr(picture, "read") and (content := _content_of(picture)) is not None:
        check(len(content) <= MAX_FILE_SIZE, "bytes of a picture", len(content), f"at most {MAX_FILE_SIZE:,}")
        return open_upright(io.BytesIO(content), UNNAMED)
    raise InputError(
        f"picture must be a path, bytes, a binary file, a PIL image, an array or Strokes, got {type(picture).__name__}"
    )


def _content_of(file: Any) -> bytearray | None:
    """Return the rest of a binary file, up to one byte more than allowed; None for a file of text."""
    try:
        return read_bounded(file, MAX_FILE_SIZE + 1) if isinstance(file.read(0), bytes) else None
    except (OSError, ValueError) as error:  # a `ValueError` if the file is closed
        raise InputError(f"cannot read the picture from {file!r:.200}: {error}; open it for reading first") from error


def _open_file(name: str | os.PathLike[str]) -> IO[bytes]:
    try:
        path = Path(name)
        if path.exists() and not path.is_file():
            raise InputError(f"{str(path)!r} is not a file: give picture files")
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read {os.fspath(name)!r:.200}: {reason}; check its name and permissions") from error


def image_to_grayscale(image: Image.Image) -> NDArray[np.float64]:
    """Return the brightness, as `to_grayscale` does, of a picture that `inksight.imaging.decoding` has opened."""
    if image.mode.startswith("I;16"):
        return _array_to_grayscale(np.asarray(image).astype(np.uint16))
    if image.mode in ("1", "L"):
        return _array_to_grayscale(np.asarray(image.convert("L")))
    return _array_to_grayscale(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")))


def _array_to_grayscale(array: NDArray[Any]) -> NDArray[np.float64]:
    shape = array.shape
    if array.ndim == 3 and shape[2] == 1:
        array = array[..., 0]
    single_channel = array.ndim == 2
    valid = (single_channel or (array.ndim == 3 and shape[2] in (3, 4))) and array.size > 0
    check(valid, "shape of a picture", shape, "(height, width), or with a last axis of 1, 3 or 4, not empty")
    check(shape[0] * shape[1] <= MAX_PIXELS, "pixels of a picture", shape, f"up to {MAX_PIXELS:,}")
    dtype = array.dtype.newbyteorder("=").name
    white = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}.get(dtype, 1.0)
    check(
        white > 1 or dtype == "bool" or array.dtype.kind == "f", "type of a picture", dtype,
        "bool, uint8, uint16, or float with values 0 to 1",
    )  # fmt: skip
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())  # NaN if any value is NaN
        check(0 <= low <= high <= 1, "values of a picture", (low, high), "0 to 1")
    if single_channel:
        return array.astype(np.float64) / white
    # Channel by channel, to avoid a float copy of all channels of a large picture.
    grayscale: NDArray[np.float64] = np.zeros(shape[:2])
    for channel, weight in enumerate(LUMA):
        grayscale += array[..., channel] * (weight / white)
    return grayscale if shape[2] == 3 else 1 - (1 - grayscale) * (array[..., 3] / white)
