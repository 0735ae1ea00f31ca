"""Fixtures for several test files: a part of MNIST and models trained on it, made once per process."""

import os
import signal

# One thread per test process for JAX: the processes already fill the cores, and its results depend on their number.
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np
import pytest
import reference
from pages import launched
from trials import QUICK, SMALL, Forbidden, Made

from inksight import Dataset, Model, Splits, load
from inksight.engine import library as native
from inksight.training.fitting import fit
from inksight.training.result import TrainingResult

collect_ignore = ["typing"]  # scripts: collecting doctests would run them


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load("mnist")


@pytest.fixture(scope="session")
def digits(mnist: Dataset) -> Splits:
    """4,000 training, 500 validation and 500 test images, each with every class."""
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
    """The post's network after a few steps, so that its weights differ from the starting ones."""
    return fit(Splits(mnist[:1000]), "post", QUICK, epochs=1, progress=False).model


@pytest.fixture(scope="session")
def post_probabilities(post_model: Model, mnist: Dataset):
    """The last 1,000 images of MNIST, and the probabilities that the reference in NumPy gives for `post_model`."""
    images = mnist.images[-1000:]
    return images, np.concatenate([reference.probabilities(post_model, part) for part in np.split(images, 20)])


@pytest.fixture(scope="session")
def few(digits):
    """300 training and 100 validation images; any use of the test images fails."""
    return Splits(digits.train[:300], digits.validation[:100], Forbidden())


@pytest.fixture(scope="module")
def few_training_digits(digits):
    """Search the nearest neighbours of what is read among 500 digits only: all 50,000 would be slow."""
    few = digits.train[:500]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inksight.reading.page._training_digits", lambda model: (few, model.barcodes(few.images)))
        yield


@pytest.fixture(scope="session")
def browser():
    """Chromium; each page is opened in a profile of its own."""
    with launched() as browser:
        yield browser


@pytest.fixture(params=native.available())
def isa(request):
    """Use each available instruction set; restore the best one afterwards."""
    best = native.isa()
    assert best is not None
    assert native.use(request.param)
    yield request.param
    native.use(best)


@pytest.fixture
def made(monkeypatch):
    """Replace the workers of a sweep by `Made`."""
    Made.every, Made.running, Made.most = (), 0, 0
    monkeypatch.setattr("inksight.experiments.trial_training.start_workers", Made)
    monkeypatch.setattr("inksight.experiments.search.measure_costs", lambda *arguments: {})
    return Made


@pytest.fixture
def ctrl_c():
    """Handle SIGINT like a process in a terminal; a process started in the background ignores it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
