"""Functions take what the command line takes: names, files, models, datasets and splits; anything else is one error."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trials import QUICK, TINY, Forbidden, InProcessWorkers

import inksight
from inksight import InputError, Splits, cli, plot
from inksight.config import NETWORKS, get_budget, get_recipe
from inksight.data import apply_corrections, as_dataset, as_splits
from inksight.data.loading import write_csv
from inksight.experiments.pruning import prune, train_from_scratch
from inksight.experiments.trial import grid
from inksight.imaging import FilePage
from inksight.inspection import remove_least_important, without_filters
from inksight.inspection.label_errors import write_table
from inksight.nn import SHIPPED, as_model, layers
from inksight.nn.parameters import parameter_count
from inksight.report import write_review
from inksight.report.pictures import Picture
from inksight.report.report import write_report


@pytest.fixture(scope="module")
def files(model, digits, tmp_path_factory):
    """A folder with the model and some labeled images as files."""
    folder = tmp_path_factory.mktemp("files")
    model.save(folder / "mine.safetensors")
    write_csv(digits.validation[:200], folder / "some.csv")
    return folder


@pytest.fixture
def named_like_files(model, digits, tmp_path, monkeypatch):
    """The current folder has a model file with each name of a model or network, and a CSV file with the name mnist."""
    for name in (*NETWORKS, "16x3"):
        model.save(tmp_path / f"{name}.safetensors")
        (tmp_path / f"{name}.safetensors").rename(tmp_path / name)
    write_csv(digits.validation[:200], tmp_path / "mnist.csv")
    (tmp_path / "mnist.csv").rename(tmp_path / "mnist")
    monkeypatch.chdir(tmp_path)
    return tmp_path


Call = Callable[..., Any]
# Calls of every public function that takes a model, with an image or with 200 labeled images.
OF_MODEL_AND_IMAGE: dict[str, Call] = {
    "barcode": inksight.barcode,
    "feature_maps": inksight.feature_maps,
    "evidence": lambda model, image: inksight.evidence(model, image, np.zeros(12)),
    "filters": lambda model, image: inksight.filters(model),
    "filter_similarity": lambda model, image: inksight.filter_similarity(model),
    "ood_score": inksight.ood_score,
    "summary": lambda model, image: inksight.summary(model),
    "layers": lambda model, image: layers(model),
    "without_filters": lambda model, image: without_filters(model, {1: [0]}),
}
OF_MODEL_AND_DATA: dict[str, Call] = {
    "average_barcodes": inksight.average_barcodes,
    "card": inksight.card,
    "detrended_barcodes": inksight.detrended_barcodes,
    "embedding": inksight.embedding,
    "evaluate": inksight.evaluate,
    "filter_importance": inksight.filter_importance,
    "gallery": inksight.gallery,
    "neighbours": lambda model, data: inksight.neighbours(model, np.eye(28, dtype=np.float32), data, 1),
    "remove_least_important": lambda model, data: remove_least_important(model, data, 1e6),
    "robustness": lambda model, data: inksight.robustness(model, data, images=2, progress=False),
    "separation": inksight.separation,
}
OF_DATA: dict[str, Call] = {
    "doubtful_labels": lambda data: inksight.doubtful_labels(data, 2, TINY, QUICK, repeats=1, epochs=1, progress=False),
    "prune": lambda data: prune(data, TINY, QUICK, keep_accuracy=None, epochs=1, steps=0, progress=False),
    "cross_validate": lambda data: inksight.cross_validate(data, TINY, QUICK, held_out=1, progress=False),
    "teach": lambda data: inksight.teach(data, inksight.Model.untrained(TINY), data, progress=False),
    "train": lambda data: inksight.train(data, TINY, QUICK, epochs=1, progress=False),
    "fit": lambda data: inksight.fit(data, TINY, QUICK, epochs=1, progress=False),
}
WRONG_DATA = "data must be a Dataset, Splits, the name mnist, or the path of a file or folder, got {}"
THREE: Any = 3  # the wrong value, which type checkers must not complain about
READ_PARTS = ("filter_importance", "neighbours", "remove_least_important", "robustness")  # not the whole of a file


def text_of(result):
    if not isinstance(result, list):
        return str(result)
    return [item.title if isinstance(item, Picture) else str(item) for item in result]


def test_every_public_function_with_a_model_or_data_is_tested_here():
    called = {*OF_MODEL_AND_IMAGE, *OF_MODEL_AND_DATA, *OF_DATA}
    called |= {"read", "read_in_shards", "write_report", "sweep", "halving", "load_model"}  # further below
    functions = {name: value for name in dir(inksight) if inspect.isfunction(value := getattr(inksight, name))}
    for name, function in functions.items():
        if {"model", "network", "data", "dataset"} & {*inspect.signature(function).parameters}:
            assert name in called, name


@pytest.mark.parametrize("name", OF_MODEL_AND_IMAGE)
def test_models_are_given_as_objects_files_and_names(name, model, files, digits):
    call, image = OF_MODEL_AND_IMAGE[name], digits.validation.images[0]
    path = files / "mine.safetensors"
    assert text_of(call(path, image)) == text_of(call(str(path), image)) == text_of(call(model, image))
    for wrong in (THREE, None, b"best", ["best"]):
        with pytest.raises(InputError, match=f"(model|network) must be a .*, got {re.escape(repr(wrong))}"):
            call(wrong, image)
    with pytest.raises(InputError, match=r"must be .*, got 'nowhere'"):
        call("nowhere", image)


@pytest.mark.parametrize("name", OF_MODEL_AND_DATA)
def test_data_is_given_as_objects_files_and_splits(name, model, files, digits):
    call, path, some = OF_MODEL_AND_DATA[name], files / "some.csv", replace(digits.validation[:200], name="some.csv")
    expected = text_of(call(model, some))
    if name not in READ_PARTS:
        of_files = text_of(call(str(files / "mine.safetensors"), path))
        assert of_files == (expected.replace("card: model", "card: mine") if name == "card" else expected)
    if name != "card":
        assert text_of(call(model, Splits(some, some, some))) == expected
    with pytest.raises(InputError, match=WRONG_DATA.format(3)):
        call(model, THREE)
    with pytest.raises(
        InputError, match=r"model must be a Model, one of post, best, small, tiny, reader, or .*, got 3"
    ):
        call(THREE, some)


@pytest.mark.parametrize("name", OF_DATA)
def test_training_takes_files(name, files):
    call = OF_DATA[name]
    assert call(files / "some.csv") is not None
    with pytest.raises(InputError, match=WRONG_DATA.format("None")):
        call(None)
    with pytest.raises(InputError, match="no file or folder 'nowhere'"):
        call("nowhere")


def test_jobs_take_models_and_files(digits, tmp_path):
    np.save(tmp_path / "a.npy", digits.test.images[:3])
    source = str(tmp_path / "a.npy")
    for number, given in enumerate((source, tmp_path / "a.npy", [source])):
        done = inksight.read_in_shards(given, tmp_path / str(number), model="tiny", workers=1, progress=False)
        assert done.rows == 3
    wrong: Any
    for wrong in (THREE, [], [THREE], None, "", b"a.npy"):
        with pytest.raises(InputError, match=r"sources must be a path or a URL, or a list of them, got "):
            inksight.read_in_shards(wrong, tmp_path / "out", progress=False)
        if wrong != []:
            with pytest.raises(InputError, match=r"out must be a path or a URL that is not empty, got "):
                inksight.read_in_shards(source, wrong, progress=False)
    with pytest.raises(InputError, match=r"model must be a Model, .*, got 3"):
        inksight.read_in_shards(source, tmp_path / "out", model=THREE, progress=False)
    assert not (tmp_path / "out").exists()


def test_sweeps_reports_and_comparisons_take_files(files, small_run, digits, tmp_path, monkeypatch):
    monkeypatch.setattr("inksight.experiments.trial_training.start_workers", InProcessWorkers)
    some = files / "some.csv"
    trials = grid([TINY], replace(QUICK, epochs=1), {}, seeds=(0,))
    for search in (inksight.sweep, inksight.halving):
        assert search(some, trials, tmp_path / search.__name__, progress=False).configurations[0].accuracies
        with pytest.raises(InputError, match=WRONG_DATA.format(3)):
            search(THREE, trials, tmp_path / "none", progress=False)
    pruning = prune(some, TINY, QUICK, keep_accuracy=None, epochs=1, steps=1, progress=False)
    assert len(train_from_scratch(some, pruning, QUICK, progress=False)) == 1
    monkeypatch.setattr("inksight.report.report.gallery", lambda *arguments: [])  # the pictures take long to draw
    page = write_report(tmp_path / "report", small_run, some).read_text()
    validation = inksight.load(some).split().validation
    assert validation is not None
    assert f"{100 * inksight.evaluate(small_run.model, validation).accuracy:.2f} %" in page
    with pytest.raises(InputError, match=r"result must be a TrainingResult, as `inksight.fit` returns it, got Model\("):
        write_report(tmp_path / "report", small_run.model, some)


def calls_with_three(model, digits, tmp_path) -> dict[str, tuple[Callable[[], object], str]]:
    """Calls with a 3 for an argument that is neither a model nor data, and what the error begins with."""
    some, out = digits.validation[:200], tmp_path / "out"
    return {
        "average": (
            lambda: inksight.detrended_barcodes(model, some, average=THREE),
            "average must be average barcodes",
        ),
        "on_epoch": (lambda: inksight.train(some, on_epoch=THREE), "on_epoch must be a function"),
        "sweep": (lambda: inksight.sweep(some, THREE, out), "trials must be a list of Trial"),
        "sweep, in a list": (lambda: inksight.sweep(some, [THREE], out), "trials must be a list of Trial"),
        "halving": (lambda: inksight.halving(some, THREE, out), "trials must be a list of Trial"),
        "recipe": (lambda: grid([TINY], THREE, {}), "recipe must be "),
        "apply_corrections": (lambda: apply_corrections(THREE, out), "data must be a Dataset"),
        "corrections": (lambda: apply_corrections(some, THREE), "path must be a string or a path-like object"),
        "write_csv": (lambda: write_csv(THREE, out), "dataset must be a Dataset"),
        "write_review": (lambda: write_review(THREE, out), "result must be what `inksight.doubtful_labels` returns"),
        "write_table": (lambda: write_table(THREE, out), "result must be what `inksight.doubtful_labels` returns"),
        "figure": (lambda: plot.save(THREE, tmp_path / "out.png"), "figure must be a matplotlib figure"),
        "network": (lambda: inksight.Model.untrained(THREE), "network must be a Network"),
        "seed": (lambda: inksight.train(some, seed=-THREE), "seed must be a whole number of 0 or more"),
        "seed, a model's": (lambda: inksight.Model.untrained(TINY, 1 / THREE), "seed must be a whole number"),
        "seed, of averages": (lambda: inksight.average_barcodes(model, some, seed="3"), "seed must be a whole"),  # type: ignore[arg-type]
        "seed, of a drawing": (lambda: some.plot(seed=-THREE), "seed must be a whole number"),
        "invert": (lambda: inksight.read(some.images[0], model, invert=THREE), "invert must be true, false or None"),
        "pages": (lambda: inksight.pages(THREE), "path must be a string or a path-like object"),
        "FilePage": (lambda: FilePage(THREE), "path must be a string or a path-like object"),
        "number": (lambda: FilePage(Path("a"), -THREE), "number of a page must be 1 or more, or None"),
        "content": (lambda: FilePage(Path("a"), content=THREE), "content of a page must be bytes or None"),
        "sample_weight": (lambda: inksight.train(some, sample_weight="3"), "sample_weight must be numbers"),
    }


def test_any_other_argument_of_a_wrong_type_is_one_error(model, digits, tmp_path):
    for name, (call, begin) in calls_with_three(model, digits, tmp_path).items():
        with pytest.raises(InputError) as error:
            call()
        assert str(error.value).startswith(begin), name
        assert "got " in str(error.value), name
    assert list(tmp_path.iterdir()) == []


def test_averages_of_another_model_are_refused(model, digits):
    average = inksight.average_barcodes("post", digits.validation[:200])
    with pytest.raises(
        InputError, match="average must be average barcodes of the same model, 12 entries each, got Ave"
    ):
        inksight.detrended_barcodes(model, digits.validation[:200], average=average)


def test_networks_and_recipes_have_names(model):
    network, recipe = inksight.get_network("post"), get_recipe("seconds")
    assert inksight.Model.untrained("post").digest == inksight.Model.untrained(network).digest
    assert inksight.Model.untrained("post", class_names=("a", "b")).network.classes == 2
    assert grid(["post"], "seconds", {}) == grid(["post"], recipe, {})
    with pytest.raises(InputError, match="networks must be a list of names or descriptions, got 'post'"):
        grid("post", recipe, {})


@pytest.mark.parametrize("name", ["probabilities", "predict", "barcodes"])
def test_images_are_arrays(name, model, digits):
    for wrong in ("photo.jpg", b"photo", Path("photo.jpg")):
        with pytest.raises(InputError, match=r"images must be an array, got .*: convert a picture file with `inksight"):
            getattr(model, name)(wrong)
    for wrong in (digits.validation[:5], digits.validation[:1], digits.validation[:28]):
        with pytest.raises(InputError, match=r"images must be an array, got Dataset\(.*: pass its attribute `images`"):
            getattr(model, name)(wrong)
    prepared = inksight.prepare(255 - digits.test.images[0])
    with pytest.raises(InputError, match=r"images must be an array, got Prepared\(.*: pass its attribute `image`"):
        getattr(model, name)(prepared)
    assert len(getattr(model, name)([prepared.image, prepared.image])) == 2


def test_a_card_needs_labels(model, digits):
    with pytest.raises(InputError, match="evaluation needs labels, and 'mnist' has none"):
        inksight.card(model, replace(digits.validation[:20], labels=None))


def test_read_takes_paths_and_models(model, files, digits):
    picture = 255 - digits.test.images[0]
    readings = [inksight.read(picture, given) for given in (model, files / "mine.safetensors")]
    assert readings[0][0].probabilities == readings[1][0].probabilities
    with pytest.raises(InputError, match="model must be a Model, one of"):
        inksight.read(picture, THREE)


def test_a_trained_model_is_continued_or_pruned_by_its_file(files, digits, model):
    path = files / "mine.safetensors"
    longer = inksight.train(digits, recipe=QUICK, start=path, epochs=1, progress=False)
    assert len(longer.history) == len(model.history) + 1
    for start in (path, str(path), model):
        result = prune(digits, start, QUICK, keep_accuracy=None, epochs=1, steps=0, progress=False)
        assert result.model.digest == model.digest
    with pytest.raises(InputError, match=r"model must be a Model, one of .* got 3"):
        inksight.train(digits, recipe=QUICK, start=THREE)
    with pytest.raises(InputError, match="got 'nowhere'; there is no model file of that name either"):
        prune(digits, "nowhere")


def test_parts_of_data_and_splits(mnist):
    splits = mnist.split()
    assert as_splits(splits) is splits
    assert as_dataset(mnist) is mnist
    assert as_dataset(splits) is splits.test
    assert as_dataset(replace(splits, test=None)) is splits.validation
    assert as_dataset("mnist").digest == splits.test.digest
    for data in (splits, "mnist"):
        assert as_dataset(data, "validation").digest == splits.validation.digest
    assert as_dataset("mnist", "all").digest == mnist.digest == as_dataset(splits, "all").digest
    assert as_splits("mnist").train.digest == as_splits(mnist).train.digest == splits.train.digest
    with pytest.raises(InputError, match="part of the splits must be train, validation, all, got 'test'"):
        as_dataset(replace(splits, test=None), "test")


def test_choices_are_not_made_on_test_images(model, digits):
    splits = Splits(digits.train, digits.validation[:100], Forbidden())
    assert inksight.filter_importance(model, splits)[0].shape == (8,)
    assert parameter_count(remove_least_important(model, splits, 1e6).network) == parameter_count(model.network)
    assert inksight.robustness(model, splits, images=2, progress=False).images == 2
    assert inksight.neighbours(model, np.eye(28, dtype=np.float32), splits, 3).ids.shape == (1, 3)


@pytest.mark.usefixtures("named_like_files")
def test_a_name_wins_over_a_file_of_that_name(model, mnist, capsys):
    for name in SHIPPED:
        assert inksight.load_model(name).digest == as_model(name).digest != model.digest
    for name in (*NETWORKS, "16x3"):
        assert inksight.summary(name) == inksight.summary(inksight.get_network(name)) != inksight.summary(model)
    for file in ("./best", Path("best"), Path("best").absolute()):
        assert as_model(file).digest == inksight.load_model(file).digest == model.digest
        assert inksight.summary(file) == inksight.summary(model)
    assert inksight.summary("./16x3") == inksight.summary(model)
    assert as_splits("mnist").train.digest == mnist.split().train.digest
    assert len(as_dataset(Path("mnist"))) == len(as_dataset("./mnist")) == 200
    for name, shown in (("post", "post"), ("./post", model)):
        assert cli.run(["summary", name]) == 0
        assert capsys.readouterr().out == inksight.summary(shown) + "\n"
    for name, is_shipped in (("best", True), ("./best", False)):
        assert cli.run(["card", name, "--json"]) == 0
        assert (model.digest in capsys.readouterr().out) != is_shipped


def test_errors_name_every_possibility(capsys):
    assert cli.run(["summary", "nowhere"]) == 2
    assert "got 'nowhere'; there is no model file of that name either" in capsys.readouterr().err
    calls: list[tuple[Call, str]] = [
        (inksight.get_network, "network"), (get_recipe, "recipe"), (get_budget, "budget"),
        (inksight.load_model, "model"), (inksight.Model.load, "model"),
    ]  # fmt: skip
    for call, name in calls:
        for wrong in (THREE, None, ["post"]):
            with pytest.raises(InputError, match=f"{name} must be .*, got {re.escape(repr(wrong))}"):
                call(wrong)


def test_methods_of_a_model_are_the_functions(model, digits):
    image = digits.validation.images[0]
    assert model.summary() == inksight.summary(model)
    assert str(model.evaluate(digits.validation)) == str(inksight.evaluate(model, digits.validation))
    np.testing.assert_array_equal(model.feature_maps(image, 2).maps, inksight.feature_maps(model, image, 2).maps)


def test_the_card_of_a_model_is_measured(model, digits):
    result = inksight.card(model, digits.validation, name="mine")
    assert result.evaluation["accuracy"] == inksight.evaluate(model, digits.validation).accuracy
    assert (result.name, result.images, result.protocol) == ("mine", "mnist, all images", None)
    assert inksight.card("small").protocol is not None
    assert inksight.card("small", part="validation").seen_in_training
    with pytest.raises(InputError, match="part of 'mnist' must be train, validation, all, got 'test'"):
        inksight.card(model, digits.validation, "test")
