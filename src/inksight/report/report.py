"""`write_report`: one HTML file that opens a network, and each of its pictures as a file beside it."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inksight import plot
from inksight._shared.files import make_folder, write_text
from inksight._shared.progress import track
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.inspection.evaluation import Evaluation
from inksight.nn.parameters import parameter_count
from inksight.nn.summary import layers
from inksight.report.pictures import Picture, gallery
from inksight.report.template import render, sprite
from inksight.training.fit import TrainingResult

CELL_IMAGES = 40  # shown of each cell of the confusion matrix: they keep the page small


def write_report(
    folder: Path, run: TrainingResult, splits: Splits, evaluation: Evaluation, *, image: int = 0, progress: bool = False
) -> Path:
    """Write ``report.html`` and ``figures/`` into a folder.

    Parameters
    ----------
    folder : Path
        Exists already.
    run : Run
        The training that the report is about.
    splits : Splits
        What it was trained on, and the images held back.
    evaluation : Evaluation
        Of the images held back: ``splits.test`` or, where there is none, ``splits.validation``.
    image : int
        Row, among the images held back, of the one whose way through the network is drawn.
    progress : bool
        Show how many pictures are done, on standard error.

    Returns
    -------
    Path
        Of the report: one file that needs no other and no network.
    """
    held_back = splits.evaluation_set
    pictures = gallery(run.model, held_back, image, evaluation)
    drawn = list(_draw(pictures, make_folder(folder / "figures"), progress))
    sections: dict[str, list[dict[str, str]]] = {}
    for picture, svg in drawn:
        entry = {"name": picture.name, "title": picture.title, "text": picture.text, "svg": svg}
        sections.setdefault(picture.section, []).append(entry)
    path = folder / "report.html"
    html = render(
        "report.html",
        sections=sections,
        run=run,
        model=run.model,
        evaluation=evaluation,
        layers=layers(run.model.network),
        parameters=parameter_count(run.model.network),
        trained=parameter_count(run.model.network, trained=True),
        kind="test" if splits.test is not None else "validation",
        counts={name: len(part) for name, part in splits.parts.items()},
        cells=_cells(evaluation, held_back),
        classes=_classes(evaluation),
        recipe=json.dumps(run.model.recipe and run.model.recipe.to_dict(), indent=2),
    )
    write_text(path, html)
    return path


def write_figures(folder: Path, pictures: Sequence[Picture], *, progress: bool = False) -> list[Path]:
    """Write each picture as PNG and SVG into a folder, and return the files' paths."""
    for _ in _draw(pictures, folder, progress):
        pass
    return [folder / f"{picture.name}{suffix}" for picture in pictures for suffix in (".png", ".svg")]


def _draw(pictures: Sequence[Picture], folder: Path, progress: bool) -> Iterator[tuple[Picture, str]]:
    """Draw each picture once, write its two files, and yield it as an element for the page."""
    for picture in track(pictures, "drawing", progress):
        figure = picture.draw()
        for suffix in (".png", ".svg"):
            plot.save(figure, folder / f"{picture.name}{suffix}")
        yield picture, plot.to_svg(figure, prefix=f"{picture.name}-", label=picture.title)


def _classes(evaluation: Evaluation) -> list[dict[str, str]]:
    """Return a row of the table of classes, ready to print."""

    def percent(share: float) -> str:
        return "–" if math.isnan(share) else f"{share:.2%}"

    columns = zip(
        evaluation.class_names,
        evaluation.confusion.sum(axis=1),
        evaluation.precision,
        evaluation.recall,
        strict=True,
    )
    return [
        {"name": name, "images": f"{images:,}", "precision": percent(p), "recall": percent(r)}
        for name, images, p, r in columns
    ]


def _cells(evaluation: Evaluation, data: Dataset) -> dict[str, Any]:
    """Gather, for each cell of the confusion matrix, its images, those of the least confidence first.

    The images lie in one picture, a sprite, and a cell names their places in it.
    """
    labels = data.require_labels("a confusion matrix")
    tiles: list[NDArray[np.uint8]] = []
    cells = {}
    for true in range(len(evaluation.class_names)):
        for read in range(len(evaluation.class_names)):
            rows = np.flatnonzero((labels == true) & (evaluation.predictions == read))
            rows = rows[np.argsort(evaluation.confidence[rows], kind="stable")][:CELL_IMAGES]
            if len(rows):
                cells[f"{true},{read}"] = [
                    [len(tiles) + place, int(row), round(float(evaluation.confidence[row]), 4)]
                    for place, row in enumerate(rows)
                ]
                tiles.extend(data.images[rows])
    return {"images": cells, "names": list(evaluation.class_names)} | sprite(tiles)
