"""Conversion of any kind of picture to grayscale: orientation, colors and transparency are resolved."""

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from inksight._shared.untrusted import damage_as_input_error, read_bounded
from inksight._shared.validation import check
from inksight.errors import InputError, TooLargeError
from inksight.imaging.decoding import apply_orientation, decode_upright
from inksight.imaging.file_pages import MAX_FILE_SIZE, FilePage, read_picture_file
from inksight.imaging.limits import MAX_PIXELS, MAX_SIDE
from inksight.imaging.strokes import Strokes, rasterize
from inksight.imaging.transparency import LUMA, alpha_is_ink

if TYPE_CHECKING:
    from typing_extensions import TypeIs

Picture = str | os.PathLike[str] | bytes | bytearray | IO[bytes] | FilePage | Image.Image | NDArray[Any] | Strokes

BAND_PIXELS = 1 << 20  # pixels of a large picture that are converted at once
UNNAMED = Path("the picture given")  # name, in messages, of a picture without a file name


def to_grayscale(picture: Picture) -> NDArray[np.float64]:
    """Return the brightness of a picture.

    Parameters
    ----------
    picture : path, bytes, file object, PIL image, array, or Strokes
        The first frame of an animation is used. Arrays have the shape (height, width) or a third axis of length 1,
        3 (RGB) or 4 (RGBA), and the type bool, uint8, uint16, or float with values 0 to 1. Transparent pixels are
        blended with a white background, unless the ink would vanish on it (see `inksight.imaging.transparency`).

    Returns
    -------
    (height, width) float64, 0..1
        Brightness, 0 is black, with the EXIF orientation applied.

    Raises
    ------
    InputError
        If it is not a picture, is empty, or has values out of range. For files, its subclasses say more:
        `MissingFileError`, `DamagedFileError`, `UnsupportedFileError` and `TooLargeError`.

    Examples
    --------
    >>> to_grayscale(np.array([[0, 255], [51, 102]], np.uint8))
    array([[0. , 1. ],
           [0.2, 0.4]])
    """
    return opened_to_grayscale(open_picture(picture))


def opened_to_grayscale(opened: Image.Image | NDArray[Any]) -> NDArray[np.float64]:
    """Return the brightness, as `to_grayscale` does, of a picture that `open_picture` has opened."""
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
        with damage_as_input_error(UNNAMED, "a picture"):
            return apply_orientation(picture, UNNAMED)
    if isinstance(picture, (str, os.PathLike)):
        return decode_upright(read_picture_file(picture), Path(picture))
    if isinstance(picture, FilePage):
        number = (picture.number or 1) - 1
        return decode_upright(picture.read_content(), Path(str(picture)), page=number)
    if isinstance(picture, (bytes, bytearray)):
        return decode_upright(bytes(picture), UNNAMED)
    if hasattr(picture, "read"):
        return decode_upright(read_file_object(picture), UNNAMED)
    raise _not_a_picture(picture)


def is_picture(value: object) -> "TypeIs[Picture]":
    """Return whether a value is of a type of `Picture`. Some of them, such as arrays, are iterable, too."""
    types = (str, os.PathLike, bytes, bytearray, FilePage, Image.Image, np.ndarray, Strokes)
    return isinstance(value, types) or hasattr(value, "read")


def read_file_object(file: IO[bytes]) -> bytes:
    """Return the content of a picture as an open file. Raise `InputError` if it cannot be read or is too large."""
    try:
        if not isinstance(file.read(0), bytes):
            raise _not_a_picture(file)
        content = read_bounded(file, MAX_FILE_SIZE + 1)
    except (OSError, ValueError) as error:  # closed, or open for writing only
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot read the file given: {error}; open it for reading bytes") from error
    allowed = f"at most {MAX_FILE_SIZE:,}"
    check(len(content) <= MAX_FILE_SIZE, "bytes of a picture", len(content), allowed, error=TooLargeError)
    return bytes(content)


def _not_a_picture(picture: object) -> InputError:
    return InputError(
        f"picture must be a path, bytes, a binary file, a PIL image, an array or Strokes, got {type(picture).__name__}"
    )


def image_to_grayscale(image: Image.Image) -> NDArray[np.float64]:
    """Return the brightness, as `to_grayscale` does, of a picture that `inksight.imaging.decoding` has opened.

    A large picture is converted in bands, so that only the result and the picture itself take much memory.
    """
    if image.has_transparency_data and alpha_is_ink(image):
        image = ImageOps.invert(image.convert("RGBA").getchannel("A"))
    rows = max(BAND_PIXELS // image.width, 1)
    if image.height <= rows:
        return _array_to_grayscale(_to_array(image), blend=True)
    grayscale = np.empty((image.height, image.width))
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        grayscale[top : top + rows] = _array_to_grayscale(_to_array(band), blend=True)
    return grayscale


def _to_array(image: Image.Image) -> NDArray[Any]:
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if image.mode == "L":
        return np.asarray(image)
    return np.asarray(image.convert("L" if image.mode == "1" else "RGBA" if image.has_transparency_data else "RGB"))


def _array_to_grayscale(array: NDArray[Any], blend: bool = False) -> NDArray[np.float64]:
    """Return the brightness of an array; `blend` says that its ink is known not to be in its alpha channel alone."""
    shape = array.shape
    if array.ndim == 3 and shape[2] == 1:
        array = array[..., 0]
    single_channel = array.ndim == 2
    valid = (single_channel or (array.ndim == 3 and shape[2] in (3, 4))) and array.size > 0
    check(valid, "shape of a picture", shape, "(height, width), or with a last axis of 1, 3 or 4, not empty")
    size, pixels, sides = shape[:2], f"up to {MAX_PIXELS:,}", f"up to {MAX_SIDE:,} pixels"
    check(size[0] * size[1] <= MAX_PIXELS, "pixels of a picture", size, pixels, "reduce it", TooLargeError)
    check(max(size) <= MAX_SIDE, "sides of a picture", size, sides, "cut it up", TooLargeError)
    dtype = array.dtype.newbyteorder("=").name
    white = {"bool": 1.0, "uint8": 255.0, "uint16": 65535.0}.get(dtype, 1.0)
    check(
        white > 1 or dtype == "bool" or array.dtype.kind == "f", "type of a picture", dtype,
        "bool, uint8, uint16, or float with values 0 to 1",
    )  # fmt: skip
    if array.dtype.kind == "f":
        low, high = float(array.min()), float(array.max())  # NaN if any value is NaN
        check(0 <= low <= high <= 1, "values of a picture", (low, high), "0 to 1")
    if array.ndim == 3 and shape[2] == 4 and not blend and alpha_is_ink(array):
        array, single_channel = white - array[..., 3], True
    if single_channel:
        result: NDArray[np.float64] = np.divide(array, white, dtype=np.float64)
        return result
    grayscale: NDArray[np.float64] = np.empty(shape[:2])
    rows = max(BAND_PIXELS // shape[1], 1)
    for top in range(0, shape[0], rows):
        grayscale[top : top + rows] = _blend_channels(array[top : top + rows], white)
    return grayscale


def _blend_channels(array: NDArray[Any], white: float) -> NDArray[np.float64]:
    """Return the brightness of RGB or RGBA pixels (height, width, 3 or 4), whose largest value is `white`."""
    grayscale: NDArray[np.float64] = np.zeros(array.shape[:2])
    for channel, weight in enumerate(LUMA):
        grayscale += array[..., channel] * (weight / white)
    return grayscale if array.shape[2] == 3 else 1 - (1 - grayscale) * (array[..., 3] / white)
