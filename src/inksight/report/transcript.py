"""`Transcript`: one HTML file of what was read on pictures, digit by digit, and how each came to be read so."""

import base64
import io
import os
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from inksight._shared.files import display_name, write_text
from inksight.config import DIGITS
from inksight.imaging.foreground import MIN_CONTRAST
from inksight.imaging.grayscale import Picture, open_picture, to_grayscale
from inksight.imaging.preprocessing import MIN_SIZE
from inksight.imaging.resampling import Grayscale, downscale
from inksight.nn.model import Model
from inksight.plot.grammar import ACTIVATIONS
from inksight.reading.reader import Page, Reading, nearest
from inksight.report.template import render, sprite

PICTURES, CUT_OUTS = 100, 500  # shown at most: pictures, and digits on all of them together
UNREAD = 100  # files that could not be read, named at most
SIDE = 1000  # pixels of a picture, at most
PIXELS = 200 * 200  # of a picture that is kept to the last bit
STEP = 96  # pixels of a step on the way to 28x28, at most
REASONS = {
    "blank": "There is nothing to read here: the paper is the same all over.",
    "faint": f"Too faint to read: ink must differ from the paper by {MIN_CONTRAST:.0%} of its brightness.",
    "small": f"Too small to read: a digit must be at least {MIN_SIZE} pixels high or wide.",
    "unsure": "The network is unsure: no digit is more probable than all the others together.",
    "not a digit": "It does not look like any digit that the network learned from.",
}


class Transcript:
    """A page that shows what was read, gathered picture by picture and then written.

    What a picture leaves behind is small, and beyond `PICTURES` pictures or `CUT_OUTS` digits only counted.

    Parameters
    ----------
    model : Model
        Which reads all of them.

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

    def __init__(self, model: Model) -> None:
        self._model = model
        self._sheets: list[dict[str, Any]] = []
        self._cards: list[dict[str, Any]] = []
        self._images: list[NDArray[np.uint8]] = []  # of the cards
        self._unread: list[tuple[str, str]] = []
        self._counts = {"pictures": 0, "digits": 0, "refused": 0, "unread": 0}

    def add(self, picture: Picture, page: Page, name: str | os.PathLike[str]) -> None:
        """Add a picture, what was read on it, and what it is called.

        Raises
        ------
        InputError
            If the picture cannot be read any more.
        """
        room = CUT_OUTS - len(self._cards)
        if len(self._sheets) < PICTURES and room:
            source, size = _embedded(picture)
            number, left = len(self._sheets) + 1, iter(range(room))
            lines = [[self._card(one, number, size) for one, _ in zip(line, left, strict=False)] for line in page.lines]
            cards = [card for line in lines for card in line]
            self._sheets.append({
                "number": number, "name": display_name(name), "source": source, "size": size, "lines": lines,
                "cards": cards, "left_out": len(page) - len(cards), "height": _usual_height(cards),
            })  # fmt: skip
        self._counts["pictures"] += 1
        self._counts["digits"] += len(page)
        self._counts["refused"] += sum(one.digit is None for one in page)

    def add_unread(self, name: str | os.PathLike[str], reason: object) -> None:
        """Add a file that could not be read, and why."""
        self._counts["unread"] += 1
        if len(self._unread) < UNREAD:
            self._unread.append((display_name(name), display_name(reason)))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the page: one file that needs no other and no network; an `InputError` if that can't be."""
        tiles = self._look_inside()
        left_out = {
            "pictures": self._counts["pictures"] - len(self._sheets),
            "digits": self._counts["digits"] - len(self._cards),
            "unread": self._counts["unread"] - len(self._unread),
        }
        html = render(
            "transcript.html", sheets=self._sheets, unread=self._unread, counts=self._counts, left_out=left_out,
            tiles=tiles, most=(PICTURES, CUT_OUTS),
        )  # fmt: skip
        write_text(path, html)

    def _card(self, one: Reading, sheet: int, size: tuple[int, int]) -> dict[str, Any]:
        """Return what is shown of a digit, of which nothing holds on to its picture."""
        wide, high = size
        left, top, width, height = one.box
        card = {
            "id": f"{sheet}-{len(self._cards)}", "text": str(one), "digit": one.digit, "reason": one.reason,
            "sentence": REASONS.get(one.reason, ""), "confidence": one.confidence, "runner_up": one.runner_up,
            "box": (100 * left / wide, 100 * top / high, 100 * width / wide, 100 * height / high),
            "came": _step(one.prepared.grayscale), "ink": _step(1 - one.prepared.ink) if one.prepared.ink.any() else None,
        }  # fmt: skip
        self._cards.append(card)
        self._images.append(one.image.copy())
        return card

    def _look_inside(self) -> dict[str, Any]:
        """Add to the cards what the network makes of their images; return these and the nearest ones in a sprite."""
        rows = [row for row, image in enumerate(self._images) if image.any()]
        images = np.array([self._images[row] for row in rows], np.uint8).reshape(-1, 28, 28)
        barcodes = self._model.barcodes(images)
        first = self._model.logits_from_barcodes(barcodes).argmax(axis=1)
        near = nearest(self._model, images) if rows and self._model.class_names == DIGITS else None
        for place, row in enumerate(rows):
            card = self._cards[row]
            card |= {"tile": place, "barcode": _stripes(barcodes[place]), "near": []}
            card["first"] = self._model.class_names[first[place]]
            if near is not None and near.labels is not None:
                k = near.labels.shape[1]
                start = len(rows) + place * k
                card["near"] = [(start + i, int(label)) for i, label in enumerate(near.labels[place])]
        shown_too = [] if near is None else [near.images.reshape(-1, 28, 28)]
        return sprite(np.concatenate([images, *shown_too]))


def _usual_height(cards: list[dict[str, Any]]) -> float:
    """Return the median height of the digits, by which their labels are sized, in per cent of the picture's."""
    heights = [card["box"][3] for card in cards if card["box"][3]]
    return float(np.median(heights)) if heights else 10.0


def _embedded(picture: Picture) -> tuple[str, tuple[int, int]]:
    """Return a picture, made smaller if it is large, as an address to put into a page, and its own size."""
    found = open_picture(picture)
    if not isinstance(found, Image.Image) or found.mode.startswith("I;16"):
        found = _grey(to_grayscale(found))
    size = found.size
    image = found.convert("RGBA" if found.has_transparency_data else "RGB")
    image.thumbnail((SIDE, SIDE))
    # Drawn on new paper: that holds nothing of what a file may carry besides its pixels.
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image if image.mode == "RGBA" else None)
    kind = "png" if image.width * image.height <= PIXELS else "jpeg"
    return _address(paper, kind, **{"quality": 80} if kind == "jpeg" else {}), size


def _step(grey: Grayscale) -> str:
    return _address(_grey(downscale(grey, STEP)[0]), "png")


def _grey(grey: Grayscale) -> Image.Image:
    return Image.fromarray(np.floor(np.clip(grey, 0, 1) * 255 + 0.5).astype(np.uint8))


def _stripes(barcode: NDArray[np.float32]) -> str:
    """Return a barcode as stripes of colour, a pixel each, on a scale of its own."""
    low, high = float(barcode.min()), float(barcode.max())
    colours = colormaps[ACTIVATIONS]((barcode - low) / (high - low or 1), bytes=True)
    return _address(Image.fromarray(np.ascontiguousarray(colours[None, :, :3])), "png")


def _address(image: Image.Image, kind: str, **options: Any) -> str:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
