"""What several test files share: a small slice of MNIST and a model trained on it, made once a process."""

import os
import signal

# One thread a worker: the workers already fill the cores, and a result must not depend on how many there are.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np
import pytest
from trials import QUICK, SMALL, Forbidden, Made

from inksight import Dataset, Model, Splits, load
from inksight.engine import library as native
from inksight.training.fit import TrainingResult, fit


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load("mnist")


@pytest.fixture(scope="session")
def digits(mnist: Dataset) -> Splits:
    """4,000 images to train, 500 to validate, 500 to test; every class in each."""
    splits = mnist.split()
    assert splits.validation is not None
    assert splits.test is not None
    return Splits(splits.train[:4000], splits.validation[:500], splits.test[:500])


@pytest.fixture(scope="session")
def small_run(digits: Splits) -> TrainingResult:
    return fit(digits, SMALL, QUICK, progress=False)


@pytest.fixture(scope="session")
def model(small_run: TrainingResult) -> Model:
    return small_run.model


@pytest.fixture(scope="session")
def post_model(mnist: Dataset) -> Model:
    """The post's network after a few steps: enough for its weights to be no longer the starting ones."""
    part = mnist[:1000]
    return fit(Splits(part, None, None), "post", QUICK, epochs=1, progress=False).model


@pytest.fixture(scope="session")
def few(digits):
    """300 images to train and 100 to validate; whoever touches the test images fails."""
    return Splits(digits.train[:300], digits.validation[:100], Forbidden())


@pytest.fixture(params=native.available())
def isa(request):
    """Each instruction set that is here; the best again afterwards."""
    best = native.isa()
    assert native.use(request.param)
    yield request.param
    native.use(best)


@pytest.fixture
def made(monkeypatch):
    Made.every, Made.running, Made.most = (), 0, 0
    monkeypatch.setattr("inksight.experiments.search.Worker", Made)
    return Made


@pytest.fixture
def ctrl_c():
    """Ctrl-C as a terminal has it, also for a process or its children started in the background, which ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
