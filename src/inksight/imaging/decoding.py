"""Decoding of untrusted picture files, with their EXIF orientation applied."""

import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from inksight._shared.untrusted import check_memory, damage_as_input_error
from inksight.errors import TooLargeError, UnsupportedFileError
from inksight.imaging.metadata import Stripped, strip_jpeg, strip_png, strip_tiff, strip_webp, webp_size

MAX_PIXELS = 1 << 26  # pixels: largest picture that is decoded
MAX_SIDE = (1 << 16) - 1  # pixels: longest side of a picture; that of JPEG
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")
_SYSTEM_FILES = ("Thumbs.db", "desktop.ini")  # created by file managers


class _Format(NamedTuple):
    """A format of pictures: its first bytes, its decoder in Pillow, and how metadata is removed from it."""

    magic: tuple[bytes, ...]
    decoder: str
    strip: Callable[[bytes], Stripped] = Stripped


# Only formats that Pillow decodes itself: it would pass PostScript to an external interpreter. The decoders are called
# directly, because `PIL.Image.open` parses metadata and raises warnings, whose filters all threads share.
_FORMATS = {
    "PNG": _Format((b"\x89PNG\r\n\x1a\n",), "Png", strip_png),
    "JPEG": _Format((b"\xff\xd8\xff",), "Jpeg", strip_jpeg),
    "BMP": _Format((b"BM",), "Bmp"),
    "GIF": _Format((b"GIF87a", b"GIF89a"), "Gif"),
    "TIFF": _Format((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "Tiff", strip_tiff),
    "WEBP": _Format((b"RIFF",), "WebP", strip_webp),
    "PPM": _Format(tuple(b"P%d" % number for number in range(1, 7)), "Ppm"),
}
FORMATS = tuple(_FORMATS)
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


def decode_upright(content: bytes, path: Path, memory_limit: int = 4 * MAX_PIXELS) -> Image.Image:
    """Return a picture in its original color mode, decoded and with its EXIF orientation applied.

    Parameters
    ----------
    content : bytes
        The content of a picture file.
    path : Path
        The name of the file, for messages.
    memory_limit : int
        Largest number of bytes of the decoded picture, at four bytes per pixel.

    Raises
    ------
    DamagedFileError
        If the picture is damaged.
    TooLargeError
        If it has more pixels than allowed.
    UnsupportedFileError
        If it is not of a known format, or its pixels are not 8 or 16 bits deep.
    """
    kind = next((kind for kind in _FORMATS.values() if content.startswith(kind.magic)), None)
    if kind is None:
        formats = ", ".join(FORMATS)
        raise UnsupportedFileError(f"{str(path)!r} is damaged or is not a picture: give a file of type {formats}")
    with damage_as_input_error(path, "a picture"):
        if kind.decoder == "WebP":
            _check_size(webp_size(content), path)
        stripped = kind.strip(content)
        decoder = getattr(import_module(f"PIL.{kind.decoder}ImagePlugin"), f"{kind.decoder}ImageFile")
        image: Image.Image = decoder(io.BytesIO(stripped.content))
        _check_size_and_mode(image, path)
        check_memory(path, 4 * image.width * image.height, memory_limit)
        if stripped.damage:  # after the size, which is what is wrong with a picture that is too large
            raise ValueError(stripped.damage)
        image.load()
        transposition = _TRANSPOSITIONS.get(stripped.orientation)
        return image if transposition is None else image.transpose(transposition)


def apply_orientation(image: Image.Image, path: Path) -> Image.Image:
    """Return an open picture decoded and rotated or flipped by its EXIF orientation; `path` is for messages."""
    _check_size_and_mode(image, path)
    return ImageOps.exif_transpose(image)


def _check_size_and_mode(image: Image.Image, path: Path) -> None:
    _check_size(image.size, path)
    if image.mode not in _MODES:
        raise UnsupportedFileError(
            f"{str(path)!r} has pixels of mode {image.mode}, 8 or 16 bits per channel are allowed: "
            "save it as 8-bit grayscale or RGB"
        )


def _check_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise TooLargeError(f"{str(path)!r} has {width * height:,} pixels, {MAX_PIXELS:,} are allowed: make it smaller")
    if max(size) > MAX_SIDE:
        raise TooLargeError(
            f"{str(path)!r} has {width:,}x{height:,} pixels, {MAX_SIDE:,} a side are allowed: cut it up"
        )
