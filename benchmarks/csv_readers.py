"""Speed of CSV readers on Kaggle's train.csv (42,000 x 785) and test.csv (28,000 x 784).

Run: ``python -m benchmarks.csv_readers [ROUNDS]``. Readers that are not installed are skipped.

Data: a pair of files with MNIST's images in Kaggle's layout.

Measured: the median over rounds of the seconds to open the file, parse it, and construct a checked `Dataset`, so images
and labels in contiguous arrays. Imports are not timed, and the first call of each reader is given apart. In a round
every reader runs once, so that a machine that slows down slows all of them. Each result is compared with the data that
the files were made from. Nothing is claimed.
"""

import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import arguments
from benchmarks.common.data import KAGGLE_ROWS
from benchmarks.common.machine import describe
from inksight.data.dataset import Dataset
from inksight.data.loading import load, write_csv
from inksight.data.readers import MEMORY_LIMIT, csv

ROUNDS = 9

Table = NDArray[np.uint8]  # shape (n, 785), or (n, 784) without labels


def dataset(table: Table) -> Dataset:
    """Return the dataset of a parsed table."""
    labels = table[:, 0].astype(np.int64) if table.shape[1] == len(csv.COLUMNS) else None
    return Dataset(table[:, -784:].reshape(-1, 28, 28), labels)


def with_inksight(path: Path, columns: list[str]) -> Dataset:
    raw = csv.read(path, MEMORY_LIMIT)
    return Dataset(raw.images, raw.labels)


def with_numpy(path: Path, columns: list[str]) -> Dataset:
    return dataset(np.loadtxt(path, np.uint8, delimiter=",", comments=None, skiprows=1))


def with_pyarrow(path: Path, columns: list[str]) -> Dataset:
    import pyarrow as pa
    from pyarrow import csv as arrow

    # The fastest of the settings tried: large blocks, no type inference, each block transposed by itself.
    table = arrow.read_csv(
        path,
        read_options=arrow.ReadOptions(block_size=1 << 22),
        parse_options=arrow.ParseOptions(quote_char=False),
        convert_options=arrow.ConvertOptions(column_types=dict.fromkeys(columns, pa.uint8())),
    )
    blocks = [np.stack([column.to_numpy() for column in block.columns]).T for block in table.to_batches()]
    return dataset(np.concatenate(blocks))


def with_polars(path: Path, columns: list[str]) -> Dataset:
    import polars

    return dataset(polars.read_csv(path, schema_overrides=[polars.UInt8] * len(columns)).to_numpy())


def with_pandas(path: Path, columns: list[str]) -> Dataset:
    import pandas

    return dataset(pandas.read_csv(path, dtype=np.uint8).to_numpy())


READERS: dict[str, Callable[[Path, list[str]], Dataset]] = {
    "inksight": with_inksight,
    "numpy": with_numpy,
    "pyarrow": with_pyarrow,
    "polars": with_polars,
    "pandas": with_pandas,
}


def installed() -> dict[str, str]:
    """Return the version of each installed reader; print those that are missing."""
    versions = {}
    for name in READERS:
        try:
            versions[name] = importlib.import_module(name).__version__
        except ImportError:
            print(f"{name} is not installed: skipped")
    return versions


def measure(expected: Dataset, path: Path, readers: dict[str, str], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each reader for one file, the first call first."""
    columns = list(csv.COLUMNS if expected.labels is not None else csv.COLUMNS[1:])
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds + 1):
        for name in readers:
            start = time.perf_counter()
            data = READERS[name](path, columns)
            seconds[name].append(time.perf_counter() - start)
            if data.digest != expected.digest:
                raise SystemExit(f"{name} read other values than those in {path.name}")
    return seconds


def main(rounds: int = ROUNDS) -> int:
    """Print the readers in order of their medians; nothing is claimed, so return 0."""
    mnist = load("mnist")
    files = {"train.csv": mnist[:KAGGLE_ROWS], "test.csv": Dataset(mnist.images[KAGGLE_ROWS:])}
    versions = installed()
    print(f"{describe()}; median of {rounds}")
    with tempfile.TemporaryDirectory() as folder:
        for file, expected in files.items():
            path = Path(folder) / file
            write_csv(expected, path)
            seconds = measure(expected, path, versions, rounds)
            width = 784 + (expected.labels is not None)
            print(f"\n{file}: {len(expected):,} x {width}, {path.stat().st_size / 1e6:.1f} MB")
            for name in sorted(seconds, key=lambda name: statistics.median(seconds[name][1:])):
                first, *rest = seconds[name]
                spread = f"({min(rest):.3f} to {max(rest):.3f}; first {first:.3f})"
                print(f"  {name:9} {versions[name]:8} {statistics.median(rest):.3f} s  {spread}")
    return 0


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS)))
