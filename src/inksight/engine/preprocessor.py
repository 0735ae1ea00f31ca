"""Preparation by the native engine: the steps of `inksight.imaging.preprocessing`, which says what they are, in a single call."""

from ctypes import POINTER, Structure, byref, c_double, c_int, c_int64, c_long, c_void_p

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE
from inksight.engine import library as native
from inksight.errors import InksightError

PROBLEMS = ("", "blank", "faint", "small")  # in the order of native/prepare.h


class Constants(Structure):
    """What `inksight.imaging.preprocessing` has fixed, in the order of native/prepare.h."""

    _fields_ = [
        (name, c_double)
        for name in (
            "side", "box", "centre", "working", "least", "grid", "darkest", "faint", "speck", "pale", "edge", "level",
            "plain", "reach", "rough",
        )
    ]  # fmt: skip


class Found(Structure):
    """What the engine says of a picture, in the order of native/prepare.h."""

    _fields_ = [
        (name, c_int64) for name in ("height", "width", "left", "top", "across", "down", "dark", "contested", "problem")
    ]


class Preparer:
    """The engine's preparation with some constants.

    Parameters
    ----------
    constants : Constants
    """

    def __init__(self, constants: Constants) -> None:
        library = native.library()
        assert library is not None
        self.call = library.inksight_prepare
        self.call.argtypes = [c_void_p, c_long, c_long, c_int, POINTER(Constants), *[c_void_p] * 3, POINTER(Found)]
        self.constants = constants
        self.most = int(constants.working)

    def __call__(
        self, grey: NDArray[np.float64], invert: bool | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64], Found]:
        """Return the image, the picture made smaller, its ink, and what was found, for brightness 0..1."""
        grey = np.ascontiguousarray(grey)
        height, width = grey.shape
        image = np.empty((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        room = min(height, self.most) * min(width, self.most)
        small, ink = np.empty(room), np.empty(room)
        found = Found()
        done = self.call(
            native.address(grey), height, width, -1 if invert is None else invert, self.constants,
            native.address(image), native.address(small), native.address(ink), byref(found),
        )  # fmt: skip
        if not done:
            raise InksightError(f"not enough memory to prepare a picture of {width:,} by {height:,} pixels")
        shape = (found.height, found.width)
        used = found.height * found.width
        return image, small[:used].reshape(shape), ink[:used].reshape(shape), found
