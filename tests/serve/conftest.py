"""A service on loopback, with small limits, and clients of it."""

import httpx
import numpy as np
import pytest
from service import png

from inksight import load, load_model
from inksight.serve.application import Service
from inksight.serve.limits import Limits
from inksight.serve.models import Models
from inksight.serve.server import serving

SMALL = Limits(
    body=400_000, pixels=250_000, images=100, values=20_000, requests=8, memory=3_000_000, deadline=60.0, sender=2.0
)


@pytest.fixture(scope="session")
def images():
    return load("mnist").split().parts["test"].images[:200]


@pytest.fixture(scope="session")
def tiny():
    return load_model("tiny")


@pytest.fixture(scope="session")
def page(images):
    """A PNG file of three digits: 7, 2 and 1."""
    return png(255 - np.hstack(images[:3]).repeat(3, axis=0).repeat(3, axis=1))


@pytest.fixture(scope="module")
def service():
    return Service(Models({"reader": "reader", "tiny": "tiny"}), limits=SMALL)


@pytest.fixture(scope="module")
def address(service):
    with serving(service) as address:
        yield address.rstrip("/")


@pytest.fixture
def client(address):
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client
