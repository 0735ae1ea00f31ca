"""Parquet in the layout of Hugging Face's MNIST: a column of encoded pictures and a column of labels."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inksight._shared.untrusted import check_memory, damage_as_input_error
from inksight.config import IMAGE_SIZE
from inksight.data.readers.decoding_work import DecodingWork
from inksight.data.readers.folder import to_digit
from inksight.data.readers.named_arrays import part_of
from inksight.data.readers.raw import Raw, concatenate
from inksight.errors import InputError, MissingDependencyError
from inksight.imaging.decoding import decode_upright
from inksight.imaging.grayscale import image_to_grayscale


def read(path: Path, memory_limit: int) -> Raw:
    """Read a Parquet file with the columns ``image`` (a struct of bytes and path) and, optionally, ``label``.

    Parameters
    ----------
    path : Path
    memory_limit : int
        Largest number of bytes that the unpacked columns, or the images, may take.

    Returns
    -------
    Raw
        Images uint8, shape (n, 28, 28), high = ink. Pictures of 28x28 pixels, such as Hugging Face's MNIST, are used
        unchanged. Others are converted as by `inksight.prepare`.

    Raises
    ------
    InputError
        If a column is missing or has another type, a value is missing, or a picture or the file is damaged.
    MissingDependencyError
        If pyarrow is not installed.

    Examples
    --------
    >>> import io
    >>> import pyarrow as pa
    >>> import pyarrow.parquet
    >>> from PIL import Image
    >>> from tempfile import TemporaryDirectory
    >>> png = io.BytesIO()
    >>> Image.new("L", (28, 28)).save(png, "PNG")
    >>> table = pa.table({"image": [{"bytes": png.getvalue(), "path": "0.png"}], "label": [7]})
    >>> with TemporaryDirectory() as folder:
    ...     pa.parquet.write_table(table, Path(folder) / "train-00000-of-00001.parquet")
    ...     read(Path(folder) / "train-00000-of-00001.parquet", 10_000).labels
    array([7])
    """
    try:
        import pyarrow as pa
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise MissingDependencyError(f"reading {str(path)!r} needs pyarrow: pip install 'inksight[arrow]'") from error

    with damage_as_input_error(path, "a Parquet file"), ParquetFile(path) as file:
        schema = file.schema_arrow
        names = [name for name in ("image", "label") if name in schema.names]
        kind = schema.field("image").type if "image" in names else None
        if kind is None or not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
            raise InputError(
                f"{str(path)!r} must have a column 'image' of structs with 'bytes', got the columns "
                f"{', '.join(schema.names)[:200]!r}; rename or convert them"
            )
        if "label" in names and not pa.types.is_integer(schema.field("label").type):
            raise InputError(
                f"{str(path)!r}: label must be whole numbers, got {schema.field('label').type}; convert the column"
            )
        groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
        unpacked = sum(group.total_byte_size for group in groups)
        # The images twice, because they are stacked at the end.
        check_memory(path, unpacked + 2 * file.metadata.num_rows * IMAGE_SIZE * IMAGE_SIZE, memory_limit)
        work = DecodingWork(path)
        work.allow(path.stat().st_size)
        images: list[NDArray[np.uint8]] = []
        labels: list[int] = []
        # A value that is stored once may occur in every row, so a batch has so few rows that it fits even then.
        rows = max(1, min(1024, memory_limit // max(unpacked, 1)))
        for batch in file.iter_batches(batch_size=rows, columns=names):
            pictures = batch.column("image").field("bytes").to_pylist()
            # Unsafe: a number too large for int64 becomes a negative label, which `Dataset` rejects.
            numbers = batch.column("label").cast(pa.int64(), safe=False) if "label" in names else []
            batch_labels = [number.as_py() for number in numbers]
            for column, values in (("image", pictures), ("label", batch_labels)):
                if None in values:
                    row = len(images) + values.index(None) + 1
                    raise InputError(f"{str(path)!r}, row {row}: {column} is missing; add it or remove the row")
            for content in pictures:
                images.append(_decode(content, Path(f"{path}, row {len(images) + 1}"), memory_limit, work))
            labels += batch_labels
    if not images:
        raise InputError(f"{str(path)!r} has no rows: give a file with at least one image")
    return Raw(np.stack(images), np.array(labels, np.int64) if "label" in names else None)


def read_folder(folder: Path, files: Sequence[Path], memory_limit: int) -> Raw:
    """Read the Parquet `files` of a folder: a single one, or ``train-*``, ``validation-*`` and ``test-*``."""
    part_of_file = {file: part_of(re.split(r"[^a-z]+", file.name.casefold())) for file in files}
    by_part = {part: [file for file in files if part_of_file[file] == part] for part in ("train", "validation", "test")}
    if len(files) > 1 and (not by_part["train"] or None in part_of_file.values()):
        raise InputError(
            f"folder {str(folder)!r} must contain one Parquet file, or files named train-*.parquet and test-*.parquet, "
            f"got {', '.join(file.name for file in files)[:200]!r}: give the path of one of them"
        )
    raws, counts = [], dict.fromkeys(by_part, 0)
    for part, members in by_part.items() if by_part["train"] else [("train", files)]:
        for file in members:
            raw = read(file, memory_limit)
            memory_limit -= 2 * raw.size  # twice, because they are concatenated
            raws.append(raw)
            counts[part] += len(raw.images)
    return replace(concatenate(folder, raws), validation_count=counts["validation"], test_count=counts["test"])


def _decode(content: bytes, name: Path, memory_limit: int, work: DecodingWork) -> NDArray[np.uint8]:
    """Decode a picture and convert it to (28, 28) unless it has that size; `name` is for messages."""
    picture = decode_upright(content, name, memory_limit)
    work.count(picture.width * picture.height)
    grayscale = image_to_grayscale(picture)
    if grayscale.shape == (IMAGE_SIZE, IMAGE_SIZE):
        return np.round(255 * grayscale).astype(np.uint8)
    return to_digit(grayscale, repr(str(name)))
