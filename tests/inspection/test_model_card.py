"""Model cards, and whether those of the shipped models are true."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from trials import QUICK

from benchmarks import accuracy, ship
from inksight import InputError, Model, cli, evaluate, load_model
from inksight.config import RECIPES
from inksight.data.loading import write_csv
from inksight.inspection.model_card import HARDEST, Protocol, card, describe
from inksight.nn.fine_tuning_record import FineTuningRecord
from inksight.nn.model_file import SHIPPED
from inksight.nn.parameters import parameter_count

MAX_PARAMETERS = {"post": 18_813, "best": 20_000, "small": 5_000, "tiny": 1_000, "reader": 100_000}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_of_a_shipped_model_is_true(name, mnist):
    model, result = load_model(name), card(name)
    assert parameter_count(model.network) <= MAX_PARAMETERS[name]
    measured = evaluate(model, mnist.split().test).to_dict()
    for value in ("data", "n", "accuracy", "interval", "confusion", "precision", "recall"):
        assert result.evaluation[value] == measured[value]
    for value in ("log_loss", "calibration_error"):
        assert result.evaluation[value] == pytest.approx(measured[value], rel=1e-3)
    assert [x["id"] for x in result.evaluation["hardest"]] == [x["id"] for x in measured["hardest"][:HARDEST]]
    if name == "reader":  # one training, not the first of many
        assert result.protocol is None
        assert "printed in over a thousand fonts" in str(result)
        assert "MNIST alone" not in str(result)
        return
    assert result.protocol is not None
    assert result.protocol.seeds >= 10
    assert result.images == "MNIST's test images"
    # The shipped model is one of those that the mean is over.
    assert abs(result.protocol.mean - measured["accuracy"]) < 4 * max(result.protocol.sd, 1e-4)


def test_evaluate_and_card_commands_agree(capsys):
    assert cli.run(["evaluate", "best", "--data", "mnist", "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert cli.run(["card", "best", "--json"]) == 0
    parsed = json.loads(capsys.readouterr().out)
    assert parsed["evaluation"]["accuracy"] == evaluated["accuracy"]
    assert parsed["evaluation"]["confusion"] == evaluated["confusion"]
    assert parsed["parameters"] <= 20_000
    assert parsed["weights"] == load_model("best").digest
    assert cli.run(["card", "best"]) == 0
    text = capsys.readouterr().out
    assert f"**{evaluated['accuracy']:.2%}** of 10,000 images right" in text
    assert f"mean **{parsed['protocol']['mean']:.2%}**" in text


def test_card_of_any_model(model, digits, tmp_path, capsys):
    evaluation = evaluate(model, digits.test)
    text = str(describe("mine", model, evaluation, "500 digits"))
    assert text.startswith("# Model card: mine\n")
    for digit in range(10):
        wrong = int(evaluation.confusion[digit].sum() - evaluation.confusion[digit, digit])
        assert f"| {digit} | {evaluation.confusion[digit].sum()} | {wrong} |" in text
    errors = evaluation.confusion - np.diag(np.diag(evaluation.confusion))
    a, b = np.unravel_index(errors.argmax(), errors.shape)
    assert f"confusions: {a} read as {b} ({errors.max()})" in text
    assert f"{evaluation.hardest[0]} ({evaluation.hardest_labels[0]}, read as" in text
    assert "seeds" not in text  # only known for shipped models
    assert "500 digits: **" in text
    assert "census bureau" in text
    letters = tuple("abcdefghij")
    other = replace(model, class_names=letters)
    foreign = str(describe("letters", other, replace(evaluation, class_names=letters), "letters"))
    assert "| j |" in foreign
    assert "census bureau" not in foreign

    model.save(tmp_path / "mine.safetensors")
    write_csv(digits.test, tmp_path / "some.csv")
    arguments = ["card", str(tmp_path / "mine.safetensors"), "--data", str(tmp_path / "some.csv")]
    assert cli.run([*arguments, "--out", str(tmp_path / "card.md")]) == 0
    assert f"{evaluation.accuracy:.2%} of 500 images right" in capsys.readouterr().out
    assert (tmp_path / "card.md").read_text().startswith("# Model card: mine\n")


HOSTILE = ("a|b", "*c*", "<script>alert(1)</script>", "d\n\n# e", "`f`", "[g](http://h)", "www.i.j", "_k_", "l_m", "\\")


def test_text_from_outside_is_escaped(model, digits):
    named = replace(
        model,
        class_names=HOSTILE,
        fine_tunings=(FineTuningRecord("<img src=x>\n| n |", {"a|b": 3}, "`"),),
        version="*1*",
        trained_on="`x`",
    )
    evaluation = replace(evaluate(model, digits.test), class_names=HOSTILE)
    text = str(describe("<b>o</b>\n# p", named, evaluation, "# q | r"))
    assert text.startswith("# Model card: \\<b\\>o\\</b\\> \\# p\n")
    assert "\nOn \\# q \\| r: **" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(HOSTILE)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    shown = [row.split(" | ")[0] for row in rows[2:]]
    assert shown == [
        "| a\\|b", "| \\*c\\*", "| \\<script\\>alert(1)\\</script\\>", "| d \\# e", "| \\`f\\`", "| \\[g\\](http\\://h)",
        "| www\\.i.j", "| \\_k\\_", "| l_m", "| \\\\",
    ]  # fmt: skip
    for raw in ("<", "[", "`f", "`x", "*1"):
        assert not re.search(r"(?<!\\)" + re.escape(raw), text)


def test_the_license_of_the_weights_is_stated(model, digits):
    evaluation = evaluate(model, digits.test)
    for shipped in (card("tiny"), describe("my copy", load_model("tiny"), evaluation, "500 digits")):
        assert shipped.license == "MIT, like the package; trained on MNIST, which is under CC BY-SA 3.0"
    own = describe("best", model, evaluation, "500 digits")  # only the name is that of a shipped model
    assert own.license == "the weights are yours; check the terms of the data they were trained on"
    assert f"- License of the weights: {own.license}.\n" in str(own)
    assert own.to_dict()["license"] == own.license


def test_a_perfect_model_has_no_confusions(model, digits):
    right = model.predict(digits.test.images) == digits.test.labels
    text = str(describe("few", model, evaluate(model, digits.test[right], hardest=0), "images it reads right"))
    assert "Most frequent confusions: none." in text
    assert ": none.\n" in text.split("Hardest of these")[1]


@pytest.mark.parametrize("name", ["worst", "", "../best"])
def test_an_unknown_name_is_an_error_that_lists_the_shipped_models(name, capsys):
    with pytest.raises(InputError, match="must be a file that exists, or one of post, best, small, tiny, reader"):
        card(name)
    with pytest.raises(InputError, match="must be a file that exists, or one of post, best, small, tiny, reader"):
        load_model(name)
    assert cli.run(["card", name]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_file_with_the_name_of_a_shipped_model_needs_a_path(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("best")
    assert load_model("./best").digest == model.digest
    assert load_model("best").digest != model.digest


def test_making_a_shipped_model_twice_gives_the_same_bytes(mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy, "RESULTS", tmp_path / "accuracy.jsonl")
    monkeypatch.setitem(RECIPES, "quick", replace(QUICK, epochs=1))
    monkeypatch.setattr("inksight.training.fitting.MIN_STEPS", 1)
    row = accuracy.Row("tiny", "4x5p,8x3", "quick", 600)
    with pytest.raises(SystemExit, match="first measure"):
        ship.make(row, mnist.split())
    data = replace(mnist[:700], test_count=100).split()
    measured = accuracy.measure(row, replace_test(data, mnist), 2, "a machine")
    shipped = []
    for path in (tmp_path / "a", tmp_path / "b"):
        model, figures = ship.make(row, replace_test(data, mnist))
        model.save(path)
        shipped.append((path.read_bytes(), figures))
    assert shipped[0] == shipped[1]
    model, figures = Model.load(tmp_path / "a"), json.loads(shipped[0][1])
    assert model.temperature == pytest.approx(measured[0]["temperature"])
    assert figures["evaluation"]["accuracy"] == measured[1]["test_accuracy"]
    assert Protocol.from_dict(figures["protocol"]).seeds == 2


def replace_test(splits, mnist):
    """Return the splits with the whole MNIST test set, because the rejected labels are given by their rows in it."""
    return replace(splits, test=mnist.split().test)


def test_a_card_says_when_the_model_was_trained_on_its_images(capsys):
    warning = "The model was trained on these images or some of them"
    assert cli.run(["card", "tiny", "--split", "validation"]) == 0
    assert warning in capsys.readouterr().out
    assert cli.run(["card", "tiny", "--split", "test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seen_in_training"] is False
    assert warning not in str(card("tiny"))
