"""`RayWorkers`: processes on the machines of a Ray cluster.

Ray places the tasks, and starts a task again whose process or machine is lost.
"""

import logging
import os
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from inksight._shared.local_workers import environment
from inksight._shared.tasks import Processes, WorkerDied
from inksight.errors import InksightError, MissingDependencyError

RETRIES = 3  # of a task whose process or machine was lost

Result = TypeVar("Result")


class RayWorkers(Generic[Result]):
    """Processes of a Ray cluster; see `inksight._shared.tasks.start_workers`."""

    def __init__(self, processes: Processes, function: Callable[..., Result], shared: tuple[object, ...]) -> None:
        ray = connect(processes.address)
        self.count = processes.count
        self._work = ray.put((function, shared, Path.cwd()))  # sent once to each machine
        self._environment = environment(processes.threads)
        self._call = ray.remote(num_cpus=processes.threads, max_retries=RETRIES)(_call)
        self._running: set[Any] = set()

    def submit(self, task: object) -> Future[Result]:
        """Return the future result of a task."""
        from ray.exceptions import RayError, RayTaskError

        reference = self._call.remote([self._work], self._environment, task)
        self._running.add(reference)
        future: Future[Result] = Future()

        def finish(done: Future[Any]) -> None:
            self._running.discard(reference)
            try:
                future.set_result(done.result())
            except RayTaskError as error:
                future.set_exception(error.cause)
            except RayError as error:
                future.set_exception(WorkerDied(f"was lost in each of {RETRIES + 1} attempts ({type(error).__name__})"))

        reference.future().add_done_callback(finish)
        return future

    def close(self) -> None:
        """End the tasks. Ray itself stays connected until this process ends, as its own libraries leave it."""
        import ray

        for reference in list(self._running):
            ray.cancel(reference, force=True)


def connect(address: str | None) -> ModuleType:
    """Connect this process to a cluster, or start one on this machine, unless it is connected; return Ray.

    Raises
    ------
    InksightError
        If the cluster cannot be reached.
    MissingDependencyError
        If Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError("the engine ray needs Ray: pip install 'inksight[ray]'") from error
    if ray.is_initialized():
        return ray
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address, include_dashboard=None if address else False, log_to_driver=False, logging_level=logging.ERROR
        )
    except Exception as error:  # a cluster that starts too slowly is an `Exception` of no other class
        where = address or os.environ.get("RAY_ADDRESS") or "on this machine"
        reason = " ".join(str(error).split())[:200]
        raise InksightError(
            f"cannot reach the Ray cluster {where}: {reason}; give the address that `ray start --head` printed"
        ) from error
    return ray


def cluster_cores(address: str | None) -> int:
    """Return the number of cores of a cluster; see `connect`."""
    resources: dict[str, float] = connect(address).cluster_resources()
    return int(resources.get("CPU", 1))


# What runs in the processes.


def _call(work: list[Any], environment: dict[str, str], task: object) -> object:
    os.environ.update(environment)  # before the native engine is loaded
    function, shared = _held(work[0])
    return function(*shared, task)


@cache
def _held(work: Any) -> tuple[Callable[..., object], tuple[object, ...]]:
    """Return what every call needs, which a process keeps. Let relative names mean what they do for the caller."""
    import ray

    function, shared, folder = ray.get(work)
    with suppress(OSError):  # a machine may lack the folder, and need no relative names
        os.chdir(folder)
    return function, shared
