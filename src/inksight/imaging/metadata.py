"""Removal of metadata from untrusted picture files, before they are decoded; only the orientation is read."""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

MAX_SCANS = 100  # of a progressive JPEG, each of which costs a pass over all pixels; encoders write about ten
ORIENTATION = 0x0112  # EXIF tag
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_JPEG_METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}  # APP1 to APP15 and comments, without APP14, which holds the colors
# Of TIFF: what the decoder needs, of which all but the last line have a single value.
_TIFF_SINGLE = {256, 257, 259, 262, 266, 277, 278, 284, 292, 293, 317, 322, 323, 512, 513, 514, 515, 531}
_TIFF_TAGS = _TIFF_SINGLE | {258, 273, 279, 320, 324, 325, 338, 339, 347, 517, 518, 519, 520, 521, 530, 532}
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


class Stripped(NamedTuple):
    """The content of a picture file without metadata, its orientation, 1 to 8 as in EXIF, and damage that was found."""

    content: bytes
    orientation: int = 1
    damage: str = ""


def strip_png(content: bytes) -> Stripped:
    """Check the checksums of a PNG, which decoding does not, and keep the chunks that hold pixels and colors."""
    kept, orientation, start, damage = [content[:8]], 1, 8, "it is truncated"
    while damage and start + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + size
        if end > len(content):
            break
        if zlib.crc32(memoryview(content)[start + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return Stripped(content, damage=f"chunk {kind!r} has a wrong checksum")
        if kind in _PNG_CHUNKS:
            kept.append(content[start:end])
        elif kind == b"eXIf":
            orientation = _exif_orientation(content[start + 8 : end - 4])
        elif kind == b"iTXt":
            orientation = _xmp_orientation(content[start + 8 : end - 4], orientation)
        if kind == b"IEND":
            damage = ""
        start = end
    return Stripped(b"".join([*kept, content[start:]]), orientation, damage)


def strip_jpeg(content: bytes) -> Stripped:
    """Remove the metadata segments of a JPEG, among them further pictures. Raise `ValueError` if it has many scans."""
    kept, orientation, start = [content[:2]], 1, 2
    while start + 4 <= len(content) and content[start] == 0xFF:
        marker, size = content[start + 1], int.from_bytes(content[start + 2 : start + 4])
        if marker == 0xFF:  # fill byte
            start += 1
            continue
        if marker == 0xDA or not 0xC0 <= marker <= 0xFE:  # pixels follow
            break
        segment = content[start + 4 : start + 2 + size]
        if marker == 0xE1 and segment.startswith(b"Exif\0"):
            orientation = _exif_orientation(segment[6:])
        elif marker == 0xE1:
            orientation = _xmp_orientation(segment, orientation)
        if marker not in _JPEG_METADATA:
            kept.append(content[start : start + 2 + size])
        start += 2 + max(size, 2)
    if (scans := content.count(b"\xff\xda", start)) > MAX_SCANS:
        raise ValueError(f"{scans} scans, {MAX_SCANS} are allowed")
    return Stripped(b"".join([*kept, content[start:]]), orientation)


def strip_tiff(content: bytes) -> Stripped:
    """Keep the tags of a TIFF that are needed to decode its first page."""
    layout = _TiffLayout.of(content)
    entries, orientation = [], 1
    for tag, entry in layout.entries(content):
        if tag == ORIENTATION:
            orientation = layout.first_value(entry)
        elif tag in _TIFF_TAGS and layout.is_inside(entry, len(content)):
            if tag in _TIFF_SINGLE and layout.count_of(entry) != 1:
                raise ValueError(f"tag {tag} has {layout.count_of(entry)} values")
            entries.append(entry)
    directory = layout.pack(len(entries)) + b"".join(entries) + bytes(layout.offset_size)  # zero: no further page
    end = layout.start + len(directory)  # the directory was at least as long
    return Stripped(b"".join([content[: layout.start], directory, content[end:]]), _valid(orientation))


def strip_webp(content: bytes) -> Stripped:
    """Return a WebP unchanged, because its decoder does not parse the metadata, and its orientation."""
    orientation, start = 1, 12
    while start + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, start)
        block = content[start + 8 : start + 8 + size] if kind in (b"EXIF", b"XMP ") else b""
        if kind == b"EXIF":
            orientation = _exif_orientation(block.removeprefix(b"Exif\0\0"))
        elif kind == b"XMP ":
            orientation = _xmp_orientation(block, orientation)
        start += 8 + size + size % 2
    return Stripped(content, orientation)


def webp_size(content: bytes) -> tuple[int, int]:
    """Return width and height from the header of a WebP; its decoder allocates all memory before it tells them."""
    if content[8:12] != b"WEBP":
        raise ValueError("not a WebP")
    kind = content[12:16]
    if kind == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(content[26:28], "little") & 0x3FFF, int.from_bytes(content[28:30], "little") & 0x3FFF


class _TiffLayout(NamedTuple):
    """How the first directory of a TIFF, or of an EXIF block, is stored: classic, or BigTIFF with 64-bit offsets."""

    order: str  # < or >, as in `struct`
    start: int  # of the directory, in bytes
    offset_size: int  # 4 or 8 bytes

    @classmethod
    def of(cls, content: bytes) -> "_TiffLayout":
        order = "<" if content[:2] == b"II" else ">"
        (version,) = struct.unpack_from(f"{order}H", content, 2)
        if version == 43:
            return cls(order, struct.unpack_from(f"{order}Q", content, 8)[0], 8)
        return cls(order, struct.unpack_from(f"{order}I", content, 4)[0], 4)

    @property
    def number(self) -> str:
        """Format of counts and offsets in `struct`."""
        return self.order + ("Q" if self.offset_size == 8 else "I")

    def pack(self, entries: int) -> bytes:
        """Return the number of entries as it is stored."""
        return struct.pack(self.order + ("Q" if self.offset_size == 8 else "H"), entries)

    def entries(self, content: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield tag and bytes of each entry."""
        size = 4 + 2 * self.offset_size
        first = self.start + len(self.pack(0))
        (count,) = struct.unpack_from(self.order + ("Q" if self.offset_size == 8 else "H"), content, self.start)
        for start in range(first, min(first + size * count, len(content) - size + 1), size):
            entry = content[start : start + size]
            yield struct.unpack_from(f"{self.order}H", entry)[0], entry

    def count_of(self, entry: bytes) -> int:
        """Return the number of values of an entry."""
        count: int = struct.unpack_from(self.number, entry, 4)[0]
        return count

    def first_value(self, entry: bytes) -> int:
        """Return the value of an entry with one short number."""
        value: int = struct.unpack_from(f"{self.order}H", entry, 4 + self.offset_size)[0]
        return value

    def is_inside(self, entry: bytes, length: int) -> bool:
        """Return whether the values of an entry are of a known type and within a file of `length` bytes."""
        kind = struct.unpack_from(f"{self.order}H", entry, 2)[0]
        size = _TIFF_SIZES.get(kind, 0) * self.count_of(entry)
        if size <= self.offset_size:
            return size > 0
        offset: int = struct.unpack_from(self.number, entry, 4 + self.offset_size)[0]
        return offset + size <= length


def _exif_orientation(block: bytes) -> int:
    """Return the orientation in an EXIF block; 1 if it has none or is damaged."""
    try:
        layout = _TiffLayout.of(block)
        return _valid(
            next((layout.first_value(entry) for tag, entry in layout.entries(block) if tag == ORIENTATION), 1)
        )
    except struct.error:
        return 1


def _xmp_orientation(block: bytes, otherwise: int) -> int:
    """Return the orientation in an XMP block, unless EXIF has given `otherwise`."""
    match = _XMP_ORIENTATION.search(block)
    return int(match[1]) if match and otherwise == 1 else otherwise


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1
