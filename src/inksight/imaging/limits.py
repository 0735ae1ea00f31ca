"""Limits of pictures: how many pixels, of which kind, and how many pages are decoded."""

from pathlib import Path

from PIL import Image

from inksight._shared.validation import check
from inksight.errors import TooLargeError, UnsupportedFileError

MAX_PIXELS = 1 << 26  # pixels: largest picture that is decoded
MAX_SIDE = (1 << 16) - 1  # pixels: longest side of a picture; that of JPEG
MAX_PAGES = 1000  # of one file
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")


def check_size(size: tuple[int, int], path: Path) -> None:
    """Raise `TooLargeError` if a picture of this width and height is too large; `path` is for messages."""
    width, height = size
    if width * height > MAX_PIXELS:
        pixels = f"{width * height:,} pixels, {MAX_PIXELS:,} are allowed"
        raise TooLargeError(f"{str(path)!r} has {pixels}: make it smaller")
    if max(size) > MAX_SIDE:
        raise TooLargeError(
            f"{str(path)!r} has {width:,}x{height:,} pixels, {MAX_SIDE:,} a side are allowed: cut it up"
        )


def check_size_and_mode(image: Image.Image, path: Path) -> None:
    """Raise `InputError` if an open picture is too large, or its pixels are not 8 or 16 bits deep."""
    check_size(image.size, path)
    if image.mode not in _MODES:
        raise UnsupportedFileError(
            f"{str(path)!r} has pixels of mode {image.mode}, 8 or 16 bits per channel are allowed: "
            "save it as 8-bit grayscale or RGB"
        )


def check_page(page: int, count: int, path: Path) -> None:
    """Raise `InputError` if a file of `count` pages does not have a page, given from 0."""
    check(page < count, f"number of a page of {str(path)!r}", page + 1, f"1 to {count:,}" if count > 1 else "1")


def check_pages(count: int, path: Path) -> None:
    """Raise `InputError` if a file has no page, or too many."""
    if not 1 <= count <= MAX_PAGES:
        raise TooLargeError(
            f"{str(path)!r} must have 1 to {MAX_PAGES:,} pages, got {count:,}: split it into several files"
        )
