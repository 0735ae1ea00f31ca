"""`read_pages`: reads the pages of many files in order, each of which may fail, in this process or in several."""

import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from inksight.errors import InksightError
from inksight.imaging.file_pages import FilePage
from inksight.nn.ensemble_file import Classifier
from inksight.reading.page import Page
from inksight.reading.reader import GridShape, read

if TYPE_CHECKING:  # which a picture without a grid does not need
    from inksight.reading.grid import Grid

AHEAD = 4  # pages that wait for each worker, so that a large one does not hold up the others


@dataclass(frozen=True, eq=False)
class PageReading:
    """What was read on a page of a file, or why it could not be read.

    Parameters
    ----------
    source : FilePage
    page : Page, Grid or None
        None if it could not be read.
    milliseconds : float
        How long it took.
    error : InksightError or MemoryError, optional
        Why it could not be read.
    """

    source: FilePage
    page: "Page | Grid | None"
    milliseconds: float
    error: InksightError | MemoryError | None = None


class Options(TypedDict, total=False):
    """The options of `inksight.read`."""

    invert: bool | None
    accept_all: bool
    single: bool
    length: int | tuple[int, int] | None
    allow: str | None
    pattern: str | None
    punctuation: bool
    grid: GridShape | None


def read_page(source: FilePage, model: Classifier, **options: Unpack[Options]) -> PageReading:
    """Read one page. The options are those of `inksight.read`."""
    start = time.perf_counter()
    page: Page | Grid | None = None
    failure = None
    try:
        arguments: dict[str, Any] = {**options}  # which `read` accepts in several forms
        page = read(source, model, **arguments)
    except (InksightError, MemoryError) as error:
        failure = error.with_traceback(None)  # which would keep what was decoded
    return PageReading(source, page, round(1000 * (time.perf_counter() - start), 2), failure)


def read_pages(
    sources: Iterable[FilePage], model: Classifier, *, workers: int, **options: Unpack[Options]
) -> Generator[PageReading]:
    """Read pages and yield their readings in the same order, whatever the number of processes.

    Close the generator to stop the processes.

    Raises
    ------
    InksightError
        If a process is killed.
    """
    sources = iter(sources)
    first = list(islice(sources, workers)) if workers > 1 else []
    if len(first) < 2:
        for source in chain(first, sources):
            yield read_page(source, model, **options)
        return
    # These imports would slow down the reading of one picture.
    from concurrent.futures import Future, ThreadPoolExecutor
    from queue import SimpleQueue

    from inksight._shared.process import cores
    from inksight.reading.worker import Worker

    running: list[Worker] = []
    idle: SimpleQueue[Worker] = SimpleQueue()
    waiting: deque[Future[PageReading]] = deque()

    # A thread for each process waits for its reading before it sends the next page. Two processes that both write
    # more than a pipe holds would wait for each other forever.
    def read_in_process(source: FilePage) -> PageReading:
        worker = idle.get()
        try:
            worker.send(source)
            return worker.receive(source, model)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(first)) as threads:
        try:
            for _ in first:
                running.append(Worker(max(cores() // len(first), 1)))
            for worker in running:  # all of them start meanwhile
                worker.send(model, options)
                idle.put(worker)
            for source in chain(first, sources):
                waiting.append(threads.submit(read_in_process, source))
                if len(waiting) > AHEAD * len(running):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            for worker in running:  # which ends the wait of its thread
                worker.stop()
