"""A service on loopback, with small limits, and clients of it."""

import io
import time

import httpx
import numpy as np
import pytest
from PIL import Image

from inksight import load, load_model
from inksight.serve.application import Service
from inksight.serve.limits import Limits
from inksight.serve.models import Models
from inksight.serve.server import serving

SMALL = Limits(
    body=400_000, pixels=250_000, images=100, values=20_000, requests=8, memory=3_000_000, deadline=3.0, sender=0.5
)


@pytest.fixture(scope="session")
def images():
    return load("mnist").split().test.images[:200]


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
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def request_of(images, **more):
    """Return an inference request for images, whose data are flat."""
    kind = "UINT8" if images.dtype == np.uint8 else "FP32"
    tensor = {"name": "images", "shape": list(images.shape), "datatype": kind, "data": images.ravel().tolist()}
    return {"inputs": [tensor], **more}


def output(answer, name):
    """Return an output of an answer as an array."""
    found = next(each for each in answer["outputs"] if each["name"] == name)
    return np.array(found["data"], np.float32 if found["datatype"] == "FP32" else None).reshape(found["shape"])


def until(condition, seconds=10):
    """Wait until a condition holds, for a bounded time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come to hold"
        time.sleep(0.01)
