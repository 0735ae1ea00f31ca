"""`teach`: a hand is learned, MNIST is kept, and what would not be kept is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import sources
from PIL import Image
from trials import QUICK, SMALL, Forbidden

from benchmarks.synthetic.handwriting import HANDS, rewrite, write
from inksight import InksightError, InputError, Model, Splits, card, cli, load, teach, train
from inksight.config import Augmentation
from inksight.data.dataset import Dataset
from inksight.inspection.evaluation import evaluate
from inksight.inspection.model_card import describe
from inksight.training import fine_tuning as teaching
from inksight.training.calibration import calibrated, with_temperature

HAND = HANDS["narrow"]
MOST_LOST = teaching.MOST_LOST


def shorten(patch):
    """Less of everything: the network is small, and a single one of 500 validation images is 0.2 points."""
    patch.setattr(teaching, "REPEATED", 1500)
    patch.setattr(teaching, "PRACTISED", 300)
    patch.setattr(teaching, "MOST_LOST", 0.02)


@pytest.fixture(autouse=True)
def shorter(monkeypatch):
    shorten(monkeypatch)


@pytest.fixture(scope="module")
def own(mnist):
    """Five digits of each class in another hand."""
    labels = mnist.labels[10_000:12_000]
    rows = np.concatenate([np.flatnonzero(labels == digit)[:5] for digit in range(10)]) + 10_000
    return write(mnist[rows], HAND)


@pytest.fixture(scope="module")
def unseen(mnist):
    return write(mnist[12_000:12_300], HAND)


@pytest.fixture(scope="module")
def kept(digits):
    """What is to be kept, its test images out of reach."""
    return Splits(digits.train, digits.validation, Forbidden())


@pytest.fixture(scope="module")
def model(digits):
    """Better than the one that other tests share: it has something to lose."""
    return train(digits, SMALL, replace(QUICK, epochs=12), progress=False)


def accuracy(model, data):
    return (model.predict(data.images) == data.labels).mean()


@pytest.fixture(scope="module")
def taught(own, model, kept):
    with pytest.MonkeyPatch.context() as patch:
        shorten(patch)
        return teach(own, model, kept, progress=False)


def test_a_hand_is_learned_and_mnist_is_kept(taught, model, kept, unseen):
    assert accuracy(taught.model, unseen) > accuracy(model, unseen) + 0.1
    assert taught.before == accuracy(model, kept.validation)
    assert taught.after == accuracy(taught.model, kept.validation) >= taught.before - 0.02
    assert taught.images == 500


def test_a_third_of_the_pictures_is_held_out_in_a_rehearsal(taught):
    assert taught.held_out == 17
    assert taught.own_before < taught.own_after
    assert taught.own_before * 17 == pytest.approx(round(taught.own_before * 17))
    assert "after (17 of 50, held out in a rehearsal)" in str(taught)


def test_held_out_pictures_are_not_learned_from(own, model, kept, monkeypatch):
    seen = []
    train = teaching._train
    monkeypatch.setattr(teaching, "_train", lambda start, some, *rest: seen.append(some) or train(start, some, *rest))
    found = teach(own, model, kept, progress=False)
    rehearsed, whole = ({image.tobytes() for image in some.images} for some in seen)
    assert (len(rehearsed), len(whole)) == (50 - found.held_out, 50)
    assert rehearsed < whole
    assert np.bincount(seen[0].labels).tolist() == pytest.approx([10 / 3] * 10, abs=1)


def test_what_it_learned_from_is_in_the_model(taught, own, model, kept, tmp_path):
    taught.model.save(tmp_path / "mine.safetensors")
    found = Model.load(tmp_path / "mine.safetensors")
    (lesson,) = found.lessons
    assert lesson == taught.lesson
    assert lesson.pictures == {str(digit): 5 for digit in range(10)}
    assert (lesson.name, lesson.digest) == (own.name, own.digest)
    assert found.trained_on == model.trained_on
    assert len(found.history) == len(model.history) + teaching.RECIPE.epochs
    page = describe("mine", found, evaluate(found, kept.validation, hardest=1), "Some")
    assert "- Taught since: 50 pictures of 'an invented hand' (0: 5, 1: 5, 2: 5" in str(page)
    assert page.to_dict()["lessons"] == [lesson.to_dict()]
    assert "Taught" not in str(card("tiny"))


def test_lessons_add_up(taught, kept, mnist):
    more = teach(mnist[20_000:20_004], taught.model, kept, progress=False)
    assert more.model.lessons == (taught.lesson, more.lesson)
    assert sum(more.lesson.pictures.values()) == 4


def test_too_few_to_hold_any_out(own, model, kept):
    found = teach(own[::5], model, kept, progress=False)
    assert found.held_out == 0
    assert found.own_before == accuracy(model, own[::5])
    assert found.own_after == accuracy(found.model, own[::5])
    assert "(10, which it learned from: 3 of each class" in str(found)


def test_the_same_seed_gives_the_same_model(own, model, kept):
    one, other, another = (teach(own[::5], model, kept, seed=seed, progress=False).model.digest for seed in (1, 1, 2))
    assert one == other != another


def test_the_temperature_is_fitted_anew_or_kept_by_who_knows_the_images(own, model, kept, monkeypatch):
    found = teach(own[::5], model, kept, progress=False).model
    assert found.temperature == pytest.approx(calibrated(found, kept.validation).temperature, rel=1e-5)
    assert found.temperature != model.temperature
    known = replace(with_temperature(model, 1.7), trained_on=kept.with_validation_to_train().train.digest)
    again = teach(own[::5], known, kept, progress=False)
    assert again.model.temperature == 1.7
    assert again.known
    assert "(500, which it had been trained on)" in str(again)


def test_as_much_of_the_way_is_kept_as_mnist_allows(own, model, kept, monkeypatch):
    monkeypatch.setattr(teaching, "MOST_LOST", MOST_LOST)
    assert MOST_LOST == 0.001
    answers = iter([0.9, 0.8, 0.8995, 1.0, 1.0])  # before, all the way, three quarters; own pictures before and after
    monkeypatch.setattr(teaching, "_accuracy", lambda model, data: next(answers))
    found = teach(own[::5], model, kept, progress=False)
    assert (found.share, found.before, found.after) == (0.75, 0.9, 0.8995)


def test_between_is_the_straight_line(taught, model):
    start, new = with_temperature(model, 1.0), with_temperature(taught.model, 1.0)
    half = teaching._between(model, new, 0.5).params
    for name, array in half.items():
        np.testing.assert_allclose(array, (start.params[name] + new.params[name]) / 2, rtol=1e-5, atol=1e-6)


def test_wrong_labels_that_cost_mnist_are_refused(mnist, model, kept, monkeypatch, tmp_path):
    """Digits as MNIST has them under the next digit's name: what is learned is that MNIST is wrong."""
    monkeypatch.setattr(teaching, "PRACTISED", 1500)
    monkeypatch.setattr(
        teaching, "RECIPE", replace(teaching.RECIPE, epochs=6, learning_rate=2e-2, augmentation=Augmentation(8, 1))
    )
    wrong = replace(mnist[10_000:10_060], labels=(mnist.labels[10_000:10_060] + 1) % 10)
    with pytest.raises(InksightError, match=r"not taught: of 500 validation images .* check the labels") as caught:
        teach(wrong, model, kept, progress=False)
    assert not isinstance(caught.value, InputError)


def plain(mnist, **changes):
    return replace(mnist[:10], **changes)


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
def test_bad_input(change, words, own, kept, model):
    pictures, data = change(own, kept)
    with pytest.raises(InputError, match=words):
        teach(pictures, model, data, progress=False)


def test_the_same_picture_twice_counts_once(own, model, kept):
    twice = Dataset(np.concatenate([own.images[:3]] * 3), np.concatenate([own.labels[:3]] * 3))
    assert teach(twice, model, kept, progress=False).held_out == 1  # of three, not of nine


# --- The command ----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(mnist, tmp_path):
    """Pictures as people have them: dark ink, white paper, any size."""
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


def run(*arguments):
    return cli.run([str(argument) for argument in arguments])


def test_the_command(folder, kept_file, model, tmp_path, capsys):
    model.save(tmp_path / "m.safetensors")
    out = tmp_path / "mine.safetensors"
    common = ("teach", folder, "--model", tmp_path / "m.safetensors", "--data", kept_file, "--out", out)
    assert run(*common, "--json") == 0
    output = capsys.readouterr()
    found, mine = json.loads(output.out), Model.load(out)
    assert found["weights"] == mine.digest
    assert found["lesson"]["name"] == "hand"
    assert found["lesson"]["digest"] == load(folder).digest == mine.lessons[0].digest
    assert {"own_before", "own_after", "before", "after", "held_out", "images", "share", "seconds"} <= found.keys()
    assert "learning from 12 pictures" in output.err
    assert "epoch" in output.err
    assert run(*common) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == [
        "own pictures read right", "validation images read right", str(out)
    ]  # fmt: skip
    assert "12 pictures of 'hand'" in printed[-1]


def test_a_refusal_writes_nothing_and_exits_1(folder, kept_file, model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(teaching, "MOST_LOST", -1.0)
    model.save(tmp_path / "m.safetensors")
    out = tmp_path / "mine.safetensors"
    assert run("teach", folder, "--model", tmp_path / "m.safetensors", "--data", kept_file, "--out", out) == 1
    assert "inksight: not taught: of 500 validation images" in capsys.readouterr().err
    assert not out.exists()


def test_bad_folders_are_one_line_and_exit_2(folder, tmp_path, capsys):
    def refused(*words, source=folder):
        assert run("teach", source, "--out", tmp_path / "mine.safetensors") == 2
        error = capsys.readouterr().err
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
