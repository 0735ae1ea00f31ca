"""Tasks of worker processes: outcomes in either order, bounded, with deaths as errors of single tasks."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from processes import runs, workers_of
from work import die_at, threads_of_engine, write_number

from inksight import InputError
from inksight._shared.tasks import Processes, WorkerDied, outcomes, processes_for, start_workers

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


def test_a_death_takes_one_task_and_the_others_go_on():
    found = {}
    with closing(start_workers(Processes(2), die_at, 3)) as workers:
        for task, future in outcomes(workers, range(8)):
            error = future.exception()
            found[task] = future.result() if error is None else error
    assert isinstance(found.pop(3), WorkerDied)
    assert found == {task: task**2 for task in (0, 1, 2, 4, 5, 6, 7)}
    assert not workers_of(os.getpid())


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_are_taken_only_ahead_of_what_is_yielded(workers):
    taken = []
    with closing(start_workers(Processes(workers), die_at, -1)) as running:
        tasks = (taken.append(number) or number for number in range(40))  # type: ignore[func-returns-value]
        for position, (task, future) in enumerate(outcomes(running, tasks, ordered=True, ahead=3)):
            assert (task, future.result()) == (position, position**2)
            assert len(taken) <= position + 3 * workers
    assert len(taken) == 40


def test_errors_of_a_task_keep_their_class():
    with closing(start_workers(Processes(1), die_at, "no number")) as workers:
        ((_, future),) = outcomes(workers, [1])
    with pytest.raises(InputError, match="not a number: 'no number'"):
        future.result()


def test_processes_have_their_threads_and_not_the_outputs_of_their_parent(capfd):
    with closing(start_workers(Processes(1, threads=3), threads_of_engine)) as workers:
        ((_, future),) = outcomes(workers, ["loud"])
    assert future.result() == 3
    assert capfd.readouterr() == ("", "")


def test_a_process_that_is_killed_leaves_no_workers(tmp_path):
    code = (
        "from contextlib import closing\n"
        "from pathlib import Path\n"
        "from work import write_number\n"
        "from inksight._shared.tasks import Processes, outcomes, start_workers\n"
        f"with closing(start_workers(Processes(2), write_number, Path({str(tmp_path)!r}))) as workers:\n"
        "    list(outcomes(workers, range(2)))\n"
    )
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    deadline = time.monotonic() + 120
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    children = [int(file.name) for file in tmp_path.iterdir()]
    assert len(children) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(map(runs, children)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(runs, children))


def test_ctrl_c_of_a_terminal_does_not_reach_the_workers(tmp_path):
    with closing(start_workers(Processes(1), write_number, tmp_path)) as workers:
        workers.submit(0)
        deadline = time.monotonic() + 120
        while not (files := list(tmp_path.iterdir())) and time.monotonic() < deadline:
            time.sleep(0.02)
        number = int(files[0].name)
        os.kill(number, signal.SIGINT)
        time.sleep(0.2)
        assert runs(number)
    assert not runs(number)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers must be 1 to 1024, got 0"),
        ({"workers": 1, "threads": 2000}, "threads must be 1 to 1024, got 2000"),
        ({"workers": 1, "engine": "dask"}, "engine must be local or ray, got 'dask'"),
        ({"workers": 1, "address": "auto"}, "address must be left out, got 'auto': only the engine ray has one"),
    ],
)
def test_invalid_options_raise_errors(options, words):
    with pytest.raises(InputError, match=words):
        processes_for(**options)
