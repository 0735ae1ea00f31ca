"""The manifest, which tells which job the files of a folder belong to: `open_manifest`; and `parts_done` of the job."""

import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from inksight._shared.progress import say
from inksight._shared.untrusted import parse_json
from inksight._shared.validation import check
from inksight.errors import DamagedFileError, InputError
from inksight.scale.shard import Part, Shard, read_part
from inksight.scale.storage import Folder
from inksight.training.checkpoint_folder import differences

FORMAT = "inksight read 1"
NAME = "_manifest.json"  # which readers of a folder of Parquet files leave out
READERS = 16  # threads that look at parts, which may be far away


def open_manifest(folder: Folder, job: Mapping[str, Any]) -> bool:
    """Write what a job is to its folder; if it is there already, check that it is the same, and return True.

    Parameters
    ----------
    folder : Folder
    job : mapping
        What decides the rows, as JSON values by name: the input, the model, the options, the number of shards.

    Raises
    ------
    InputError
        If the folder has the manifest of another job, or a damaged one.
    """
    content = folder.read(NAME)
    if content is None:
        with folder.writing(NAME) as path:
            path.write_text(json.dumps({"format": FORMAT, "job": job}, indent=1) + "\n", encoding="utf-8")
        return False
    try:
        values = parse_json(content)
        check(isinstance(values, dict) and values.get("format") == FORMAT, "format", values, repr(FORMAT))
        check(isinstance(values.get("job"), dict), "job", values.get("job"), "an object with named values")
        different = differences(values["job"], job)
    except (InputError, RecursionError) as error:
        raise InputError(
            f"{NAME!r} in {folder.name!r} is not that of a job, or damaged: {str(error)[:200]}; give another folder"
        ) from error
    if different:
        raise InputError(f"{folder.name!r} has the parts of another job, {different}: give another folder")
    return True


def parts_done(folder: Folder, job: str, shards: Sequence[Shard], resumes: bool, progress: bool) -> dict[Shard, Part]:
    """Return the shards of a job whose files are in its folder, and what these hold.

    Parameters
    ----------
    folder : Folder
    job : str
        The digest of the job, which is in each of its files.
    shards : sequence of Shard
        All shards of the job.
    resumes : bool
        Whether the folder is known to be that of the job. A damaged file is then read again.
    progress : bool
        Print which files are damaged.

    Raises
    ------
    InputError
        If a file with the name of a part is not that of this job, which readers would take for one of its parts.
    """
    by_name = {shard.name: shard for shard in shards}
    there = sorted(name for name in folder.names() if re.fullmatch(r"part-\d+\.parquet", name))

    def look(name: str) -> Part | DamagedFileError:
        try:
            return read_part(folder, name, by_name.get(name), job)
        except DamagedFileError as error:
            if not resumes:
                raise
            return error

    done = {}
    with ThreadPoolExecutor(READERS) as readers:
        for name, part in zip(there, readers.map(look, there), strict=True):
            if isinstance(part, Part):
                done[by_name[name]] = part
            else:
                say(f"inksight: warning: {part}; reading its shard again", progress)
    return done
