"""Preprocessing on the native engine: all steps of `inksight.imaging.preprocessing` in one call."""

from ctypes import byref

import numpy as np
from numpy.typing import NDArray

from inksight.config import IMAGE_SIZE
from inksight.engine import library as native
from inksight.engine.interface import Constants, Found
from inksight.errors import InksightError


class Preprocessor:
    """The engine's preprocessing with fixed constants.

    Parameters
    ----------
    constants : Constants
    """

    def __init__(self, constants: Constants) -> None:
        library = native.library()
        assert library is not None
        self.call = library.inksight_preprocess
        self.constants = constants
        self.working_size = int(constants.working_size)

    def __call__(
        self, gray: NDArray[np.float64], invert: bool | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64], Found]:
        """Preprocess a picture.

        Parameters
        ----------
        gray : (height, width) float64, 0..1
            Brightness.
        invert : bool or None
            Whether the ink is lighter than the paper. None detects it.

        Returns
        -------
        image : (28, 28) uint8
            High = ink.
        gray : (small height, small width) float64, 0..1
            The picture, downscaled to at most `working_size` pixels per side.
        ink : (small height, small width) float64, 0..1
        found : Found

        Raises
        ------
        InksightError
            If memory runs out.
        """
        gray = np.ascontiguousarray(gray)
        height, width = gray.shape
        image = np.empty((IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        max_pixels = min(height, self.working_size) * min(width, self.working_size)
        small, ink = np.empty(max_pixels), np.empty(max_pixels)
        found = Found()
        done = self.call(
            native.address(gray), height, width, -1 if invert is None else invert, byref(self.constants),
            native.address(image), native.address(small), native.address(ink), byref(found),
        )  # fmt: skip
        if not done:
            raise InksightError(f"not enough memory to preprocess a picture of {width:,} by {height:,} pixels")
        shape = (found.height, found.width)
        pixels = found.height * found.width
        return image, small[:pixels].reshape(shape), ink[:pixels].reshape(shape), found
