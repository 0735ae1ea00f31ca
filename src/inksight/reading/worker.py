"""`Worker`: a process that reads one page after another; its input, its start and its work.

Pages of files go in and readings come out as pickles, through pipes that no other process can write to.
"""

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any

from inksight._shared.process import describe_end, start_worker
from inksight.errors import InksightError
from inksight.imaging.file_pages import FilePage
from inksight.nn.ensemble import Ensemble
from inksight.nn.ensemble_file import Classifier
from inksight.nn.model import Model
from inksight.reading.page_reading import PageReading, read_page


class Worker:
    """A process that reads pages with one model. It ends when this process does.

    Parameters
    ----------
    threads : int
        Threads of the engine (``INKSIGHT_THREADS``).
    """

    def __init__(self, threads: int) -> None:
        self.process = start_worker(__name__, threads=threads, stdout=subprocess.PIPE)

    def send(self, *values: object) -> None:
        """Send the model and the options of `read_page`, or a page."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # the process has ended, which `receive` will tell
            self.process.stdin.write(pickle.dumps(values))
            self.process.stdin.flush()

    def receive(self, source: FilePage, model: Classifier) -> PageReading:
        """Return the reading of `source`, which was sent, with `model` as the model of its digits.

        Raises
        ------
        InksightError
            If the process has ended, as when the system kills it for its memory.
        """
        assert self.process.stdout is not None
        try:
            reading = _Unpickler(self.process.stdout, model).load()
        except (EOFError, pickle.UnpicklingError) as error:
            end = describe_end(self.process.wait())
            message = f"the process that read {str(source)!r} {end}: use fewer --workers, or leave the file out"
            raise InksightError(message) from error
        if isinstance(reading, Exception):  # a bug, which looks the same in any process
            raise reading
        assert isinstance(reading, PageReading)
        return reading

    def stop(self) -> None:
        """Kill the process."""
        with suppress(BrokenPipeError), self.process as process:  # leaving it closes the pipes
            process.kill()


class _Pickler(pickle.Pickler):
    """Leaves out the model, which the receiver has, and which is larger than all else."""

    def persistent_id(self, value: object) -> str | None:
        return "model" if isinstance(value, (Model, Ensemble)) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], model: Classifier) -> None:
        super().__init__(file)
        self.model = model

    def persistent_load(self, name: Any) -> Classifier:
        return self.model


def main() -> None:
    """Read the pages that come from standard input; write the readings to standard output."""
    pages = sys.stdin.buffer
    readings = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the readings
    with suppress(EOFError, BrokenPipeError):  # the process that started this one has ended
        model, options = pickle.load(pages)
        while True:
            reading: PageReading | Exception
            (source,) = pickle.load(pages)
            try:
                reading = read_page(source, model, **options)
            except Exception as error:
                reading = error
            _Pickler(readings).dump(reading)
            readings.flush()


if __name__ == "__main__":
    main()
