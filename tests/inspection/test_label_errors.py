"""Doubtful labels: planted errors are found, and no network judges an image that it was trained on."""

import csv
import json
import re
from dataclasses import replace
from importlib import import_module
from types import MethodType, SimpleNamespace

import numpy as np
import pytest
from commands import command
from pages import ParsedPage, check_svg
from trials import SMALL

from benchmarks import doubtful_labels as benchmark
from inksight import Dataset, InputError, Model, plot
from inksight.config import Augmentation, Recipe
from inksight.data.dataset import join
from inksight.data.folds import stratified_folds
from inksight.data.loading import load, write_csv
from inksight.inspection.label_errors import DoubtfulLabels, doubtful_labels, write_table
from inksight.report.label_review import write_review

RECIPE = Recipe(
    epochs=8, batch_size=32, learning_rate=1e-2, beta1=0.8, beta2=0.95, augmentation=Augmentation(5, 1, 0.05, 0.05)
)
PLANTED = np.arange(0, 600, 50)  # rows of twelve wrong labels, each one digit too high
training = import_module("inksight.training.fitting")  # the module: in its package a function has the same name


@pytest.fixture(scope="module")
def wrong(mnist):
    """600 images, twelve of which have a wrong label."""
    labels = mnist.labels[:600].copy()
    labels[PLANTED] = (labels[PLANTED] + 1) % 10
    return replace(mnist[:600], labels=labels, name="planted")


@pytest.fixture(scope="module")
def result(wrong, mnist) -> DoubtfulLabels:
    return doubtful_labels(wrong, 3, "8x5p,16x3", RECIPE, repeats=2, extra=mnist[600:3600], progress=False)


def stand_in(activations):
    """Return a stand-in for a model, which only has these activations."""
    model = SimpleNamespace(activations=activations)
    model.log_probabilities = MethodType(Model.log_probabilities, model)
    return model


@pytest.fixture
def trainings(monkeypatch):
    """Replace training by a stand-in, and record the images that each network is trained on, and those it judges."""
    trainings = []

    def run(splits, network, recipe, *, seed, epochs, checkpoint, progress):
        entry = SimpleNamespace(trained=splits.train, judged=[], seed=seed, epochs=epochs)
        trainings.append(entry)

        def activations(images, only):
            entry.judged.append(images)
            return {"logits": np.zeros((len(images), 10), np.float32)}

        assert splits.validation is splits.test is checkpoint is None
        return SimpleNamespace(model=stand_in(activations), stopped="epochs", seconds=1.0)

    monkeypatch.setattr(training, "fit", run)
    return trainings


def pixels(images):
    return {image.tobytes() for image in images}


def test_planted_labels_are_found(result, wrong, mnist):
    assert np.isin(PLANTED, result.top(60)).all()  # a tenth of all images; the network has 1,500 weights
    assert np.isin(PLANTED, result.top(12)).sum() >= 5
    assert (result.suggested[PLANTED] == mnist.labels[PLANTED]).sum() >= 9
    assert (result.doubt[PLANTED] > 0).sum() >= 10
    assert (result.networks, result.extra, result.epochs) == (6, 3000, 8)
    assert "labels suspected" in repr(result)


def test_every_image_is_judged_once_per_repeat_by_a_network_not_trained_on_it(trainings, mnist):
    data = mnist[:500]
    twice = join(data, data[:40])  # the network must not be trained on a duplicate either
    result = doubtful_labels(twice, 4, SMALL, repeats=3, extra=mnist[480:900], progress=False)
    assert len(trainings) == result.networks == 12
    for training in trainings:
        assert not pixels(training.trained.images) & pixels(np.concatenate(training.judged))
        assert pixels(training.trained.images) >= pixels(mnist.images[500:900])
    for repeat in range(3):
        judged = [
            image.tobytes()
            for entry in trainings[4 * repeat : 4 * repeat + 4]
            for batch in entry.judged
            for image in batch
        ]
        assert sorted(judged) == sorted(image.tobytes() for image in twice.images)
        assert len({entry.seed for entry in trainings}) == 12
    assert result.extra == 400  # without the twenty that are also judged
    assert (result.folds[:, :40] == result.folds[:, 500:]).all()
    assert (result.folds[0] != result.folds[1]).any()
    assert result.seconds == 12


def test_the_number_of_images_decides_folds_and_epochs(trainings, mnist):
    for data, options, epochs in (
        (mnist[:500], {}, (5, 20)),
        (mnist[:42_000], {}, (4, 5)),
        (mnist[60_000:], {"extra": mnist[:60_000]}, (2, 5)),
        (mnist, {}, (2, 9)),
        (mnist, {"folds": 5}, (5, 2)),
        (mnist[:500], {"recipe": RECIPE}, (5, 8)),
        (mnist[:500], {"epochs": 7}, (5, 7)),
    ):
        trainings.clear()
        result = doubtful_labels(data, repeats=3, progress=False, **options)
        assert (result.networks // 3, result.epochs) == epochs
        assert {training.epochs for training in trainings} == {result.epochs}


def test_doubt_by_hand(monkeypatch, mnist):
    """Two networks: one predicts the probabilities 1/2, 1/4, 1/4, the other 1/8, 3/4, 1/8."""
    p = iter([[0.5, 0.25, 0.25]] * 2 + [[0.125, 0.75, 0.125]] * 2)

    def run(*arguments, **options):
        logits = np.log([next(p)] * 6).astype(np.float32)
        model = stand_in(lambda images, only: {"logits": logits[: len(images)]})
        return SimpleNamespace(model=model, stopped="epochs", seconds=0.0)

    monkeypatch.setattr(training, "fit", run)
    data = Dataset(mnist.images[:6], np.array([0, 1, 2, 0, 1, 2]), "six", ("a", "b", "c"))
    result = doubtful_labels(data, 2, SMALL, repeats=2, progress=False)
    np.testing.assert_allclose(result.probabilities, [[0.3125, 0.5, 0.1875]] * 6)
    np.testing.assert_allclose(result.doubt, np.log([1.6, 0.625, 8 / 3] * 2))
    assert result.suggested.tolist() == [1, 0, 1] * 2
    assert result.order.tolist() == [2, 5, 0, 3, 1, 4]
    assert result.suspected == 4


def test_the_same_seed_gives_the_same_ranking(wrong):
    first, same, other = (
        doubtful_labels(wrong[:200], 2, SMALL, RECIPE, repeats=1, epochs=1, seed=seed, progress=False)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.doubt, same.doubt)
    assert (first.folds != other.folds).any()


def test_folds_are_balanced_overall_and_within_each_class(mnist):
    labels = mnist.labels[:1003]
    fold = stratified_folds(labels, 7, seed=3)
    assert np.ptp(np.bincount(fold)) <= 1
    for digit in range(10):
        assert np.ptp(np.bincount(fold[labels == digit], minlength=7)) <= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": 1}, "folds must be 2 or more, got 1"),
        ({"folds": 201}, "number of images must be at least 201, one per fold, got 200"),
        ({"repeats": 0}, "repeats must be 1 or more, got 0"),
        ({"seed": -1}, "seed must be 0 to 2"),
        ({"epochs": 0}, "epochs must be 1 to 100000, got 0"),
        ({"network": "resnet"}, "network must be one of"),
        ({"recipe": "fast"}, "recipe must be one of"),
    ],
)
def test_bad_options_are_errors(wrong, options, words):
    with pytest.raises(InputError, match=re.escape(words)):
        doubtful_labels(wrong[:200], **{"network": SMALL, "progress": False} | options)


def test_bad_data_is_an_error(wrong, mnist):
    few = np.concatenate([np.flatnonzero(wrong.labels != 7), np.flatnonzero(wrong.labels == 7)[:4]])
    message = "every class needs at least 5 images, one per fold, got 4 of class '7': add images or use fewer folds"
    with pytest.raises(InputError, match=message):
        doubtful_labels(wrong[few], progress=False)
    with pytest.raises(InputError, match="finding doubtful labels needs labels, and 'planted' has none"):
        doubtful_labels(replace(wrong, labels=None), progress=False)
    with pytest.raises(InputError, match="number of images must be at least 5, one per fold, got 0"):
        doubtful_labels(wrong[:0], progress=False)
    with pytest.raises(InputError, match="training on extra images needs labels, and 'digits' has none"):
        doubtful_labels(wrong, extra=Dataset(mnist.images[:9]), progress=False)
    with pytest.raises(InputError, match="classes of the extra images must be those of the data"):
        doubtful_labels(wrong, extra=replace(mnist[:9], class_names=tuple("abcdefghij")), progress=False)
    with pytest.raises(InputError, match="top must be 0 or more"):
        doubtful_labels(wrong, 2, "2x3", RECIPE, repeats=1, epochs=1, progress=False).top(-1)


def test_a_rare_class_can_be_judged_with_extra_images_of_it(trainings, wrong, mnist):
    few = wrong[np.concatenate([np.flatnonzero(wrong.labels != 7), np.flatnonzero(wrong.labels == 7)[:1]])]
    assert doubtful_labels(few, extra=mnist[600:800], progress=False).extra == 200


def test_ctrl_c_raises_instead_of_ranking_some_images(monkeypatch, wrong):
    interrupted = SimpleNamespace(stopped="interrupted")
    monkeypatch.setattr(training, "fit", lambda *arguments, **options: interrupted)
    with pytest.raises(KeyboardInterrupt):
        doubtful_labels(wrong, progress=False)


# output


def test_json_table_and_text_agree(result, wrong, tmp_path):
    parsed = json.loads(json.dumps(result.to_dict(5), allow_nan=False))
    assert (parsed["n"], parsed["networks"], len(parsed["labels"])) == (600, 6, 5)
    assert parsed["suspected"] == result.suspected
    write_table(result, tmp_path / "doubts.csv")
    with (tmp_path / "doubts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["row"]) for row in rows) == list(range(600))
    assert (np.diff([float(row["doubt"]) for row in rows]) <= 0).all()
    for row, other in zip(rows, parsed["labels"], strict=False):
        assert {name: str(value) for name, value in other.items()} == row
        assert row["given"] == str(wrong.labels[int(row["row"])])
        assert int(row["image_id"]) == int(row["row"]) + 1
    first, *lines = str(result).splitlines()
    assert f"planted: {result.suspected} of 600 labels suspected to be wrong" in first
    assert lines[2].split()[:3] == [rows[0]["image_id"], rows[0]["given"], rows[0]["suggested"]]


def test_plot_shows_the_most_doubtful_labels(result):
    figure = result.plot(count=10)
    check_svg(plot.to_svg(figure), "")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert len(texts) == 10
    assert texts[0].endswith(f"#{result.order[0]}")
    assert "read as" in texts[0]
    with pytest.raises(InputError, match="count must be"):
        result.plot(count=0)


def test_the_page_is_self_contained_and_shows_the_most_doubtful_labels(result, tmp_path):
    path = tmp_path / "labels.html"
    write_review(result, path, top=50)
    page = ParsedPage(path.read_text())
    assert page.open == []
    assert [name for name in page.ids if name.startswith("image-")] == [f"image-{row + 1}" for row in result.order[:50]]
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert path.stat().st_size < 100_000


def test_names_cannot_break_the_page(result, tmp_path):
    evil = replace(result, name="</title><script>", class_names=("<script>alert(1)</script>", "</span>", *"23456789"))
    write_review(evil, tmp_path / "labels.html")
    text = (tmp_path / "labels.html").read_text()
    assert ParsedPage(text).open == []
    assert ParsedPage(text).tags.count("script") == 2


@pytest.fixture(scope="module")
def source(tmp_path_factory, wrong):
    path = tmp_path_factory.mktemp("labels") / "wrong.csv"
    write_csv(wrong, path)
    return path


SHORT = ("--network", SMALL, "--folds", 2, "--repeats", 1, "--epochs", 2)


def test_the_command_writes_page_and_table(capsys, source, tmp_path):
    out, table = tmp_path / "page.html", tmp_path / "doubts.csv"
    out.write_text("an older page")
    arguments = ("labels", source, *SHORT, "--top", 7, "--out", out, "--csv", table)
    result = json.loads(command(capsys, *arguments, "--json"))
    assert (result["n"], len(result["labels"]), result["page"], result["csv"]) == (600, 7, str(out), str(table))
    assert out.read_text().count("<li id=") == 7
    assert len(table.read_text().splitlines()) == 601
    text = command(capsys, *arguments, "--split", "validation")
    assert "of 120 labels suspected to be wrong" in text
    assert text.endswith(f"page: {out}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["doubts.csv", "page.html"]


def test_the_command_writes_corrected_data(capsys, source, wrong, tmp_path):
    """Kaggle's way: train.csv in, a corrected train.csv out."""
    names = wrong.class_names
    rows = [(1, "", names[wrong.labels[0]]), (3, "9", names[wrong.labels[2]]), (600, *2 * [names[wrong.labels[599]]])]
    lines = ["ImageId,Label,given", *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "corrections.csv").write_text("\n".join(lines) + "\n")
    out = tmp_path / "corrected.csv"
    arguments = ("labels", source, "--apply", tmp_path / "corrections.csv", "--csv", out)
    changed = int(wrong.labels[2] != 9)
    assert command(capsys, *arguments) == f"{out}: 599 images, labels changed: {changed}, images left out: 1\n"
    expected = wrong.labels.copy()
    expected[2] = 9
    corrected = load(out)
    np.testing.assert_array_equal(corrected.labels, expected[1:])
    np.testing.assert_array_equal(corrected.images, wrong.images[1:])
    result = json.loads(command(capsys, *arguments, "--json"))
    assert result == {"data": source.name, "csv": str(out), "n": 599, "changed": changed, "left_out": 1}
    assert "ImageId must be 1 to 120" in command(capsys, *arguments, "--split", "validation", code=2)


def test_the_command_never_overwrites_data_or_decisions(capsys, source, tmp_path, monkeypatch):
    decisions = tmp_path / "corrections.csv"
    decisions.write_text("ImageId,Label,given\n")
    before = source.read_bytes()
    monkeypatch.chdir(tmp_path)
    for data, out, words in (
        (source, source, "file to write must be other than the files to read"),
        (source.parent, source.parent / "new.csv", "--csv must be a file outside"),
        (source, "corrections.csv", "file to write must be other than the files to read"),
        (source, "none/corrected.csv", "does not exist"),
    ):
        error = command(capsys, "labels", data, "--apply", decisions, "--csv", out, code=2)
        assert words in error
        assert error.count("\n") == 1
    assert source.read_bytes() == before
    assert decisions.read_text() == "ImageId,Label,given\n"
    assert list(tmp_path.iterdir()) == [decisions]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--apply", "corrections.csv"), "--apply needs a file to write: add --csv corrected.csv"),
        (("--apply", "none.csv", "--csv", "out.csv"), "cannot read 'none.csv': No such file or directory"),
        (("--apply", "none.csv", "--csv", "out.csv", "--top", 3, "--folds", 2), "got '--folds, --top'"),
        (("--out", "none/page.html"), "does not exist"),
        (("--csv", "none/doubts.csv"), "does not exist"),
        (("--out", "."), "it is a folder"),
        (("--folds", 1), "folds must be 2 or more"),
        (("--folds", 100), "of class"),
        (("--top", 0), "0 is not in the range"),
        (("--split", "test"), "train, validation, all, got 'test'"),
    ],
)
def test_the_command_reports_bad_arguments_before_it_trains(arguments, words, capsys, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(training, "fit")
    error = command(capsys, "labels", source, *arguments, code=2)
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# the benchmark


def test_the_ranks_of_the_benchmark_by_hand():
    rejected = list(benchmark.REJECTED)
    others = [row for row in range(10_000) if row not in benchmark.REJECTED]
    order = np.array(rejected[:10] + others[:20] + rejected[10:13] + others[20:87] + rejected[13:] + others[87:])
    assert benchmark.ranks(order) == [*range(1, 11), 31, 32, 33, 101, 102]
    assert benchmark.holds(benchmark.ranks(order))
    assert not benchmark.holds([*range(1, 10), *range(31, 37)])  # nine among the first 30
    assert not benchmark.holds([*range(1, 13), 101, 102, 103])  # twelve among the first 100
    assert benchmark.CLAIMS == {30: 10, 100: 13}
    assert len(rejected) == 15
    assert all(votes < 3 for _, votes in benchmark.REJECTED.values())
