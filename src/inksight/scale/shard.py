"""`read_shard`: what a worker process does: it reads one range of a source and writes a Parquet file of its rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inksight._shared.untrusted import damage_as_input_error
from inksight.errors import InksightError, InputError, MissingDependencyError, TooLargeError
from inksight.imaging.file_pages import MAX_FILE_SIZE, FilePage, pages, pages_of
from inksight.nn.ensemble_file import Classifier
from inksight.nn.model import Model
from inksight.reading.page import Page
from inksight.reading.page_reading import Options, PageReading, read_page
from inksight.scale.sources import Source
from inksight.scale.storage import Folder, is_url, open_file

ROW_GROUP = 1 << 16  # rows

Columns = dict[str, Any]  # values by column


@dataclass(frozen=True)
class Shard:
    """A range of a source, which becomes one file.

    Parameters
    ----------
    number : int
        From 0.
    start, stop : int
        Numbers of the first picture or image, and of the first one after it.
    """

    number: int
    start: int
    stop: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"part-{self.number:06}.parquet"


@dataclass(frozen=True)
class Part:
    """What was written of a shard.

    Parameters
    ----------
    rows : int
    failed : int
        Rows of pictures that could not be read.
    """

    rows: int
    failed: int


def read_shard(
    source: Source, model: Classifier, options: Options, barcodes: bool, out: Folder, job: str, shard: Shard
) -> Part:
    """Read a shard and write its file, which is there completely or not at all.

    The file says which shard of which job it is. `job` is the digest of the job.
    """
    pa, parquet = parquet_library()
    batches = _predict(source, model, barcodes, shard) if source.of_arrays else _read(source, model, options, shard)
    schema = schema_of(source, barcodes).with_metadata(_mark(job, shard))
    rows = failed = 0
    # The same rows give the same bytes: groups of a fixed size, and no statement of when or by whom.
    with out.writing(shard.name) as path, parquet.ParquetWriter(path, schema) as writer:
        waiting: list[Any] = []
        for columns in batches:
            failed += sum(error is not None for error in columns.get("error", ()))
            waiting.append(pa.table(columns, schema))
            if sum(map(len, waiting)) >= ROW_GROUP:
                rows += _write(writer, pa.concat_tables(waiting))
                waiting.clear()
        if waiting:
            rows += _write(writer, pa.concat_tables(waiting))
    return Part(rows, failed)


def read_part(folder: Folder, name: str, shard: Shard | None, job: str) -> Part:
    """Return what is in the file of a shard, of which only the footer is read.

    Raises
    ------
    DamagedFileError
        If it is not a Parquet file.
    InputError
        If it is not that of this shard of this job; no file is if `shard` is None.
    """
    _, parquet = parquet_library()
    full = f"{folder.name}/{name}"
    with folder.open(name) as file, damage_as_input_error(full, "a Parquet file"):
        footer = parquet.ParquetFile(file).metadata
        groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
        column = footer.schema.names.index("error") if "error" in footer.schema.names else None
        unfailed = 0 if column is None else sum(group.column(column).statistics.null_count for group in groups)
    if shard is None or not _mark(job, shard).items() <= (footer.metadata or {}).items():
        raise InputError(f"{full!r} is not the part of that name of this job: delete it, or give another folder")
    return Part(footer.num_rows, 0 if column is None else footer.num_rows - unfailed)


def _mark(job: str, shard: Shard) -> dict[bytes, bytes]:
    """Return what the footer of a part says of where it belongs."""
    return {b"inksight.job": job.encode(), b"inksight.shard": f"{shard.number} {shard.start} {shard.stop}".encode()}


def _write(writer: Any, table: Any) -> int:
    writer.write_table(table, row_group_size=len(table) or 1)
    return len(table)


def _predict(source: Source, model: Classifier, barcodes: bool, shard: Shard) -> Iterator[Columns]:
    """Yield the classes of images and how probable they are."""
    number = shard.start
    for images in source.read(shard.start, shard.stop):
        probabilities = model.probabilities(images)
        columns: Columns = {
            "image": np.arange(number, number + len(images)),
            "label": probabilities.argmax(axis=1).astype(np.uint8),
            "confidence": probabilities.max(axis=1),
        }
        if barcodes:
            assert isinstance(model, Model)
            columns["barcode"] = list(model.barcodes(images))
        number += len(images)
        yield columns


def _read(source: Source, model: Classifier, options: Options, shard: Shard) -> Iterator[Columns]:
    """Yield the rows of pictures."""
    for name, content in source.read(shard.start, shard.stop):
        readings = list(_read_file(name, content, model, options))
        found = [reading.page if isinstance(reading.page, Page) else None for reading in readings]
        yield {
            "path": [name.encode("utf-8", "backslashreplace").decode()] * len(readings),
            "page": [reading.source.number or 1 for reading in readings],
            "text": [page and page.text for page in found],
            "confidence": [page and page.confidence for page in found],
            "reason": [page and page.reason for page in found],
            "runner_up": [page and page.runner_up for page in found],
            "error": [reading.error and f"{type(reading.error).__name__}: {reading.error}" for reading in readings],
        }


def _read_file(name: str, content: bytes | None, model: Classifier, options: Options) -> Iterator[PageReading]:
    """Yield the readings of the pages of a file."""
    file = FilePage(Path(name), content=content)
    try:
        if content is None and is_url(name):
            with open_file(name) as opened:
                content = opened.read(MAX_FILE_SIZE + 1)
        if content is not None and len(content) > MAX_FILE_SIZE:
            raise TooLargeError(f"bytes of {name!r} must be at most {MAX_FILE_SIZE:,}, got more: make it smaller")
        found = pages(file.path) if content is None else pages_of(FilePage(file.path, content=content))
    except (InksightError, MemoryError) as error:
        yield PageReading(file, None, 0.0, error.with_traceback(None))
        return
    for page in found:
        yield read_page(page, model, **options)


def schema_of(source: Source, barcodes: bool) -> Any:
    """Return the columns of the files and their types."""
    pa, _ = parquet_library()
    if source.of_arrays:
        columns = {"image": pa.int64(), "label": pa.uint8(), "confidence": pa.float32()}
        return pa.schema(columns | ({"barcode": pa.list_(pa.float32())} if barcodes else {}))
    texts = dict.fromkeys(("reason", "runner_up", "error"), pa.string())
    return pa.schema(
        {"path": pa.string(), "page": pa.int32(), "text": pa.string(), "confidence": pa.float64(), **texts}
    )


def parquet_library() -> tuple[Any, Any]:
    """Return pyarrow and its module for Parquet; raise `MissingDependencyError` if it is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError("reading in shards needs pyarrow: pip install 'inksight[arrow]'") from error
    return pyarrow, parquet


def check_barcodes(model: Classifier, source: Source) -> None:
    """Raise `InputError` if barcodes cannot be written."""
    if not source.of_arrays:
        raise InputError("barcodes are written for arrays of images only, got pictures: leave the option out")
    if not isinstance(model, Model):
        raise InputError("barcodes must be those of one network, got an ensemble: give a model")
