"""Rendering of self-contained pages from the templates in ``templates/``, and sprites of many images."""

import base64
import io
import math
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import ArrayLike
from PIL import Image

from inksight import __version__
from inksight.config import IMAGE_SIZE

SPRITE_COLUMNS = 32  # images per row


def render(name: str, **values: Any) -> str:
    """Render the template `name` with `values`, which are escaped, and return the page.

    Examples
    --------
    >>> render("base.html")[:15]
    '<!doctype html>'
    """
    environment = Environment(
        loader=PackageLoader("inksight.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template(name).render(version=__version__, **values)


def sprite(images: ArrayLike) -> dict[str, Any]:
    """Arrange images row by row in one PNG with dark ink, of which a page shows parts.

    Parameters
    ----------
    images : (n, 28, 28) uint8
        High = ink; n may be 0.

    Returns
    -------
    dict
        ``sprite``: the PNG in base64; ``columns`` and ``rows``: the number of images across and down.
    """
    tiles = np.asarray(images, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    rows = math.ceil(len(tiles) / SPRITE_COLUMNS)
    sheet = np.zeros((max(rows, 1) * SPRITE_COLUMNS, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    sheet[: len(tiles)] = tiles
    pixels = (
        sheet.reshape(-1, SPRITE_COLUMNS, IMAGE_SIZE, IMAGE_SIZE)
        .swapaxes(1, 2)
        .reshape(-1, SPRITE_COLUMNS * IMAGE_SIZE)
    )
    png = io.BytesIO()
    Image.fromarray(255 - pixels).save(png, "PNG", optimize=True)
    return {"sprite": base64.b64encode(png.getvalue()).decode(), "columns": SPRITE_COLUMNS, "rows": rows}
