"""Picture files: opened with care, and upright."""

import warnings
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

from inksight._shared.untrusted import check_memory, damage_as_input_error
from inksight.errors import InputError

# Decoders that need no outside program; Pillow would hand PostScript to an interpreter.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 1 << 26
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")
_LITTER = ("Thumbs.db", "desktop.ini")  # left behind by file managers


def visible(folder: Path, *, folders: bool) -> list[Path]:
    """Return the files, or the folders, in `folder` by name, without hidden ones and other litter."""
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", "__")) and path.name not in _LITTER and path.is_dir() == folders
    )


def open_upright(file: Path | IO[bytes], path: Path, memory_limit: int = 4 * MAX_PIXELS) -> Image.Image:
    """Return a picture as it is stored, upright, its pixels decoded; `path` is for messages.

    Raises
    ------
    InputError
        If it is damaged, has more pixels than allowed, or pixels that are neither 8 nor 16 bits deep.
    """
    with damage_as_input_error(path, "picture"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata does not matter, and the size is checked below
        with _open(file, path) as image:
            _check_kind(image, path)
            check_memory(path, 4 * image.width * image.height, memory_limit)
            if image.format != "PNG":
                return upright(image, path)
            image.verify()  # its checksums, which decoding alone does not look at; the file is spent by it
        with _open(file, path) as image:
            return upright(image, path)


def upright(image: Image.Image, path: Path) -> Image.Image:
    """Return an opened picture turned as its camera was held, its pixels decoded."""
    _check_kind(image, path)
    result = ImageOps.exif_transpose(image)
    result.load()
    return result


def _check_kind(image: Image.Image, path: Path) -> None:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise InputError(f"{str(path)!r} has {pixels:,} pixels, {MAX_PIXELS:,} are allowed: make it smaller")
    if image.mode not in _MODES:
        raise InputError(f"{str(path)!r} has pixels of kind {image.mode}: save it as 8-bit grey or RGB")


def _open(file: Path | IO[bytes], path: Path) -> Image.Image:
    try:
        if not isinstance(file, Path):
            file.seek(0)
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise InputError(f"{str(path)!r} has too many pixels, {MAX_PIXELS:,} are allowed: make it smaller") from error
    except UnidentifiedImageError as error:
        kinds = ", ".join(FORMATS)
        raise InputError(f"{str(path)!r} is damaged or no picture: it must be one of {kinds}") from error
