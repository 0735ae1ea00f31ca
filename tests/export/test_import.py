"""Networks of Keras and PyTorch are read as they predict there; what is not of the family is refused by its name."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from commands import command
from safetensors.numpy import load_file, save_file

from inksight.errors import InksightError, InputError, UnsupportedFileError
from inksight.export import import_model, write_torch
from inksight.nn import SHIPPED, load_model

KERAS = Path(__file__).parent / "keras"  # made by tools/make_keras_files.py
EXPECTED = np.load(KERAS / "expected.npz")
h5py = pytest.importorskip("h5py", reason="h5py is not installed")


@pytest.mark.parametrize(
    ("file", "spec", "leak"),
    [
        ("sequential.keras", "8x5p,12x3,d11", 0.1),
        ("functional.keras", "6x3p,9x3s", 0.0),
        ("functional.h5", "6x3p,9x3s", 0.0),
        ("tiny.weights.h5", "7x3p,10x3s,10x3s,11x3s,12x3s", 0.3),
    ],
)
def test_a_network_of_keras_predicts_what_it_predicts_there(file, spec, leak, mnist):
    model = import_model(KERAS / file)
    assert (model.network.spec, model.network.leak) == (spec, leak)
    expected = EXPECTED[file.split(".")[0]]
    np.testing.assert_allclose(model.probabilities(mnist.images[:20]), expected, atol=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_exported_to_pytorch_is_read_again_without_loss(name, tmp_path):
    shipped = load_model(name)
    _, weights = write_torch(name, tmp_path / "net.py")
    model = import_model(weights, network=shipped.network.spec, leak=shipped.network.leak)
    assert all(np.array_equal(model.params[key], array) for key, array in shipped.params.items())
    assert model.normalization.mean == shipped.normalization.mean
    assert model.normalization.variance == shipped.normalization.variance


def test_an_export_to_pytorch_does_not_replace_the_model_itself(tmp_path, post_model):
    post_model.save(tmp_path / "net.safetensors")
    for name in (tmp_path / "net.safetensors", str(tmp_path / "net.safetensors")):
        with pytest.raises(InputError, match="its weights would replace the model"):
            write_torch(name, tmp_path / "net.py")
    assert load_model(tmp_path / "net.safetensors").digest == post_model.digest
    assert not (tmp_path / "net.py").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_weights_that_are_not_finite_floats_are_refused(value, tmp_path):
    _, weights = write_torch("tiny", tmp_path / "net.py")
    state = load_file(weights)
    save_file(state | {"output.weight": np.full(state["output.weight"].shape, value)}, weights)
    with pytest.raises(InputError, match=r"output\.kernel must be finite"):
        import_model(weights)


def test_layers_of_a_state_dict_are_found_by_shape_and_natural_order(tmp_path, post_model):
    p = post_model.params
    state = {}
    for number, bank in ((0, 1), (9, 2), (10, 3)):
        state[f"features.{number}.weight"] = p[f"bank{bank}.kernel"].transpose(3, 2, 0, 1)
        state[f"features.{number}.bias"] = p[f"bank{bank}.bias"]
    state |= {"fc1.weight": p["dense.kernel"].T, "fc1.bias": p["dense.bias"]}
    state |= {"fc2.weight": p["output.kernel"].T, "fc2.bias": p["output.bias"]}
    save_file({name: np.ascontiguousarray(array) for name, array in state.items()}, tmp_path / "net.safetensors")
    model = import_model(tmp_path / "net.safetensors", mean=0.1307, std=0.3081)
    assert all(np.array_equal(model.params[key], array) for key, array in p.items())
    assert model.normalization.mean == pytest.approx(0.1307)
    assert model.normalization.variance == pytest.approx(0.3081**2)
    with pytest.raises(InputError, match=r"needs a layer of shape \(5, 5, 20, 40\)"):
        import_model(tmp_path / "net.safetensors", network="20x5p,20x5,40x5,d20")
    save_file(
        load_file(tmp_path / "net.safetensors") | {"bn.running_mean": np.zeros(20, np.float32)},
        tmp_path / "bn.safetensors",
    )
    with pytest.raises(InputError, match="layer 'bn'"):
        import_model(tmp_path / "bn.safetensors")


def changed(change):
    """Return the bytes of sequential.keras with its JSON changed by a function of the list of layers."""
    content = io.BytesIO()
    with zipfile.ZipFile(KERAS / "sequential.keras") as old, zipfile.ZipFile(content, "w") as new:
        config = json.loads(old.read("config.json"))
        change(config["config"]["layers"])
        new.writestr("config.json", json.dumps(config))
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
    return content.getvalue()


def setting(layer, **values):
    def change(layers):
        next(entry for entry in layers if entry["class_name"] == layer)["config"].update(values)

    return change


def activate_the_average(layers):
    """Move the activation of the last convolution behind the average."""
    last = [entry for entry in layers if entry["class_name"] == "Conv2D"][-1]
    average = next(n for n, entry in enumerate(layers) if entry["class_name"] == "GlobalAveragePooling2D")
    layers.insert(average + 1, {"class_name": "LeakyReLU", "config": last["config"]["activation"]["config"]})
    last["config"]["activation"] = None


def of_class(layer, **values):
    def change(layers):
        next(entry for entry in layers if entry["class_name"] == layer).update(values)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (setting("Conv2D", padding="same"), r"layer 'conv2d\w*' \(Conv2D\): padding must be valid, got 'same'"),
        (setting("Conv2D", strides=[2, 2]), r"\(Conv2D\): strides must be 1"),
        (setting("Conv2D", kernel_size=[4, 4]), r"\(Conv2D\): kernel must be 1, 3, 5 or 7, got 4"),
        (setting("Conv2D", filters=9), r"\(Conv2D\): shape of kernel"),
        (setting("LeakyReLU", negative_slope=0.2), "slopes of the leaky ReLU must be the same"),
        (setting("MaxPooling2D", pool_size=[3, 3]), r"\(MaxPooling2D\): pooling must be one of 2x2"),
        (setting("Conv2D", activation="gelu"), r"\(Conv2D\): activation must be .* got 'gelu'"),
        (setting("Conv2D", activation={"module": "mine", "class_name": "LeakyReLU", "config": {"negative_slope": 0.1}}),
         r"\(Conv2D\): class of the activation must be one of Keras, .* 'mine.LeakyReLU'"),
        (setting("Conv2D", activation={"module": "builtins", "class_name": "function", "config": "relu"}),
         r"\(Conv2D\): activation must be LeakyReLU"),
        (setting("Dense", activation={"class_name": "Softmax", "config": {"axis": 0}}),
         r"\(Dense\): axis of the softmax must be -1"),
        (lambda layers: layers.insert(5, {"class_name": "BatchNormalization", "config": {"name": "bn"}}),
         r"layer 'bn' \(BatchNormalization\)"),
        (activate_the_average, "activation must be one before GlobalAveragePooling2D"),
        (of_class("Dense", module="__main__", registered_name="Dense"), r"must be one of Keras, .* '__main__.Dense'"),
        (of_class("Conv2D", module=None, registered_name="mine>Conv2D"), "class of the layer .* must be one of Keras"),
        *((lambda layers, name=name: layers.insert(0, {"class_name": name, "config": {"name": "r"}}),
           rf"layer 'r' \({name}\): this layer must be") for name in ("RandomCrop", "RandomFourierFeatures", "Random")),
        (lambda layers: layers.clear(), "layers must be convolutions"),
        (lambda layers: layers.append(7), "layer must be an object"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_family_is_refused_by_name(change, message, tmp_path):
    (tmp_path / "net.keras").write_bytes(changed(change))
    with pytest.raises(InputError, match=message):
        import_model(tmp_path / "net.keras")


@pytest.mark.parametrize("file", ["sequential.keras", "functional.h5", "tiny.weights.h5"])
def test_damaged_files_are_refused_in_one_line(file, tmp_path, rng):
    whole = (KERAS / file).read_bytes()
    path = tmp_path / file
    refused = 0
    for size in np.linspace(0, len(whole) - 1, 40).astype(int):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError) as error:
            import_model(path)
        assert "\n" not in str(error.value)
    for _ in range(60):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(content), 4000), 8):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            import_model(path)  # a changed weight is still a weight
        except InksightError:
            refused += 1
    assert refused > 5


def test_pickles_are_refused_with_the_way_out(tmp_path):
    (tmp_path / "net.pkl").write_bytes(b"\x80\x04K\x01.")
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x04K\x01.")
    for name in ("net.pkl", "net.pt"):
        with pytest.raises(UnsupportedFileError, match=r"a pickle.*safetensors\.torch\.save_file"):
            import_model(tmp_path / name)


def test_links_to_other_files_are_not_followed(tmp_path):
    with h5py.File(tmp_path / "net.weights.h5", "w") as file:
        file["layers"] = h5py.ExternalLink(str(KERAS / "tiny.weights.h5"), "/layers")
    with pytest.raises(InputError, match="link 'layers' must be an array or a group of this file"):
        import_model(tmp_path / "net.weights.h5")


def test_the_command_writes_a_model_and_says_how_good_it_is(tmp_path, capsys):
    out = tmp_path / "model.safetensors"
    printed = command(capsys, "import", KERAS / "sequential.keras", "--out", out)
    assert "8x5p,12x3,d11" in printed
    assert "of mnist" in printed
    result = json.loads(command(capsys, "import", KERAS / "sequential.keras", "--out", out, "--json"))
    assert result["weights"] == load_model(out).digest
    assert "low" in command(capsys, "import", KERAS / "tiny.weights.h5", "--out", out, "--mean", "9")
    assert "left out for a whole model" in command(
        capsys, "import", KERAS / "sequential.keras", "--network", "post", "--out", out, code=2
    )
