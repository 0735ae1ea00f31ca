"""`write_report`: a self-contained HTML file on a network, and its pictures as separate files."""

import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from inksight import plot
from inksight._shared.files import make_folder, write_text
from inksight._shared.progress import track
from inksight._shared.validation import check
from inksight.data.dataset import Dataset
from inksight.data.loading import DataLike, as_splits
from inksight.inspection.evaluation import Evaluation, evaluate
from inksight.nn.layer_table import layers
from inksight.nn.parameters import parameter_count
from inksight.plot.evaluation import VISIBLE_ERRORS, row_shares
from inksight.plot.grammar import SCORES, in_dark_mode, text_on
from inksight.report.pictures import Picture, gallery
from inksight.report.template import render, sprite
from inksight.training.result import TrainingResult

CELL_IMAGES = 40  # per cell of the confusion matrix: limits the size of the page


def write_report(
    folder: str | os.PathLike[str], result: TrainingResult, splits: DataLike,
    evaluation: Evaluation | None = None, *, image: int = 0, progress: bool = False,
) -> Path:  # fmt: skip
    """Write ``report.html`` and ``figures/`` into a folder.

    Parameters
    ----------
    folder : path-like
        Created if missing.
    result : TrainingResult
        The training to report on, from `inksight.training.fitting`.
    splits : Splits, Dataset, str or path-like
        The images of the training and of the evaluation, given as to `inksight.train`.
    evaluation : Evaluation, optional
        Evaluation on `Splits.evaluation_set`, the test set or, without one, the validation set; computed by default.
    image : int
        Row of the image in the evaluation set for the feature maps, the barcode and the evidence.
    progress : bool
        Show on standard error how many pictures are drawn.

    Returns
    -------
    Path
        Path of the report, a self-contained file.

    Raises
    ------
    InputError
        If `result` is not the result of a training, or the folder cannot be written to.
    """
    check(isinstance(result, TrainingResult), "result", result, "a TrainingResult, as `inksight.fit` returns it")
    splits = as_splits(splits)
    folder = make_folder(folder)
    evaluation_set = splits.evaluation_set
    evaluation = evaluate(result.model, evaluation_set) if evaluation is None else evaluation
    pictures = gallery(result.model, evaluation_set, image, evaluation)
    sections: dict[str, list[dict[str, str]]] = {}
    for picture, svg in _draw(pictures, make_folder(folder / "figures"), progress):
        entry = {"name": picture.name, "title": picture.title, "text": picture.text, "svg": svg}
        sections.setdefault(picture.section, []).append(entry)
    path = folder / "report.html"
    html = render(
        "report.html",
        sections=sections,
        result=result,
        model=result.model,
        evaluation=evaluation,
        layers=layers(result.model.network),
        parameters=parameter_count(result.model.network),
        trained=parameter_count(result.model.network, trained=True),
        kind="test" if splits.test is not None else "validation",
        counts={name: len(part) for name, part in splits.parts.items()},
        confusion=_confusion(evaluation),
        cells=_cells(evaluation, evaluation_set),
        classes=_classes(evaluation),
        recipe=json.dumps(result.model.recipe and result.model.recipe.to_dict(), indent=2),
    )
    write_text(path, html)
    return path


def write_figures(folder: Path, pictures: Sequence[Picture], *, progress: bool = False) -> list[Path]:
    """Write each picture as PNG and SVG into a folder, and return the paths of the files."""
    for _ in _draw(pictures, folder, progress):
        pass
    return [folder / f"{picture.name}{suffix}" for picture in pictures for suffix in (".png", ".svg")]


def _draw(pictures: Sequence[Picture], folder: Path, progress: bool) -> Iterator[tuple[Picture, str]]:
    """Draw each picture, write it as PNG and SVG, and yield it with its ``<svg>`` element for the page."""
    for picture in track(pictures, "drawing", progress):
        figure = picture.draw()
        for suffix in (".png", ".svg"):
            plot.save(figure, folder / f"{picture.name}{suffix}")
        yield picture, plot.to_svg(figure, prefix=f"{picture.name}-", label=picture.title)


def _confusion(evaluation: Evaluation) -> list[list[tuple[int, str]]]:
    """Return count and style of each cell of the confusion matrix, with the colors of its plot in light and dark."""

    def style(color: Any) -> str:
        dark = in_dark_mode(color)
        colors = {"cell": to_hex(color), "on-cell": text_on(color), "dark-cell": to_hex(dark)}
        colors["on-dark-cell"] = text_on(dark)
        return ";".join(f"--{name}:{value}" for name, value in colors.items())

    colors = colormaps[SCORES](row_shares(evaluation.confusion) ** VISIBLE_ERRORS)
    return [
        [(count, style(color)) for count, color in zip(*row, strict=True)]
        for row in zip(evaluation.confusion.tolist(), colors, strict=True)
    ]


def _classes(evaluation: Evaluation) -> list[dict[str, str]]:
    """Return the rows of the table of classes, as text."""

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
    """Collect the images of each cell of the confusion matrix, lowest confidence first, for the page's script.

    The images are in one sprite. A cell lists the position in the sprite, row and confidence of each image.
    """
    labels = data.require_labels("a confusion matrix")
    tiles: list[NDArray[np.uint8]] = []
    cells = {}
    for true in range(len(evaluation.class_names)):
        for read in range(len(evaluation.class_names)):
            rows = np.flatnonzero((labels == true) & (evaluation.predictions == read))
            rows = rows[np.argsort(evaluation.label_probability[rows], kind="stable")][:CELL_IMAGES]
            if len(rows):
                cells[f"{true},{read}"] = [
                    [len(tiles) + i, int(row), round(float(evaluation.label_probability[row]), 4)]
                    for i, row in enumerate(rows)
                ]
                tiles.extend(data.images[rows])
    return {"images": cells, "names": list(evaluation.class_names)} | sprite(tiles)
