"""What the tests of jobs share."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def array_file(mnist, tmp_path_factory):
    """Two thousand images as a NumPy file."""
    path = tmp_path_factory.mktemp("digits") / "digits.npy"
    np.save(path, mnist.images[:2000])
    return path
