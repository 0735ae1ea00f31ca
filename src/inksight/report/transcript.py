"""`Transcript`: an HTML file that shows how each digit on some pictures was read."""

import base64
import io
import os
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.files import as_utf8, write_text
from inksight.config import DIGITS
from inksight.imaging.foreground import MIN_CONTRAST
from inksight.imaging.grayscale import Picture, open_picture, to_grayscale
from inksight.imaging.preprocessing import MIN_SIZE
from inksight.imaging.resampling import Grayscale, downscale
from inksight.imaging.transparency import alpha_is_ink
from inksight.nn.ensemble_file import Classifier, first_model
from inksight.plot.grammar import ACTIVATIONS
from inksight.reading.grid import Grid
from inksight.reading.page import Page, Reading, nearest
from inksight.report.template import render, sprite

MAX_PICTURES, MAX_DIGITS = 100, 500  # on the page; digits of all pictures together
MAX_UNREAD = 100  # unreadable files named on the page
MAX_SIDE = 1000  # pixels: larger pictures are reduced
LOSSLESS = 200 * 200  # pixels: larger pictures are JPEG, smaller ones PNG
STEP_SIDE = 96  # pixels: maximum side of the pictures of a preprocessing step
REASONS = {
    "blank": "There is no ink here: the paper is uniform.",
    "faint": f"Too faint to read: ink must differ from the paper by at least {MIN_CONTRAST:.0%} of its brightness.",
    "small": f"Too small to read: a digit must be at least {MIN_SIZE} pixels high or wide.",
    "unsure": "The network is unsure: no digit has a probability of more than 50 %.",
    "does not fit": "No reading of its line fits what was said about it.",
    "not a digit": "It does not look like any digit that the network was trained on.",
}


class Transcript:
    """A page that shows what was read, built up picture by picture.

    It keeps little of each picture. Beyond `MAX_PICTURES` pictures or `MAX_DIGITS` digits, it only counts them.

    Parameters
    ----------
    model : Model or Ensemble
        The model that reads all pictures. Of an ensemble, the page shows the barcodes of the first model.

    Examples
    --------
    >>> import inksight
    >>> from tempfile import TemporaryDirectory
    >>> model, picture = inksight.load_model("best"), 255 - inksight.load("mnist").images[0]
    >>> transcript = Transcript(model)
    >>> transcript.add(picture, inksight.read(picture, model), "five.png")
    >>> with TemporaryDirectory() as folder:
    ...     transcript.write(f"{folder}/page.html")
    """

    def __init__(self, model: Classifier) -> None:
        self._model = model
        self._sheets: list[dict[str, Any]] = []
        self._cards: list[dict[str, Any]] = []
        self._images: list[NDArray[np.uint8]] = []  # the network input of each card
        self._unread: list[tuple[str, str]] = []
        self._counts = {"pictures": 0, "digits": 0, "rejected": 0, "unread": 0}

    def add(self, picture: Picture, page: Page | Grid, name: object) -> None:
        """Add a picture, what was read on it, and its name.

        Raises
        ------
        InputError
            If the picture can no longer be opened.
        """
        room = MAX_DIGITS - len(self._cards)
        if len(self._sheets) < MAX_PICTURES and room:
            source, size = _embedded(picture)
            number, places = len(self._sheets) + 1, iter(range(room))
            lines = [
                [self._card(reading, number, size) for reading, _ in zip(line, places, strict=False)]
                for line in page.lines
            ]
            cards = [card for line in lines for card in line]
            self._sheets.append({
                "number": number, "name": as_utf8(name), "source": source, "size": size, "lines": lines,
                "signs": _signs(page), "cards": cards, "cells": _cells(page), "left_out": len(page) - len(cards),
                "height": _median_height(cards),
            })  # fmt: skip
        self._counts["pictures"] += 1
        self._counts["digits"] += len(page)
        self._counts["rejected"] += sum(reading.digit is None for reading in page)

    def add_unread(self, name: object, reason: object) -> None:
        """Add a file that could not be read, with the reason."""
        self._counts["unread"] += 1
        if len(self._unread) < MAX_UNREAD:
            self._unread.append((as_utf8(name), as_utf8(reason)))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page as a self-contained file; raise `InputError` if that fails."""
        tiles = self._add_network_view()
        left_out = {
            "pictures": self._counts["pictures"] - len(self._sheets),
            "digits": self._counts["digits"] - len(self._cards),
            "unread": self._counts["unread"] - len(self._unread),
        }
        html = render(
            "transcript.html", sheets=self._sheets, unread=self._unread, counts=self._counts, left_out=left_out,
            tiles=tiles, max_pictures=MAX_PICTURES, max_digits=MAX_DIGITS,
        )  # fmt: skip
        write_text(path, html)

    def _card(self, reading: Reading, sheet: int, size: tuple[int, int]) -> dict[str, Any]:
        """Return the card of a digit, with copies only, so that the picture can be freed."""
        full_width, full_height = size
        left, top, width, height = reading.box
        prepared = reading.prepared
        card = {
            "id": f"{sheet}-{len(self._cards)}", "text": str(reading), "digit": reading.digit, "reason": reading.reason,
            "sentence": REASONS.get(reading.reason, ""), "confidence": reading.confidence,
            "runner_up": reading.runner_up,
            "box": (
                100 * left / full_width, 100 * top / full_height, 100 * width / full_width, 100 * height / full_height,
            ),
            "original": _step(prepared.grayscale), "ink": _step(1 - prepared.ink) if prepared.ink.any() else None,
        }  # fmt: skip
        self._cards.append(card)
        self._images.append(reading.image.copy())
        return card

    def _add_network_view(self) -> dict[str, Any]:
        """Add barcode, prediction and nearest training digits to the cards; return a sprite of all their images."""
        rows = [row for row, image in enumerate(self._images) if image.any()]
        images = np.array([self._images[row] for row in rows], np.uint8).reshape(-1, 28, 28)
        network = first_model(self._model)  # its barcodes are shown, and what it predicts from them
        barcodes = network.barcodes(images)
        predictions = network.logits_from_barcodes(barcodes).argmax(axis=1)
        neighbours = nearest(self._model, images) if rows and self._model.class_names == DIGITS else None
        for place, row in enumerate(rows):
            card = self._cards[row]
            card |= {"tile": place, "barcode": _stripes(barcodes[place]), "neighbours": []}
            card["prediction"] = self._model.class_names[predictions[place]]
            if neighbours is not None and neighbours.labels is not None:
                k = neighbours.labels.shape[1]
                start = len(rows) + place * k
                card["neighbours"] = [(start + i, int(label)) for i, label in enumerate(neighbours.labels[place])]
        neighbour_images = [] if neighbours is None else [neighbours.images.reshape(-1, 28, 28)]
        return sprite(np.concatenate([images, *neighbour_images]))


def _cells(page: Page | Grid) -> list[list[dict[str, Any]]]:
    """Return the corners of each cell of a grid in pixels, and what it holds, row by row."""
    cells = page.cells if isinstance(page, Grid) else ()
    return [
        [
            {
                "corners": " ".join(f"{x:.1f},{y:.1f}" for x, y in cell.corners),
                "content": cell.content, "sign": str(cell), "digits": len(cell.digits), "confidence": cell.confidence,
            }
            for cell in row
        ]
        for row in cells
    ]  # fmt: skip


def _signs(page: Page | Grid) -> list[dict[int, str]]:
    """Return the signs in the text of each line, by the number of digits on their left."""
    signs: list[dict[int, str]] = [{} for _ in page.lines]
    for sign in page.signs if isinstance(page, Page) and page.punctuation else ():
        line = signs[sign.line]
        line[sign.place] = line.get(sign.place, "") + sign.symbol
    return signs


def _median_height(cards: list[dict[str, Any]]) -> float:
    """Return the median height of the digits in percent of the picture's height; their labels are scaled by it."""
    heights = [card["box"][3] for card in cards if card["box"][3]]
    return float(np.median(heights)) if heights else 10.0


def _embedded(picture: Picture) -> tuple[str, tuple[int, int]]:
    """Return a picture as a data URL, reduced if it is large, and its original size."""
    original = open_picture(picture)
    hides_ink = isinstance(original, Image.Image) and original.has_transparency_data and alpha_is_ink(original)
    if not isinstance(original, Image.Image) or original.mode.startswith("I;16") or hides_ink:
        original = _to_image(to_grayscale(original))
    size = original.size
    image = original.convert("RGBA" if original.has_transparency_data else "RGB")
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    # Copied onto a new image, because a file can hold private metadata besides its pixels.
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image if image.mode == "RGBA" else None)
    kind = "png" if image.width * image.height <= LOSSLESS else "jpeg"
    return _data_url(paper, kind, **{"quality": 80} if kind == "jpeg" else {}), size


def _step(gray: Grayscale) -> str:
    """Return the picture of a preprocessing step as a data URL."""
    return _data_url(_to_image(downscale(gray, STEP_SIDE)[0]), "png")


def _to_image(gray: Grayscale) -> Image.Image:
    return Image.fromarray(np.floor(np.clip(gray, 0, 1) * 255 + 0.5).astype(np.uint8))


def _stripes(barcode: NDArray[np.float32]) -> str:
    """Return a barcode as a data URL: one pixel per entry, on its own color scale."""
    low, high = float(barcode.min()), float(barcode.max())
    colors = colormaps[ACTIVATIONS]((barcode - low) / (high - low or 1), bytes=True)
    return _data_url(Image.fromarray(np.ascontiguousarray(colors[None, :, :3])), "png")


def _data_url(image: Image.Image, kind: str, **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
