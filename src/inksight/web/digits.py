"""The training digits among which the page looks for the nearest ones: a file that it loads when they are asked for."""

import gzip
from functools import cache

import numpy as np

from inksight.data.loading import load
from inksight.inspection.barcodes import rows_of_each

EACH = 200  # digits of each class: 2,000 are compared in a moment, and take a third of a megabyte


@cache
def training_digits() -> bytes:
    """Return the labels (n,) and the images (n, 28, 28) of some training digits of MNIST, as bytes, compressed.

    The page computes their barcodes itself, so that they are those of the network that a visitor has edited.
    """
    training = load("mnist").split().train
    rows = np.concatenate(rows_of_each(training, EACH, None))
    labels = training.require_labels("the page")[rows].astype(np.uint8)
    return gzip.compress(labels.tobytes() + training.images[rows].tobytes(), 9, mtime=0)
