"""Requests to the service, and its answers."""

import io
import time

import numpy as np
from PIL import Image


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
