"""Write ``docs/opened.png``, the README's picture: from a digit to its barcode, by a model file.

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

GAP = 24  # pixels


def picture(figure: Figure) -> Image.Image:
    """Return a figure as pixels on white."""
    png = io.BytesIO()
    figure.savefig(png, dpi=130, bbox_inches="tight", facecolor="white")
    return Image.open(png).convert("RGB")


def main(path: str) -> None:
    """Draw the picture from the model at `path`."""
    model, test = inksight.load_model(path), inksight.load("mnist").part("test")
    image = test.images[0]
    results = [filters(model, 1), feature_maps(model, image, 1), barcode(model, image), average_barcodes(model, test)]
    parts = [picture(result.plot()) for result in results]
    size = max(part.width for part in parts), sum(part.height + GAP for part in parts) - GAP
    sheet = Image.new("RGB", size, "white")
    top = 0
    for part in parts:
        sheet.paste(part, ((sheet.width - part.width) // 2, top))
        top += part.height + GAP
    sheet.save(Path(__file__).with_name("opened.png"), optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
