"""`write_review`: an HTML file for reviewing doubtful labels by eye."""

import os

from inksight._shared.files import write_text
from inksight.data.corrections import COLUMNS
from inksight.data.dataset import Dataset
from inksight.inspection.label_errors import DoubtfulLabels
from inksight.report.template import render, sprite

TILE = 84  # pixels on the page: three per image pixel


def write_review(result: DoubtfulLabels, path: str | os.PathLike[str], *, top: int = 100) -> None:
    """Write the most doubtful labels as a self-contained HTML file, on which they can be corrected.

    The page saves the decisions as a file that `inksight.data.apply_corrections` reads.

    Parameters
    ----------
    result : DoubtfulLabels
    path : path-like
    top : int
        Number of images on the page, the most doubtful label first.

    Raises
    ------
    InputError
        If `path` cannot be written.
    """
    rows = result.top(top)
    tiles = sprite(result.images[rows])
    positions = [divmod(i, tiles["columns"]) for i in range(len(rows))]
    images = [
        entry | {"x": column * TILE, "y": row * TILE, "suspected": entry["doubt"] > 0}
        for entry, (row, column) in zip(result.rows(top), positions, strict=True)
    ]
    digest = Dataset(result.images, result.labels, class_names=result.class_names).digest
    review = {"key": f"inksight labels {digest}", "names": list(result.class_names), "columns": COLUMNS}
    html = render("label_review.html", result=result, images=images, tiles=tiles, tile=TILE, review=review)
    write_text(path, html)
