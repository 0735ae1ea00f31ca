"""Write ``docs/opened.png``, the picture of docs/index.md: from a digit to its barcode.

Run as ``python docs/make_picture.py explore/model.safetensors`` after ``make explore``.
"""

import io
import sys
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

import inksight
from inksight.inspection.banks import feature_maps, filters
from inksight.inspection.barcodes import average_barcodes, barcode

GAP = 24  # pixels between figures


def render(figure: Figure) -> Image.Image:
    """Return a figure as an image on white."""
    png = io.BytesIO()
    figure.savefig(png, dpi=130, bbox_inches="tight", facecolor="white")
    return Image.open(png).convert("RGB")


def main(path: str) -> None:
    """Draw the picture from the model file at `path`."""
    model, test = inksight.load_model(path), inksight.load("mnist").part("test")
    image = test.images[0]
    results = [filters(model, 1), feature_maps(model, image, 1), barcode(model, image), average_barcodes(model, test)]
    figures = [render(result.plot()) for result in results]
    size = max(figure.width for figure in figures), sum(figure.height + GAP for figure in figures) - GAP
    picture = Image.new("RGB", size, "white")
    top = 0
    for figure in figures:
        picture.paste(figure, ((picture.width - figure.width) // 2, top))
        top += figure.height + GAP
    picture.save(Path(__file__).with_name("opened.png"), optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
