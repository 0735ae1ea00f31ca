"""`LocalWorkers`: processes on this machine, by loky.

Each process is a loky executor of its own. When a process dies, its executor is lost with all its tasks. A single
executor could not tell which task was to blame, and would take the other processes with it.
"""

import os
import re
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

from loky import BrokenProcessPool, ProcessPoolExecutor

from inksight._shared.tasks import Processes, WorkerDied
from inksight.errors import InksightError

Result = TypeVar("Result")


class LocalWorkers(Generic[Result]):
    """Processes that inherit nothing of this one's memory; see `inksight._shared.tasks.start_workers`.

    They end with this process, however it ends. A script that starts them needs no ``if __name__ == "__main__"``.
    """

    def __init__(self, processes: Processes, function: Callable[..., Result], shared: tuple[object, ...]) -> None:
        self.count = processes.count
        self._alive, self._ours = Pipe(duplex=False)  # the second end is closed when this process ends
        self._setup = (self._alive, function, shared)
        self._environment = environment(processes.threads) | _interpreter_environment()
        self._lock, self._closed = threading.Lock(), False
        self._waiting: deque[tuple[object, Future[Result]]] = deque()
        self._running: set[ProcessPoolExecutor] = set()
        self._idle: list[ProcessPoolExecutor] = []

    def submit(self, task: object) -> Future[Result]:
        """Return the future result of a task."""
        future: Future[Result] = Future()
        self._waiting.append((task, future))
        self._assign()
        return future

    def _assign(self) -> None:
        """Give a waiting task to an idle process, or to a new one."""
        with self._lock:
            if self._closed or not self._waiting or not (self._idle or len(self._running) < self.count):
                return
            task, future = self._waiting.popleft()
            try:
                process = self._idle.pop() if self._idle else self._start()
                with _ctrl_c_blocked():  # this thread may be the main one, and the first task starts the process
                    done = process.submit(_call, task)
            except OSError as error:  # too many processes or open files, or too little memory
                future.set_exception(InksightError(f"cannot start a process: {error.strerror}; use fewer workers"))
                return
        done.add_done_callback(partial(self._finish, process, future))

    def _start(self) -> ProcessPoolExecutor:
        process = ProcessPoolExecutor(1, timeout=None, initializer=_set_up, initargs=self._setup, env=self._environment)
        self._running.add(process)
        return process

    def _finish(self, process: ProcessPoolExecutor, future: Future[Result], done: Future[Result]) -> None:
        """Pass on the result of a process, and give it another task. A thread of its executor calls this."""
        error = done.exception()
        with self._lock:
            if isinstance(error, BrokenProcessPool):
                self._running.discard(process)  # so that the next task starts another one
                error = WorkerDied(_describe_end(str(error)))
            else:
                self._idle.append(process)
        self._assign()
        if error is None:
            future.set_result(done.result())
        else:
            future.set_exception(error)

    def close(self) -> None:
        """Kill the processes."""
        with self._lock:
            self._closed = True
        for process in list(self._running):
            process.shutdown(kill_workers=True)
        self._alive.close()
        self._ours.close()


def environment(threads: int) -> dict[str, str]:
    """Return the environment variables by which the engine of a process, native or JAX, uses so many threads."""
    variables = {"INKSIGHT_THREADS": str(threads)}
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
        variables["XLA_FLAGS"] = flags.strip()
    return variables


def _interpreter_environment() -> dict[str, str]:
    """Return the environment variables by which a process imports the same modules as this one.

    A module in the current folder does not take the place of one of Python's.
    """
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Block SIGINT in this thread. What it starts inherits that: the terminal's Ctrl-C must not end the processes."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _describe_end(message: str) -> str:
    """Return how a process ended, from the message of loky.

    Examples
    --------
    >>> _describe_end("exit codes of the workers are {SIGKILL(-9)}"), _describe_end("... are {EXIT(3)}")
    ('was ended by SIGKILL', 'exited with code 3')
    """
    if name := re.search(r"\b(SIG\w+)\(-\d+\)", message):
        return f"was ended by {name[1]}"
    code = re.search(r"\bEXIT\((\d+)\)", message)
    return f"exited with code {code[1]}" if code else "ended unexpectedly"


# What runs in the processes.

_work: Callable[[Any], Any]


def _set_up(alive: Connection, function: Callable[..., object], shared: tuple[object, ...]) -> None:
    """Prepare a process for its tasks."""
    global _work
    _work = lambda task: function(*shared, task)  # noqa: E731
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in (1, 2):  # what a library prints must not get among the output of the command
        os.dup2(nowhere, output)
    if sys.platform == "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        os.setsid()  # Linux divides the processor's time among sessions before it does among processes
    threading.Thread(target=_end_with_parent, args=(alive,), daemon=True).start()


def _end_with_parent(alive: Connection) -> None:
    """End this process when the one that started it has ended and so closed its end of the pipe."""
    alive.poll(None)
    os._exit(1)


def _call(task: object) -> object:
    return _work(task)
