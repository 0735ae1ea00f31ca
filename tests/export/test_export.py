"""A model gives the same answers in every format, and files are checked before they are written."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from commands import command

from inksight.config import get_network
from inksight.errors import InksightError, InputError
from inksight.export import onnx_file, write_keras, write_onnx, write_torch
from inksight.nn import SHIPPED, Model, load_model

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from inksight.export.onnx_graph import output_names  # noqa: E402


def run(path, images):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"images": images}), strict=True))


def noisy(mnist):
    """200 test digits, noise and an empty image."""
    noise = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    return np.concatenate([mnist.images[-200:], noise, np.zeros((1, 28, 28), np.uint8)])


@pytest.mark.parametrize("input_type", ["uint8", "float32"])
@pytest.mark.parametrize("name", SHIPPED)
def test_onnx_runtime_gives_every_output_of_the_package(name, input_type, tmp_path, mnist):
    model, images, path = load_model(name), noisy(mnist), tmp_path / "net.onnx"
    names = output_names(model)
    difference = write_onnx(name, path, outputs=names, input_type=input_type)
    assert difference is not None
    assert difference < 1e-4
    found = run(path, images if input_type == "uint8" else images.astype(np.float32) / np.float32(255))
    expected = onnx_file.expected_outputs(model, images, names)
    assert {*found} == {*names} == {*expected}
    for output, value in expected.items():
        assert found[output].shape == value.shape, output
        allowed = 1e-4 if output == "ood_score" else 1e-5
        assert np.abs(found[output] - value).max() <= allowed * max(np.abs(value).max(), 1), output
    assert np.array_equal(found["label"], model.predict(images))
    assert run(path, images[:0] if input_type == "uint8" else images[:0].astype(np.float32))["label"].shape == (0,)


def test_the_metadata_say_what_a_caller_needs(tmp_path, capsys):
    command(capsys, "export", "post", "--to", "onnx", "--out", tmp_path / "net.onnx")
    model = load_model("post")
    facts = {entry.key: entry.value for entry in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert json.loads(facts["class_names"]) == list(model.class_names)
    assert facts["digest"] == model.digest
    assert model.ood_detector is not None
    assert float(facts["ood_threshold"]) == model.ood_detector.threshold
    assert "99.5" in facts["card"]
    assert "28x28" in facts["preparation"]


def test_a_runtime_with_other_answers_leaves_no_file(tmp_path, monkeypatch):
    wrong = onnx_file.expected_outputs
    monkeypatch.setattr(
        onnx_file, "expected_outputs", lambda *given: {k: np.add(v, np.float32(1e-3)) for k, v in wrong(*given).items()}
    )
    with pytest.raises(InksightError, match="no file was written"):
        write_onnx("tiny", tmp_path / "net.onnx", outputs=["probabilities"])
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"outputs": ["bank9"]}, "output must be one of normalized"), ({"outputs": []}, "outputs must be one or more"),
     ({"input_type": "int8"}, "input_type must be uint8 or float32")],
)  # fmt: skip
def test_wrong_arguments_are_named(arguments, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_onnx("tiny", tmp_path / "net.onnx", **arguments)


def test_a_model_without_a_detector_has_no_score(tmp_path):
    model = Model.untrained(get_network("4x7p,6x1s,5x3p,d7", 3), class_names=("a", "b", "c"))
    write_onnx(model, tmp_path / "net.onnx")
    assert set(run(tmp_path / "net.onnx", np.zeros((2, 28, 28), np.uint8))) == {"probabilities", "label"}


RUN = """
import sys, importlib.util, numpy as np
spec = importlib.util.spec_from_file_location("net", sys.argv[1]); net = importlib.util.module_from_spec(spec)
spec.loader.exec_module(net); images = np.load("images.npy")
"""
CALLS = {
    "keras": "result = np.asarray(net.load().predict(images, verbose=0))",
    "torch": "import torch\nwith torch.no_grad(): result = net.load()(torch.from_numpy(images)).numpy()",
}


@pytest.mark.parametrize("framework", CALLS)
@pytest.mark.parametrize("name", SHIPPED)
def test_the_script_of_a_framework_gives_the_same_probabilities(name, framework, tmp_path, mnist):
    write = {"keras": write_keras, "torch": write_torch}[framework]
    script, weights = write(name, tmp_path / "net.py")
    compile(script.read_text(), "net.py", "exec")
    assert weights.stat().st_size > 4000
    if find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    images = noisy(mnist)
    np.save(tmp_path / "images.npy", images)
    code = f"{RUN}{CALLS[framework]}\nnp.save('result.npy', result)"
    environment = {"KERAS_BACKEND": "jax", **os.environ}
    subprocess.run([sys.executable, "-c", code, script], cwd=tmp_path, check=True, timeout=300, env=environment)
    np.testing.assert_allclose(np.load(tmp_path / "result.npy"), load_model(name).probabilities(images), atol=1e-5)


def test_the_command_prints_files_sizes_and_accuracy(tmp_path, capsys):
    printed = command(capsys, "export", "tiny", "--to", "torch", "--out", tmp_path / "net.py")
    assert f"{(tmp_path / 'net.safetensors').stat().st_size:,} bytes" in printed
    assert "accuracy 99." in printed
    result = json.loads(command(capsys, "export", "tiny", "--to", "web", "--out", tmp_path / "site", "--json"))
    assert str(tmp_path / "site" / "index.html") in result["files"]
    assert "ends in .py" in command(capsys, "export", "--to", "keras", "--out", tmp_path / "net.txt", code=2)
    assert "left out unless" in command(
        capsys, "export", "--to", "keras", "--out", tmp_path / "n.py", "--input", "uint8", code=2
    )
