"""Cross-validation: what is judged was not trained on; and what `kaggle` makes of it."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
from commands import command, outputs
from trials import QUICK, SMALL, TINY

from inksight import Dataset, Ensemble, InputError, cross_validate, load, load_ensemble
from inksight.data.dataset import join
from inksight.data.loading import write_csv
from inksight.experiments.competition import compete
from inksight.inspection.evaluation import wilson_interval
from inksight.training.fitting import fit

TRAINERS = [import_module(f"inksight.experiments.{name}") for name in ("cross_validation", "competition")]


@pytest.fixture
def fits(monkeypatch):
    """Record the splits and the seed of each training."""
    fits = []

    def recorded(splits, *arguments, **options):
        fits.append((splits, options["seed"]))
        return fit(splits, *arguments, **options)

    for module in TRAINERS:
        monkeypatch.setattr(module, "fit", recorded)
    return fits


@pytest.fixture(scope="module")
def pair(tmp_path_factory, mnist):
    folder = tmp_path_factory.mktemp("kaggle")
    write_csv(mnist[:400], folder / "train.csv")
    write_csv(Dataset(mnist.images[-30:], None, "test"), folder / "test.csv")
    return folder / "train.csv", folder / "test.csv"


def pixels(data):
    return {image.tobytes() for image in data.images}


def test_every_image_is_judged_by_a_network_not_trained_on_it(mnist, fits):
    data = join(mnist[:300], mnist[:20])  # with duplicates
    result = cross_validate(data, TINY, QUICK, folds=3, seed=5, progress=False)
    assert (len(fits), len(result.models), len(result.labels)) == (3, 3, 320)
    assert len({seed for _, seed in fits}) == 3
    judged = [pixels(splits.validation) for splits, _ in fits]
    assert all(not pixels(splits.train) & part for (splits, _), part in zip(fits, judged, strict=True))
    assert set.union(*judged) == pixels(data)
    right = sum(
        (model.predict(splits.validation.images) == splits.validation.labels).sum()
        for model, (splits, _) in zip(result.models, fits, strict=True)
    )
    assert result.accuracy == right / 320
    assert result.interval == wilson_interval(int(right), 320)
    np.testing.assert_array_equal(result.labels, data.labels)
    assert isinstance(result.ensemble, Ensemble)
    assert f"expected accuracy {right / 320:.2%}" in str(result)
    again = cross_validate(data, TINY, QUICK, folds=3, seed=5, progress=False)
    assert again.ensemble.digest == result.ensemble.digest


def test_one_held_out_fold_takes_one_training(mnist, fits):
    result = cross_validate(mnist[:300], TINY, QUICK, held_out=1, progress=False)
    ((splits, _),) = fits
    assert (len(splits.train), len(splits.validation), len(result.labels), len(result.models)) == (240, 60, 60, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": 1}, "folds must be 2 or more, got 1"),
        ({"held_out": 6}, "held_out must be 1 to 5, the number of folds, got 6"),
        ({"seed": -1}, "seed must be 0 to"),
        ({"folds": 400}, "number of folds must be at most 300"),
    ],
)
def test_wrong_options_are_named(mnist, options, words):
    with pytest.raises(InputError, match=words):
        cross_validate(mnist[:300], TINY, QUICK, progress=False, **options)


def test_the_expected_score_is_measured_before_the_training_on_all_images(mnist, fits):
    entry = compete(mnist[:300], TINY, QUICK, progress=False)
    assert [(len(splits.train), splits.validation is None) for splits, _ in fits] == [(240, False), (300, True)]
    assert entry.expected is not None
    assert len(entry.expected.labels) == 60
    fits.clear()
    assert compete(mnist[:300], TINY, QUICK, check=False, progress=False).expected is None
    assert [len(splits.train) for splits, _ in fits] == [300]


def test_command_says_what_to_expect(capsys, pair, tmp_path):
    arguments = ("kaggle", *pair, "--network", SMALL, "--epochs", 2, "--out", tmp_path / "s.csv")
    expected = json.loads(command(capsys, *arguments, "--json"))["expected"]
    assert (expected["models"], expected["n"]) == (1, 80)
    assert expected["interval"] == list(wilson_interval(round(80 * expected["accuracy"]), 80))
    printed = outputs(capsys, *arguments)
    low, high = expected["interval"]
    words = f"expected accuracy {expected['accuracy']:.2%} (95 % interval {low:.2%} to {high:.2%})"
    assert words in printed.out
    assert printed.err.startswith("training two networks: about ")
    assert "expected" not in command(capsys, *arguments, "--no-check")


def test_command_averages_the_networks_of_folds(capsys, pair, tmp_path):
    out, kept = tmp_path / "s.csv", tmp_path / "e.safetensors"
    arguments = ("kaggle", *pair, "--network", SMALL, "--epochs", 2, "--folds", 3, "--out", out, "--model", kept)
    result = json.loads(command(capsys, *arguments, "--json"))
    assert (result["expected"]["models"], result["expected"]["n"], result["rows"]) == (3, 400, 30)
    ensemble = load_ensemble(kept)
    assert result["weights"] == ensemble.digest
    rows = out.read_text().splitlines()[1:]
    assert [int(row.split(",")[1]) for row in rows] == ensemble.predict(load(pair[1]).images).tolist()
    error = command(capsys, *arguments, "--no-check", code=2)
    assert "--no-check must be left out with --folds" in error


def test_test_images_of_a_source_are_not_used_but_those_of_a_competition_are_others(few, mnist, fits):
    both = [few, replace(join(join(few.train, few.validation), mnist[-50:]), test_count=50)]
    digests = {cross_validate(data, TINY, QUICK, held_out=1, progress=False).models[0].digest for data in both}
    assert len(digests) == 1
    assert [len(splits.train) + len(splits.validation) for splits, _ in fits] == [400, 400]
    fits.clear()
    compete(both[1], TINY, QUICK, progress=False)
    assert [len(splits.train) for splits, _ in fits] == [360, 450]
