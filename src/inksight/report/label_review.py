"""`write_review`: one HTML file in which a person goes through doubtful labels."""

import os

from inksight._shared.files import write_text
from inksight.inspection.label_errors import DoubtfulLabels
from inksight.report.template import render, sprite

TILE = 84  # pixels on the page, three times an image's own


def write_review(found: DoubtfulLabels, path: str | os.PathLike[str], *, top: int = 100) -> None:
    """Write the most doubtful labels as one HTML file that needs no other and no network.

    Parameters
    ----------
    found : DoubtfulLabels
    path : path-like
    top : int
        How many images it shows, the most doubtful first.

    Raises
    ------
    InputError
        If `path` cannot be written.
    """
    rows = found.top(top)
    tiles = sprite(found.images[rows])
    places = [divmod(place, tiles["columns"]) for place in range(len(rows))]
    images = [
        entry | {"x": column * TILE, "y": row * TILE, "disbelieved": entry["doubt"] > 0}
        for entry, (row, column) in zip(found.rows(top), places, strict=True)
    ]
    write_text(path, render("review.html", found=found, images=images, tiles=tiles, tile=TILE))
