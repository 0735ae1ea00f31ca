"""Trials, grids of trials, and result files, whole and damaged."""

import contextlib
import json
from dataclasses import fields, replace
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from mutations import covers, mutations
from trials import RECIPE, SMALL, TINY, WILD, result_of

from inksight import Augmentation, InputError, Recipe
from inksight.cli.sweep import _parse_changes
from inksight.experiments.search import sweep
from inksight.experiments.trial import Result, Trial, grid


def test_equivalent_trials_have_equal_ids():
    trial = Trial("20x5p,20x5", RECIPE, 3)
    assert len(trial.id) == 16
    assert Trial("20x5p, 20x5", replace(RECIPE, augmentation=Augmentation(5.0, 1.0)), 3).id == trial.id
    others = [
        replace(trial, seed=4),
        replace(trial, network="20x5p,20x3"),
        replace(trial, recipe=replace(RECIPE, learning_rate=2)),
    ]
    assert len({other.id for other in (trial, *others)}) == 4
    assert Trial.from_dict(json.loads(json.dumps(trial.to_dict()))) == trial


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("resnet", RECIPE), "network must be one of"),
        ((7, RECIPE), "network must be a name or a short description, got 7"),
        ((TINY, "default"), "recipe must be a Recipe"),
        ((TINY, RECIPE, -1), "seed must be 0 to 2147483647, got -1"),
    ],
)
def test_invalid_trials_raise_errors(arguments, words):
    with pytest.raises(InputError, match=words):
        Trial(*arguments)


def test_grid_has_every_combination():
    trials = grid([TINY, SMALL], RECIPE, {"batch_size": [32, 64, 128], "augmentation.shift": [0, 2]}, seeds=range(5))
    assert len({trial.id for trial in trials}) == len(trials) == 2 * 3 * 2 * 5
    assert {(t.network, t.recipe.batch_size, t.recipe.augmentation.shift) for t in trials} == {
        (network, batch, shift) for network in (TINY, SMALL) for batch in (32, 64, 128) for shift in (0, 2)
    }
    assert all(replace(t.recipe, batch_size=64, augmentation=RECIPE.augmentation) == RECIPE for t in trials)
    assert grid([TINY], RECIPE, {}) == [Trial(TINY, RECIPE)]


@pytest.mark.parametrize(
    ("networks", "changes", "words"),
    [
        (
            [TINY],
            {"speed": [1]},
            r"setting must be one of epochs, batch_size, .*augmentation.pen_style, taper, got 'speed'",
        ),
        ([TINY], {"augmentation": [1]}, "setting must be one of"),
        ([TINY], {"network": [1]}, "setting must be one of"),
        ([TINY], {"learning_rate": []}, "number of values of learning_rate must be 1 or more, got 0"),
        ([], {}, "number of values of network must be 1 or more"),
        ([TINY], {"batch_size": [1.5]}, "batch_size must be 1 to 65536, got 1.5"),
        ([TINY], {"learning_rate": ["fast"]}, "learning_rate must be 1e-12 to 1e6, got 'fast'"),
        ([TINY], {"augmentation.rotation": [True]}, "rotation must be 0 to 180 degrees, got True"),
        ([TINY], {"schedule": ["steep"]}, "schedule must be triangle or constant, got 'steep'"),
    ],
)
def test_invalid_grids_raise_errors(networks, changes, words):
    with pytest.raises(InputError, match=words):
        grid(networks, RECIPE, changes)


def test_result_file_round_trip(tmp_path):
    for result in (result_of(Trial(TINY, RECIPE, 1)), result_of(WILD, failed="loss became nan")):
        result.save(tmp_path / "a.json")
        assert Result.load(tmp_path / "a.json") == result


def _with(**changes):
    return lambda values: json.dumps(values | changes)


DAMAGES = {
    "empty": lambda values: "",
    "cut": lambda values: json.dumps(values)[:-9],
    "a list": lambda values: "[]",
    "too deep": lambda values: "[" * 100_000,
    "another file": lambda values: '{"label": 7}',
    "another format": _with(format="inksight trial 0"),
    "another seed": lambda values: json.dumps(values | {"trial": values["trial"] | {"seed": 2}}),
    "no trial": _with(trial=None),
    "a row too few": _with(history=[]),
    "no accuracy": lambda values: json.dumps(values | {"history": [values["history"][0] | {"val_accuracy": None}]}),
    "an accuracy above 1": lambda values: json.dumps(
        values | {"history": [values["history"][0] | {"val_accuracy": 98.0}]}
    ),
    "a string for a number": _with(seconds="2"),
    "a number for a string": _with(failed=7),
    "an unknown name": _with(color="red"),
}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_is_read_in_full_or_is_an_input_error(tmp_path, data):
    path = tmp_path / "a.json"
    result_of(Trial(TINY, RECIPE, 1)).save(path)
    values = data.draw(mutations(json.loads(path.read_text())))
    path.write_text(json.dumps(values))
    with contextlib.suppress(InputError):
        Result.load(path).save(path)
        assert covers(json.loads(path.read_text()), values)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_results_are_reported_and_trained_again(damage, few, made, tmp_path, capsys):
    trial = Trial(TINY, RECIPE, 1)
    path = tmp_path / f"{trial.id}.json"
    result_of(trial).save(path)
    path.write_text(DAMAGES[damage](json.loads(path.read_text())))
    with pytest.raises(InputError, match="is not the result of a trial, or damaged"):
        Result.load(path)
    sweep(few, [trial], tmp_path)
    assert len(made.every) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"'{path}' is not the result of a trial, or damaged: ")
    assert lines[0].endswith("; training it again")
    assert Result.load(path).trial == trial


def test_result_file_named_after_another_trial_counts_as_damaged(few, made, tmp_path, capsys):
    trial = Trial(TINY, RECIPE, 1)
    result_of(replace(trial, seed=2)).save(tmp_path / f"{trial.id}.json")
    assert [result.trial for result in sweep(few, [trial], tmp_path).results] == [trial]
    assert "the name of the file" in capsys.readouterr().err


def alternatives():
    """Return two valid values for every field of a recipe and of its augmentation, by the name of the setting."""
    result: dict[str, list[object]] = {}
    for prefix, cls in (("", Recipe), ("augmentation.", Augmentation)):
        kinds = get_type_hints(cls)
        for field in fields(cls):
            kind = kinds[field.name]
            if get_origin(kind) is Literal:
                result[prefix + field.name] = list(get_args(kind))
            elif kind is not Augmentation:
                values: dict[type, list[object]] = {int: [2, 3], float: [0.25, 0.5], bool: [False, True]}
                result[prefix + field.name] = values[kind]
    return result


@pytest.mark.parametrize(("name", "values"), alternatives().items())
def test_every_field_of_a_recipe_is_a_setting(name, values):
    trials = grid([TINY], RECIPE, {name: values})
    assert [trial.settings[name] for trial in trials] == values
    assert len({trial.id for trial in trials}) == 2
    assert [Trial.from_dict(json.loads(json.dumps(trial.to_dict()))) for trial in trials] == trials
    texts = ",".join(json.dumps(value).strip('"') for value in values)
    assert _parse_changes((f"{name}={texts}",)) == {name: values}
    with pytest.raises(InputError, match=rf"setting must be one of .*\b{name}\b.*, got 'speed'"):
        grid([TINY], RECIPE, {"speed": [1]})


def test_whole_numbers_may_be_written_in_any_way():
    assert _parse_changes(("batch_size=1e2,64.0, 32", "schedule=constant", "x=True,false")) == {
        "batch_size": [100, 64, 32], "schedule": ["constant"], "x": [True, False],
    }  # fmt: skip
