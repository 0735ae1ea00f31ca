"""Randomly damaged files are rejected in one line or still read as digits."""

import tempfile
from pathlib import Path

import pytest
import sources
from hypothesis import given, settings, strategies as st
from sources import LIMIT, refused, some_digits, write

from inksight.data.loading import load
from inksight.errors import InputError

X, Y = some_digits()


DAMAGED = [
    "csv", "csv gzipped", "idx", "idx gzipped", "npz", "npz stored, misnamed", "keras", "parquet",
    "torchvision MNIST", "png", "bmp", "gif", "tiff",
]  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_files_are_rejected_or_still_digits(kind, tmp_path_factory):
    make = (sources.LABELLED | sources.PICTURES | sources.HELD_OUT)[kind]
    folder = tmp_path_factory.mktemp("damaged")
    source = make(folder, X[:4], Y[:4])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    originals = [path.read_bytes() for path in files]

    @settings(max_examples=60, deadline=None)
    @given(
        file=st.integers(0, len(files) - 1),
        flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=3),
        end=st.none() | st.floats(0, 1),
    )
    def damage(file, flips, end):
        content = bytearray(originals[file])
        for position, change in flips:
            content[position % len(content)] ^= change
        if end is not None:
            del content[int(end * len(content)) :]
        files[file].write_bytes(content)
        message = ""
        try:
            assert len(load(source, memory_limit=LIMIT)) > 0  # `Dataset` has validated the arrays
        except InputError as error:
            message = str(error)
        finally:
            files[file].write_bytes(originals[file])
        assert "\n" not in message

    damage()


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"PAR1", b"\0\0\x08\x03", b"\0\0\x08\x01", b"\x1f\x8b\x08", b"label,"]),
    st.binary(max_size=300),
)
def test_random_bytes_are_rejected(magic, rest):
    with tempfile.TemporaryDirectory() as folder:
        refused(write(Path(folder), "digits", magic + rest))
