"""The engine for WebAssembly that ships, built by tools/build_wasm.py, agrees with the one for this machine."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import reference

import inksight
from inksight.config import Recipe
from inksight.engine import library as native
from inksight.engine.interface import ABI, PROBLEMS, TrainingRecipe
from inksight.engine.trainer import Steps, Trainer, flatten
from inksight.imaging import preprocessing
from inksight.nn.parameters import flatten_weights

HERE = Path(__file__).parent
MODULE = Path(inksight.__file__).parent / "assets" / "engine.wasm"
NODE = shutil.which("node")
VECTORS = json.loads((HERE.parent / "imaging" / "vectors" / "prepare.json").read_text())
STEPS, SIZE = 10, 21  # training steps, and images in each: a lane group, and five in another
RECIPE = Recipe(1, label_smoothing=0.1, muon_scale=0.3, beta2=0.95)
COUNT = 37  # images: two lane groups, and five that are predicted one by one
pytestmark = pytest.mark.skipif(NODE is None or not native.computes(), reason="needs Node and the native engine")


def encoded(array):
    """Return an array's bytes in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def decoded(text, dtype):
    """Return the array whose bytes are `text` in base64."""
    return np.frombuffer(base64.b64decode(text), dtype)


def pictures():
    """Return the pictures of the shared vectors, brightness 0..1."""
    return [decoded(v["picture"], np.uint8).reshape(v["height"], v["width"]) / 255 for v in VECTORS]


def make_steps(classes):
    """Return random training steps, in which half of the images count for nothing."""
    rng = np.random.default_rng(0)
    lattices = reference.IDENTITY_LATTICE + rng.normal(size=(STEPS, SIZE, 2, 5, 5))
    return Steps(
        rng.integers(0, COUNT, (STEPS, SIZE), np.int32), rng.uniform(-1, 1, (STEPS, SIZE)).clip(0).astype(np.float32),
        lattices.astype(np.float32), rng.integers(0, classes, (STEPS, SIZE), np.int32), np.full(STEPS, 3e-3),
    )  # fmt: skip


def train(model, images):
    """Take the steps on the native engine's baseline build; return its losses, numbers of correct images and state."""
    best = native.isa() or ""
    native.use(native.available()[-1])
    try:
        normalization = model.normalization
        trainer = Trainer(model.network, RECIPE, model.params, normalization.mean, normalization.variance, images)
        return *trainer.take(make_steps(model.network.classes)), trainer.state
    finally:
        native.use(best)


def training_input(model):
    """Return the steps, with the recipe and the weights to start from, for WebAssembly."""
    steps, weights = make_steps(model.network.classes), flatten(model.params)
    recipe = [model.network.l2 if name == "l2" else getattr(RECIPE, name) for name, _ in TrainingRecipe._fields_]
    names = {"rows": "rows", "weights": "weights", "lattices": "lattices", "labels": "answers", "rates": "rates"}
    batches = {name: encoded(getattr(steps, attribute)) for name, attribute in names.items()}
    return {
        "recipe": recipe, "steps": STEPS, "size": SIZE, "batches": batches, "weights": encoded(weights),
        "parameters": weights.size,
    }  # fmt: skip


@pytest.fixture(scope="module", params=["post", "tiny"])
def both(request, tmp_path_factory):
    """A model, its images' stages and its training, and what WebAssembly computes for them and the shared vectors."""
    model = inksight.load_model(request.param)
    test = inksight.load("mnist").split().test
    assert test is not None
    network, images = model.network, test.images[:COUNT]
    stages = model.activations(images)
    constants = preprocessing._preprocessor().constants
    values = {
        "constants": [getattr(constants, name) for name, _ in constants._fields_],
        "pictures": [{name: vector[name] for name in ("height", "width", "picture")} for vector in VECTORS],
        "banks": [[bank.filters, bank.kernel, bank.pool, int(bank.separable)] for bank in network.banks],
        "dense": network.dense, "classes": network.classes, "leak": network.leak,
        "mean": model.normalization.mean, "variance": model.normalization.variance,
        "weights": encoded(flatten_weights(network, model.params)), "images": encoded(images), "n": COUNT,
        "stages": {name: int(np.prod(array.shape[1:])) for name, array in stages.items()},
        "training": training_input(model),
    }  # fmt: skip
    path = tmp_path_factory.mktemp("wasm") / "input.json"
    path.write_text(json.dumps(values))
    command = [str(NODE), HERE / "wasm.mjs", MODULE, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return model, stages, images, json.loads(done.stdout)


def test_it_was_built_from_this_interface(both):
    *_, computed = both
    assert computed["abi"] == ABI


def test_preprocessing_agrees_to_the_last_bit(both):
    *_, computed = both
    assert len(computed["prepared"]) == len(VECTORS) >= 6
    for vector, picture, found in zip(VECTORS, pictures(), computed["prepared"], strict=True):
        expected = preprocessing.prepare_grayscale(picture)
        assert found["image"] == vector["image"] == encoded(expected.image)
        assert found["gray"] == encoded(expected.grayscale)
        assert found["ink"] == encoded(expected.ink)
        height, width, *box, dark, ambiguous, problem = found["found"]
        assert ((height, width), tuple(box)) == (expected.grayscale.shape, expected.box)
        assert (bool(dark), bool(ambiguous)) == (expected.dark, expected.polarity_ambiguous)
        assert PROBLEMS[problem] == (expected.problem or "")


def test_every_stage_of_a_prediction_agrees(both):
    _, stages, _, computed = both
    assert computed["predicted"].keys() == stages.keys()
    for name, expected in stages.items():
        values = decoded(computed["predicted"][name], np.float32).reshape(expected.shape)
        scale = float(np.abs(expected).max())
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-5 * max(scale, 1), err_msg=name)


def test_ten_training_steps_agree(both):
    model, _, images, computed = both
    losses, correct, state = train(model, images)
    trained = computed["trained"]
    np.testing.assert_allclose(decoded(trained["losses"], np.float64), losses, rtol=1e-4)
    np.testing.assert_array_equal(decoded(trained["correct"], np.int64), correct)
    assert decoded(trained["steps"], np.int64) == state.steps == STEPS
    moved = np.abs(state.weights - flatten(model.params)).max()
    for text, expected in zip(trained["state"], (state.weights, state.first, state.second), strict=True):
        tolerance = 1e-4 * min(np.abs(expected).max(), 1)
        np.testing.assert_allclose(decoded(text, np.float32), expected, rtol=0, atol=tolerance)
    assert moved > 0.01  # a hundred times the tolerance
