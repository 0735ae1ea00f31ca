"""Ensembles: the average of probabilities, their file, and what takes them or refuses them."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from commands import command, outputs
from hypothesis import HealthCheck, given, settings, strategies as st
from mutations import mutations
from safetensors import safe_open
from safetensors.numpy import save
from trials import SMALL

import inksight
from inksight import Ensemble, InputError, Model, evaluate, load_ensemble, load_model, robustness
from inksight.data.loading import write_csv
from inksight.inspection.evaluation import seen_in_training
from inksight.nn import model_file
from inksight.nn.ensemble_file import as_classifier
from inksight.nn.mahalanobis import MahalanobisDetector
from inksight.reading.detection import assess
from inksight.training.calibration import calibrated, fit_temperature


@pytest.fixture(scope="module")
def pair() -> Ensemble:
    return Ensemble([load_model("small"), load_model("tiny")])


@pytest.fixture(scope="module")
def path(pair, tmp_path_factory):
    path = tmp_path_factory.mktemp("ensemble") / "e.safetensors"
    replace(pair, temperature=1.25).save(path)
    return path


@pytest.fixture(scope="module")
def csv(mnist, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "digits.csv"
    write_csv(mnist[-500:], path)
    return path


def test_probabilities_are_the_mean_of_those_of_the_models(pair, mnist):
    images = mnist.images[-300:]
    mean = np.mean([model.probabilities(images).astype(np.float64) for model in pair.models], axis=0)
    np.testing.assert_allclose(pair.probabilities(images), mean, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(pair.predict(images), mean.argmax(axis=1))
    powers = mean ** (1 / 2)
    scaled = replace(pair, temperature=2.0).probabilities(images)
    np.testing.assert_allclose(scaled, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5, atol=1e-9)
    assert evaluate(pair, mnist[-300:]).accuracy == (mean.argmax(axis=1) == mnist.labels[-300:]).mean()


def test_calibration_fits_only_the_temperature_of_the_ensemble(pair, mnist):
    validation = mnist[-3000:]
    result = calibrated(replace(pair, temperature=3.0), validation)
    log_mean = np.log(np.mean([model.probabilities(validation.images) for model in pair.models], axis=0))
    assert result.temperature == pytest.approx(fit_temperature(log_mean, validation.labels), rel=1e-4)
    assert result.models == pair.models
    losses = [evaluate(replace(pair, temperature=t), validation).log_loss for t in (0.9, 1.0, 1.1)]
    assert evaluate(result, validation).log_loss < min(losses)


def test_file_holds_the_models_to_the_last_bit(pair, path, mnist):
    loaded = load_ensemble(path)
    assert (loaded.temperature, loaded.digest) == (1.25, pair.digest)
    assert [model.digest for model in loaded.models] == [model.digest for model in pair.models]
    assert [model.history for model in loaded.models] == [model.history for model in pair.models]
    images = mnist.images[:50]
    for model, original in zip(loaded.models, pair.models, strict=True):
        assert isinstance(model.ood_detector, MahalanobisDetector)
        assert isinstance(original.ood_detector, MahalanobisDetector)
        np.testing.assert_array_equal(model.ood_detector.means, original.ood_detector.means)
        np.testing.assert_array_equal(model.probabilities(images), original.probabilities(images))
    assert isinstance(as_classifier(path), Ensemble)
    assert isinstance(as_classifier("tiny"), Model)


def test_models_must_fit_together(pair):
    other = Model.untrained(SMALL, class_names=("a", "b"))
    with pytest.raises(InputError, match=r"classes of the models must be the same for all.*got .'a', 'b'"):
        Ensemble([pair.models[0], other])
    wrong: tuple[tuple[Any, str], ...] = (
        (pair.models[:1], "number of models must be 2 to 1000, got 1"),
        (["best", "post"], "models must be a list of Model, got .*read files by `inksight.load_model` first"),
        (pair.models[0], "models must be a list of Model"),
    )
    for models, words in wrong:
        with pytest.raises(InputError, match=words):
            Ensemble(models)
    with pytest.raises(InputError, match=r"temperature must be 0.001 to 1000, got 0"):
        Ensemble(pair.models, 0)


def test_what_needs_one_network_refuses_an_ensemble(pair, path, tmp_path, mnist):
    ensemble: Any = pair
    for call in (
        lambda: inksight.filters(ensemble),
        lambda: inksight.barcode(ensemble, mnist.images[0]),
        lambda: inksight.ood_score(ensemble, mnist.images[:1]),
        lambda: inksight.teach(mnist[:9], ensemble),
    ):
        with pytest.raises(InputError, match=r"give one of its models, such as `ensemble.models\[0\]`"):
            call()
    with pytest.raises(InputError, match=r"holds an ensemble, where a single network is needed: give one of the model"):
        load_model(path)
    load_model("tiny").save(tmp_path / "tiny.safetensors")
    with pytest.raises(InputError, match=r"holds a single model, not an ensemble: read it by `inksight.load_model`"):
        load_ensemble(tmp_path / "tiny.safetensors")


@pytest.mark.parametrize("name", ["look", "prune", "summary", "train --from", "ensemble best"])
def test_commands_that_need_one_network_refuse_an_ensemble(capsys, path, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = command(capsys, *name.split(), path, code=2)
    assert "holds an ensemble, where a single network is needed" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def read(path):
    """Return the JSON header and the arrays of a file."""
    with safe_open(path, framework="numpy") as file:
        return json.loads(file.metadata()["inksight"]), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def write(path, header, arrays):
    """Write an ensemble file with the right checksum over its header and the digests that its models have."""
    if isinstance(header, dict):
        content = {name: value for name, value in header.items() if name != "checksum"}
        digest = Ensemble([load_model("small"), load_model("tiny")]).digest
        header = content | {"checksum": model_file.checksum(content, digest)}
    path.write_bytes(save(arrays, {"inksight": json.dumps(header)}))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_header_is_read_in_full_or_is_an_input_error(path, tmp_path, data):
    header, arrays = read(path)
    header["models"] = [model | {"history": model["history"][:1]} for model in header["models"]]
    write(tmp_path / "e.safetensors", data.draw(mutations(header)), arrays)
    message = "not an inksight model, or damaged"
    try:
        as_classifier(tmp_path / "e.safetensors").save(tmp_path / "again.safetensors")
    except InputError as error:
        message = str(error)
    assert "not an inksight model, or damaged" in message
    assert "\n" not in message
    assert len(message) < 600


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda header, arrays: header.update(models=header["models"][:1]), "models must be a list of 2 to 1000"),
        (lambda header, arrays: header.update(models=[]), "models must be a list of 2 to 1000, got []"),
        (lambda header, arrays: header["models"][1].update(format=header["format"]), "format must be 'inksight"),
        (lambda header, arrays: header.update(temperature="1"), "temperature must be 0.001 to 1000, got '1'"),
        (lambda header, arrays: header.update(more=1), "ensemble header field must be one of format, temperature"),
        (lambda header, arrays: header.pop("temperature"), "temperature of the ensemble header must be given"),
        (lambda header, arrays: header["models"].reverse(), "not an inksight model, or damaged: "),
        (lambda header, arrays: arrays.update({"2.x": arrays["0.output.bias"]}), "begins with a number from 0 to 1"),
        (lambda header, arrays: arrays.update({"x": arrays["0.output.bias"]}), "begins with a number from 0 to 1"),
        (lambda header, arrays: arrays.pop("1.output.bias"), "'output.bias' missing"),
        (lambda header, arrays: arrays.update({"0.output.bias": 2 * arrays["0.output.bias"]}), "checksum must be"),
    ],
)  # fmt: skip
def test_damage_is_named(path, tmp_path, change, words):
    header, arrays = read(path)
    change(header, arrays)
    write(tmp_path / "e.safetensors", header, arrays)
    with pytest.raises(InputError) as caught:
        load_ensemble(tmp_path / "e.safetensors")
    assert words in str(caught.value)


def test_changed_bytes_and_short_files_are_errors(path, tmp_path):
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content[:-40] + bytes(40), b"", b"x" * 100):
        (tmp_path / "e.safetensors").write_bytes(damaged)
        with pytest.raises(InputError, match="not an inksight model, or damaged"):
            as_classifier(tmp_path / "e.safetensors")


def test_card_describes_every_model(pair, path, mnist):
    card = inksight.card(path, mnist[-500:])
    text = str(card)
    assert text.startswith("# Model card: e\n")
    assert "- Ensemble of 2 models with 5,749 parameters in total" in text
    assert "which divides the logarithm of the average: 1.250" in text
    assert "### Model 1" in text
    assert all(model.network.spec in text for model in pair.models)
    assert "MIT" in card.license
    values = json.loads(json.dumps(card.to_dict()))
    assert [model["weights"] for model in values["models"]] == [model.digest for model in pair.models]
    assert values["temperature"] == 1.25
    assert inksight.card(pair, mnist[-500:]).name == "ensemble"


def test_seen_in_training_if_one_model_is(pair, mnist):
    assert seen_in_training(pair, mnist, "validation")
    assert not seen_in_training(pair, mnist, "test")
    unseen = Ensemble([replace(model, trained_on="") for model in pair.models])
    assert not seen_in_training(unseen, mnist, "validation")
    assert seen_in_training(Ensemble([unseen.models[0], pair.models[1]]), mnist, "validation")


def test_reading_averages_the_judgments_of_the_models(pair, mnist, few_training_digits):
    images = mnist.images[-20:]
    judged, each = assess(pair, images), [assess(model, images) for model in pair.models]
    np.testing.assert_allclose(judged.probabilities, np.mean([one.probabilities for one in each], axis=0), rtol=1e-5)
    np.testing.assert_allclose(judged.margin, np.mean([one.margin for one in each], axis=0))
    page = inksight.read(255 - images[0], pair)
    assert page.text == str(mnist.labels[-20])
    assert page[0].neighbours.labels.shape == (1, 5)
    without = Ensemble([pair.models[0], replace(pair.models[1], ood_detector=None)])
    assert np.isneginf(assess(without, images).margin).all()
    assert inksight.read(255 - images[0], without).text == page.text


def test_robustness_takes_an_ensemble(pair, mnist):
    result = robustness(pair, mnist[-40:], progress=False)
    assert result.clean_accuracy == (pair.predict(mnist.images[-40:]) == mnist.labels[-40:]).mean()


def test_command_combines_calibrates_and_writes(capsys, csv, mnist, tmp_path):
    names = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for name, model in zip(names, ("small", "tiny"), strict=True):
        load_model(model).save(name)
    out = tmp_path / "e.safetensors"
    arguments = ("ensemble", *names, "--data", csv, "--out", out)
    result = json.loads(command(capsys, *arguments, "--json"))
    written, validation = load_ensemble(out), inksight.load(csv).part("validation")
    assert result["temperature"] == written.temperature != 1
    assert (result["n"], result["seen_in_training"]) == (100, False)
    assert result["accuracy"] == written.evaluate(validation).accuracy
    assert list(result["models"].values()) == [evaluate(name, validation).accuracy for name in names]
    assert f"{out}: 2 models, validation accuracy" in command(capsys, *arguments)
    assert "100 images right" not in command(capsys, "evaluate", out, "--data", csv, "--split", "test", code=2)
    evaluated = json.loads(command(capsys, "evaluate", out, "--data", csv, "--split", "validation", "--json"))
    assert evaluated["accuracy"] == result["accuracy"]


def test_command_does_not_calibrate_on_images_seen_in_training(capsys, tmp_path):
    out = tmp_path / "e.safetensors"
    printed = outputs(capsys, "ensemble", "small", "tiny", "--out", out)
    assert "So the ensemble is not calibrated: its temperature is 1." in printed.out
    assert load_ensemble(out).temperature == 1
