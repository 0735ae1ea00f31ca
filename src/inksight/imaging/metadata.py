"""Removal of metadata from untrusted picture files, before they are decoded; only the orientation is read."""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

MAX_SCANS = 100  # of a progressive JPEG, each of which costs a pass over all pixels; encoders write about ten
MAX_TEXT = 1 << 20  # bytes: of a compressed text in a PNG, unpacked; metadata takes a few thousand
ORIENTATION, XMP = 0x0112, 700  # tags of EXIF and TIFF
MAX_DIRECTORIES = 20_000  # of a TIFF: pages, and their thumbnails
_TIFF_KIND, _TIFF_NO_PAGE = 254, 0b101  # the tag of a picture's kind, and its bits for a thumbnail and for a mask
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_JPEG_METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}  # APP1 to APP15 and comments, without APP14, which holds the colors
_JPEG_MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")  # of a segment, unlike those of restarts
# Of TIFF: what the decoder needs, of which all but the last line have a single value.
_TIFF_SINGLE = {256, 257, 259, 262, 266, 277, 278, 284, 292, 293, 317, 322, 323, 512, 513, 514, 515, 531}
_TIFF_TAGS = _TIFF_SINGLE | {258, 273, 279, 320, 324, 325, 338, 339, 347, 517, 518, 519, 520, 521, 530, 532}
_TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


class Stripped(NamedTuple):
    """The content of a picture file without metadata, with its orientation, 1 to 8 as in EXIF, and what was found."""

    content: bytes
    orientation: int = 1
    damage: str = ""
    is_animated: bool = False


def strip_png(content: bytes) -> Stripped:
    """Check the checksums of a PNG, which decoding does not, and keep the chunks that hold pixels and colors."""
    kept, exif, xmp, start, damage, is_animated = [content[:8]], None, None, 8, "it is truncated", False
    while damage and start + 12 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, start)
        end = start + 12 + size
        if end > len(content):
            break
        if zlib.crc32(memoryview(content)[start + 4 : end - 4]) != int.from_bytes(content[end - 4 : end]):
            return Stripped(content, damage=f"chunk {kind!r} has a wrong checksum")
        if kind in _PNG_CHUNKS:
            kept.append(content[start:end])
        elif kind == b"fdAT":  # a further frame
            is_animated = True
        elif kind == b"eXIf":
            exif = exif_orientation(content[start + 8 : end - 4])
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, text = _png_text(kind, content[start + 8 : end - 4])
            if keyword == b"XML:com.adobe.xmp":
                xmp = _xmp_orientation(text)
            elif keyword == b"Raw profile type exif" and exif is None:  # written by ImageMagick
                exif = exif_orientation(_unhexed(text))
        if kind == b"IEND":
            damage = ""
        start = end
    return Stripped(b"".join([*kept, content[start:]]), _orientation(exif, xmp), damage, is_animated)


def strip_jpeg(content: bytes) -> Stripped:
    """Remove the metadata segments of a JPEG, among them further pictures. Raise `ValueError` if it has many scans."""
    kept, exif, xmp, start = [content[:2]], None, None, 2
    while start + 4 <= len(content) and content[start] == 0xFF:
        marker, size = content[start + 1], int.from_bytes(content[start + 2 : start + 4])
        if marker == 0xFF:  # fill byte
            start += 1
            continue
        if marker == 0xDA or not 0xC0 <= marker <= 0xFE:  # pixels follow
            break
        segment = content[start + 4 : start + 2 + size]
        if marker == 0xE1 and segment.startswith(b"Exif\0"):
            exif = exif_orientation(segment[6:]) if exif is None else exif
        elif marker == 0xE1:
            xmp = _xmp_orientation(segment) if xmp is None else xmp
        if marker not in _JPEG_METADATA:
            kept.append(content[start : start + 2 + size])
        start += 2 + max(size, 2)
    # Counting the bytes is fast, but also counts those of what may follow the picture, such as a phone's video.
    if content.count(b"\xff\xda", start) > MAX_SCANS and (scans := _count_scans(content, start)) > MAX_SCANS:
        raise ValueError(f"{scans} scans, {MAX_SCANS} are allowed")
    return Stripped(b"".join([*kept, content[start:]]), _orientation(exif, xmp))


def tiff_pages(content: bytes) -> list[int]:
    """Return where the directory of each page of a TIFF starts, in bytes, without thumbnails and masks."""
    layout, pages, seen = _TiffLayout.of(content), list[int](), set[int]()
    start = layout.start
    while start and start not in seen:
        if len(seen) == MAX_DIRECTORIES:
            raise ValueError(f"more than {MAX_DIRECTORIES:,} directories")
        seen.add(start)
        directory = layout._replace(start=start)
        tag, entry = next(directory.entries(content), (0, b""))  # the tag of the kind is the lowest, so it comes first
        if tag != _TIFF_KIND or not layout.first_value(entry) & _TIFF_NO_PAGE:
            pages.append(start)
        start = directory.following(content)
    return pages or [layout.start]


def select_tiff_page(content: bytes, start: int) -> bytes:
    """Return a TIFF whose first page is the one whose directory starts at `start`."""
    layout = _TiffLayout.of(content)
    if layout.start == start:
        return content
    pointer = layout.offset_size  # where the header holds it: at 4, or at 8 in a BigTIFF
    return b"".join([content[:pointer], struct.pack(layout.number, start), content[2 * pointer :]])


def strip_tiff(content: bytes) -> Stripped:
    """Keep the tags of a TIFF that are needed to decode its first page."""
    layout = _TiffLayout.of(content)
    entries, exif, xmp = [], None, None
    for tag, entry in layout.entries(content):
        if tag == ORIENTATION:
            exif = layout.first_value(entry)
        elif tag == XMP and layout.is_inside(entry, len(content)):
            xmp = _xmp_orientation(layout.values(entry, content))
        elif tag in _TIFF_TAGS and layout.is_inside(entry, len(content)):
            if tag in _TIFF_SINGLE and layout.count_of(entry) != 1:
                raise ValueError(f"tag {tag} has {layout.count_of(entry)} values")
            entries.append(entry)
    directory = layout.pack(len(entries)) + b"".join(entries) + bytes(layout.offset_size)  # zero: no further page
    end = layout.start + len(directory)  # the directory was at least as long
    return Stripped(b"".join([content[: layout.start], directory, content[end:]]), _orientation(exif, xmp))


def strip_webp(content: bytes) -> Stripped:
    """Return a WebP unchanged, because its decoder does not parse the metadata, and its orientation."""
    exif, xmp, start = None, None, 12
    while start + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, start)
        block = content[start + 8 : start + 8 + size] if kind in (b"EXIF", b"XMP ") else b""
        if kind == b"EXIF":
            exif = exif_orientation(block.removeprefix(b"Exif\0\0"))
        elif kind == b"XMP ":
            xmp = _xmp_orientation(block)
        start += 8 + size + size % 2
    return Stripped(content, _orientation(exif, xmp))


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

    def following(self, content: bytes) -> int:
        """Return where the next directory starts; 0 if this is the last one, or the file ends before it says so."""
        (count,) = struct.unpack_from(self.order + ("Q" if self.offset_size == 8 else "H"), content, self.start)
        end = self.start + len(self.pack(0)) + count * (4 + 2 * self.offset_size)
        if end + self.offset_size > len(content):
            return 0
        following: int = struct.unpack_from(self.number, content, end)[0]
        return following

    def count_of(self, entry: bytes) -> int:
        """Return the number of values of an entry."""
        count: int = struct.unpack_from(self.number, entry, 4)[0]
        return count

    def first_value(self, entry: bytes) -> int:
        """Return the value of an entry with one short or long number."""
        is_long = struct.unpack_from(f"{self.order}H", entry, 2)[0] == 4
        value: int = struct.unpack_from(self.order + ("I" if is_long else "H"), entry, 4 + self.offset_size)[0]
        return value

    def values(self, entry: bytes, content: bytes) -> bytes:
        """Return the values of an entry of single bytes, which is inside."""
        count = self.count_of(entry)
        if count <= self.offset_size:
            return entry[4 + self.offset_size :][:count]
        offset: int = struct.unpack_from(self.number, entry, 4 + self.offset_size)[0]
        return content[offset : offset + count]

    def is_inside(self, entry: bytes, length: int) -> bool:
        """Return whether the values of an entry are of a known type and within a file of `length` bytes."""
        kind = struct.unpack_from(f"{self.order}H", entry, 2)[0]
        size = _TIFF_SIZES.get(kind, 0) * self.count_of(entry)
        if size <= self.offset_size:
            return size > 0
        offset: int = struct.unpack_from(self.number, entry, 4 + self.offset_size)[0]
        return offset + size <= length


def _count_scans(content: bytes, start: int) -> int:
    """Count the scans of a JPEG from `start` to the end of the picture, from one marker to the next."""
    scans = 0
    while (match := _JPEG_MARKER.search(content, start)) and match[1] != b"\xd9":  # the end of the picture
        scans += match[1] == b"\xda"
        start = match.end() + int.from_bytes(content[match.end() : match.end() + 2])
    return scans


def _png_text(kind: bytes, block: bytes) -> tuple[bytes, bytes]:
    """Return keyword and text of a text chunk of a PNG; a text that is damaged or too long is cut off."""
    keyword, _, text = block.partition(b"\0")
    is_packed = kind == b"zTXt"
    if kind == b"zTXt":
        text = text[1:]  # the only method there is
    elif kind == b"iTXt":
        is_packed, text = text[:1] == b"\1", text[2:].split(b"\0", 2)[-1]  # after language and translated keyword
    with suppress(zlib.error):
        return keyword, zlib.decompressobj().decompress(text, MAX_TEXT) if is_packed else text
    return keyword, b""


def _unhexed(profile: bytes) -> bytes:
    """Return the EXIF block that is written as lines: nothing, its name, its length, and hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(profile.split(b"\n")[3:]).decode("ascii")).removeprefix(b"Exif\0\0")
    except ValueError:
        return b""


def exif_orientation(block: bytes) -> int | None:
    """Return the orientation in an EXIF block; None if it has none or is damaged."""
    try:
        layout = _TiffLayout.of(block)
        return next((layout.first_value(entry) for tag, entry in layout.entries(block) if tag == ORIENTATION), None)
    except struct.error:
        return None


def _xmp_orientation(block: bytes) -> int | None:
    """Return the orientation in an XMP block; None if it has none."""
    match = _XMP_ORIENTATION.search(block)
    return None if match is None else int(match[1])


def _orientation(exif: int | None, xmp: int | None) -> int:
    """Return the orientation of a picture from that in EXIF, which counts more, and in XMP; 1 if it is not valid."""
    orientation = xmp if exif is None else exif
    return 1 if orientation is None or not 1 <= orientation <= 8 else orientation
