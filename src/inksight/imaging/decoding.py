"""Decoding of untrusted picture files, with their EXIF orientation applied."""

import warnings
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from inksight._shared.untrusted import check_memory, damage_as_input_error
from inksight.errors import InputError

# Only formats that Pillow decodes itself: it would pass PostScript to an external interpreter.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 1 << 26  # pixels: largest picture that is decoded
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")
_SYSTEM_FILES = ("Thumbs.db", "desktop.ini")  # created by file managers


def visible_files(folder: Path) -> list[Path]:
    """Return the files in `folder`, sorted by name, without hidden files and files of the operating system."""
    return [path for path in _visible(folder) if not path.is_dir()]


def visible_folders(folder: Path) -> list[Path]:
    """Return the folders in `folder`, sorted by name, without hidden ones."""
    return [path for path in _visible(folder) if path.is_dir()]


def _visible(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if not path.name.startswith((".", "__")) and path.name not in _SYSTEM_FILES
    )


def open_upright(file: Path | IO[bytes], path: Path, memory_limit: int = 4 * MAX_PIXELS) -> Image.Image:
    """Return a picture in its original color mode, decoded and with its EXIF orientation applied.

    Parameters
    ----------
    file : Path or binary file
    path : Path
        The name of the file, for messages.
    memory_limit : int
        Largest number of bytes of the decoded picture, at four bytes per pixel.

    Raises
    ------
    InputError
        If the picture is damaged, has more pixels than allowed, or its pixels are not 8 or 16 bits deep.
    """
    with damage_as_input_error(path, "a picture"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unusual metadata is harmless, and the size is checked below
        with _open(file, path) as image:
            _check_size_and_mode(image, path)
            check_memory(path, 4 * image.width * image.height, memory_limit)
            if image.format != "PNG":
                return apply_orientation(image, path)
            image.verify()  # checks the checksums, which decoding does not; the file must be opened again afterwards
        with _open(file, path) as image:
            return apply_orientation(image, path)


def apply_orientation(image: Image.Image, path: Path) -> Image.Image:
    """Return an open picture decoded and rotated or flipped by its EXIF orientation; `path` is for messages."""
    _check_size_and_mode(image, path)
    result = ImageOps.exif_transpose(image)
    result.load()
    return result


def _check_size_and_mode(image: Image.Image, path: Path) -> None:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise InputError(f"{str(path)!r} has {pixels:,} pixels, {MAX_PIXELS:,} are allowed: make it smaller")
    if image.mode not in _MODES:
        raise InputError(
            f"{str(path)!r} has pixels of mode {image.mode}, 8 or 16 bits per channel are allowed: "
            "save it as 8-bit grayscale or RGB"
        )


def _open(file: Path | IO[bytes], path: Path) -> Image.Image:
    try:
        if not isinstance(file, Path):
            file.seek(0)
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise InputError(f"{str(path)!r} has too many pixels, {MAX_PIXELS:,} are allowed: make it smaller") from error
    except UnidentifiedImageError as error:
        formats = ", ".join(FORMATS)
        raise InputError(f"{str(path)!r} is damaged or is not a picture: give a file of type {formats}") from error
