"""`Workers`: threads that compute what requests wait for, in batches of whatever is waiting."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Observer(Protocol):
    """What is told of each batch, in the thread that computed it."""

    def __call__(self, name: str, size: int, waited: list[float], seconds: float, /) -> None:
        """Note the size of a batch, how long each job of it waited, and how long it took, in seconds."""
        ...


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    size: int
    future: asyncio.Future[Any]
    since: float


class Workers:
    """Threads that run jobs in the order in which they came.

    A thread takes all jobs that are waiting, up to a size, as one batch, and hands all their results to the event loop
    at once. It never waits for a batch to fill. A job whose future is cancelled is not run.

    Parameters
    ----------
    name : str
    threads : int
    batch : int
        Total size of the jobs of a batch; a larger job is a batch of its own.
    observe : Observer
    """

    def __init__(self, name: str, threads: int, batch: int, observe: Observer) -> None:
        self.name, self.batch, self._observe = name, batch, observe
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], Result], size: int = 1) -> "asyncio.Future[Result]":
        """Return the future of a job, which belongs to the running event loop."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, size, future, time.perf_counter()))
        return future

    def close(self) -> None:
        """Let the threads end after the jobs that are waiting."""
        for _ in self._threads:
            self._jobs.put(None)

    def _run(self) -> None:
        waiting: deque[_Job | None] = deque()  # what was taken from the queue and is not yet computed
        while (job := waiting.popleft() if waiting else self._jobs.get()) is not None:
            batch = self._fill(job, waiting)
            self._compute(batch)

    def _fill(self, job: _Job, waiting: "deque[_Job | None]") -> list[_Job]:
        """Return a batch that starts with a job; `waiting` gets the next one if it does not fit."""
        batch, size = [job], job.size
        while size < self.batch:
            try:
                following = self._jobs.get_nowait()
            except Empty:
                break
            if following is None or size + following.size > self.batch:
                waiting.append(following)
                break
            batch.append(following)
            size += following.size
        return batch

    def _compute(self, batch: list[_Job]) -> None:
        start = time.perf_counter()
        done: list[_Job] = []
        outcomes: list[tuple[asyncio.Future[Any], Any, Exception | None]] = []
        for job in batch:
            if job.future.cancelled():  # asked just before its turn: it may have waited for others of the batch
                continue
            done.append(job)
            try:
                outcomes.append((job.future, job.work(), None))
            except Exception as error:
                outcomes.append((job.future, None, error))
        if not done:
            return
        end = time.perf_counter()
        self._observe(self.name, sum(job.size for job in done), [start - job.since for job in done], end - start)
        try:
            done[0].future.get_loop().call_soon_threadsafe(_deliver, outcomes)
        except RuntimeError:  # the loop is closed: the service has ended
            return


def _deliver(outcomes: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for future, result, error in outcomes:
        if future.done():  # the client left, or the deadline passed
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
