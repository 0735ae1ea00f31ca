"""`ParquetSource`: the pictures in a Parquet file, read row group by row group."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from inksight._shared.untrusted import damage_as_input_error
from inksight.errors import InputError, MissingDependencyError
from inksight.scale.storage import open_file

_ROWS = 256  # that are unpacked at a time


class ParquetSource:
    """The pictures of a Parquet file in the layout of Hugging Face: a column ``image`` of structs with ``bytes``.

    They are named like ``train.parquet[12]``, by their row from 1.

    Raises
    ------
    InputError
        If the file is damaged or has another layout.
    MissingDependencyError
        If pyarrow is not installed.
    """

    of_arrays = False

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            import pyarrow as pa
        except ImportError as error:
            raise MissingDependencyError(f"reading {name!r} needs pyarrow: pip install 'inksight[arrow]'") from error
        with open_file(name) as opened, damage_as_input_error(name, "a Parquet file"), _parquet(opened) as file:
            schema = file.schema_arrow
            kind: Any = schema.field("image").type if "image" in schema.names else None
            has_bytes = kind is not None and pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
            content = kind.field("bytes").type if has_bytes else None
            if content is None or not (pa.types.is_binary(content) or pa.types.is_large_binary(content)):
                raise InputError(
                    f"{name!r} must have a column 'image' of structs with binary 'bytes', got the columns "
                    f"{', '.join(map(str, schema))[:200]!r}; rename or convert them"
                )
            groups = range(file.metadata.num_row_groups)
            self._ends = tuple(accumulate(file.metadata.row_group(group).num_rows for group in groups))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def read(self, start: int, stop: int) -> Iterator[tuple[str, bytes]]:
        """Yield the names and contents of pictures; the content is empty where the file has none."""
        if start >= stop:
            return
        first, last = bisect_right(self._ends, start), bisect_right(self._ends, stop - 1)
        row = self._ends[first - 1] if first else 0
        with (
            open_file(self.name) as opened,
            damage_as_input_error(self.name, "a Parquet file"),
            _parquet(opened) as file,
        ):
            for batch in file.iter_batches(_ROWS, row_groups=list(range(first, last + 1)), columns=["image.bytes"]):
                skipped = min(max(start - row, 0), len(batch))
                row += skipped
                for value in batch.column("image").field("bytes")[skipped:]:
                    if row == stop:
                        return
                    row += 1
                    yield f"{self.name}[{row}]", value.as_py() or b""


def _parquet(opened: Any) -> Any:
    from pyarrow.parquet import ParquetFile

    return ParquetFile(opened)
