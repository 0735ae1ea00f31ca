"""Bytes flipped or cut off at random: refused in one line, or still digits, and nothing else."""

import tempfile
from pathlib import Path

import pytest
import sources
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import LIMIT, refused, some_digits, write

from inksight.data.loading import load
from inksight.errors import InputError

X, Y = some_digits()


DAMAGED = [
    "csv", "csv gzipped", "idx", "idx gzipped", "npz", "npz stored, misnamed", "keras", "parquet",
    "torchvision MNIST", "png", "bmp", "gif", "tiff",
]  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_bytes_are_refused_or_still_digits(kind, tmp_path_factory):
    make = (sources.LABELLED | sources.PICTURES | sources.HELD_OUT)[kind]
    folder = tmp_path_factory.mktemp("damaged")
    source = make(folder, X[:4], Y[:4])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    whole = [path.read_bytes() for path in files]

    @settings(max_examples=60, deadline=None)
    @given(
        file=st.integers(0, len(files) - 1),
        flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=3),
        end=st.none() | st.floats(0, 1),
    )
    def damage(file, flips, end):
        content = bytearray(whole[file])
        for place, change in flips:
            content[place % len(content)] ^= change
        if end is not None:
            del content[int(end * len(content)) :]
        files[file].write_bytes(content)
        message = ""
        try:
            assert len(load(source, memory_limit=LIMIT)) > 0  # a Dataset has checked all else
        except InputError as error:
            message = str(error)
        finally:
            files[file].write_bytes(whole[file])
        assert "\n" not in message

    damage()


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"PAR1", b"\0\0\x08\x03", b"\0\0\x08\x01", b"\x1f\x8b\x08", b"label,"]),
    st.binary(max_size=300),
)
def test_bytes_from_anywhere_are_refused(magic, rest):
    with tempfile.TemporaryDirectory() as folder:
        refused(write(Path(folder), "digits", magic + rest))
