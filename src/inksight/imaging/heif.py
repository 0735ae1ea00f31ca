"""HEIF, the container of HEIC and AVIF photos, which is made of boxes: its brands, its metadata, and its decoders."""

import io
import re
from pathlib import Path

from PIL import Image

from inksight.errors import MissingDependencyError
from inksight.imaging.limits import check_size
from inksight.imaging.metadata import Stripped, exif_orientation

_BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"), "HEIC"
)
_GENERIC = (b"mif1", b"msf1")  # brands that AVIF shares with HEIC
_MAX_BRANDS_SIZE = 1024  # bytes of the box of brands that are looked at
# The type of an item of metadata, after `infe` of version 2 or 3, flags, number and protection of the item.
_METADATA_ITEM = re.compile(rb"(infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2})(?:Exif|mime)", re.DOTALL)


def heif_format(head: bytes) -> str | None:
    """Return HEIC or AVIF, by the brands in the first bytes of a file; None if it is neither.

    Examples
    --------
    >>> heif_format(bytes([0, 0, 0, 24]) + b"ftypmif1" + bytes(4) + b"mif1avif")
    'AVIF'
    """
    if head[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(head[:4]), len(head), _MAX_BRANDS_SIZE)
    brands = [head[8:12], *(head[start : start + 4] for start in range(16, size, 4))]
    known = [brand for brand in brands if brand in _BRANDS]
    return next((_BRANDS[brand] for brand in sorted(known, key=_GENERIC.__contains__)), None)


def strip_heif(content: bytes) -> Stripped:
    """Hide the metadata of a HEIF from its decoder, which knows the orientation from a property of the picture."""
    start = 0
    while start + 8 <= len(content):
        size = int.from_bytes(content[start : start + 4])
        if size == 1:  # the size follows as a 64-bit number
            size = int.from_bytes(content[start + 8 : start + 16])
        end = start + size if size >= 8 else len(content)  # 0: the last box
        if content[start + 4 : start + 8] == b"meta":
            items = _METADATA_ITEM.sub(rb"\1free", content[start:end])
            return Stripped(b"".join([content[:start], items, content[end:]]))
        start = end
    return Stripped(content)


def open_heic(content: bytes, path: Path) -> Image.Image:
    """Decode the primary picture of a HEIC, upright.

    Raises
    ------
    MissingDependencyError
        If pillow-heif is not installed.
    """
    try:
        from pillow_heif import open_heif
    except ImportError as error:
        raise MissingDependencyError(
            f"{str(path)!r} is a HEIC photo, which needs pillow-heif: pip install 'inksight[heif]', or save it as JPEG"
        ) from error
    photo = open_heif(content)
    check_size(photo.size, path)
    image: Image.Image = photo[photo.primary_index].to_pillow()
    return image


def open_avif(content: bytes, path: Path) -> Image.Image:
    """Open the first frame of an AVIF, whose pixels Pillow decodes when they are needed.

    Raises
    ------
    MissingDependencyError
        If Pillow cannot decode AVIF.
    """
    try:
        from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile
    except ImportError:
        SUPPORTED = False
    if not SUPPORTED:
        raise MissingDependencyError(
            f"{str(path)!r} is an AVIF photo, which needs Pillow 11.3 or later: pip install --upgrade pillow, "
            "or save it as JPEG"
        )
    return AvifImageFile(io.BytesIO(content))


def avif_orientation(image: Image.Image) -> int:
    """Return the orientation, 1 to 8 as in EXIF, of an open AVIF: Pillow makes an EXIF block of its properties."""
    return exif_orientation(image.info.get("exif", b"").removeprefix(b"Exif\0\0")) or 1
