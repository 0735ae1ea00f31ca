"""Picture files: one sub-folder a class, each picture brought to 28x28, high = ink, in the simplest way."""

import warnings
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from inksight.config import SIDE
from inksight.errors import InputError
from inksight.readers.bounded import check_memory, damage_as_input_error
from inksight.readers.raw import DIGITS, Raw

# Decoders that need no outside program; Pillow would hand PostScript to an interpreter.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 1 << 26
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I;16B", "I;16L")
_LITTER = ("Thumbs.db", "desktop.ini")  # left behind by file managers


def read_folder(folder: Path, memory_limit: int) -> Raw:
    """Read a folder with one sub-folder of pictures a class.

    Parameters
    ----------
    folder : Path
        Its sub-folders, in the order of their names, are the classes; hidden ones are skipped. If all names
        are digits, these are the labels and the classes stay the ten digits.
    memory_limit : int
        Largest number of bytes the images, or one decoded picture, may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink, class by class in the order of file names.

    Raises
    ------
    InputError
        If a class holds no picture or a folder, or a file is no picture, damaged, or too large.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as name:
    ...     for symbol in ("plus", "minus"):
    ...         (Path(name) / symbol).mkdir()
    ...         Image.new("L", (60, 40)).save(Path(name) / symbol / "one.png")
    ...     raw = read_folder(Path(name), 10_000)
    >>> raw.class_names, raw.labels
    (('minus', 'plus'), array([0, 1]))
    """
    classes = visible(folder, folders=True)
    names = tuple(path.name for path in classes)
    if set(names) <= set(DIGITS):
        names = DIGITS
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for path in classes:
        if inner := visible(path, folders=True):
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} must hold pictures only, got the folder "
                f"{inner[0].name!r}: give the folder whose sub-folders are the classes"
            )
        files = visible(path, folders=False)
        if not files:
            raise InputError(
                f"class {path.name!r} in {str(folder)!r} holds no picture: add some or remove the sub-folder"
            )
        check_memory(folder, (len(images) + len(files)) * SIDE * SIDE, memory_limit)
        images += [to_digit(decode(file, file, memory_limit)) for file in files]
        labels += [names.index(path.name)] * len(files)
    return Raw(np.stack(images), np.array(labels, np.int64), names)


def visible(folder: Path, *, folders: bool) -> list[Path]:
    """Return the files, or the folders, in `folder` by name, without hidden ones and other litter."""
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", "__")) and path.name not in _LITTER and path.is_dir() == folders
    )


def decode(file: Path | IO[bytes], path: Path, memory_limit: int) -> Image.Image:
    """Return a picture in 8-bit grey, upright, as it is stored (so paper is bright); `path` is for messages.

    Raises
    ------
    InputError
        If it is damaged, has more pixels than allowed, or pixels that are neither 8 nor 16 bits deep.
    """
    return _grey(open_upright(file, path, memory_limit))


def open_upright(file: Path | IO[bytes], path: Path, memory_limit: int = 4 * MAX_PIXELS) -> Image.Image:
    """Return a picture as it is stored, upright; see `decode`."""
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


def _grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip rather than scale.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("L")
    return image.convert("L")


def to_digit(image: Image.Image) -> NDArray[np.uint8]:
    """Return a grey picture as uint8, shape (28, 28), high = ink.

    A picture whose border is mostly bright is dark ink on white paper and is inverted; one of another size is
    scaled to fit, keeping its proportions, and centred.

    Examples
    --------
    >>> to_digit(Image.new("L", (100, 50), 255)).max()
    np.uint8(0)
    """
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    if np.median(border) > 127:
        image = ImageOps.invert(image)
    if image.size != (SIDE, SIDE):
        # A very long picture would otherwise be scaled to a width of no pixel at all.
        ratio = SIDE / max(image.size)
        inner = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
        scaled = image.resize(inner, Image.Resampling.BILINEAR)
        image = Image.new("L", (SIDE, SIDE))
        image.paste(scaled, ((SIDE - inner[0]) // 2, (SIDE - inner[1]) // 2))
    return np.array(image)
