"""The engine in forked and spawned processes, whatever the parent did before."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inksight.engine import library as native

DEADLINE = 300  # seconds: far more than is needed, so that only a hang exceeds it
pytestmark = pytest.mark.skipif(native.library() is None, reason="the native engine is not built here")


@pytest.mark.parametrize("before", ["nothing", "threads", "predict", "train"])
def test_processes_of_every_kind_predict_and_train_as_their_parent_does(before):
    command = [sys.executable, "-W", "error", Path(__file__).with_name("forked.py"), before]
    env = os.environ | {"INKSIGHT_THREADS": "2"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "os.fork", "pool, fork", "executor, fork", "executor, forkserver", "executor, spawn", "loky",
    ]  # fmt: skip


FORK_WHILE_PREDICTING = """
import os, threading, numpy as np, inksight
model, images, stop = inksight.load_model("tiny"), np.zeros((4096, 28, 28), np.uint8), threading.Event()
expected = model.probabilities(images[:64])
def predict():
    while not stop.is_set():
        model.probabilities(images)
threads = [threading.Thread(target=predict) for _ in range(2)]
for thread in threads: thread.start()
codes = []
for _ in range(40):
    child = os.fork()
    if not child:
        os._exit(0 if np.array_equal(model.probabilities(images[:64]), expected) else 1)
    codes.append(os.waitpid(child, 0)[1])
stop.set()
for thread in threads: thread.join()
print(codes == [0] * 40, np.array_equal(model.probabilities(images[:64]), expected))
"""


def test_a_process_forked_while_other_threads_predict_can_predict():
    env = os.environ | {"INKSIGHT_THREADS": "3"}
    command = [sys.executable, "-c", FORK_WHILE_PREDICTING]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=DEADLINE)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_a_process_may_end_while_its_threads_predict():
    code = (
        "import threading, time, numpy as np, inksight\n"
        "model, images = inksight.load_model('best'), np.zeros((500, 28, 28), np.uint8)\n"
        "def predict():\n"
        "    while True:\n"
        "        model.probabilities(images)\n"
        "for _ in range(4):\n"
        "    threading.Thread(target=predict, daemon=True).start()\n"
        "time.sleep(0.2)\n"
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE)
        assert (done.returncode, done.stderr) == (0, "")
