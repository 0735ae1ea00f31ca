"""Measure readers of Kaggle's train.csv (42,000 x 785) and test.csv (28,000 x 784).

Run as ``python -m benchmarks.csv_readers [rounds]``. The CSV pair is made from MNIST. Each round runs every
candidate once, one after the other, so that a machine that slows down slows all of them. Inside the timer:
opening the file, parsing, and the checked `Dataset`, so images and labels in one piece each; outside it:
imports and the first, cold call, which is shown apart. Every result is compared with what the files were made
from. Candidates that are not installed are skipped.
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

from benchmarks.machine import describe
from inksight.data.dataset import Dataset
from inksight.data.loading import load, write_csv
from inksight.data.readers import MEMORY_LIMIT, csv

Table = NDArray[np.uint8]  # shape (n, 785), or (n, 784) without labels


def dataset(table: Table) -> Dataset:
    labels = table[:, 0] if table.shape[1] == len(csv.COLUMNS) else None
    return Dataset(table[:, -784:].reshape(-1, 28, 28), labels)


def by_inksight(path: Path, columns: list[str]) -> Dataset:
    raw = csv.read(path, MEMORY_LIMIT)
    return Dataset(raw.images, raw.labels)


def by_numpy(path: Path, columns: list[str]) -> Dataset:
    return dataset(np.loadtxt(path, np.uint8, delimiter=",", comments=None, skiprows=1))


def by_pyarrow(path: Path, columns: list[str]) -> Dataset:
    import pyarrow as pa
    from pyarrow import csv as arrow

    # The best of the settings tried: large blocks, no inference, each block turned on its side apart.
    table = arrow.read_csv(
        path,
        read_options=arrow.ReadOptions(block_size=1 << 22),
        parse_options=arrow.ParseOptions(quote_char=False),
        convert_options=arrow.ConvertOptions(column_types=dict.fromkeys(columns, pa.uint8())),
    )
    blocks = [np.stack([column.to_numpy() for column in block.columns]).T for block in table.to_batches()]
    return dataset(np.concatenate(blocks))


def by_polars(path: Path, columns: list[str]) -> Dataset:
    import polars

    return dataset(polars.read_csv(path, schema_overrides=[polars.UInt8] * len(columns)).to_numpy())


def by_pandas(path: Path, columns: list[str]) -> Dataset:
    import pandas

    return dataset(pandas.read_csv(path, dtype=np.uint8).to_numpy())


CANDIDATES: dict[str, Callable[[Path, list[str]], Dataset]] = {
    "inksight": by_inksight,
    "numpy": by_numpy,
    "pyarrow": by_pyarrow,
    "polars": by_polars,
    "pandas": by_pandas,
}


def main(rounds: int) -> None:
    mnist = load("mnist")
    pair = {"train.csv": mnist[:42_000], "test.csv": Dataset(mnist.images[42_000:])}
    versions = {}
    for name in CANDIDATES:
        try:
            versions[name] = importlib.import_module(name).__version__
        except ImportError:
            print(f"{name} is not installed: skipped")
    print(f"{describe()}; median of {rounds}")
    with tempfile.TemporaryDirectory() as folder:
        for file, expected in pair.items():
            path = Path(folder) / file
            write_csv(expected, path)
            names = list(csv.COLUMNS if expected.labels is not None else csv.COLUMNS[1:])
            seconds: dict[str, list[float]] = {name: [] for name in versions}
            for _ in range(rounds + 1):
                for name in versions:
                    start = time.perf_counter()
                    data = CANDIDATES[name](path, names)
                    seconds[name].append(time.perf_counter() - start)
                    if data.digest != expected.digest:
                        raise SystemExit(f"{name} read {file} wrongly")
            print(f"\n{file}: {len(expected):,} x {len(names)}, {path.stat().st_size / 1e6:.1f} MB")
            medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
            for name in sorted(medians, key=medians.__getitem__):
                cold, *warm = seconds[name]
                spread = f"({min(warm):.3f} to {max(warm):.3f}; first {cold:.3f})"
                print(f"  {name:9} {versions[name]:8} {medians[name]:.3f} s  {spread}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
