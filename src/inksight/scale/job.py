"""`read_in_shards`: reads millions of pictures or images by many processes, and resumes where it was interrupted."""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any, Unpack

from inksight import __version__
from inksight._shared.claim import claimed
from inksight._shared.interrupt import CtrlC
from inksight._shared.progress import about, say
from inksight._shared.tasks import Processes, WorkerDied, outcomes, processes_for, start_workers
from inksight._shared.validation import check, is_count
from inksight.errors import InksightError
from inksight.nn.ensemble_file import ClassifierLike, as_classifier, checksum_of
from inksight.reading.constraints import constraint_of
from inksight.reading.page_reading import Options
from inksight.scale.manifest import open_manifest, parts_done
from inksight.scale.shard import Part, Shard, check_barcodes, parquet_library, read_shard
from inksight.scale.sources import Source, fingerprint, open_source
from inksight.scale.storage import Folder
from inksight.training.checkpoint_folder import as_json

PICTURES, IMAGES = 1000, 1 << 18  # of a shard by default: some seconds of work
MAX_SHARDS = 1_000_000
ATTEMPTS = 3  # for a shard whose processes die
DEFAULTS = dict.fromkeys(("accept_all", "single", "punctuation"), False)  # of options; None is that of the others
REPORT = 10.0  # seconds between two lines of progress


@dataclass(frozen=True)
class JobResult:
    """What is in the folder of a job.

    Parameters
    ----------
    shards, done : int
        All shards, and those whose files are there.
    rows, failed : int
        Rows of these files, and rows of pictures that could not be read.
    interrupted : bool
        Whether Ctrl-C ended the job before all shards were done.
    """

    shards: int
    done: int
    rows: int
    failed: int
    interrupted: bool = False


def read_in_shards(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    model: ClassifierLike = "reader",
    shards: int | None = None,
    workers: int | None = None,
    engine: str = "local",
    address: str | None = None,
    barcodes: bool = False,
    progress: bool = True,
    **options: Unpack[Options],
) -> JobResult:
    """Read pictures or images in shards, each of which becomes a Parquet file.

    The same call resumes a job that was interrupted or killed: it reads the shards whose files are missing. The rows do
    not depend on the engine, on the number of processes, or on what was killed.

    Parameters
    ----------
    sources : path-like, or sequence of them
        Picture files, folders of them, patterns such as ``scans/**.png``, tar archives and Parquet files of pictures;
        or NumPy files (.npy) of images, uint8, shape (n, 28, 28), high = ink. Each may be a URL such as
        ``s3://bucket/scans.tar`` (``pip install inksight[remote]``).
    out : path-like
        Folder for the files ``part-000000.parquet`` and so on, and ``_manifest.json``; created if missing. It may be a
        URL. Pictures give the columns path, page, text, confidence, reason, runner_up and error; images give image
        (their number from 0), label and confidence, both predicted.
    model : Model, Ensemble, str or path-like
        A model, or the name of one that ships with the package, or a file.
    shards : int, optional
        Number of shards, 1 to 1,000,000; by default shards of 1,000 pictures or 262,144 images.
    workers : int, optional
        Maximum number of processes; by default the number of cores this process may use, or those of the cluster.
    engine : str
        ``local`` reads on this machine, ``ray`` on the machines of a Ray cluster (``pip install inksight[ray]``), which
        must reach the sources and the folder by the same names.
    address : str, optional
        Of the Ray cluster; by default that of ``RAY_ADDRESS``, or else a new one on this machine.
    barcodes : bool
        Write a column barcode for images, too: float32, one value per filter of the last bank.
    progress : bool
        Print what is done, images per second and the time left on standard error.
    **options
        The options of `inksight.read`, for pictures, except ``grid``.

    Returns
    -------
    JobResult
        Pictures that cannot be read are rows with an error. Ctrl-C ends the job at once; it can be resumed.

    Raises
    ------
    InputError
        If a source cannot be read, an option is out of range, or the folder has the parts of another job
        or is used by another process.
    InksightError
        If the processes of a shard die three times.
    MissingDependencyError
        If pyarrow, or what a URL or an engine needs, is not installed.

    Examples
    --------
    >>> import inksight
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/digits.npy", inksight.load("mnist").images[:100])
    ...     result = read_in_shards(f"{folder}/digits.npy", f"{folder}/out", shards=2, workers=1, progress=False)
    >>> result.done, result.rows
    (2, 100)
    """
    parquet_library()
    names = _names(sources)
    check(
        "grid" not in options or options["grid"] is None, "grid", options.get("grid"), "left out when reading in shards"
    )
    constraint_of(options.get("length"), options.get("allow"), options.get("pattern"))
    classifier, source = as_classifier(model), open_source(names)
    if barcodes:
        check_barcodes(classifier, source)
    parts = _divide(source, shards)
    (folder_name,) = _names(out, "out")
    processes = processes_for(workers, engine=engine, address=address)
    folder = Folder(folder_name)
    folder.create()
    described = {
        "version": __version__,
        "sources": names,
        "images" if source.of_arrays else "pictures": len(source),
        "input": fingerprint(source),
        "model": checksum_of(classifier),
        "options": {name: value for name, value in sorted(options.items()) if value is not DEFAULTS.get(name)},
        "barcodes": barcodes,
        "shards": len(parts),
    }
    described = as_json(described)
    job = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    with nullcontext() if folder.local is None else claimed(folder.local, alone=True), CtrlC() as ctrl_c:
        done = parts_done(folder, job, parts, open_manifest(folder, described), progress)
        if done:
            say(f"{len(done):,} of {len(parts):,} shards are already in {folder.name!r}", progress)
        missing = [shard for shard in parts if shard not in done]
        work = (source, classifier, options, barcodes, folder, job)
        _read_all(work, missing, processes, done, ctrl_c, progress)
    rows, failed = sum(part.rows for part in done.values()), sum(part.failed for part in done.values())
    return JobResult(len(parts), len(done), rows, failed, len(done) < len(parts))


def _read_all(
    work: tuple[object, ...], missing: list[Shard], processes: Processes, done: dict[Shard, Part], ctrl_c: CtrlC,
    progress: bool,
) -> None:  # fmt: skip
    """Read shards, and those whose process has died again; add them to what is done."""
    total = sum(shard.stop - shard.start for shard in missing)
    began = reported = time.monotonic()
    count = 0
    for attempt in range(1, ATTEMPTS + 1):
        lost: list[Shard] = []
        if not missing or ctrl_c.pressed:
            return
        with closing(start_workers(processes, read_shard, *work)) as workers:
            # One shard waits for each worker, so that none is idle between two.
            for shard, finished in outcomes(workers, missing, ahead=2, stop=lambda: ctrl_c.pressed):
                try:
                    done[shard] = finished.result()
                except WorkerDied as error:
                    if attempt == ATTEMPTS:
                        raise InksightError(
                            f"the process that read shard {shard.number} (from {shard.start:,} to {shard.stop - 1:,}) "
                            f"{error}, {ATTEMPTS} times: use fewer --workers or more --shards, or leave files out"
                        ) from error
                    lost.append(shard)
                    continue
                count += shard.stop - shard.start
                if time.monotonic() > reported + REPORT or count == total:
                    reported = time.monotonic()
                    rate = count / (reported - began)
                    left = f", {about((total - count) / rate)} left" if count < total else ""
                    say(f"{count:,} of {total:,}, {rate:,.0f} per second{left}", progress)
        missing = lost


def _names(paths: object, name: str = "sources") -> list[str]:
    """Return the path or the paths given, as text."""
    one = isinstance(paths, (str, os.PathLike)) or name == "out"
    several: list[Any] = [paths] if one else list(paths) if isinstance(paths, Sequence) else []
    names = [os.fspath(each) if isinstance(each, os.PathLike) else each for each in several]
    allowed = "a path or a URL" + (" that is not empty" if name == "out" else ", or a list of them")
    check(bool(names) and all(each and isinstance(each, str) for each in names), name, paths, allowed)
    return names


def _divide(source: Source, shards: int | None) -> list[Shard]:
    """Return shards of nearly the same size."""
    count = len(source)
    if shards is None:
        shards = min(-(-count // (IMAGES if source.of_arrays else PICTURES)), MAX_SHARDS)
    check(is_count(shards) and shards <= min(count, MAX_SHARDS), "shards", shards, f"1 to {min(count, MAX_SHARDS):,}")
    bounds = [count * number // shards for number in range(shards + 1)]
    return [Shard(number, *bounds[number : number + 2]) for number in range(shards)]
