"""Small files that unpack to a lot cost at most one gigabyte and five seconds, whether they are read or refused."""

import gzip
import io
import json
import math
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from sources import HEADER, picture_bytes, write

PROMISED = 1 << 30  # bytes, beyond an idle process
SECONDS = 5.0  # of CPU time: elapsed time depends on what else runs

# Each file is read in a fork of this process, which has imported everything.
SERVER = """
import json, os, resource, signal, sys, time
import numpy as np
import inksight
from inksight.reading.reader import read
read(np.zeros((50, 200)), "tiny")  # everything that a read imports
promised = int(sys.argv[1])
idle = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024

def cost(what, path):
    signal.alarm(300)
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))  # so that a failure does not take minutes
    resource.setrlimit(resource.RLIMIT_AS, (idle + promised, resource.RLIM_INFINITY))
    start = time.process_time()
    try:
        if what == "read":
            read(path, "tiny")
        else:
            inksight.load(path)
        outcome = "read"
    except inksight.InputError as error:
        outcome = str(error)
    return outcome, time.process_time() - start

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            print(json.dumps(cost(*json.loads(line))), flush=True)
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(repr(error))
        finally:
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        print("null", flush=True)
"""


def png(width, height, bits=1):
    """A gray PNG of zeros, written row by row."""
    packer = zlib.compressobj(9)
    row = bytes(1 + -(-width * bits // 8))
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (
            (b"IHDR", struct.pack(">2I5B", width, height, bits, 0, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b""),
        )
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def saved(image, kind, **options):
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def webp_header(width, height):
    """A WebP that declares a size and holds nothing."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size + bytes(8)


def scans():
    """A progressive JPEG whose last scan, which is tiny, is repeated many times."""
    content = saved(Image.new("L", (4000, 4000), 255), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * 2000 + b"\xff\xd9"


PICTURES = {
    "a million pixels wide": lambda: png(1 << 20, 1),
    "a million pixels high": lambda: png(1, 1 << 20),
    "two million pixels wide": lambda: png(1 << 21, 1),
    "as wide as allowed": lambda: png(65_535, 1),
    "as high as allowed": lambda: png(1, 65_535),
    "wide, of the largest size": lambda: png(65_535, 1024),
    "as large as allowed": lambda: png(8192, 8192),
    "as large as allowed, gray": lambda: png(8192, 8192, 8),
    "as large as allowed, sideways": lambda: saved(Image.new("1", (8192, 8192)), "TIFF", compression="group4",
                                                   tiffinfo={274: 6}),
    "colors": lambda: saved(Image.new("P", (8000, 8000)), "GIF"),
    "transparent": lambda: saved(Image.new("RGBA", (4000, 4000)), "WEBP", lossless=True),
    "WebP": lambda: webp_header(1 << 24, 1 << 24),
    "WebP, wide": lambda: webp_header(16_383, 16_383),
    "scans": scans,
}  # fmt: skip


def npy(shape, dtype="|u1"):
    """The header of an array."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text


def npz(**members):
    """An archive of arrays, each given as shape, type and content."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (shape, dtype, array) in members.items():
            archive.writestr(f"{name}.npy", npy(shape, dtype) + array)
    return content.getvalue()


def gzipped(start, block, count):
    """A gzip file of several members, which are unpacked one after the other."""
    return gzip.compress(start) + gzip.compress(block) * count


def parquet(rows, picture):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    content = io.BytesIO()
    table = pa.table({"image": [{"bytes": picture, "path": ""}] * rows, "label": [0] * rows})
    parquet.write_table(table, content, compression="zstd")
    return content.getvalue()


def some_rows():
    """A thousand rows of CSV that compress about fifty times."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1000, 784)) * (rng.random((1000, 784)) < 0.01)
    return b"".join(b"7," + ",".join(map(str, row)).encode() + b"\n" for row in images.tolist())


U1 = "|u1"
HEADER_LINE = HEADER.encode() + b"\n"
SOURCES = {
    "npz, far too large": ("a.npz", lambda: npz(x_train=((10**8, 28, 28), U1, b""), y_train=((10**8,), U1, b""))),
    "npz, much repeated": (
        "a.npz", lambda: npz(x_train=((200_000, 28, 28), U1, bytes(784 * 200_000)), y_train=((1,), U1, b"0"))
    ),
    "npz, many labels": ("a.npz", lambda: npz(x_train=((1, 28, 28), U1, bytes(784)), y_train=((1 << 30,), U1, b""))),
    "csv.gz, rows": ("a.csv.gz", lambda: gzipped(HEADER_LINE, some_rows(), 100)),
    "csv.gz, much repeated": ("a.csv.gz", lambda: gzipped(HEADER_LINE, (b"0" + b",0" * 784 + b"\n") * 1000, 1500)),
    "csv.gz, one line": ("a.csv.gz", lambda: gzipped(HEADER_LINE, b"0" * (1 << 20), 1200)),
    "csv.gz, blank lines": ("a.csv.gz", lambda: gzipped(HEADER_LINE, b"\n" * (1 << 20), 1200)),
    "csv, one row and blank lines": ("a.csv", lambda: HEADER_LINE + some_rows()[:1600] + b"\n" * 4_000_000),
    "idx.gz": ("a-images-idx3-ubyte.gz", lambda: gzipped(idx_header(1_000_000), bytes(784_000), 1000)),
    "parquet, large pictures": ("a.parquet", lambda: parquet(20, png(8000, 8000))),
    "parquet, many rows": ("a.parquet", lambda: parquet(500_000, picture_bytes(np.eye(28, dtype=np.uint8) * 255))),
}  # fmt: skip


def idx_header(*shape):
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)


@pytest.fixture(scope="module")
def check_cost():
    """Read or load a file in a process of limited memory; return what came of it."""
    env = {"INKSIGHT_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", SERVER, str(PROMISED)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        requests, answers = server.stdin, server.stdout

        def check(what, path):
            print(json.dumps([what, str(path)]), file=requests, flush=True)
            answer = json.loads(answers.readline() or "null")
            assert answer is not None, "the process failed: see what it wrote to standard error"
            outcome, seconds = answer
            assert "\n" not in outcome
            assert "memory than is available" not in outcome
            assert "MemoryError" not in outcome
            assert seconds < SECONDS, outcome
            return outcome

        yield check


@pytest.mark.parametrize("case", PICTURES)
def test_the_cost_of_a_picture_is_bounded(case, check_cost, tmp_path):
    check_cost("read", write(tmp_path, "a.png", PICTURES[case]()))


@pytest.mark.parametrize("case", SOURCES)
def test_the_cost_of_a_dataset_is_bounded(case, check_cost, tmp_path):
    name, make = SOURCES[case]
    check_cost("load", write(tmp_path, name, make()))


def test_the_cost_of_a_folder_is_bounded(check_cost, tmp_path):
    page = Image.new("1", (8192, 8192), 1)
    page.paste(0, (4000, 2000, 5000, 6000))
    content = saved(page, "PNG")
    for number in range(20):
        write(tmp_path, f"1/{number}.png", content)
    assert "pixels together" in check_cost("load", tmp_path)


@pytest.mark.parametrize("counts", [[1_060_000], [530_000, 530_000], [1_060_000, 1]])
def test_as_many_images_as_allowed_need_the_promised_memory(counts, check_cost, tmp_path):
    for name, count in zip(("train", "t10k"), counts, strict=False):
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            path = write(tmp_path, f"{name}-{kind}-ubyte", idx_header(*shape))
            os.truncate(path, path.stat().st_size + math.prod(shape))  # zeros that take no space on the disk
    outcome = check_cost("load", tmp_path)
    assert ("838,860,800" in outcome or "419,430,400" in outcome) == (counts[1:] == [1])
