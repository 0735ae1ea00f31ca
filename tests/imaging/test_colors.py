"""Colors: a picture of any kind as RGB, and none where there are none."""

import numpy as np
import pytest
from PIL import Image

from inksight.imaging.colors import colors_of

ORANGE = (255, 102, 0)


@pytest.mark.parametrize(("dtype", "white"), [("uint8", 255), ("uint16", 65535), ("float32", 1), ("float64", 1)])
@pytest.mark.parametrize("channels", [3, 4])
def test_arrays_of_any_type_have_the_same_colors(dtype, white, channels):
    array = np.full((6, 4, channels), (*ORANGE, 255)[:channels], float) / 255 * white
    colors = colors_of(array.astype(dtype))
    assert colors is not None
    assert (colors.mode, colors.size, colors.getpixel((2, 2))) == ("RGB", (4, 6), ORANGE)


def test_transparent_pixels_are_blended_with_white():
    picture = Image.new("RGBA", (60, 40), (*ORANGE, 0))
    picture.paste((20, 30, 40, 255), (0, 0, 60, 30))
    colors = colors_of(picture)
    assert colors is not None
    assert [colors.getpixel((30, y)) for y in (10, 35)] == [(20, 30, 40), (255, 255, 255)]


@pytest.mark.parametrize("mode", ["1", "L", "I;16"])
def test_gray_pictures_have_none(mode):
    assert colors_of(Image.new(mode, (4, 6))) is None
    assert colors_of(np.zeros((6, 4, 1), np.uint8)) is None


def test_strokes_on_a_transparent_ground_have_none():
    canvas = np.zeros((60, 50, 4), np.uint8)
    canvas[10:50, 20:26] = (*ORANGE, 255)
    assert colors_of(canvas) is None
