"""`Model`: images it accepts, its activations, and its file, whole and damaged."""

import contextlib
import copy
import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from safetensors.numpy import save
from trials import QUICK, TINY

from inksight import InputError, Model, load_model, train
from inksight.config import NETWORKS, Bank, Network, Recipe
from inksight.nn.model_file import FORMAT
from inksight.nn.normalization import Normalization


def test_all_accepted_forms_of_an_image_give_the_same_probabilities(model, mnist):
    image = mnist.images[3]
    expected = model.probabilities(image[None])
    scaled = image / 255
    for form in (
        image,
        image[..., None],
        image[None, ..., None],
        scaled,
        scaled.astype(np.float32),
        scaled.tolist(),
    ):
        np.testing.assert_allclose(model.probabilities(form), expected, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 31, 33, 513])
def test_any_number_of_images_is_predicted_in_order(model, mnist, n):
    images = mnist.images[:n]
    one_by_one = [model.barcodes(image)[0] for image in images[:: max(n // 3, 1)]]
    barcodes = model.barcodes(images)
    assert barcodes.shape == (n, 12)
    for image, expected in zip(barcodes[:: max(n // 3, 1)], one_by_one, strict=True):
        np.testing.assert_allclose(image, expected, rtol=1e-4, atol=1e-5)
    assert model.predict(images).shape == (n,)
    np.testing.assert_array_equal(model.predict(images), model.probabilities(images).argmax(axis=1))


def test_activations_agree_with_predictions(model, mnist):
    images = mnist.images[:5]
    stages = model.activations(images)
    np.testing.assert_allclose(stages["probabilities"], model.probabilities(images), atol=1e-6)
    np.testing.assert_allclose(model.logits_from_barcodes(stages["barcode"]), stages["logits"], atol=1e-5)
    assert set(model.activations(images, only=["bank1"])) == {"bank1"}


def test_filters_are_the_transposed_kernels(model):
    assert model.filters(1).shape == (8, 1, 5, 5)
    assert model.filters(2).shape == (12, 8, 3, 3)
    np.testing.assert_array_equal(model.filters(2)[7, 3], model.params["bank2.kernel"][:, :, 3, 7])


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (
            np.zeros((2, 27, 28), np.uint8),
            "shape of images must be (28, 28) to (n, 28, 28, 1), got (2, 27, 28)",
        ),
        (np.zeros((2, 28, 28, 3), np.uint8), "got (2, 28, 28, 3)"),
        (np.zeros(784, np.uint8), "got (784,)"),
        (np.zeros((28, 28), np.int64), "type of images must be uint8, or float"),
        (np.full((28, 28), 255.0), "range of float images must be 0 to 1, got (255.0, 255.0): divide by"),
        (np.full((28, 28), np.nan), "range of float images must be"),
        (np.full((28, 28), -0.1), "range of float images must be"),
        ("digit", "images must be an array"),
    ],
)
def test_invalid_images_raise_errors(model, images, words):
    with pytest.raises(InputError) as caught:
        model.predict(images)
    assert words in str(caught.value)


def test_unknown_banks_and_stages_raise_errors(model, mnist):
    with pytest.raises(InputError, match="bank must be 1 to 2, got 3"):
        model.filters(3)
    with pytest.raises(InputError, match="stage must be one of normalized, bank1"):
        model.activations(mnist.images[0], only=["bank9"])
    with pytest.raises(InputError, match="shape of barcodes"):
        model.logits_from_barcodes(np.zeros((2, 13)))


def test_model_file_round_trip(model, tmp_path):
    path = tmp_path / "m.safetensors"
    model.save(path)
    loaded = load_model(path)
    assert loaded.digest == model.digest
    assert (loaded.network, loaded.recipe, loaded.class_names) == (model.network, model.recipe, model.class_names)
    assert (loaded.history, loaded.trained_on, loaded.version) == (model.history, model.trained_on, model.version)
    assert np.isnan(loaded.history["seconds"]).all()
    again = tmp_path / "again.safetensors"
    loaded.save(again)
    assert again.read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.safetensors", "m.safetensors"]


def test_two_trainings_with_one_seed_write_the_same_bytes(few, tmp_path):
    contents, times = [], []
    for _ in range(2):
        model = train(few, TINY, QUICK, progress=False)
        model.save(tmp_path / "m.safetensors")
        contents.append((tmp_path / "m.safetensors").read_bytes())
        times.append(model.history["seconds"].tolist())
    assert contents[0] == contents[1]
    assert times[0] != times[1]


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "m.safetensors"
    model.save(path)
    return path.read_bytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_raise_errors(saved, tmp_path, data):
    damaged = bytearray(saved)
    kind = data.draw(st.sampled_from(("flip", "cut", "append", "early flip")))
    position = data.draw(st.integers(0, (3000 if kind == "early flip" else len(saved)) - 1))
    if "flip" in kind:
        damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del damaged[position:]
    else:
        damaged += b"x"
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(damaged)
    with contextlib.suppress(InputError):
        # Only a flip in the padding of the header can go unnoticed: it changes nothing.
        assert Model.load(path).digest == Model.load(_write(tmp_path / "whole.safetensors", saved)).digest


def _write(path, content):
    path.write_bytes(content)
    return path


def test_edited_header_raises_an_error(model, saved, tmp_path):
    edited = saved.replace(b'\\"leak\\": 0.1', b'\\"leak\\": 0.2')
    assert edited != saved
    with pytest.raises(InputError, match="checksum"):
        Model.load(_write(tmp_path / "m.safetensors", edited))


def test_missing_fields_of_older_recipes_have_defaults():
    old = Recipe(epochs=3).to_dict()
    for name in ("label_smoothing", "muon_scale", "momentum", "taper"):
        del old[name]
    banks = [{"filters": 4, "kernel": 5, "pool": 2}]
    assert Recipe.from_dict(old) == Recipe(epochs=3, label_smoothing=0, muon_scale=0, taper=0)
    assert Network.from_dict({"banks": banks}) == Network((Bank(4, 5, 2, separable=False),))


def _header(**changes):
    header = {
        "format": FORMAT, "network": NETWORKS["post"].to_dict(), "class_names": list("0123456789"), "recipe": None,
        "history": [], "trained_on": "", "version": "0", "temperature": 1.0, "checksum": "",
    }  # fmt: skip
    return {"inksight": json.dumps(header | changes)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an inksight model"),
        (b"not a model at all, just text", "not an inksight model"),
        (b"\xff" * 64, "not an inksight model"),
        (save({"a": np.zeros(3)}), "metadata must be a header named 'inksight', got []"),
        (save({"a": np.zeros(3)}, {"inksight": "{"}), "not an inksight model"),
        (save({"a": np.zeros(3)}, {"inksight": "[" * 100_000}), "not an inksight model"),
        (save({"a": np.zeros(3)}, {"inksight": "[]"}), "not an inksight model"),
        (save({"a": np.zeros(3)}, _header()), "normalization.mean must be a single float32, got None"),
        (save(Normalization().arrays, _header()), "weights must be those of the network, got"),
        (save({"a": np.zeros(3)}, _header(format="inksight model 99")), "format must be 'inksight model 1'"),
        (save(Normalization().arrays, _header(network={"banks": [{"filters": 10**9}]})), "filters must be"),
        (save(Normalization().arrays, _header(class_names=["0"])), "number of class names must be 10, got 1"),
    ],
)
def test_other_files_raise_errors_of_one_line(content, words, tmp_path):
    with pytest.raises(InputError) as caught:
        Model.load(_write(tmp_path / "m.safetensors", content))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("bank1.kernel", np.zeros((5, 5, 1, 9), np.float32), "shape of bank1.kernel must be (5, 5, 1, 8)"),
        ("bank1.bias", np.zeros(8), "type of bank1.bias must be float32, got 'float64'"),
        ("bank1.bias", np.full(8, np.nan, np.float32), "bank1.bias must be finite"),
    ],
)
def test_invalid_weights_raise_errors(model, name, value, words):
    with pytest.raises(InputError) as caught:
        replace(model, params=model.params | {name: value})
    assert words in str(caught.value)


def test_missing_and_oversized_files_raise_errors(tmp_path):
    with pytest.raises(InputError, match=r"must be a file that exists, or one of post.*train one"):
        Model.load(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match="must be a file that exists"):
        Model.load(tmp_path)
    huge = tmp_path / "huge.safetensors"
    with huge.open("wb") as file:
        os.truncate(file.fileno(), 2**30)  # sparse, so that it takes no disk space
    with pytest.raises(InputError, match="at most"):
        Model.load(huge)


def test_missing_folder_raises_an_error_and_nothing_is_written(model, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        model.save(tmp_path / "none" / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_model_can_be_pickled_and_copied_after_predicting(model, digits):
    images = digits.validation.images[:20]
    expected = model.probabilities(images)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert other.digest == model.digest
        np.testing.assert_array_equal(other.probabilities(images), expected)
