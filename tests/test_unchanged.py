"""Results that must not change: the weights that a seed gives, and what is read on fixed pages.

Run on the portable build, so that they are the same on every x86-64 machine.
"""

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest

import inksight
from inksight.engine import library as native

TRAINING = """
import json, inksight
from inksight import Augmentation, Recipe, Splits
mnist = inksight.load("mnist").split()
splits = Splits(mnist.train[:600], mnist.validation[:200])
recipe = Recipe(
    epochs=2, batch_size=64, learning_rate=1e-2, beta1=0.8, beta2=0.95, label_smoothing=0.05, muon_scale=0.3, taper=0.5,
    augmentation=Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=2, aspect=0.2, pen_style=0.3),
)
networks = ("8x5p,12x3,d10", "4x3p,6x3s,8x3s")
print(json.dumps([inksight.train(splits, network, recipe, progress=False, seed=3).digest for network in networks]))
"""
DIGESTS = [
    "97d1f3646ba41f5ae77611e54ace29ff1ce9f4a0767102fee7d82a2ab8ca37ae",
    "4a18035a054348bab1946e6109ad0f3ca3c76f741e19fd56824063775ddc4b18",
]


@pytest.mark.skipif(not native.computes(), reason="only the native engine's sums are the same on every machine")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the digests are those of x86-64")
def test_a_seed_gives_the_same_weights_as_ever():
    environment = os.environ | {"INKSIGHT_ISA": "portable"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRAINING], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == DIGESTS


def test_fixed_pages_are_read_as_ever():
    test = inksight.load("mnist").split().test
    assert test is not None
    digits = test.images
    rng = np.random.default_rng(0)
    page = np.full((200, 620), 235.0) - 40 * np.linspace(0, 1, 620)
    for number, digit in enumerate(digits[:12]):
        row, column = divmod(number, 6)
        ink = digit.repeat(3, axis=0).repeat(3, axis=1)
        top, left = 8 + 96 * row, 10 + 100 * column
        page[top : top + 84, left : left + 84] -= 0.7 * ink
    page = np.clip(page + rng.normal(0, 4, page.shape), 0, 255).astype(np.uint8)
    reading = inksight.read(page)
    assert reading.text == "721041\n495906"
    assert [digit.box for digit in reading][:3] == [(28, 29, 46, 60), (133, 17, 50, 60), (243, 20, 22, 60)]
    assert str(inksight.read(255 - page)) == str(reading)
