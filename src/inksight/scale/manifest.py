"""`Manifest`: which job the files of a folder belong to, and which of them are done."""

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from inksight._shared.untrusted import parse_json
from inksight._shared.validation import check
from inksight.errors import InputError
from inksight.scale.shard import Part, Shard
from inksight.scale.storage import Folder

FORMAT = "inksight read 1"
NAME = "_manifest.json"  # which readers of a folder of Parquet files leave out
INTERVAL = 5.0  # seconds between two writes


@dataclass
class Manifest:
    """The description of a job, and its parts, as ``_manifest.json`` beside them.

    Parameters
    ----------
    folder : Folder
    job : dict
        What decides the rows, as JSON values by name: the input, the model, the options, the number of shards.
    parts : dict of str to Part
        What is done, by the name of its file.
    """

    folder: Folder
    job: dict[str, Any]
    parts: dict[str, Part] = field(default_factory=dict)
    written: float = 0.0

    @classmethod
    def open(cls, folder: Folder, job: dict[str, Any]) -> "Manifest":
        """Return the manifest in a folder, or a new one.

        A part is done if its file is there. Where a killed job did not note one, its rows are counted from the file.

        Raises
        ------
        InputError
            If the folder has the manifest of another job, or a damaged one.
        """
        content = folder.read(NAME)
        manifest = cls(folder, job)
        if content is None:
            manifest.write()
            return manifest
        try:
            values = parse_json(content)
            check(isinstance(values, dict) and values.get("format") == FORMAT, "format", values, repr(FORMAT))
            before = values["job"]
            noted = {name: Part(**part) for name, part in values["parts"].items()}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{NAME!r} in {folder.name!r} is not that of a job, or damaged: {reason}; give another folder"
            ) from error
        for name, value in job.items():
            if before.get(name) != value:
                raise InputError(
                    f"{folder.name!r} has the parts of another job, whose {name} was {before.get(name)!r:.200} and not "
                    f"{value!r:.200}: give another folder"
                )
        there = folder.names()
        manifest.parts = {name: part for name, part in noted.items() if name in there}
        return manifest

    def missing(self, shards: list[Shard]) -> list[Shard]:
        """Return the shards that are to be read; note those whose files a killed job has written but not noted."""
        there = self.folder.names() - self.parts.keys()
        for shard in shards:
            if shard.name in there:
                self.parts[shard.name] = _count(self.folder, shard)
        return [shard for shard in shards if shard.name not in self.parts]

    def add(self, shard: Shard, part: Part) -> None:
        """Note a part, in the file every few seconds."""
        self.parts[shard.name] = part
        if time.monotonic() > self.written + INTERVAL:
            self.write()

    def write(self) -> None:
        """Write the file."""
        parts = {name: asdict(self.parts[name]) for name in sorted(self.parts)}
        with self.folder.writing(NAME) as path:
            content = json.dumps({"format": FORMAT, "job": self.job, "parts": parts}, indent=1)
            path.write_text(content + "\n", encoding="utf-8")
        self.written = time.monotonic()


def _count(folder: Folder, shard: Shard) -> Part:
    """Return the number of rows in the file of a shard, and of those with an error."""
    import io

    from pyarrow import parquet

    file = parquet.ParquetFile(io.BytesIO(folder.read(shard.name) or b""))
    rows = file.metadata.num_rows
    if "error" not in file.schema_arrow.names:
        return Part(rows, 0)
    return Part(rows, rows - file.read(columns=["error"]).column("error").null_count)
