"""Headers of model files that are wrong although their checksum is right."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from mutations import changed, covers, mutations
from safetensors import safe_open
from safetensors.numpy import save

from inksight import History, InputError, Model, load_model
from inksight.inspection import without_filters
from inksight.nn import model_file, model_file_v1
from inksight.nn.fine_tuning_record import FineTuningRecord
from inksight.nn.model import digest

FORMAT_1 = Path(__file__).with_name("format-1.safetensors")
UNCOMPARED = {"checksum", "digest", "format", "seconds"}  # times are read from earlier files, and not saved again
RENAMED = (
    model_file_v1.HEADER_NAMES
    | model_file_v1.RECIPE_NAMES
    | model_file_v1.AUGMENTATION_NAMES
    | model_file_v1.DETECTOR_HEADER_NAMES
)


def read(path):
    """Return the JSON header and the arrays of a model file."""
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["inksight"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The headers and arrays of valid files by format, with every optional part."""
    path = tmp_path_factory.mktemp("files") / "m.safetensors"
    tiny = load_model("tiny")
    record, history = FineTuningRecord("my hand", {"1": 5}, "ab"), History(tiny.history.rows[:2])
    replace(tiny, fine_tunings=(record,), history=history).save(path)
    old, arrays = read(FORMAT_1)
    return {1: (old | {"history": old["history"][:2]}, arrays), 2: read(path)}


def write(path, header, arrays, text=None):
    """Write a model file with the right checksum; `text`, if given, replaces that of the header."""
    trained = {name: array for name, array in arrays.items() if not name.startswith(("clouds.", "ood_detector."))}
    if isinstance(header, dict):
        content = {name: value for name, value in header.items() if name != "checksum"}
        header = content | {"checksum": model_file.checksum(content, digest(trained))}
    path.write_bytes(save(arrays, {"inksight": text or json.dumps(header)}))


@pytest.mark.parametrize("file_format", [1, 2])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_header_is_read_in_full_or_is_an_input_error(files, file_format, tmp_path, data):
    header, arrays = files[file_format]
    header = data.draw(mutations(header))
    write(tmp_path / "m.safetensors", header, arrays)
    message, model = "", None
    try:
        model = Model.load(tmp_path / "m.safetensors")
    except InputError as error:
        message = str(error)
    if model is None:
        assert "not an inksight model, or damaged" in message
        assert "\n" not in message
        assert len(message) < 600
    else:
        model.save(tmp_path / "again.safetensors")
        assert covers(read(tmp_path / "again.safetensors")[0], header, UNCOMPARED, RENAMED)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ((), None, "header must be an object with named values, got None"),
        ((), [], "header must be an object with named values, got []"),
        (("class_names",), "0123456789", "class_names must be a list, got '0123456789'"),
        (("class_names",), [["0"]] * 10, "class names must be a tuple of strings"),
        (("class_names", 3), "\ud800", "class names must be a tuple of strings"),
        (("recipe",), [], "recipe must be an object with named values, got []"),
        (("recipe", "epochs"), float("inf"), "JSON must hold finite numbers, got Infinity"),
        (("recipe", "learning_rate"), 10**400, "learning_rate must be 1e-12 to 1e6, got 1000"),
        (("network", "banks", 0), {}, "filters of the bank must be given"),
        (("history", 0, "loss"), 10**400, "loss of an epoch must be a finite number or NaN, got 1000"),
        (("history", 0, "epoch"), 10**400, "epoch must be a number of 1 or more, got 1000"),
        (("trained_on",), 3, "trained_on must be a digest, got 3"),
        (("version",), None, "version must be a string, got None"),
        (("temperature",), True, "temperature must be 0.001 to 1000, got True"),
        (("temperature",), "1", "temperature must be 0.001 to 1000, got '1'"),
        (("lessons",), {}, "lessons must be a list, got {}"),
        (("lessons", 0, "pictures", "1"), 10**400, "pictures of a fine-tuning must be a dict of class names to counts"),
        (("ood_detector",), None, "arrays of the detector must be absent"),
        (("ood_detector",), 3, "detector must be an object with named values, got 3"),
        (("ood_detector", "digest"), "", "digest of the detector must be that of the content, got ''"),
        (("ood_detector", "temperature"), 0, "the detector's temperature must be 0.001 to 1000, got 0"),
        (("more",), 3, "header field must be one of format, network"),
    ],
)
def test_wrong_values_are_named(files, path, value, words, tmp_path):
    header, arrays = files[2]
    write(tmp_path / "m.safetensors", changed(header, path, "replace", value), arrays)
    with pytest.raises(InputError) as caught:
        Model.load(tmp_path / "m.safetensors")
    assert words in str(caught.value)


def test_names_of_format_2_are_errors_in_format_1(files, tmp_path):
    header, arrays = files[1]
    write(tmp_path / "m.safetensors", changed(header, ("recipe", "learning_rate"), "replace", 0.5), arrays)
    with pytest.raises(InputError, match="must be one of that format, got 'learning_rate'"):
        Model.load(tmp_path / "m.safetensors")


def test_name_that_is_given_twice_is_an_error(files, tmp_path):
    header, arrays = files[2]
    write(tmp_path / "m.safetensors", header, arrays)
    text = json.dumps(read(tmp_path / "m.safetensors")[0]).replace('"dense": 0', '"dense": 0, "dense": 0')
    write(tmp_path / "m.safetensors", header, arrays, text)
    with pytest.raises(InputError, match="must have each name once, got 'dense' twice"):
        Model.load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("depth", [200, 900, 100_000])
def test_deeply_nested_values_are_errors(files, depth, tmp_path):
    header, arrays = files[2]
    write(tmp_path / "m.safetensors", header, arrays)
    text = json.dumps(header | {"recipe": 7}).replace('"recipe": 7', '"recipe": ' + "[" * depth + "]" * depth)
    write(tmp_path / "m.safetensors", header, arrays, text)
    with pytest.raises(InputError, match="not an inksight model, or damaged"):
        Model.load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "BF16", "F4", "F6_E2M3", "I8", "BOOL"])
def test_other_types_of_arrays_are_errors(kind, tmp_path):
    bits = {"F4": 4, "F6_E2M3": 6, "BF16": 16}.get(kind, 8)
    header = {"a": {"dtype": kind, "shape": [8], "data_offsets": [0, bits]}, "__metadata__": {"inksight": "{}"}}
    text = json.dumps(header).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(bits))
    with pytest.raises(InputError, match="not an inksight model, or damaged"):
        Model.load(tmp_path / "m.safetensors")


def test_huge_header_is_not_read(tmp_path):
    with (tmp_path / "m.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 2**26) + b"{")
        file.truncate(2**27)  # sparse, so that it takes no disk space
    with pytest.raises(InputError, match="size of the header must be at most 33554432 bytes, got 67108864"):
        Model.load(tmp_path / "m.safetensors")


@pytest.mark.parametrize("wrong", [None, 3, 2.5, [], {}, b"best", ("best",)])
def test_what_is_not_a_path_is_an_input_error(wrong, model):
    for use in (load_model, Model.load):
        with pytest.raises(InputError, match=r"model must be one of .*, or the path of a model file, got"):
            use(wrong)
    with pytest.raises(InputError, match="path must be a string or a path-like object, got"):
        model.save(wrong)


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b", "\ud800", "no\nfile"])
def test_strange_names_are_input_errors_of_one_line(name):
    with pytest.raises(InputError, match="model must be a file that exists, or one of post") as caught:
        load_model(name)
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("layout", ["columns first", "strided", "reversed"])
def test_arrays_of_every_memory_layout_are_saved(layout, tmp_path):
    def laid_out(array):
        if layout == "columns first":
            return np.asfortranarray(array)
        if not array.ndim:
            return array
        return np.repeat(array, 2, axis=-1)[..., ::2] if layout == "strided" else array[..., ::-1].copy()[..., ::-1]

    model = load_model("best")
    assert model.ood_detector is not None
    parts = {name: laid_out(array) for name, array in model.ood_detector.arrays.items()}
    params = {name: laid_out(array) for name, array in model.params.items()}
    other = replace(model, params=params, ood_detector=replace(model.ood_detector, **parts))
    other.save(tmp_path / "other.safetensors")
    model.save(tmp_path / "model.safetensors")
    assert (tmp_path / "other.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    assert load_model(tmp_path / "other.safetensors").digest == model.digest


@pytest.mark.parametrize("bank", [1, 2])
def test_a_model_without_some_filters_can_be_saved(bank, tmp_path):
    smaller = without_filters("tiny", {bank: [0, 2]})
    smaller.save(tmp_path / "smaller.safetensors")
    assert load_model(tmp_path / "smaller.safetensors").digest == smaller.digest
