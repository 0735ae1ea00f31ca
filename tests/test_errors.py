"""Errors have a class for each kind of fault of a file, for pictures and for data alike."""

import io
import os
import pickle

import numpy as np
import pytest
from PIL import Image
from sources import npz_bytes, write

import inksight
from inksight.errors import DamagedFileError, InputError, MissingFileError, TooLargeError, UnsupportedFileError
from inksight.imaging import file_pages, grayscale
from inksight.imaging.grayscale import to_grayscale


def png(image):
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


FILES = {
    "none.png": (None, MissingFileError),
    "x" * 300: (None, MissingFileError),
    "null\0.png": (None, MissingFileError),
    "truncated.png": (png(Image.effect_noise((40, 40), 50))[:-200], DamagedFileError),
    "text.png": (b"no picture", UnsupportedFileError),
    "floats.tif": ("F", UnsupportedFileError),
    "large.png": (png(Image.new("1", (9000, 9000))), TooLargeError),
    "wide.png": (png(Image.new("1", (70_000, 1))), TooLargeError),
    "folder": ("folder", UnsupportedFileError),
    "link.png": ("link", MissingFileError),
}


@pytest.fixture
def file(tmp_path):
    """Make the file of a name in `FILES`."""

    def make(name):
        content, path = FILES[name][0], tmp_path / name
        if content == "folder":
            path.mkdir()
        elif content == "link":
            path.symlink_to("nowhere.png")
        elif content == "F":
            Image.new("F", (30, 30)).save(path)
        elif content is not None:
            path.write_bytes(content)
        return path

    return make


@pytest.mark.parametrize("name", FILES)
def test_the_class_of_an_error_tells_what_is_wrong_with_a_picture(name, file):
    path = file(name)
    with pytest.raises(InputError) as found:
        to_grayscale(path)
    assert type(found.value) is FILES[name][1]
    with pytest.raises(FILES[name][1], match=r"^picture 0: "):  # a list names the picture, and keeps the class
        list(inksight.read([path]))


def test_bytes_arrays_and_files_that_are_too_large(tmp_path, monkeypatch):
    for module in (grayscale, file_pages):
        monkeypatch.setattr(module, "MAX_FILE_SIZE", 99)
    path = write(tmp_path, "a.png", png(Image.effect_noise((40, 40), 50)))
    with path.open("rb") as opened:
        for picture in (path, opened, np.zeros((9000, 9000), np.uint8), np.zeros((70_000, 1), np.uint8)):
            with pytest.raises(TooLargeError):
                to_grayscale(picture)


DATA = {
    "none.csv": (None, MissingFileError),
    "empty.csv": (b"", DamagedFileError),
    "truncated.npz": (npz_bytes(x=np.zeros((5, 28, 28), np.uint8))[:-50], DamagedFileError),
    "header-idx3-ubyte": (b"\0\0\x08\x03\0", DamagedFileError),
    "short-idx3-ubyte": (b"\0\0\x08\x03" + bytes([0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]), DamagedFileError),
    "doubles-idx3-ubyte": (b"\0\0\x0e\x03", UnsupportedFileError),
    "pickle.pkl": (pickle.dumps([1]), UnsupportedFileError),
    "scan.pdf": (b"%PDF-1.7", UnsupportedFileError),
    "strange.bin": (b"\x01\x02\x03", UnsupportedFileError),
}


@pytest.mark.parametrize("name", DATA)
def test_the_class_of_an_error_tells_what_is_wrong_with_data(name, tmp_path):
    content, kind = DATA[name]
    path = tmp_path / name if content is None else write(tmp_path, name, content)
    with pytest.raises(InputError) as found:
        inksight.load(path)
    assert type(found.value) is kind


def test_data_that_needs_too_much_memory(tmp_path):
    path = write(tmp_path, "a.npz", npz_bytes(x=np.zeros((50, 28, 28), np.uint8)))
    with pytest.raises(TooLargeError):
        inksight.load(path, memory_limit=1000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_not_missing(tmp_path):
    path = write(tmp_path, "a.png", b"")
    path.chmod(0)
    with pytest.raises(InputError) as found:
        to_grayscale(path)
    assert type(found.value) is InputError
