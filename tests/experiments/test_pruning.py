"""Fewer filters: removed exactly, chosen by what they are worth, and as long as the network stays good enough."""

import json
import math
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from trials import QUICK, SMALL

from inksight import Dataset, InputError, Model, Splits, cli, plot, prune, train
from inksight.config import Network, get_network
from inksight.data.loading import write_csv
from inksight.experiments.pruning import train_small
from inksight.experiments.tradeoff import Pruning, Step, Tradeoff, pareto_front
from inksight.inspection.ablation import filter_importance, parameters_saved, remove_least_important, without_filters
from inksight.inspection.evaluation import evaluate, wilson_interval
from inksight.nn.parameters import parameter_count


@pytest.fixture(scope="module")
def some(digits) -> Dataset:
    return digits.validation[:200]


@pytest.fixture(scope="module")
def found(digits, model) -> Pruning:
    """Two steps without an accuracy to keep."""
    return prune(digits, model, QUICK, keep_accuracy=None, epochs=1, steps=2, progress=False)


@pytest.fixture
def forbidden():
    class Forbidden:
        def __getattribute__(self, name):
            raise AssertionError("pruning looked at the test images")

    return Forbidden()


def change(model: Model, **arrays: np.ndarray) -> Model:
    """Return a model with other weights, named with ``_`` for the dot."""
    return replace(model, params=model.params | {name.replace("_", "."): array for name, array in arrays.items()})


def silence(model: Model, bank: int, number: int) -> Model:
    """Return a model in which one filter's map is always zero."""
    changed = {}
    for name in {f"bank{bank}.{part}" for part in ("kernel", "pointwise", "bias")} & model.params.keys():
        changed[name] = model.params[name].copy()
        changed[name][..., number] = 0
    return replace(model, params=model.params | changed)


@pytest.mark.parametrize("network", ["5x5p,4x3,6x3,d7", "5x5p,4x3s,6x3s", "3x7", "3x5s,4x3"])
def test_a_dead_filter_goes_without_a_trace(network, some):
    model = Model.untrained(get_network(network), seed=3)
    for bank in range(1, len(model.network.banks) + 1):
        dead = silence(model, bank, 1)
        smaller = without_filters(dead, {bank: [1]})
        assert smaller.network.banks[bank - 1].filters == model.network.banks[bank - 1].filters - 1
        np.testing.assert_allclose(smaller.probabilities(some.images), dead.probabilities(some.images), atol=1e-6)


def test_a_filter_nobody_reads_goes_without_a_trace(model, some):
    kernel = model.params["bank2.kernel"].copy()
    kernel[:, :, 4] = 0
    unread = change(model, bank2_kernel=kernel)
    smaller = without_filters(unread, {1: [4]})
    np.testing.assert_allclose(smaller.probabilities(some.images), unread.probabilities(some.images), atol=1e-6)


def test_removing_is_the_same_as_silencing(post_model, some):
    removed = {1: [0, 19], 2: range(5), 3: np.array([7, 39, 12])}
    silent = post_model
    for bank, numbers in removed.items():
        for number in numbers:
            silent = silence(silent, bank, number)
    smaller = without_filters(post_model, removed)
    assert [bank.filters for bank in smaller.network.banks] == [18, 15, 37]
    assert (smaller.network.l2, smaller.history) == (post_model.network.l2, post_model.history)
    for stage in ("logits", "dense"):
        one, other = (which.activations(some.images, [stage])[stage] for which in (smaller, silent))
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert without_filters(post_model, {}).digest == post_model.digest


def test_each_filter_takes_along_what_is_counted(post_model):
    for bank in (1, 2, 3):
        smaller = without_filters(post_model, {bank: [2]})
        saved = parameter_count(post_model.network) - parameter_count(smaller.network)
        assert saved == parameters_saved(post_model, bank)


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({0: [1]}, "bank must be 1 to 2, got 0"),
        ({3: [1]}, "bank must be 1 to 2, got 3"),
        ({1: [8]}, "filter of bank 1 must be 0 to 7, got 8"),
        ({2: [-1]}, "filter of bank 2 must be 0 to 11, got -1"),
        ({1: [0.5]}, "filter of bank 1 must be 0 to 7, got 0.5"),
        ({1: ["edge"]}, "filter of bank 1 must be 0 to 7, got 'edge'"),
        ({1: range(8)}, "bank 1 must keep a filter, got all 8 to remove"),
    ],
)
def test_filters_that_cannot_be_removed_are_named(model, filters, words):
    with pytest.raises(InputError) as caught:
        without_filters(model, filters)
    assert words in str(caught.value)


def test_saliency_is_the_rise_of_the_loss(model, some):
    values = filter_importance(model, some)
    assert [len(part) for part in values] == [8, 12]
    rise = evaluate(without_filters(model, {2: [5]}), some).log_loss - evaluate(model, some).log_loss
    assert values[1][5] == pytest.approx(rise)
    assert filter_importance(silence(model, 1, 3), some)[0][3] == pytest.approx(0, abs=1e-6)
    assert filter_importance(Model.untrained(get_network("1x5p,2x3")), some)[0].tolist() == [math.inf]


def test_twins_are_alike_and_only_one_of_them_goes(model, some):
    kernel, bias = (model.params[f"bank1.{name}"].copy() for name in ("kernel", "bias"))
    kernel[..., 1], bias[1] = kernel[..., 0], bias[0]
    above = model.params["bank2.kernel"].copy()
    above[:, :, 1] = 0  # so that the second of them is of no use, and the first of all it was
    twins = change(model, bank1_kernel=kernel, bank1_bias=bias, bank2_kernel=above)
    alike = filter_importance(twins, some, by="similarity")[0]
    assert alike[:2] == pytest.approx(0, abs=1e-4)
    assert alike[2:].min() > 0.001
    least = parameter_count(twins.network) - 1
    for by in ("loss", "similarity"):
        smaller = remove_least_important(twins, some, least, by)
        assert sum(bank.filters for bank in smaller.network.banks) == 19
    assert remove_least_important(twins, some, least, "similarity").network.banks[0].filters == 7


def test_a_smaller_network_is_chosen_better_than_by_chance(model, some, rng):
    target = 0.6 * parameter_count(model.network)
    chosen = remove_least_important(model, some, target)
    assert parameter_count(chosen.network) <= target
    bank1, bank2 = (bank.filters for bank in chosen.network.banks)
    for _ in range(3):
        removed = {1: rng.permutation(8)[bank1:], 2: rng.permutation(12)[bank2:]}
        drawn = without_filters(model, removed)
        assert evaluate(chosen, some).log_loss < evaluate(drawn, some).log_loss


@pytest.mark.parametrize("by", ["loss", "similarity"])
def test_one_filter_a_bank_is_the_end(model, some, by):
    end = remove_least_important(model, some[:50], 0, by)
    assert [bank.filters for bank in end.network.banks] == [1, 1]


def test_saliency_of_what_cannot_be_measured(model, some):
    with pytest.raises(InputError, match="by must be loss or similarity, got 'beauty'"):
        filter_importance(model, some, by="beauty")
    with pytest.raises(InputError, match="label"):
        filter_importance(model, replace(some, labels=None))
    with pytest.raises(InputError, match="at least one image"):
        filter_importance(model, some[:0])


def test_pruning_goes_down_and_trains_on(found, digits, model):
    start, *steps = found.steps
    assert (start.network, start.epochs, len(steps)) == (model.network, 3, 2)
    assert math.isnan(start.before)
    assert start.accuracy == model.history.rows[-1].val_accuracy
    for before, after in zip(found.steps, steps, strict=False):
        assert after.parameters <= 0.75 * before.parameters
        assert after.parameters == parameter_count(after.network)
        assert after.epochs == before.epochs + 1
        assert 0 <= after.before <= 1
        assert after.seconds > 0
    assert (found.stopped, found.images) == ("steps", 500)
    assert found.model.network == steps[-1].network == found.smallest.network
    assert evaluate(found.model, digits.validation).accuracy == steps[-1].accuracy
    assert len(found.model.history) == 5
    assert repr(found).startswith(f"Pruning({start.parameters:,} parameters")
    assert steps[0].network.spec in str(found)


def test_the_same_seed_prunes_to_the_same_bytes(found, digits, model, forbidden):
    unseen = Splits(digits.train, digits.validation, forbidden)
    again = prune(unseen, model, QUICK, keep_accuracy=None, epochs=1, steps=2, progress=False)
    assert again.model.digest == found.model.digest


def test_a_model_that_knows_the_validation_images_is_refused(few):
    everything = Splits(few.train, few.validation, None).with_validation_to_train()
    model = train(everything, SMALL, QUICK, epochs=1, progress=False)
    with pytest.raises(InputError, match="must not know the validation images"):
        prune(few, model, QUICK, keep_accuracy=None, progress=False)


def test_training_first_never_sees_the_test_images(digits, forbidden, capsys):
    unseen = Splits(digits.train[:300], digits.validation, forbidden)
    found = prune(unseen, SMALL, replace(QUICK, epochs=1), keep_accuracy=0, epochs=1, steps=1)
    assert len(train_small(unseen, found, QUICK)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == ["epoch", SMALL, *[found.steps[1].network.spec] * 2]


def test_a_step_that_costs_too_much_is_taken_back_and_halved(digits, model, monkeypatch):
    accuracy = {True: 0.95, False: 0.90}

    def judge(model, data, hardest=0):
        result = evaluate(model, data, hardest=0)
        good = accuracy[parameter_count(model.network) >= 800]
        right = round(good * 500)
        confusion = np.diag([right, 500 - right, *[0] * 8])
        confusion[0, 1], confusion[1, 1] = 500 - right, 0
        return replace(result, confusion=confusion)

    monkeypatch.setattr("inksight.experiments.pruning.evaluate", judge)
    found = prune(digits, model, QUICK, keep_accuracy=0.95, share=0.4, epochs=1, images=50, progress=False)
    assert found.stopped == "accuracy"
    sizes = [step.parameters for step in found.steps]
    good = [size for size in sizes if size >= 800]
    assert parameter_count(found.model.network) == found.smallest.parameters == min(good) < 1000
    assert min(sizes) < 800
    assert sizes != sorted(sizes, reverse=True)  # it went back
    assert len({step.network for step in found.steps}) == len(sizes)  # and tried nothing twice


def test_it_ends_with_one_filter_a_bank(digits):
    tiny = Model.untrained(get_network("1x5p,2x3"))
    tiny = change(tiny, normalization_variance=np.array(0.1, np.float32))
    found = prune(digits, tiny, QUICK, keep_accuracy=0, epochs=1, images=50, progress=False)
    assert (found.stopped, found.smallest.network.spec) == ("filters", "1x5p,1x3")


def test_ctrl_c_keeps_what_was_found(digits, model, ctrl_c):
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    found = prune(digits, model, QUICK, keep_accuracy=None, epochs=10_000, progress=False)
    assert found.stopped == "interrupted"
    assert [step.network for step in found.steps] == [model.network]
    assert found.model.digest == model.digest
    with pytest.raises(KeyboardInterrupt):  # afterwards Ctrl-C is again what it was
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep_accuracy": 98.9}, "keep_accuracy must be an accuracy from 0 to 1, such as 0.989, got 98.9"),
        ({"keep_accuracy": math.nan}, "keep_accuracy must be an accuracy from 0 to 1"),
        ({"keep_accuracy": 0.9999}, "keep_accuracy must be at most the validation accuracy before pruning"),
        ({"share": 0}, "share must be above 0 and below 1, got 0"),
        ({"share": 1}, "share must be above 0 and below 1, got 1"),
        ({"epochs": 0}, "epochs must be 1 or more, got 0"),
        ({"steps": -1}, "steps must be 0 or more, got -1"),
        ({"images": 0}, "images must be 1 or more, got 0"),
        ({"by": "beauty"}, "by must be loss or similarity, got 'beauty'"),
    ],
)
def test_bad_options_are_named(digits, model, options, words):
    with pytest.raises(InputError) as caught:
        prune(digits, model, QUICK, **options, progress=False)
    assert words in str(caught.value)


def test_bad_data_is_named(digits, model, found):
    train, validation = digits.train, digits.validation
    with pytest.raises(InputError, match="pruning needs validation images, got none"):
        prune(Splits(train, None, None), model)
    with pytest.raises(InputError, match="pruning needs labels"):
        prune(Splits(train, replace(validation, labels=None), None), model)
    with pytest.raises(InputError, match="pruning needs labels"):
        prune(Splits(replace(train, labels=None), validation, None), model)
    with pytest.raises(InputError, match="classes of the data"):
        prune(Splits(train, replace(validation, class_names=tuple("abcdefghij")), None), model)
    with pytest.raises(InputError, match="pruning needs validation images, got none"):
        train_small(Splits(train, None, None), found)


def test_the_same_networks_trained_small(found, digits):
    small = train_small(digits, replace(found, steps=found.steps[:2]), QUICK, progress=False)
    assert [(step.network, step.epochs) for step in small] == [(found.steps[1].network, found.steps[1].epochs)]
    assert math.isnan(small[0].before)
    assert small[0].accuracy > 0.3  # chance is 0.1


# what is drawn


def row(parameters: int, accuracy: float) -> Step:
    return Step(Network(get_network("2x5p,3x3").banks), parameters, 3, 0.5, accuracy, 1.0)


def pruning(*rows: tuple[int, float], keep: float | None = None) -> Pruning:
    model = Model.untrained(get_network("2x5p,3x3"))
    return Pruning(tuple(row(*one) for one in rows), model, keep, 1000, "steps")


def test_points_by_hand():
    one, other = pruning((100, 0.98), (50, 0.90), (20, 0.5)), pruning((100, 0.96), (40, 0.94))
    found = Tradeoff([one, other], [[row(50, 0.8)], [row(40, 0.9)]])
    first, second = found.pruned_points  # as far as both went
    assert (first.parameters, second.parameters) == (100, 45)
    assert (first.accuracy, second.accuracy) == (pytest.approx(0.97), pytest.approx(0.92))
    assert second.high - second.accuracy == pytest.approx(math.sqrt(2) * 0.02)
    assert found.small_points[0].low == pytest.approx(0.85 - math.sqrt(2) * 0.05)
    assert "n = 2" in repr(found)
    single = Tradeoff([one]).pruned_points[0]
    assert (single.low, single.high) == wilson_interval(980, 1000)
    json.dumps(found.to_dict(), allow_nan=False)


def test_the_smallest_that_is_good_enough():
    steps = ((100, 0.98), (50, 0.97), (30, 0.94), (40, 0.96))
    assert pruning(*steps, keep=0.95).smallest.parameters == 40
    assert pruning(*steps).smallest.parameters == 30
    assert pruning((100, 0.9), keep=0.95).smallest.parameters == 100  # interrupted before it was good


def test_runs_that_do_not_belong_together():
    with pytest.raises(InputError, match="number of prunings must be at least 1"):
        Tradeoff([])
    with pytest.raises(InputError, match="number of runs of small must be that of pruned"):
        Tradeoff([pruning((100, 0.9))], [[], []])


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("accuracies", [(0.98, 0.97, 0.98), (1.0, 1.0, 0.1)])
def test_the_curve_renders(small, accuracies):
    one = pruning(*zip((18_813, 900, 70), accuracies, strict=True), keep=0.97)
    compared = [[row(900, 0.9), row(70, 0.05)]] if small else []
    figure = Tradeoff([one], compared).plot()
    (ax,) = figure.axes
    words = plot.to_svg(figure)
    assert "95% interval, one run, 1,000 images" in words
    assert "dotted: 97.00%" in words
    assert ("trained small" in words) == small
    line = ax.lines[0].get_xdata()
    assert list(line) == [point.parameters for point in pareto_front(Tradeoff([one]).pruned_points)]
    assert len(one.plot().axes) == 1
    assert "seeds" in plot.to_svg(Tradeoff([one, one]).plot(keep=0.99))


# the command


@pytest.fixture(scope="module")
def files(tmp_path_factory, mnist, model):
    folder = tmp_path_factory.mktemp("prune")
    write_csv(mnist[:400], folder / "digits.csv")
    model.save(folder / "m.safetensors")
    return folder / "m.safetensors", folder / "digits.csv"


def call(capsys, *arguments):
    code = cli.run(["prune", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out if code == 0 else captured.err


def test_the_command_in_per_cent_and_as_a_share(capsys, files, tmp_path):
    out, picture = tmp_path / "small.safetensors", tmp_path / "curve.png"
    options = ("--data", files[1], "--steps", 1, "--epochs", 1, "--out", out)
    code, printed = call(
        capsys, files[0], *options, "--keep-accuracy", 0.3, "--picture", picture, "--compare", "--json"
    )
    assert code == 0
    result = json.loads(printed)
    assert result["keep_accuracy"] == 0.3
    assert [step["epochs"] for step in result["steps"]] == [3, 4]
    assert [step["network"] for step in result["small"]] == [result["steps"][1]["network"]]
    assert result["weights"] == Model.load(out).digest
    assert Model.load(out).network.spec == result["smallest"]["network"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, printed = call(capsys, files[0], *options, "--keep-accuracy", 28.3, "--json")
    assert json.loads(printed)["keep_accuracy"] == 0.283 < 28.3 / 100
    code, printed = call(capsys, files[0], *options, "--keep-accuracy", 30)
    assert code == 0
    assert f"{result['smallest']['parameters']:,} of {result['steps'][0]['parameters']:,} parameters" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--keep-accuracy", "99.99"], "keep_accuracy must be at most the validation accuracy before pruning, 0."),
        (["--keep-accuracy", "989"], "keep-accuracy must be 0 to 1, or 0 to 100 per cent, got 989"),
        (["--keep-accuracy", "nan"], "keep-accuracy must be 0 to 1, or 0 to 100 per cent, got nan"),
        (["--share", "2"], "share must be above 0 and below 1, got 2"),
        (["--picture", "curve.jpg"], "must be .png or .svg"),
        (["--out", "none/m.safetensors"], "does not exist"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(arguments, words, capsys, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, error = call(capsys, files[0], "--data", files[1], *arguments)
    assert code == 2
    assert words in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
