"""`read_pages`: reads the pages of many files in order, each of which may fail, in this process or in several."""

import pickle
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from inksight.errors import InksightError
from inksight.imaging.file_pages import FilePage
from inksight.nn.ensemble import Ensemble
from inksight.nn.ensemble_file import Classifier
from inksight.nn.model import Model
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
    from contextlib import closing

    from inksight._shared.tasks import Processes, WorkerDied, cores, outcomes, start_workers

    processes = Processes(len(first), threads=max(cores() // len(first), 1))
    with closing(start_workers(processes, _read_packed, model, options)) as running:
        for source, reading in outcomes(running, chain(first, sources), ordered=True, ahead=AHEAD):
            try:
                packed = reading.result()
            except WorkerDied as error:
                message = f"the process that read {str(source)!r} {error}: use fewer --workers, or leave the file out"
                raise InksightError(message) from error
            yield _unpack(packed, model)


def _read_packed(model: Classifier, options: Options, source: FilePage) -> bytes:
    """Return a pickled `PageReading` without the model, which the receiver has, and which is larger than all else."""
    packed = BytesIO()
    _Pickler(packed).dump(read_page(source, model, **options))
    return packed.getvalue()


def _unpack(packed: bytes, model: Classifier) -> PageReading:
    reading = _Unpickler(BytesIO(packed), model).load()
    assert isinstance(reading, PageReading)
    return reading


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> str | None:
        return "model" if isinstance(value, (Model, Ensemble)) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BytesIO, model: Classifier) -> None:
        super().__init__(file)
        self.model = model

    def persistent_load(self, name: Any) -> Classifier:
        return self.model
