"""`teach`: new handwriting is learned, and a loss of accuracy on MNIST is limited."""

import json
from dataclasses import replace

import numpy as np
import pytest
import sources
from commands import command, outputs
from PIL import Image
from trials import QUICK, SMALL, Forbidden

from benchmarks.synthetic.handwriting import HANDS, rewrite, write
from inksight import InksightError, InputError, Model, Splits, card, load, teach, train
from inksight.config import Augmentation
from inksight.data.dataset import Dataset, join
from inksight.data.loading import write_csv
from inksight.inspection.evaluation import evaluate
from inksight.inspection.model_card import describe
from inksight.training import fine_tuning
from inksight.training.calibration import calibrated, with_temperature

HAND = HANDS["narrow"]
MAX_ACCURACY_LOSS = fine_tuning.MAX_ACCURACY_LOSS


def use_small_limits(patch):
    """Use fewer images, and allow more loss: a single one of 500 validation images is 0.2 points."""
    patch.setattr(fine_tuning, "ORIGINAL_IMAGES", 1500)
    patch.setattr(fine_tuning, "OWN_IMAGES", 300)
    patch.setattr(fine_tuning, "MAX_ACCURACY_LOSS", 0.02)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    use_small_limits(monkeypatch)


@pytest.fixture(scope="module")
def own(mnist):
    """Five digits of each class in simulated handwriting."""
    labels = mnist.labels[10_000:12_000]
    rows = np.concatenate([np.flatnonzero(labels == digit)[:5] for digit in range(10)]) + 10_000
    return write(mnist[rows], HAND)


@pytest.fixture(scope="module")
def unseen(mnist):
    return write(mnist[12_000:12_300], HAND)


@pytest.fixture(scope="module")
def kept(digits):
    """The original data, without access to its test images."""
    return Splits(digits.train, digits.validation, Forbidden())


@pytest.fixture(scope="module")
def model(digits):
    """A model with a higher accuracy than the one that other tests share, so that it can drop."""
    return train(digits, SMALL, replace(QUICK, epochs=12), progress=False)


def accuracy(model, data):
    return (model.predict(data.images) == data.labels).mean()


@pytest.fixture(scope="module")
def taught(own, model, kept):
    with pytest.MonkeyPatch.context() as patch:
        use_small_limits(patch)
        return teach(own, model, kept, progress=False)


def test_accuracy_rises_on_own_digits_and_hardly_drops_on_mnist(taught, model, kept, unseen):
    assert accuracy(taught.model, unseen) > accuracy(model, unseen) + 0.1
    assert taught.validation_before == accuracy(model, kept.validation)
    assert taught.validation_after == accuracy(taught.model, kept.validation) >= taught.validation_before - 0.02
    assert taught.validation_images == 500


def test_a_third_of_the_pictures_is_held_out(taught):
    assert taught.held_out == 17
    assert taught.own_before < taught.own_after
    assert taught.own_before * 17 == pytest.approx(round(taught.own_before * 17))
    assert "after (17 of 50, held out)" in str(taught)


def test_held_out_check_does_not_train_on_held_out_pictures(own, model, kept, monkeypatch):
    trained_on = []
    train = fine_tuning._train

    def spy(start, own, *rest):
        trained_on.append(own)
        return train(start, own, *rest)

    monkeypatch.setattr(fine_tuning, "_train", spy)
    result = teach(own, model, kept, progress=False)
    checked, final = ({image.tobytes() for image in pictures.images} for pictures in trained_on)
    assert (len(checked), len(final)) == (50 - result.held_out, 50)
    assert checked < final
    assert np.bincount(trained_on[0].labels).tolist() == pytest.approx([10 / 3] * 10, abs=1)


def test_model_lists_the_pictures(taught, own, model, kept, tmp_path):
    taught.model.save(tmp_path / "mine.safetensors")
    loaded = Model.load(tmp_path / "mine.safetensors")
    (record,) = loaded.fine_tunings
    assert record == taught.record
    assert record.pictures == {str(digit): 5 for digit in range(10)}
    assert (record.name, record.digest) == (own.name, own.digest)
    assert loaded.trained_on == model.trained_on
    assert len(loaded.history) == len(model.history) + fine_tuning.RECIPE.epochs
    page = describe("mine", loaded, evaluate(loaded, kept.validation, hardest=1), "Some")
    assert "- Fine-tuned later on 50 pictures of 'an invented hand' (0: 5, 1: 5, 2: 5" in str(page)
    assert page.to_dict()["fine_tunings"] == [record.to_dict()]
    assert "Fine-tuned" not in str(card("tiny"))


def test_further_fine_tuning_appends_a_record(taught, kept, mnist):
    wrong = np.flatnonzero(taught.model.predict(mnist.images[20_000:22_000]) != mnist.labels[20_000:22_000])[:4]
    more = teach(mnist[20_000 + wrong], taught.model, kept, progress=False)
    assert more.model.fine_tunings == (taught.record, more.record)
    assert sum(more.record.pictures.values()) == 4


def test_no_pictures_are_held_out_if_a_class_has_too_few(own, model, kept):
    result = teach(own[::5], model, kept, progress=False)
    assert result.held_out == 0
    assert result.own_before == accuracy(model, own[::5])
    assert result.own_after == accuracy(result.model, own[::5])
    assert "(10, all used for training; the held-out check needs 3 of each class" in str(result)


def test_same_seed_gives_the_same_model(own, model, kept):
    first, same, other = (teach(own[::5], model, kept, seed=seed, progress=False).model.digest for seed in (1, 1, 2))
    assert first == same != other


def test_temperature_is_fitted_only_on_unseen_validation_images(own, model, kept, monkeypatch):
    tuned = teach(own[::5], model, kept, progress=False).model
    assert tuned.temperature == pytest.approx(calibrated(tuned, kept.validation).temperature, rel=1e-5)
    assert tuned.temperature != model.temperature
    digest = kept.with_validation_to_train().train.digest
    result = teach(own[::5], replace(with_temperature(model, 1.7), trained_on=digest), kept, progress=False)
    assert result.model.temperature == 1.7
    assert result.validation_seen
    assert "(500, used in the original training)" in str(result)


def test_weights_are_interpolated_until_the_loss_is_small_enough(own, model, kept, monkeypatch):
    monkeypatch.setattr(fine_tuning, "MAX_ACCURACY_LOSS", MAX_ACCURACY_LOSS)
    assert MAX_ACCURACY_LOSS == 0.001
    accuracies = iter([0.9, 0.8, 0.8995, 1.0, 1.0])  # before, interpolation 1 and 0.75; own pictures before and after
    monkeypatch.setattr(fine_tuning, "_accuracy", lambda model, data: next(accuracies))
    result = teach(own[::5], model, kept, progress=False)
    assert (result.interpolation, result.validation_before, result.validation_after) == (0.75, 0.9, 0.8995)


def test_interpolation_is_linear(taught, model):
    start, tuned = with_temperature(model, 1.0), with_temperature(taught.model, 1.0)
    half = fine_tuning.interpolate_weights(model, tuned, 0.5).params
    for name, array in half.items():
        np.testing.assert_allclose(array, (start.params[name] + tuned.params[name]) / 2, rtol=1e-5, atol=1e-6)


def test_large_loss_of_accuracy_raises_an_error(mnist, model, kept, monkeypatch, tmp_path):
    """MNIST's digits, each with the label of the next digit, lower the accuracy on MNIST."""
    monkeypatch.setattr(fine_tuning, "OWN_IMAGES", 1500)
    recipe = replace(fine_tuning.RECIPE, epochs=6, learning_rate=2e-2, augmentation=Augmentation(8, 1))
    monkeypatch.setattr(fine_tuning, "RECIPE", recipe)
    wrong = replace(mnist[10_000:10_060], labels=(mnist.labels[10_000:10_060] + 1) % 10)
    with pytest.raises(InksightError, match=r"not taught: .* 500 validation images .* check the labels") as caught:
        teach(wrong, model, kept, progress=False)
    assert not isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda own, kept: (own[:0], kept), "number of own pictures must be 1 or more"),
        (lambda own, kept: (replace(own, labels=None), kept), "teaching needs labels"),
        (lambda own, kept: (replace(own, class_names=tuple("abcdefghij")), kept), "classes of the own pictures must"),
        (lambda own, kept: (own, Splits(kept.train)), "needs validation images, got none"),
        (lambda own, kept: (own, replace(kept, train=replace(kept.train, class_names=tuple("abcdefghij")))),
         "classes of the data must be the model's"),
        (lambda own, kept: (Dataset(own.images[[0, 9, 0]], np.array([0, 1, 7])), kept),
         "one label each, got the same picture as '0' and '7'"),
    ],
)  # fmt: skip
def test_invalid_data_raises_errors(change, words, own, kept, model):
    pictures, data = change(own, kept)
    with pytest.raises(InputError, match=words):
        teach(pictures, model, data, progress=False)


def test_duplicate_pictures_count_once(own, model, kept):
    twice = Dataset(np.concatenate([own.images[:3]] * 3), np.concatenate([own.labels[:3]] * 3))
    assert teach(twice, model, kept, progress=False).held_out == 1  # of three, not of nine


@pytest.fixture
def folder(mnist, tmp_path):
    """Picture files with dark ink on white paper, in one subfolder per digit."""
    digits, labels = mnist[10_000:10_012], mnist.labels[10_000:10_012]
    for row, (image, label) in enumerate(zip(digits.images, labels, strict=True)):
        page = 1 - rewrite(image, int(label), HAND)
        (tmp_path / "hand" / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(255 * page).astype(np.uint8)).save(tmp_path / "hand" / str(label) / f"{row}.png")
    return tmp_path / "hand"


@pytest.fixture
def kept_file(kept, tmp_path):
    rows = slice(0, 2500)
    content = sources.npz_bytes(x_train=kept.train.images[rows], y_train=kept.train.labels[rows])
    return sources.write(tmp_path, "kept.npz", content)


def test_command_writes_a_model(folder, kept_file, model, tmp_path, capsys):
    model.save(tmp_path / "m.safetensors")
    out = tmp_path / "mine.safetensors"
    common = ("teach", folder, "--model", tmp_path / "m.safetensors", "--data", kept_file, "--out", out)
    output = outputs(capsys, *common, "--json")
    result, mine = json.loads(output.out), Model.load(out)
    assert result["weights"] == mine.digest
    assert result["record"]["name"] == "hand"
    assert result["record"]["digest"] == load(folder).digest == mine.fine_tunings[0].digest
    assert {
        "own_before", "own_after", "validation_before", "validation_after", "held_out", "validation_images",
        "interpolation", "seconds",
    } <= result.keys()  # fmt: skip
    assert "learning from 12 pictures" in output.err
    assert "epoch" in output.err
    printed = command(capsys, *common).splitlines()
    assert [line.split(":")[0] for line in printed] == [
        "accuracy on own pictures", "accuracy on validation images", str(out)
    ]  # fmt: skip
    assert "12 pictures of 'hand'" in printed[-1]


def test_command_writes_nothing_and_exits_1_after_a_large_loss(folder, kept_file, model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fine_tuning, "MAX_ACCURACY_LOSS", -1.0)
    model.save(tmp_path / "m.safetensors")
    out = tmp_path / "mine.safetensors"
    arguments = ("teach", folder, "--model", tmp_path / "m.safetensors", "--data", kept_file, "--out", out)
    assert "inksight: not taught: the accuracy on 500 validation images" in command(capsys, *arguments, code=1)
    assert not out.exists()


def test_command_prints_one_line_and_exits_2_for_invalid_folders(folder, tmp_path, capsys):
    def refused(*words, source=folder):
        error = command(capsys, "teach", source, "--out", tmp_path / "mine.safetensors", code=2)
        assert error.count("\n") == 1
        for word in words:
            assert word in error
        assert not (tmp_path / "mine.safetensors").exists()

    refused("no file or folder", source=tmp_path / "nowhere")
    Image.new("L", (50, 50), "white").save(folder / "3" / "zero.png")
    refused("zero.png", "is blank")
    (folder / "3" / "zero.png").write_bytes(b"no picture")
    refused("zero.png", "damaged or is not a picture")
    (folder / "3" / "zero.png").unlink()
    (folder / "plus").mkdir()
    refused("class 'plus'", "contains no picture")
    next(folder.glob("3/*")).rename(folder / "plus" / "a.png")
    refused("classes of the own pictures must be the model's", "plus")


def test_nothing_is_taught_if_the_model_is_right_already(own, model, kept):
    right = own[model.predict(own.images) == own.labels]
    message = f"nothing to learn: the model already classifies all {len(right)} pictures right"
    with pytest.raises(InksightError, match=message):
        teach(right, model, kept, progress=False)


def test_training_images_are_left_out(own, model, kept, capsys):
    with pytest.raises(
        InksightError, match="nothing to learn: all 20 pictures are among the training images of 'mnist'"
    ):
        teach(kept.train[50:70], model, kept, progress=False)
    mixed = join(own[::5], kept.train[:6])
    result = teach(mixed, model, kept)
    assert sum(result.record.pictures.values()) == len(own[::5])
    assert f"left out 6 of {len(mixed)} pictures, which are among the training images" in capsys.readouterr().err
    relabeled = replace(kept.train[:1], labels=(kept.train.labels[:1] + 1) % 10)
    assert sum(teach(join(own[::5], relabeled), model, kept, progress=False).record.pictures.values()) == 11


@pytest.mark.parametrize("reason", ["right", "training images", "unlabeled"])
def test_command_leaves_the_model_file_as_it_was(reason, model, digits, mnist, capsys, tmp_path):
    data, own, out = tmp_path / "data.csv", tmp_path / "own.csv", tmp_path / "mine.safetensors"
    write_csv(digits.train, data)
    train_part = load(data).split().train
    new = mnist[-500:]
    pictures, words, code = {
        "right": (new[model.predict(new.images) == new.labels], "nothing to learn: the model already", 1),
        "training images": (train_part[:9], "nothing to learn: all 9 pictures are among the training images", 1),
        "unlabeled": (replace(new[:9], labels=None), "teaching needs labels, and", 2),
    }[reason]
    write_csv(pictures, own)
    model.save(out)
    before = out.read_bytes()
    error = command(capsys, "teach", own, "--model", out, "--data", data, "--out", out, code=code)
    assert words in error
    assert error.count("\n") == 1
    assert out.read_bytes() == before
