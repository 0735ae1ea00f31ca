"""Accuracy and reliability of `inksight.read` on folders of real pictures with labels.

Run: ``python -m benchmarks.real_pictures FOLDER [MODEL] [--limit N]``. FOLDER is a set of pictures, or holds one in
each of its folders. ``--limit`` reads N pictures of each set, evenly spaced in the order of their names.

Labels: a picture's label is its name up to the first ``_``, such as ``7_0012.png`` or ``2026_a.jpg``. ``blank`` is the
label of a picture without a digit. Cells labeled ``candidates`` are left out: they hold small digits, but the label
does not say which. A picture with a text file of the same name is a photo of a Sudoku; the file has nine rows of nine
numbers: 1 to 9, 0 for a blank cell, 10 for one with candidates.

Measured, for each set: how many pictures, lines or cells are read right, read wrong and refused (a rejected digit
refuses all of its line), where a blank cell of a Sudoku is right if it is read as blank; how many of the other pictures
without a digit are left alone; and the reliability of the lines and cells,
also of those without a digit, that are read with a confidence of at least 0.99. Seconds are those of ``inksight.read``
on a file.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from inksight._shared.progress import track
from inksight.errors import InputError
from inksight.imaging.decoding import visible_files, visible_folders
from inksight.nn.ensemble_file import Classifier, load_classifier
from inksight.reading.reader import read

SURE = 0.99  # confidence from which a reading should be right 99 times out of 100
NOTHING, UNKNOWN = "blank", "candidates"  # labels of pictures without a digit, and with digits that are not told
SIDE = 9  # cells a side of a Sudoku
SIGNS = {0: ".", 10: "*"}  # numbers in a Sudoku's text file: a blank cell, and candidates, as in `Grid.text`
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif", ".gif")


@dataclass(frozen=True)
class Answer:
    """What was read on a picture, a line or a cell.

    Parameters
    ----------
    label : str
        What is written there; empty if nothing is to be read.
    text : str
        What was read, with ``?`` for a rejected digit; empty if nothing was read.
    confidence : float
        The lowest of its digits, 0..1.
    """

    label: str
    text: str
    confidence: float

    @property
    def outcome(self) -> str:
        """``right``, ``wrong`` or ``refused``; where nothing is written, ``left alone`` or ``wrong blank``."""
        if not self.label:
            return "wrong blank" if any(character != "?" for character in self.text) else "left alone"
        return "right" if self.text == self.label else "refused" if "?" in self.text or not self.text else "wrong"


@dataclass(frozen=True)
class Result:
    """The answers for a set of pictures, and the seconds that each picture took."""

    name: str
    kind: str
    answers: tuple[Answer, ...]
    seconds: tuple[float, ...]

    def figures(self) -> dict[str, str]:
        """Return the figures of the table by their names."""
        count = Counter(answer.outcome for answer in self.answers)
        blanks = count["left alone"] + count["wrong blank"]
        written = len(self.answers) - blanks
        sure = [
            answer for answer in self.answers if answer.confidence >= SURE and answer.text and "?" not in answer.text
        ]
        return {
            "kind": self.kind,
            "pictures": f"{len(self.seconds):,}",
            "n": f"{written:,}",
            **{outcome: _share(count[outcome], written) for outcome in ("right", "wrong", "refused")},
            "blanks left alone": _share(count["left alone"], blanks),
            f"right of those with confidence >= {SURE}": _share(sum(a.outcome == "right" for a in sure), len(sure)),
            "seconds a picture (median)": f"{np.median(self.seconds):.3f}",
        }


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%} ({part:,} of {whole:,})" if whole else "-"


def find_sets(folder: Path) -> dict[str, list[Path]]:
    """Return the pictures of each set in a folder by its name: of the folder itself and of those in it.

    Raises
    ------
    InputError
        If there are none.
    """
    if not folder.is_dir():
        raise InputError(f"folder of pictures must be an existing folder, got {str(folder)!r}: check its name")
    found = {
        place.name: [path for path in visible_files(place) if _is_picture(path)]
        for place in (folder, *visible_folders(folder))
    }
    sets = {name: pictures for name, pictures in found.items() if pictures}
    if not sets:
        raise InputError(f"folder {str(folder)!r} holds no pictures: give one such as 7_0012.png, or folders of them")
    return sets


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.stem.split("_")[0] != UNKNOWN


def evenly(pictures: Sequence[Path], limit: int | None) -> list[Path]:
    """Return at most `limit` of the pictures, evenly spaced."""
    if limit is None or limit >= len(pictures):
        return list(pictures)
    return [pictures[i * len(pictures) // limit] for i in range(limit)]


def kind_of(pictures: Sequence[Path]) -> str:
    """Return the kind of a set: ``Sudokus``, ``lines`` or ``single digits``."""
    if all(path.with_suffix(".txt").is_file() for path in pictures):
        return "Sudokus"
    labels = [label for label in map(label_of, pictures) if label]
    return "lines" if any(len(label) > 1 for label in labels) else "single digits"


def label_of(picture: Path) -> str:
    """Return what is written on a picture by its name, empty if nothing is to be read.

    Examples
    --------
    >>> label_of(Path("2026_a.jpg")), label_of(Path("blank_3.png"))
    ('2026', '')
    """
    label = picture.stem.split("_")[0]
    return "" if label == NOTHING else label


def read_picture(picture: Path, model: Classifier) -> list[Answer]:
    """Read a picture of one digit or of one line."""
    page = read(picture, model)
    is_empty = len(page) == 1 and not page[0].probabilities
    return [Answer(label_of(picture), "" if is_empty else page.text, page.confidence)]


def read_sudoku(picture: Path, model: Classifier) -> list[Answer]:
    """Read all cells of a Sudoku. If no grid is found, all are refused."""
    labels = [SIGNS.get(int(number), number) for number in picture.with_suffix(".txt").read_text().split()]
    try:
        grid = read(picture, model, grid=(SIDE, SIDE))
    except InputError:
        return [Answer(label, "", 0.0) for label in labels]
    cells = [cell for _, cell in grid.numbered()]
    return [Answer(label, str(cell), cell.confidence) for label, cell in zip(labels, cells, strict=True)]


def measure(name: str, pictures: list[Path], model: Classifier) -> Result:
    """Read a set of pictures."""
    kind = kind_of(pictures)
    reader: Callable[[Path, Classifier], list[Answer]] = read_sudoku if kind == "Sudokus" else read_picture
    answers: list[Answer] = []
    seconds = []
    for picture in track(pictures, f"reading {name}"):
        start = time.perf_counter()
        answers += reader(picture, model)
        seconds.append(time.perf_counter() - start)
    return Result(name, kind, tuple(answers), tuple(seconds))


def table(results: Sequence[Result]) -> Iterator[str]:
    """Yield the lines of a Markdown table: a row for each figure, a column for each set."""
    columns = [result.figures() for result in results]
    yield "| | " + " | ".join(result.name for result in results) + " |"
    yield "|---|" + "---|" * len(results)
    for figure in columns[0]:
        yield f"| {figure} | " + " | ".join(column[figure] for column in columns) + " |"


def main(folder: Path, model: str = "reader", limit: int | None = None) -> int:
    """Print the table of all sets in a folder."""
    classifier, sets = load_classifier(model), find_sets(folder)
    print(f"{describe('numpy', 'scipy', 'pillow')}\nmodel: {model}\n")
    results = []
    for name, pictures in sets.items():
        results.append(measure(name, evenly(pictures, limit), classifier))
    print("\n".join(table(results)))
    return 0


if __name__ == "__main__":
    where = arguments.positional("folder", "folder of pictures, or of folders of pictures", type=Path)
    some = arguments.option("limit", "pictures of each set to read (default: all)", type=arguments.at_least(1))
    sys.exit(arguments.run(main, __doc__, where, arguments.model("reader"), some))
