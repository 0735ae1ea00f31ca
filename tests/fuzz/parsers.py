"""The parsers of untrusted input, each as a function of bytes that may raise nothing but `InputError`.

`tools/fuzz_parsers.py` feeds them with bytes that it makes from the seeds; `test_fuzz.py`, with what was found before.
Where a format has a checksum, the bytes are given the right one first, or damage would not get past it.
"""

import io
import json
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from sources import _arff, csv_bytes, idx_bytes, npy_bytes, npz_bytes, parquet_bytes, picture_bytes, some_digits

from inksight.data import readers
from inksight.data.corrections import apply_corrections
from inksight.data.dataset import Dataset
from inksight.errors import InputError, InputWarning
from inksight.imaging.file_pages import FilePage, pages
from inksight.imaging.grayscale import to_grayscale
from inksight.nn import model_file
from inksight.nn.ensemble_file import load_classifier
from inksight.nn.model import digest
from inksight.reading.constraints import constraint_of
from inksight.reading.reader import read

MEMORY_LIMIT = 1 << 24  # bytes that a file may unpack to: a fuzzer needs many small files, not few large ones
FOLDER = Path(tempfile.mkdtemp(prefix="inksight-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
IMAGES, LABELS = some_digits(3)


class Parser(NamedTuple):
    """A parser, and inputs from which to make others."""

    parse: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


def run(name: str, data: bytes) -> None:
    """Give bytes to a parser; raise what it raises, unless that is `InputError` or a warning of the product."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        try:
            PARSERS[name].parse(data)
        except InputError as error:
            message = str(error)
            assert 0 < len(message) < 2000, message
            assert "\n" not in message, message


def _file(name: str, content: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(content)
    return path


def _digits(name: str) -> Callable[[bytes], object]:
    return lambda data: readers.read(_file(name, data), MEMORY_LIMIT)


def _idx(data: bytes) -> object:
    """The last 11 bytes are the file of labels, which a file of images needs."""
    _file("train-labels-idx1-ubyte", data[-11:])
    return readers.read(_file("train-images-idx3-ubyte", data[:-11]), MEMORY_LIMIT)


def _npz(data: bytes) -> object:
    """Each member begins with its size; the archive has the right checksums."""
    members: list[bytes] = []
    while len(data) > 2 and len(members) < 5:
        size = int.from_bytes(data[:2], "little")
        members.append(data[2 : 2 + size])
        data = data[2 + size :]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in zip(("x.npy", "y.npy", "x_test.npy", "y_test.npy", "more.npy"), members, strict=False):
            archive.writestr(name, member)
    return readers.read(_file("digits.npz", content.getvalue()), MEMORY_LIMIT)


def _npz_seed() -> bytes:
    members = [npy_bytes(array) for array in (IMAGES, LABELS)]
    return b"".join(len(member).to_bytes(2, "little") + member for member in members)


def _picture(data: bytes) -> object:
    content = _with_png_checksums(data)
    picture = _file("picture", content)
    found = pages(picture)
    to_grayscale(content)
    return [FilePage(picture, page.number).read_content() for page in found]


def _with_png_checksums(data: bytes) -> bytes:
    """Return a PNG whose chunks have the right checksums, as far as its chunks can be told apart."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    result, place = data[:8], 8
    while place + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        chunk = data[place + 4 : place + 8 + size]
        if len(chunk) < 4 + size:
            break
        result += struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk))
        place += 12 + size
    return result + data[place:]


def _model(data: bytes) -> object:
    """The JSON header stands alone; the weights are those of `tiny`."""
    tiny = model_file.load_model("tiny")
    _, arrays = model_file.content_of_model(tiny)
    try:
        header = json.loads(data)
        header.pop("checksum", None)
        header["checksum"] = model_file.checksum(header, digest(tiny.params | tiny.normalization.arrays))
    except (ValueError, AttributeError, RecursionError):
        return None
    path = FOLDER / "model.safetensors"
    model_file.write_content(path, header, arrays)
    return load_classifier(path)


def _model_seed() -> bytes:
    header, _ = model_file.content_of_model(model_file.load_model("tiny"))
    return json.dumps(header | {"history": header["history"][:1]}).encode()


def _model_bytes() -> bytes:
    return model_file.as_bytes(*model_file.content_of_model(model_file.load_model("tiny")))


def _page(data: bytes) -> object:
    """A picture of raw pixels, its width first, read with and without a grid."""
    width = max(data[0] if data else 1, 1)
    pixels = np.frombuffer(data[1 : 1 + len(data[1:]) // width * width], np.uint8)
    picture = pixels.reshape(-1, width).repeat(4, 0).repeat(4, 1)
    if data[-1:] and data[-1] % 2:
        return read(picture, "tiny", grid="auto")
    return read(picture, "tiny")


def _page_seed(grid: bool) -> bytes:
    picture = np.full((40, 60), 255, np.uint8)
    if grid:
        picture[4::10, 4:55] = 0
        picture[4:35, 4::10] = 0
    else:
        picture[6:34, 16:44] -= np.asarray(Image.fromarray(IMAGES[0]))
    return bytes([60]) + picture.tobytes() + bytes([grid])


def _corrections(data: bytes) -> object:
    return apply_corrections(Dataset(IMAGES, LABELS), _file("corrections.csv", data))


def _corrections_seed() -> bytes:
    return f"ImageId,Label,given\n1,,{LABELS[0]}\n3,9,{LABELS[2]}\n".encode()


def _arff_seed() -> bytes:
    return _arff(csv_bytes(IMAGES, LABELS))


PARSERS = {
    "idx": Parser(_idx, lambda: [idx_bytes(IMAGES) + idx_bytes(LABELS.astype(np.uint8))]),
    "csv": Parser(
        _digits("digits.csv"),
        lambda: [csv_bytes(IMAGES, LABELS), csv_bytes(IMAGES)],
    ),
    "arff": Parser(_digits("digits.arff"), lambda: [_arff_seed()]),
    "npy": Parser(_digits("digits.npy"), lambda: [npy_bytes(IMAGES), npy_bytes(IMAGES.reshape(3, 784) / 255)]),
    "npz": Parser(_npz, lambda: [_npz_seed()]),
    "zip": Parser(_digits("digits.zip"), lambda: [npz_bytes(x=IMAGES, y=LABELS)]),
    "parquet": Parser(_digits("digits.parquet"), lambda: [parquet_bytes(IMAGES, LABELS)]),
    "any": Parser(_digits("digits"), lambda: [csv_bytes(IMAGES[:1]), idx_bytes(IMAGES), npz_bytes(x=IMAGES)]),
    "picture": Parser(
        _picture, lambda: [picture_bytes(IMAGES[0], kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")]
    ),
    "header": Parser(_model, lambda: [_model_seed()]),
    "model": Parser(lambda data: load_classifier(_file("model.safetensors", data)), lambda: [_model_bytes()]),
    "page": Parser(_page, lambda: [_page_seed(grid=False), _page_seed(grid=True)]),
    "corrections": Parser(_corrections, lambda: [_corrections_seed()]),
    "pattern": Parser(
        lambda data: constraint_of(pattern=data.decode(errors="replace")),
        lambda: [rb"\d{2}/\d{2}/\d{4}", b"(1|[2-5]{1,3})+"],
    ),
    "allow": Parser(lambda data: constraint_of(allow=data.decode(errors="replace")), lambda: [b"0-5", b"1,3,7-9"]),
}
