"""`read_files`: reads many files in order, each of which may fail, in this process or in several workers."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from inksight.errors import InksightError
from inksight.nn.ensemble_file import Classifier
from inksight.reading.reader import Page, read

AHEAD = 4  # files that wait for each worker, so that a large one does not hold up the others


@dataclass(frozen=True, eq=False)
class FileReading:
    """What was read in a file, or why it could not be read.

    Parameters
    ----------
    path : Path
    pages : tuple of Page
        The pages of the file; none if it could not be read.
    milliseconds : float
        How long it took.
    error : InksightError or MemoryError, optional
        Why it could not be read.
    """

    path: Path
    pages: tuple[Page, ...]
    milliseconds: float
    error: InksightError | MemoryError | None = None


def read_file(path: Path, model: Classifier, *, invert: bool | None, accept_all: bool, single: bool) -> FileReading:
    """Read one file. The options are those of `inksight.read`."""
    start = time.perf_counter()
    pages: tuple[Page, ...] = ()
    failure = None
    try:
        pages = (read(path, model, invert=invert, accept_all=accept_all, single=single),)
    except (InksightError, MemoryError) as error:
        failure = error.with_traceback(None)  # which would keep what was decoded
    return FileReading(path, pages, round(1000 * (time.perf_counter() - start), 2), failure)


def read_files(
    files: Sequence[Path], model: Classifier, *, invert: bool | None, accept_all: bool, single: bool, workers: int
) -> Generator[FileReading]:
    """Read files and yield their readings in the same order, whatever the number of processes.

    Close the generator to stop the processes.

    Raises
    ------
    InksightError
        If a process is killed.
    """
    workers = min(workers, len(files))
    if workers <= 1:
        for path in files:
            yield read_file(path, model, invert=invert, accept_all=accept_all, single=single)
        return
    from inksight._shared.process import cores
    from inksight.reading.worker import Worker  # would slow down the reading of one picture

    running: list[Worker] = []
    try:
        for _ in range(workers):
            running.append(Worker(max(cores() // workers, 1)))
        for worker in running:  # all of them start meanwhile
            worker.send(model, {"invert": invert, "accept_all": accept_all, "single": single})
        for number in range(-AHEAD * workers, len(files)):  # the workers take turns, which keeps the order
            if number >= 0:
                yield running[number % workers].receive(files[number], model)
            if (ahead := number + AHEAD * workers) < len(files):
                running[ahead % workers].send(files[ahead])
    finally:
        for worker in running:
            worker.stop()
