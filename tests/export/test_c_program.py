"""Networks as C programs: the same answers as the engine in floats, and as a reference in NumPy in 8-bit integers."""

import ctypes
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from commands import command, outputs

from benchmarks.c_export import ARM, STRICT, emulates_cortex_m, run_on_cortex_m
from inksight import InputError, Model, load_model
from inksight.config import get_network
from inksight.export.c_program import write_c
from inksight.export.c_quantization import quantize
from inksight.export.c_source import source
from inksight.nn.model_file import SHIPPED
from inksight.nn.normalization import Normalization
from inksight.nn.ood import REJECTION_WEIGHT, ood_score
from inksight.nn.rejection_output import RejectionOutput

ZIG = (sys.executable, "-m", "ziglang", "cc")
GCC = pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
COMPILERS = {"gcc": ("gcc",), "clang": ("clang",), "zig": ZIG, "arm": ARM}
EXTREMES = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)]).astype(np.uint8)
# Every kind of bank, of pooling with and without an odd last row, of kernel, and of what follows the banks.
SPECS = ("3x3p,4x3s,d5", "1x7", "2x1sp,3x5p,4x3", "4x5,3x7sp,2x1p", "5x7s,2x3sp,3x3s,d1", "2x1,2x1s")

# What a test may look at and a user may not.
INSIDE = """
#include "{prefix}.c"
void test_logits(const uint8_t *image, float *logits) {{ compute_logits(image, logits); }}
uint32_t test_ram(void) {{ return sizeof workspace; }}
"""


def compiler(name):
    """Return the command of a compiler; skip the test where it is missing."""
    if name == "zig":
        if find_spec("ziglang") is None:
            pytest.skip("the package ziglang is not installed")
    elif not shutil.which(COMPILERS[name][0]):
        pytest.skip(f"{COMPILERS[name][0]} is not installed")
    return COMPILERS[name]


class Compiled:
    """The functions of a network's C source, for arrays of images."""

    def __init__(self, folder, prefix, model):
        self.folder, self.prefix, self.classes = folder, prefix, model.network.classes
        self.barcode_size = model.network.banks[-1].filters
        self.outputs = self.classes + isinstance(model.ood_detector, RejectionOutput)
        (folder / "inside.c").write_text(INSIDE.format(prefix=prefix))
        library = folder / f"{prefix}.so"
        command = ["gcc", *STRICT, "-O1", "-shared", "-fPIC", "-o", library, folder / "inside.c", "-lm"]
        subprocess.run(command, check=True)
        self.library = ctypes.CDLL(str(library))

    def floats(self, function, images, count):
        result = np.full((len(images), count), np.nan, np.float32)
        for image, row in zip(np.ascontiguousarray(images), result, strict=True):
            self.library[function](ctypes.c_void_p(image.ctypes.data), ctypes.c_void_p(row.ctypes.data))
        return result

    def probabilities(self, images):
        return self.floats(f"{self.prefix}_predict", images, self.classes)

    def barcodes(self, images):
        return self.floats(f"{self.prefix}_barcode", images, self.barcode_size)

    def logits(self, images):
        return self.floats("test_logits", images, self.outputs)

    def labels(self, images):
        label = self.library[f"{self.prefix}_label"]
        return [label(ctypes.c_void_p(image.ctypes.data)) for image in np.ascontiguousarray(images)]

    def rejections(self, images):
        rejection = self.library[f"{self.prefix}_rejection"]
        rejection.restype = ctypes.c_float
        return np.array([rejection(ctypes.c_void_p(image.ctypes.data)) for image in np.ascontiguousarray(images)])


@pytest.fixture(scope="module")
def exported(tmp_path_factory, digits):
    """Return a function that exports a model and compiles it, once for each model."""
    models = {}

    def export(model, kind):
        prefix = model if isinstance(model, str) else "network"
        if (model, kind) not in models:
            folder = tmp_path_factory.mktemp(prefix)
            program = write_c(model, folder, int8=kind == "int8", data=digits)
            loaded = load_model(model) if isinstance(model, str) else model
            models[model, kind] = loaded, program, Compiled(folder, prefix, loaded)
        return models[model, kind]

    return export


@cache
def random_model(spec, leak=0.1, names=("a", "b", "c")):
    """Return a network with random weights and biases, and with a normalization that is not the identity."""
    model = Model.untrained(replace(get_network(spec, len(names)), leak=leak), class_names=names)
    random = np.random.default_rng(len(spec))
    params = {name: (x + random.normal(0, 0.3, x.shape)).astype(np.float32) for name, x in model.params.items()}
    return replace(model, params=params, normalization=Normalization(0.13, 0.095, 784))


@pytest.fixture
def images(digits):
    return np.concatenate([digits.test.images[:60], EXTREMES])


@GCC
@pytest.mark.parametrize("name", SHIPPED)
def test_floats_agree_with_the_engine(exported, images, name):
    model, _, compiled = exported(name, "float")
    np.testing.assert_allclose(compiled.probabilities(images), model.probabilities(images), atol=1e-5)
    barcodes = model.barcodes(images)  # whose entries are sums in which large values cancel
    np.testing.assert_allclose(compiled.barcodes(images), barcodes, atol=1e-5 * np.abs(barcodes).max())
    assert compiled.labels(images) == model.predict(images).tolist()


@GCC
@pytest.mark.parametrize("name", SHIPPED)
def test_integers_are_those_of_the_reference_to_the_bit(exported, images, name):
    model, program, compiled = exported(name, "int8")
    barcodes, logits = reference(program.files[1].read_text(), model, images)
    np.testing.assert_array_equal(compiled.barcodes(images), barcodes)
    np.testing.assert_array_equal(compiled.logits(images), logits)
    of_classes = logits[:, : model.network.classes].astype(np.float64)
    assert compiled.labels(images) == of_classes.argmax(axis=1).tolist()
    e = np.exp(of_classes - of_classes.max(axis=1, keepdims=True))
    np.testing.assert_allclose(compiled.probabilities(images), e / e.sum(axis=1, keepdims=True), atol=1e-6)


@GCC
@pytest.mark.parametrize("leak", [0, 0.1, 1])
@pytest.mark.parametrize("spec", SPECS)
def test_any_network(spec, leak, images, tmp_path):
    model = random_model(spec, leak)
    floats, quantized = source(model, None, "f", ""), quantize(model, images)
    integers = source(model, quantized, "i", "")
    for name, text in (floats.files | integers.files).items():
        (tmp_path / name).write_text(text)
    compiled = Compiled(tmp_path, "f", model)
    np.testing.assert_allclose(compiled.probabilities(images), model.probabilities(images), atol=1e-5)
    compiled = Compiled(tmp_path, "i", model)
    barcodes, logits = reference(integers.files["i.c"], model, images)
    np.testing.assert_array_equal(compiled.barcodes(images), barcodes)
    np.testing.assert_array_equal(compiled.logits(images), logits)
    np.testing.assert_array_equal(quantized.logits(images), logits)


@GCC
@pytest.mark.parametrize("kind", ["float", "int8"])
@pytest.mark.parametrize("name", ["tiny", "post", "reader"])
def test_header_states_the_memory(exported, name, kind):
    _, program, compiled = exported(name, kind)
    assert program.ram == compiled.library.test_ram()
    text = program.files[1].read_text()
    sizes = {"int8_t": 1, "int32_t": 4, "float": 4}
    assert program.flash == sum(sizes[kind] * len(values) for kind, values in arrays_of(text).values())
    header = program.files[0].read_text()
    assert f"#define {name.upper()}_RAM {program.ram}\n" in header
    assert f"#define {name.upper()}_FLASH {program.flash}\n" in header


def test_tiny_fits_into_16_kb_and_keeps_its_accuracy(mnist, tmp_path):
    program = write_c("tiny", tmp_path, int8=True, data=mnist[:60_000][:52_000].split())
    assert program.flash <= 16 * 1024
    assert program.ram <= 16 * 1024
    assert program.float_accuracy > 0.985
    assert program.accuracy >= program.float_accuracy - 0.001


@pytest.mark.parametrize("name", SHIPPED)
def test_integers_predict_like_floats(digits, name):
    model = load_model(name)
    quantized = quantize(model, digits.train.images[:500])
    logits = quantized.logits(digits.validation.images)[:, :10]
    expected = model.activations(digits.validation.images, only=["logits"])["logits"]
    assert np.sqrt(np.mean((logits - expected) ** 2)) < 0.05 * expected.std()


@GCC
@pytest.mark.parametrize("kind", ["float", "int8"])
def test_rejection_is_the_score_of_the_detector(exported, images, kind):
    model, program, compiled = exported("reader", kind)
    noise = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    pictures = np.concatenate([images, noise])
    expected = 1 / (1 + np.exp(-ood_score(model, pictures) / REJECTION_WEIGHT))
    np.testing.assert_allclose(compiled.rejections(pictures), expected, atol=1e-5 if kind == "float" else 0.2)
    threshold = float(found_in(r"REJECTION_THRESHOLD (\S+)f\n", program.files[0].read_text())[0])
    rejected = ood_score(model, pictures) > model.ood_detector.threshold
    assert 0 < rejected.sum() < len(pictures)
    if kind == "float":
        assert ((compiled.rejections(pictures) > threshold) == rejected).all()


@GCC
def test_rejection_has_the_temperature_of_its_detector(images, tmp_path):
    model = random_model("2x3p,3x3")
    weights = np.array([1, -2, 0.5, 0.25], np.float32)
    model = replace(model, temperature=2.0, ood_detector=RejectionOutput(weights, 0.1, temperature=0.5))
    for name, text in source(model, None, "f", "").files.items():
        (tmp_path / name).write_text(text)
    expected = 1 / (1 + np.exp(-ood_score(model, images) / REJECTION_WEIGHT))
    np.testing.assert_allclose(Compiled(tmp_path, "f", model).rejections(images), expected, atol=1e-5)


@GCC
def test_sums_beyond_32_bits(images, tmp_path):
    model = random_model("70x3,3x3s")
    params = dict(model.params)
    params["bank2.depthwise"] = np.full((3, 3, 70), 0.5, np.float32)
    params["bank2.pointwise"] = np.full((70, 3), -0.5, np.float32)
    model = replace(model, params=params)
    text = source(model, quantize(model, images), "i", "").files
    assert "typedef int64_t sum_t" in text["i.c"]
    for name, content in text.items():
        (tmp_path / name).write_text(content)
    np.testing.assert_array_equal(
        Compiled(tmp_path, "i", model).logits(images), reference(text["i.c"], model, images)[1]
    )


@GCC
def test_filters_without_weights(images, tmp_path):
    model = random_model("3x3s,3x3")
    params = {name: np.zeros_like(x) if name.startswith("bank") else x for name, x in model.params.items()}
    params["bank2.bias"] = np.array([0, 1e-3, 1e3], np.float32)
    model = replace(model, params=params)
    for name, content in source(model, quantize(model, images), "i", "").files.items():
        (tmp_path / name).write_text(content)
    np.testing.assert_allclose(Compiled(tmp_path, "i", model).barcodes(images), model.barcodes(images), atol=1)


@pytest.mark.parametrize("name", COMPILERS)
@pytest.mark.parametrize("kind", ["float", "int8"])
def test_compilers_have_no_complaints(name, kind, digits, tmp_path):
    """Separable or not, with a dense layer, with a rejection output: each puts other functions into the source."""
    found = compiler(name)
    for model in ("tiny", "post", "reader", "small"):
        write_c(model, tmp_path, int8=kind == "int8", data=digits)
        for file in (tmp_path / f"{model}_example.c", tmp_path / f"{model}.c"):
            subprocess.run([*found, *STRICT, "-O2", "-c", file, "-o", file.with_suffix(".o")], check=True)


def test_thumb_code_runs_where_no_microcontroller_is_emulated(digits, tmp_path):
    if emulates_cortex_m():
        pytest.skip("test_cortex_m_gives_the_same_answers runs such code")
    if not shutil.which("qemu-arm"):
        pytest.skip("qemu-arm is not installed")
    write_c("tiny", tmp_path, int8=True, data=digits)
    program = tmp_path / "tiny"
    files = [tmp_path / "tiny_example.c", tmp_path / "tiny.c"]
    subprocess.run(
        [*compiler("zig"), "-target", "thumb-linux-musleabi", *STRICT, "-O1", *files, "-lm", "-o", program], check=True
    )
    assert_reads(["qemu-arm", program], digits.test.images[:20], load_model("tiny"), 0.05)


@pytest.mark.parametrize("kind", ["float", "int8"])
def test_cortex_m_gives_the_same_answers(exported, digits, kind):
    if not emulates_cortex_m():
        pytest.skip(f"{ARM[0]} or qemu-system-arm is not installed")
    _, _, compiled = exported("tiny", kind)
    images = digits.test.images[:5]
    found = run_on_cortex_m(compiled.folder, "tiny", images)
    assert found.labels.tolist() == compiled.labels(images)
    np.testing.assert_allclose(found.confidences, compiled.probabilities(images).max(axis=1), atol=3e-6)
    assert (found.instructions > 1000).all()


@GCC
@pytest.mark.parametrize("kind", ["float", "int8"])
@pytest.mark.parametrize("name", ["tiny", "post", "reader"])
def test_no_undefined_behavior(exported, images, name, kind):
    model, _, compiled = exported(name, kind)
    files = [compiled.folder / f"{name}_example.c", compiled.folder / f"{name}.c"]
    program = compiled.folder / "checked"
    checks = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    subprocess.run(["gcc", *STRICT, *checks, *files, "-lm", "-o", program], check=True)
    assert_reads([program], images, model, 0.1)


def assert_reads(program, images, model, tolerance):
    """Check what the example program prints for images."""
    ran = subprocess.run(program, input=images.tobytes(), capture_output=True, check=True, timeout=100)
    lines = [line.rstrip("%").split() for line in ran.stdout.decode().splitlines()]
    probabilities = model.probabilities(images)
    assert [int(label) for label, _ in lines[:20]] == probabilities[:20].argmax(axis=1).tolist()
    confidences = np.array([float(confidence) for _, confidence in lines]) / 100
    np.testing.assert_allclose(confidences[:20], probabilities[:20].max(axis=1), atol=tolerance)


MIXED = """
#include "one.h"
#include "two.h"
#include <cstdio>
int main() {
    unsigned char image[784];
    while (std::fread(image, 784, 1, stdin) == 1)
        std::printf("%d %d\\n", one_label(image), two_label(image));
}
"""


@GCC
def test_two_networks_link_into_one_cpp_program(digits, tmp_path):
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    write_c("tiny", tmp_path, int8=True, prefix="one", data=digits)
    write_c("small", tmp_path, prefix="two", data=digits)
    (tmp_path / "mixed.cpp").write_text(MIXED)
    for name in ("one", "two"):
        subprocess.run(["gcc", *STRICT, "-c", tmp_path / f"{name}.c", "-o", tmp_path / f"{name}.o"], check=True)
    objects = [tmp_path / f"{name}.o" for name in ("one", "two")]
    subprocess.run(["g++", "-Wall", "-Werror", tmp_path / "mixed.cpp", *objects, "-o", tmp_path / "mixed"], check=True)
    images = digits.test.images[:20]
    ran = subprocess.run([tmp_path / "mixed"], input=images.tobytes(), capture_output=True, check=True)
    pairs = np.array(ran.stdout.split(), int).reshape(-1, 2)
    assert pairs[:, 1].tolist() == load_model("small").predict(images).tolist()
    assert (pairs[:, 0] == digits.test.labels[:20]).mean() >= 0.9


@GCC
def test_class_names_of_any_characters(tmp_path):
    names = ('"quoted" \\ back', "*/ ??/ trigraph", "über\n7")
    model = random_model("1x7", names=names)
    for name, text in source(model, None, "net", "").files.items():
        (tmp_path / name).write_text(text)
    compiled = Compiled(tmp_path, "net", model)
    found = (ctypes.c_char_p * 3).in_dll(compiled.library, "net_class_names")
    assert tuple(value.decode() for value in found if value is not None) == names


@pytest.mark.parametrize("prefix", ["", "7up", "_x", "a-b", "ä", "x" * 61, "math", "stdint", 5])
def test_prefix_must_be_an_identifier(prefix, digits, tmp_path):
    with pytest.raises(InputError, match="prefix must be"):
        write_c("tiny", tmp_path / "c", prefix=prefix, data=digits)
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("file", "prefix"), [("my net-2", "my_net_2"), ("7up", "network_7up"), ("math", "network_math"), ("ü", "network")]
)
def test_names_begin_with_that_of_the_model_file(file, prefix, digits, tmp_path):
    load_model("tiny").save(tmp_path / f"{file}.safetensors")
    program = write_c(tmp_path / f"{file}.safetensors", tmp_path, data=digits)
    assert [path.name for path in program.files] == [f"{prefix}.h", f"{prefix}.c", f"{prefix}_example.c"]


def test_data_of_other_classes_is_refused(digits, tmp_path):
    with pytest.raises(InputError, match="class"):
        write_c(random_model("1x7"), tmp_path, data=digits)


def test_choices_do_not_depend_on_test_images(digits, tmp_path):
    """Only the comment about the accuracy differs."""
    other = replace(digits, test=replace(digits.test, images=255 - digits.test.images))
    texts = []
    for number, data in enumerate((digits, other)):
        program = write_c("tiny", tmp_path / str(number), int8=True, data=data)
        texts.append([path.read_text() for path in program.files])
    assert texts[0][1:] == texts[1][1:]
    headers = [[line for line in text[0].splitlines() if "Accuracy:" not in line] for text in texts]
    assert headers[0] == headers[1]
    assert texts[0][0] != texts[1][0]


def test_command(tmp_path, mnist, monkeypatch, capsys):
    monkeypatch.setattr("inksight.data.loading.load", lambda source, **options: replace(mnist[-900:], test_count=300))
    arguments = ("export", "tiny", "--to", "c", "--int8", "--prefix", "digits", "--out", tmp_path / "c")
    found = json.loads(command(capsys, *arguments, "--json"))
    assert [Path(file).name for file in found["files"]] == ["digits.h", "digits.c", "digits_example.c"]
    assert (found["images"], found["part"]) == (300, "test")
    printed = command(capsys, *arguments)
    assert f"RAM: {found['ram']:,} bytes" in printed
    assert f"accuracy: {found['accuracy']:.2%} on 300 test images, {found['float_accuracy']:.2%} in floats" in printed
    assert f"{found['accuracy']:.2%} on 300 test images" in (tmp_path / "c" / "digits.h").read_text()


@pytest.mark.parametrize("option", ["--int8", "--prefix=x"])
def test_options_of_c_alone(option, tmp_path, capsys):
    _, error = outputs(capsys, "export", "tiny", "--to", "onnx", option, "--out", tmp_path / "x", code=2)
    assert "must be left out unless --to is c" in error


# The integer arithmetic once more: written from the description in the C source, with the numbers that stand there.


def arrays_of(text):
    """Return the type and the values of every constant array of numbers, by name."""
    found = re.findall(r"static const (\w+) (\w+)\[\d+\] = \{([^}]*)\};", text)
    return {name: (kind, re.sub(r"INT64_C\((\S+)\)|f\b", r"\1", values).split(",")) for kind, name, values in found}


def found_in(pattern, text):
    """Return the groups of a pattern, which must occur."""
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match.groups()


def number(text):
    return int(re.sub(r"INT64_C\((\S+)\)", r"\1", text))


def reference(text, model, images):
    """Return the barcodes and logits of images (n, 28, 28) by the arrays in a C source."""
    arrays = {name: np.array(values, float) for name, (_, values) in arrays_of(text).items()}
    ints = {name: values.astype(np.int64) for name, values in arrays.items()}
    layers = dict(re.findall(r"(\w+)_multipliers, (\S+, \d+, \d+)", text))
    leak = int(found_in(r"/ 65536 \* (\d+);", text)[0])

    def activate(sums, name):
        offset, top, shift = map(number, layers[name].split(", "))
        product = sums * ints[f"{name}_multipliers"]
        product = np.where(product < 0, -((-product) // 65536 * leak), product) + offset
        return np.minimum(np.maximum(product, 0) // 2**shift, top)

    x = images[..., None].astype(np.int64)
    for position, bank in enumerate(model.network.banks, start=1):
        name, k, side = f"bank{position}", bank.kernel, x.shape[1] - bank.kernel + 1
        channels = x.shape[-1]
        windows = [x[:, i : i + side, j : j + side] for i in range(k) for j in range(k)]
        weights = ints[f"{name}_weights"]
        if bank.separable:
            depthwise = ints[f"{name}_depthwise"].reshape(k * k, channels)
            sums = sum(window * tap for window, tap in zip(windows, depthwise, strict=True))
            sums = np.einsum("nijc,fc->nijf", sums, weights.reshape(bank.filters, channels))
        else:
            weights = weights.reshape(bank.filters, k * k, channels)
            sums = sum(np.einsum("nijc,fc->nijf", window, weights[:, t]) for t, window in enumerate(windows))
        if bank.pool == 2:
            even = sums[:, : side // 2 * 2, : side // 2 * 2]
            sums = np.maximum.reduce([even[:, i::2, j::2] for i in range(2) for j in range(2)])
        x = activate(sums + ints[f"{name}_bias"], name)
    area = x.shape[1] * x.shape[2]
    x = (x.sum(axis=(1, 2)) + area // 2) // area
    zero, scale = found_in(r"workspace.barcode\[i\] - (-?\d+)\) \* (\S+)f;", text)
    barcodes = (x - int(zero)).astype(np.float32) * np.float32(scale)
    if model.network.dense:
        x = activate(x @ ints["dense_weights"].reshape(-1, x.shape[1]).T + ints["dense_bias"], "dense")
    sums = x @ ints["output_weights"].reshape(-1, x.shape[1]).T + ints["output_bias"]
    return barcodes, sums.astype(np.float32) * arrays["output_scales"].astype(np.float32)
