"""Tasks for worker processes, on this machine or on a Ray cluster: `start_workers`, and `outcomes` of many tasks."""

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol, TypeVar

from inksight._shared.validation import check, is_count
from inksight.errors import InksightError

ENGINES = ("local", "ray")
MAX_COUNT = 1024
PATIENCE = 0.1  # seconds between two looks at whether to stop

Task = TypeVar("Task")
Result = TypeVar("Result")


class WorkerDied(InksightError):
    """A worker process ended before its task was done. The message says how, such as "was ended by SIGKILL"."""


class Workers(Protocol[Result]):
    """Processes that call one function, each for one task at a time."""

    count: int

    def submit(self, task: Any) -> Future[Result]:
        """Return the future result of a task. It raises what the function raised, or `WorkerDied`."""

    def close(self) -> None:
        """End the processes, whatever they do."""


@dataclass(frozen=True)
class Processes:
    """How many processes do the work, and where.

    Parameters
    ----------
    count : int
        Most processes. One starts when there is a task for it.
    threads : int
        Threads of the native engine in each process (``INKSIGHT_THREADS``).
    engine : str
        ``local``, or ``ray`` for the machines of a Ray cluster.
    address : str, optional
        Of the cluster; by default that of ``RAY_ADDRESS``, or else a new one on this machine.

    Raises
    ------
    InputError
        If a value is out of range, or there is an address without a cluster.
    """

    count: int
    threads: int = 1
    engine: str = "local"
    address: str | None = None

    def __post_init__(self) -> None:
        check(is_count(self.count) and self.count <= MAX_COUNT, "workers", self.count, f"1 to {MAX_COUNT}")
        check(is_count(self.threads) and self.threads <= MAX_COUNT, "threads", self.threads, f"1 to {MAX_COUNT}")
        check(self.engine in ENGINES, "engine", self.engine, " or ".join(ENGINES))
        no_address = self.address is None or self.engine == "ray"
        check(no_address, "address", self.address, "left out", "only the engine ray has one")


def processes_for(
    workers: int | None, *, threads: int = 1, engine: str = "local", address: str | None = None
) -> Processes:
    """Return so many processes of an engine; by default, one for each core of this machine or of the cluster."""
    processes = Processes(1 if workers is None else workers, threads, engine, address)
    if workers is not None:
        return processes
    if engine == "ray":
        from inksight._shared.ray_workers import cluster_cores

        return replace(processes, count=min(max(cluster_cores(address) // threads, 1), MAX_COUNT))
    return replace(processes, count=cores())


def start_workers(processes: Processes, function: Callable[..., Result], *shared: object) -> Workers[Result]:
    """Return workers that call ``function(*shared, task)``.

    Parameters
    ----------
    processes : Processes
    function : callable
        A function of a module.
    *shared : object
        Arguments of every call. They are sent once: to each process, or to each machine of a cluster.

    Raises
    ------
    InksightError
        If the cluster cannot be reached.
    MissingDependencyError
        If Ray is not installed.
    """
    if processes.engine == "ray":
        from inksight._shared.ray_workers import RayWorkers

        return RayWorkers(processes, function, shared)
    from inksight._shared.local_workers import LocalWorkers  # which takes long to import

    return LocalWorkers(processes, function, shared)


def outcomes(
    workers: Workers[Result], tasks: Iterable[Task], *, ordered: bool = False, ahead: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[Task, Future[Result]]]:  # fmt: skip
    """Yield each task with its finished future, as the tasks finish or in their order.

    Parameters
    ----------
    workers : Workers
    tasks : iterable
        Taken one by one: at most `ahead` for each worker are under way or wait to be yielded.
    ordered : bool
        Keep the order of the tasks.
    ahead : int
    stop : callable
        Return True to end; asked at least every tenth of a second unless `ordered`.
    """
    tasks = iter(tasks)
    waiting: dict[Future[Result], Task] = {}
    while not stop():
        for task in islice(tasks, ahead * workers.count - len(waiting)):
            waiting[workers.submit(task)] = task
        if not waiting:
            return
        if ordered:
            first = next(iter(waiting))
            if not first.done():
                wait([first])
            finished = {first}
        else:
            finished, _ = wait(waiting, PATIENCE, FIRST_COMPLETED)
        for future in finished:
            yield waiting.pop(future), future


def cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
