"""Accuracy of `inksight.read` on folders of real pictures of one digit each.

Run: ``python -m benchmarks.real_pictures FOLDER... [--model MODEL]``. The label of a picture is its file name up to the
first ``_``; what is not one of the ten digits, such as ``blank_12.png``, should be left alone.

Measured: the share of digits read right, rejected, and read wrong; the share of other pictures on which no digit is
read. Pictures are read without ``single``. None of the pictures was trained on.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from inksight.config import DIGITS
from inksight.nn.model_file import load_model
from inksight.reading.reader import read

MODEL = "reader"
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif")


def outcome(label: str, text: str) -> str:
    """Return what became of a picture: ``right``, ``wrong`` or ``rejected``; or ``left alone`` if it is not a digit."""
    is_rejected = not text.replace("?", "").strip()
    if label not in DIGITS:
        return "left alone" if is_rejected else "read"
    return "right" if text == label else "rejected" if is_rejected else "wrong"


def main(folders: Sequence[str], model: str = MODEL) -> int:
    """Print the outcomes for each folder."""
    network = load_model(model)
    print(f"{describe('numpy', 'scipy', 'pillow')}; model {model}")
    for folder in folders:
        files = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES)
        labels = [path.name.split("_")[0] for path in files]
        kinds = ["digits" if label in DIGITS else label for label in labels]
        outcomes = [outcome(label, page.text) for label, page in zip(labels, read(files, network), strict=True)]
        for kind in sorted(set(kinds)):
            counts = Counter(result for result, its in zip(outcomes, kinds, strict=True) if its == kind)
            total = counts.total()
            shares = ", ".join(f"{count / total:.2%} {result}" for result, count in counts.most_common())
            print(f"{Path(folder).name}, {kind} (n = {total:,}): {shares}", flush=True)
    return 0


if __name__ == "__main__":
    folders = arguments.positional("folders", "folders of pictures", nargs="+")
    sys.exit(arguments.run(main, __doc__, folders, arguments.option("model", "a model", default=MODEL)))
