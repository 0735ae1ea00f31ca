"""What the page computes when it trains is what Python computes: draws, rates, weights, model files, evaluation."""

import hashlib
import json
import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from pages import CHROMIUM

import inksight
from inksight import Dataset, Model, Recipe, Splits
from inksight.augmentation.geometric import draw_lattices
from inksight.config import RECIPES, Augmentation, Bank, Network, get_network
from inksight.engine import library as native
from inksight.engine.trainer import Trainer, flatten
from inksight.nn.history import Epoch, History
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import init_params
from inksight.training.batches import Batches, stack
from inksight.web.mnist import FEW
from inksight.web.training import LIMITS

from .conftest import decoded, encoded

NETWORK = Network((Bank(6, 5, pool=2), Bank(8, 3, separable=True)), dense=7, l2=1e-4)
ALL = Augmentation(rotation=10, shift=2, scale=0.1, shear=0.1, elastic=2, aspect=0.4)
RECIPE = Recipe(2, batch_size=64, learning_rate=0.01, label_smoothing=0.06, muon_scale=1, augmentation=ALL, taper=1)
COUNT = 300  # images: five steps an epoch, the last of which is not full
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs an installed Chromium")


@pytest.fixture(scope="module")
def few(mnist):
    return mnist[:COUNT]


def train_in_page(modules, data, **options):
    values = {"network": NETWORK.to_dict(), "recipe": RECIPE.to_dict(), "seed": 3, "workers": 1, "firstEpoch": 0}
    labels = encoded(data.labels.astype(np.uint8))
    return modules("train", images=encoded(data.images), labels=labels, **values | options)


@pytest.mark.parametrize(("seed", "number", "count"), [(0, 0, 5), (3, 1, 1000), (2**32 - 1, 70, 257)])
def test_random_numbers_are_those_of_numpy(modules, seed, number, count):
    found = modules("draw", network=NETWORK.to_dict(), seed=seed, **{"pass": number}, count=count,
                    augmentation=asdict(ALL), share=0.75)  # fmt: skip
    order = np.random.default_rng([seed, number]).permutation(count)
    np.testing.assert_array_equal(decoded(found["order"], np.int32), order)
    np.testing.assert_array_equal(decoded(found["weights"], np.float32), flatten(init_params(NETWORK, seed)))
    lattices = draw_lattices(seed, number, count, ALL.scaled(0.75))
    np.testing.assert_allclose(decoded(found["lattices"], np.float32), lattices.ravel(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if not recipe.augmentation.pen_style])
def test_the_schedule_is_that_of_the_recipe(modules, name):
    recipe = replace(RECIPES[name], epochs=3)
    batches = Batches(1000, recipe, seed=0, first_epoch=0)
    found = modules("rates", recipe=recipe.to_dict(), images=1000)
    assert (found["steps"], found["size"]) == (batches.steps, batches.size)
    expected = [recipe.learning_rate_at((i + 0.5) / batches.steps) for i in range(batches.steps)]
    np.testing.assert_allclose(found["rates"], expected, rtol=1e-12)
    shares = [(epoch + i / recipe.passes) / 3 for epoch in range(3) for i in range(recipe.passes)]
    np.testing.assert_allclose(found["left"], [1 - recipe.taper * share for share in shares], rtol=1e-12)


def test_training_images_are_normalized_as_in_python(modules, few):
    found = modules("normalize", images=encoded(few.images))
    assert Normalization(**found) == Normalization.fit(few.images)


def test_ten_training_steps_agree_for_any_number_of_workers(modules, few):
    batches = Batches(COUNT, RECIPE, seed=3, first_epoch=4)
    statistics = Normalization.fit(few.images)
    params = init_params(NETWORK, 3)
    trainer = Trainer(NETWORK, RECIPE, params, statistics.mean, statistics.variance, few.images)
    assert batches.steps == 10
    losses, correct = [], []
    for epoch in range(2):
        rates = [RECIPE.learning_rate_at((5 * epoch + i + 0.5) / 10) for i in range(5)]
        taken = trainer.take(stack(list(batches.of_epoch(epoch)), few.labels, rates))
        losses.append(np.dot(taken[0], [64, 64, 64, 64, 44]) / COUNT)
        correct.append(int(taken[1].sum()))
    runs = [train_in_page(modules, few, workers=workers, firstEpoch=4) for workers in (1, 2, 3)]
    for found in runs:
        weights = decoded(found["weights"], np.float32)
        np.testing.assert_allclose(weights, trainer.state.weights, rtol=0, atol=1e-4)
        assert np.abs(weights - flatten(params)).max() > 0.01
        np.testing.assert_allclose(found["losses"], losses, rtol=1e-4)
        assert found["correct"] == correct
        assert found["validated"] == 2 * COUNT
        assert found["weights"] == runs[0]["weights"]  # to the last bit


def test_a_loss_that_becomes_infinite_is_an_error(modules, few):
    with pytest.raises(Exception, match="diverged"):
        train_in_page(modules, few, recipe=replace(RECIPE, learning_rate=1e6, muon_scale=1e6).to_dict())


def test_python_reads_the_models_of_the_page(modules, tmp_path):
    """Numbers that Python and JavaScript write differently, and names with any characters."""
    names = ("é", '"', "\\", "\n", "\x7f", "𝟙", "<b>", "", "a" * 50, "0")
    rows = [
        Epoch(1, 2.5, 0.25, 1e-7, 1.0, 1e-05, 12.0), Epoch(2, 1e16, 0.5, 123456789.125, 0.9943, 0.0001, 0.1 + 0.2),
        Epoch(3, 1.5e21, 0.5, 1e-300, 0.0, 6.4e-5, 3.0),
    ]  # fmt: skip
    params = init_params(NETWORK, 0)
    recipe = replace(RECIPES["seconds"], epochs=3, learning_rate=3e-5)
    statistics = Normalization(0.13, 0.094, 784)
    run = {
        "network": NETWORK.to_dict(), "recipe": recipe.to_dict(), "classNames": names, "images": COUNT,
        "normalization": asdict(statistics), "history": [asdict(row) for row in rows],
    }  # fmt: skip
    content = decoded(modules("writeModel", run=run, weights=encoded(flatten(params)), epochs=2), np.uint8)
    (tmp_path / "page.safetensors").write_bytes(content.tobytes())
    model = inksight.load_model(tmp_path / "page.safetensors")
    assert model.class_names == names
    assert model.network == NETWORK
    assert model.recipe == replace(recipe, epochs=2)
    assert model.normalization == statistics
    assert model.history == History(tuple(rows[:2]))
    assert model.trained_on == ""
    for name, array in params.items():
        np.testing.assert_array_equal(model.params[name], array)
    again = modules("readModel", bytes=encoded(content))
    assert again == {"digest": model.digest, "own": model.digest, "names": list(names)}


def test_the_page_reads_the_models_of_python(modules, tmp_path, mnist):
    names = ("ä", '"<i>', "cat", "dog")
    data = Dataset(mnist.images[:40], np.arange(40) % 4, "mine", names)
    trained = inksight.train(Splits(data), "3x3p,4x3s,d5", Recipe(epochs=2, batch_size=20), progress=False)
    assert any(math.isnan(row.val_loss) for row in trained.history.rows)  # which is not JSON, but written by Python
    for model in (trained, inksight.load_model("post"), inksight.load_model("tiny"), inksight.load_model("reader")):
        model.save(tmp_path / "model.safetensors")
        content = np.fromfile(tmp_path / "model.safetensors", np.uint8)
        found = modules("readModel", bytes=encoded(content))
        assert found == {"digest": model.digest, "own": model.digest, "names": list(model.class_names)}
    for damaged in (content[:-4], content[:100], content[:0], np.frombuffer(b"label,pixel0\n1,0\n", np.uint8)):
        assert "error" in modules("readModel", bytes=encoded(damaged))
    flipped = content.copy()
    flipped[-2] ^= 1
    assert modules("readModel", bytes=encoded(flipped)) == {"error": "checksum"}
    renamed = np.frombuffer(content.tobytes().replace(b'\\"version\\": \\"', b'\\"version\\": \\"9', 1)[:-1], np.uint8)
    assert "error" in modules("readModel", bytes=encoded(renamed))


def test_json_is_that_of_python(modules):
    values: dict[str, Any] = {
        "b": [1, 1.0, -0.5, 1e-5, 1e16, 1.5e300, 2**53 - 1, True, None, []], "a": {"é\n": "𝟙\x7f/", "A": {}},
    }  # fmt: skip
    dumped, plain = modules("pythonJson", text=json.dumps(values))
    assert dumped == json.dumps(values, sort_keys=True)
    assert json.loads(plain) == values
    for wrong in ("", "{", "[1,]", '{"a" 1}', "[1] 2", "nul", "{1: 2}", "[1 2]"):
        with pytest.raises(Exception, match="JSON"):
            modules("pythonJson", text=wrong)


def test_hashes_are_sha_256(modules):
    texts = [bytes(range(256))[:size] * times for size, times in ((0, 1), (3, 1), (55, 1), (56, 1), (64, 1), (251, 90))]
    assert modules("hash", texts=[encoded(np.frombuffer(text, np.uint8)) for text in texts]) == [
        hashlib.sha256(text).hexdigest() for text in texts
    ]


def test_a_worker_evaluates_as_python_does(modules, mnist):
    data = mnist.split().test[:1500]
    model = inksight.load_model("post")
    found = modules("evaluate", images=encoded(data.images), labels=encoded(data.labels.astype(np.uint8)))
    expected = inksight.evaluate(model, data)
    np.testing.assert_array_equal(found["predicted"], model.predict(data.images))
    np.testing.assert_array_equal(np.reshape(found["confusion"], (10, 10)), expected.confusion)
    log_p = model.log_probabilities(data.images)
    assert found["loss"] == pytest.approx(-log_p[np.arange(1500), data.labels].sum(), rel=1e-4)
    assert (found["count"], found["correct"]) == (1500, np.trace(expected.confusion))


@pytest.mark.parametrize(("part", "count"), [("train", 700), ("test", None), ("validation", 250)])
def test_the_digits_of_the_page_are_those_of_python(modules, mnist, part, count):
    found = modules("mnist", part=part, count=count)
    expected = mnist.split().parts[part][:count] if count else mnist.split().parts[part]
    np.testing.assert_array_equal(decoded(found["images"], np.uint8), expected.images.ravel())
    np.testing.assert_array_equal(decoded(found["labels"], np.uint8), expected.labels)
    assert not found["shares"] or found["shares"][-1] == 1


def test_python_allows_all_that_the_page_offers():
    """Both ends of each range: a model that is trained in the page can be read."""
    assert LIMITS["kernel"] == [size for size in range(1, 9) if size in (1, 3, 5, 7)]
    for end in (0, 1):
        at = {name: limits[end] for name, limits in LIMITS.items()}
        Network((Bank(int(at["filters"]), 1),) * int(at["banks"]), dense=int(at["dense"]))
        names = ("rotation", "shift", "scale", "shear", "elastic", "aspect")
        augmentation = Augmentation(**{name: at[name] for name in names})
        Recipe(
            int(at["epochs"]), int(at["batch_size"]), at["learning_rate"], label_smoothing=at["label_smoothing"],
            augmentation=augmentation,
        )  # fmt: skip
    for name, recipe in RECIPES.items():
        for field in ("epochs", "batch_size", "learning_rate", "label_smoothing"):
            low, high = LIMITS[field]
            assert low <= getattr(recipe, field) <= high, name
    assert LIMITS["images"][0] <= FEW["train"] <= LIMITS["images"][1]
    assert Model.untrained(get_network("best")).network.banks[0].filters <= LIMITS["filters"][1]
    assert native.computes()
