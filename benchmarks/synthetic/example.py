"""Writes the example photo, ``examples/photo.jpg``, and the digits on it, ``examples/photo.txt``.

Run: ``python -m benchmarks.synthetic.example [FOLDER]``. The digits are MNIST test images, on which none of the models
that ship was trained. The seed was chosen for a photo that has a bit of everything, and that is read without a mistake.
"""

import sys
from pathlib import Path

from PIL import Image

from benchmarks.common.arguments import positional, run
from benchmarks.common.results import ROOT
from benchmarks.synthetic.pages import compose
from inksight.data.loading import load

SEED = 48


def main(folder: Path) -> int:
    """Write the photo and its digits to an existing folder."""
    photo = compose(load("mnist").part("test"), SEED)
    Image.fromarray(photo.image).save(folder / "photo.jpg", quality=90)
    (folder / "photo.txt").write_text("\n".join(photo.lines) + "\n")
    print(f"{folder / 'photo.jpg'}: {', '.join(photo.lines)}")
    return 0


if __name__ == "__main__":
    default = ROOT / "examples"
    sys.exit(run(main, __doc__, positional("folder", "folder to write to", type=Path, default=default)))
