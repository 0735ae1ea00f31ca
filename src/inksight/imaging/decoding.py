"""Decoding of untrusted picture files, with their EXIF orientation applied."""

import io
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from inksight._shared.untrusted import check_memory, damage_as_input_error
from inksight.errors import InputWarning, UnsupportedFileError
from inksight.imaging.heif import avif_orientation, heif_format, open_avif, open_heic, strip_heif
from inksight.imaging.limits import MAX_PIXELS, check_page, check_pages, check_size, check_size_and_mode
from inksight.imaging.metadata import (
    Stripped,
    select_tiff_page,
    strip_jpeg,
    strip_png,
    strip_tiff,
    strip_webp,
    tiff_pages,
    webp_size,
)
from inksight.imaging.pdf import count_pdf_pages, is_pdf, render_page

_SYSTEM_FILES = ("Thumbs.db", "desktop.ini")  # created by file managers


def _open_with_pillow(plugin: str, content: bytes, path: Path) -> Image.Image:
    """Open a picture by one decoder of Pillow.

    The decoders are called directly, because `PIL.Image.open` parses metadata and raises warnings, whose filters all
    threads share.
    """
    decoder = getattr(import_module(f"PIL.{plugin}ImagePlugin"), f"{plugin}ImageFile")
    image: Image.Image = decoder(io.BytesIO(content))
    return image


class _Format(NamedTuple):
    """A format of pictures: its first bytes, its decoder, and how metadata is removed from it."""

    magic: tuple[bytes, ...]
    open: Callable[[bytes, Path], Image.Image]
    strip: Callable[[bytes], Stripped] = Stripped


# Only formats that Pillow decodes itself, or libheif: Pillow would pass PostScript to an external interpreter.
_FORMATS = {
    "PNG": _Format((b"\x89PNG\r\n\x1a\n",), partial(_open_with_pillow, "Png"), strip_png),
    "JPEG": _Format((b"\xff\xd8\xff",), partial(_open_with_pillow, "Jpeg"), strip_jpeg),
    "BMP": _Format((b"BM",), partial(_open_with_pillow, "Bmp")),
    "GIF": _Format((b"GIF87a", b"GIF89a"), partial(_open_with_pillow, "Gif")),
    "TIFF": _Format((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), partial(_open_with_pillow, "Tiff"), strip_tiff),
    "WEBP": _Format((b"RIFF",), partial(_open_with_pillow, "WebP"), strip_webp),
    "PPM": _Format(tuple(b"P%d" % number for number in range(1, 7)), partial(_open_with_pillow, "Ppm")),
    "HEIC": _Format((), open_heic, strip_heif),
    "AVIF": _Format((), open_avif, strip_heif),
}
FORMATS = (*_FORMATS, "PDF")
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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


def format_of(content: bytes) -> str | None:
    """Return which of `FORMATS` a file has by its first bytes, at least 1024 if it has as many; None if none."""
    found = next((name for name, kind in _FORMATS.items() if kind.magic and content.startswith(kind.magic)), None)
    return found or heif_format(content) or ("PDF" if is_pdf(content) else None)


def count_pages(content: bytes, path: Path) -> int:
    """Return the number of pages of a TIFF or PDF, and 1 for all other pictures; `path` is for messages.

    Raises
    ------
    InputError
        If it is damaged or has more pages than allowed.
    MissingDependencyError
        If it is a PDF and pypdfium2 is not installed.
    """
    kind = format_of(content)
    if kind == "PDF":
        return count_pdf_pages(content, path)
    return len(_tiff_pages(content, path)) if kind == "TIFF" else 1


def decode_upright(
    content: bytes, path: Path, memory_limit: int = 4 * MAX_PIXELS, page: int | None = None
) -> Image.Image:
    """Return a picture in its original color mode, decoded and with its EXIF orientation applied.

    It warns if the picture is the first frame of an animation, or the first page of several and no page was asked for.

    Parameters
    ----------
    content : bytes
        The content of a picture file.
    path : Path
        The name of the file, for messages.
    memory_limit : int
        Largest number of bytes of the decoded picture, at four bytes per pixel.
    page : int, optional
        The page, from 0, of a TIFF or PDF.

    Raises
    ------
    DamagedFileError
        If the picture is damaged.
    TooLargeError
        If it has more pixels or pages than allowed.
    InputError
        If it has fewer pages.
    UnsupportedFileError
        If it is not of a known format, or its pixels are not 8 or 16 bits deep.
    MissingDependencyError
        If the library that decodes HEIC, AVIF or PDF is not installed.
    """
    name = format_of(content)
    if name is None:
        formats = ", ".join(FORMATS)
        raise UnsupportedFileError(f"{str(path)!r} is damaged or is not a picture: give a file of type {formats}")
    if page is None and (count := count_pages(content, path)) > 1:
        _warn(f"{str(path)!r} has {count:,} pages, of which only the first is used: `inksight.pages` returns all")
    if name == "PDF":
        return render_page(content, page or 0, path, memory_limit)
    kind = _FORMATS[name]
    page = page or 0
    directories = _tiff_pages(content, path) if name == "TIFF" else [0]
    check_page(page, len(directories), path)
    with damage_as_input_error(path, "a picture"):
        if name == "WEBP":
            check_size(webp_size(content), path)
        if name == "TIFF":
            content = select_tiff_page(content, directories[page])
        stripped = kind.strip(content)
        image = kind.open(stripped.content, path)
        check_size_and_mode(image, path)
        check_memory(path, 4 * image.width * image.height, memory_limit)
        if stripped.damage:  # after the size, which is what is wrong with a picture that is too large
            raise ValueError(stripped.damage)
        is_animated = stripped.is_animated or getattr(image, "is_animated", False)
        image.load()
        _check_colors(image)
        transposition = _TRANSPOSITIONS.get(avif_orientation(image) if name == "AVIF" else stripped.orientation)
        upright = image if transposition is None else image.transpose(transposition)
    if is_animated:
        _warn(f"{str(path)!r} is animated, and only its first frame is used: save others as pictures to use them")
    return upright


def _tiff_pages(content: bytes, path: Path) -> list[int]:
    with damage_as_input_error(path, "a picture"):
        pages = tiff_pages(content)
        check_pages(len(pages), path)
        return pages


def _check_colors(image: Image.Image) -> None:
    """Raise Pillow's error for a palette that is missing, or a transparency that does not fit, on a single pixel."""
    if image.mode in ("P", "PA") or "transparency" in image.info:
        mode = "RGBA" if image.has_transparency_data else "RGB"
        image.crop((0, 0, 1, 1)).convert(mode)


def _warn(message: str) -> None:
    warnings.warn(message, InputWarning, stacklevel=3)


def apply_orientation(image: Image.Image, path: Path) -> Image.Image:
    """Return an open picture decoded and rotated or flipped by its EXIF orientation; `path` is for messages."""
    check_size_and_mode(image, path)
    _check_colors(image)
    return ImageOps.exif_transpose(image)
