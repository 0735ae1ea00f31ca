"""Signs are recognized among real digits, kept on request, and never read as digits; digits do not become signs."""

import numpy as np
import pytest

from benchmarks.synthetic.forms import CHECKS, compose
from benchmarks.synthetic.ink import write_lines
from benchmarks.synthetic.signs import write_text
from inksight import InputError, Model, cli
from inksight.nn.model_file import load_model
from inksight.reading.reader import read

HEIGHT = 44.0  # pixels of a digit
FORMS = ["ddd.-", "ddd,", "dd/dd/dddd", "d.dd", "-d", "dd:dd", "dd,dd", "d.ddd.ddd", "dd-dd", "d"]


@pytest.fixture(scope="module")
def new_digits(mnist):
    """Training digits that are clear: what is tested is the signs."""
    some = mnist[50_000:54_000]
    sure = load_model("best").probabilities(some.images)[np.arange(len(some)), some.labels] > 0.999
    return some[np.flatnonzero(sure)]


def written(text, digits, seed):
    return 1 - 0.8 * write_text(digits, text, HEIGHT, np.random.default_rng([1, seed]))


def digits_of(text):
    return "".join(symbol for symbol in text if symbol.isdigit())


@pytest.mark.parametrize("form", FORMS)
def test_signs_are_recognized_and_never_read_as_digits(form, new_digits):
    right = 0
    for seed in range(6):
        rng = np.random.default_rng([2, seed])
        text = "".join(str(rng.integers(10)) if symbol == "d" else symbol for symbol in form)
        picture = written(text, new_digits, seed)
        page = read(picture, punctuation=True, accept_all=True)
        assert read(picture, accept_all=True).text == digits_of(page.text)
        assert len(page) <= len(digits_of(text))
        right += page.text == text
    assert right >= 5


@pytest.mark.parametrize("pattern", CHECKS)
def test_numbers_of_checks_are_read_on_security_patterns(pattern, new_digits):
    forms = [compose(new_digits, pattern, seed) for seed in range(6)]
    pages = list(read(form.image for form in forms))
    assert sum(page.text == form.number for page, form in zip(pages, forms, strict=True)) >= 5
    for page, form in zip(pages, forms, strict=True):
        assert len(page) >= len(form.number) or page.confidence < 0.9


def test_signs_keep_what_they_are(new_digits):
    page = read(written("10:45", new_digits, 3))
    assert (page.text, page.punctuation) == ("1045", False)
    (sign,) = page.signs
    assert (str(sign), sign.line, sign.place) == (":", 0, 2)
    left, top, width, height = sign.box
    assert page[1].box[0] < left < left + width <= page[2].box[0] + 5
    assert page[1].box[1] < top < top + height <= page[1].box[1] + page[1].box[3] + 5
    assert 0 < sign.confidence < 1
    assert page.to_dict()["signs"] == [sign.to_dict()]
    assert sign.to_dict()["box"] == [left, top, width, height]


def test_a_dot_under_the_bar_of_a_seven_is_not_joined_to_it(mnist):
    page = np.ones((90, 150))
    page[20:25, 20:52] = page[20:68, 47:52] = 0.1  # a 7 whose lower left is empty
    page[61:67, 26:32] = 0.1  # a dot within its box
    page[20:68, 90:95] = 0.1
    found = read(page, punctuation=True, accept_all=True)
    assert [sign.symbol for sign in found.signs] == ["."]
    assert found[0].prepared.ink[:, :5][-20:].max() == 0  # the network has not seen the dot


def test_digits_do_not_become_signs(mnist):
    """0.3 % of the digits at most; each composed page has its own pen, spacing and places of the baseline."""
    digits, lost, signs = 0, 0, 0
    for seed in range(100):
        writing = write_lines(mnist[50_000:60_000], HEIGHT, np.random.default_rng([3, seed]))
        page = read(np.pad(1 - 0.8 * writing.ink, 30, constant_values=1.0), "small")
        digits += sum(map(len, writing.lines))
        signs += len(page.signs)
        for row, line in enumerate(writing.lines if len(writing.lines) == len(page.lines) else ()):
            if any(sign.line == row for sign in page.signs):
                lost += max(len(line) - len(page.lines[row]), 0)
    assert digits > 700
    assert lost <= 0.003 * digits
    assert signs <= 0.01 * digits  # specks beside broken digits


def test_a_tall_slanted_one_beside_ones_alike_is_a_slash_only_where_a_pattern_says_so():
    rows, columns = np.mgrid[:100, :240]
    page = np.ones((100, 240))
    for left in (30, 80, 130, 180):
        page[(rows >= 20) & (rows < 70) & (np.abs(columns - left - 10 + 0.3 * (rows - 45)) < 3)] = 0.1
    assert read(page, punctuation=True).text == "1111"
    assert read(page, pattern=r"\d\d\d\d").text == "1111"


def test_a_slanted_four_that_is_higher_than_its_neighbours_is_not_a_slash(mnist):
    from PIL import Image, ImageDraw

    for reach in (26, 32):  # of its crossbar
        page = Image.new("L", (330, 160), 235)
        for number, left in ((0, 20), (3, 210)):  # a 7 and a 0
            page.paste(30, (left, 40), Image.fromarray(mnist.images[60_000 + number]).resize((84, 84)))
        draw = ImageDraw.Draw(page)
        draw.line([(185, 32), (150, 130)], fill=30, width=7)
        draw.line([(152, 62), (150, 92), (150 + reach, 84)], fill=30, width=7, joint="curve")
        found = read(page)
        assert len(found) >= 3
        assert not found.signs


def test_a_constraint_chooses_among_readings(new_digits):
    picture = written("12/03/2024", new_digits, 0)
    page = read(picture, pattern=r"\d{2}/\d{2}/\d{4}")
    assert page.text == "12/03/2024"
    assert page.fits == page.line_confidences == (page.confidence,)
    assert 0.9 < page.confidence <= 1
    assert read(picture, length=8).text == "12032024"
    assert read(picture, length=(2, 9), allow="0-4").text == "12032024"


@pytest.mark.parametrize("text", ["1203", "4517", "98620"])
def test_a_wrong_constraint_lowers_the_confidence_and_a_right_one_does_not(text, new_digits):
    picture = written(text, new_digits, 3)
    plain = read(picture)
    assert plain.text == text
    right = read(picture, length=len(text))
    assert right.text == text
    assert right.confidence > 0.9
    other = str((int(text[0]) + 1) % 10)
    for wrong in (
        {"length": len(text) - 1},
        {"pattern": other + r"\d*"},
        {"allow": "".join({*"0123456789"} - {text[0]})},
    ):
        assert read(picture, **wrong).confidence < 0.5


@pytest.mark.parametrize("options", [{"length": 3}, {"pattern": r"\d+:\d+"}, {"length": 20}])
def test_what_fits_nothing_is_rejected_with_the_reason(options, new_digits, capsys, tmp_path):
    page = read(written("12/03/2024", new_digits, 0), **options)
    assert digits_of(page.text) == ""
    assert len(page) == page.text.count("?") == 8
    assert (page.reason, page.confidence, page.digit) == ("does not fit", 0.0, None)
    assert page[0].to_dict()["runner_up"] is None


def test_a_single_digit_is_the_most_probable_of_those_that_fit(mnist):
    picture = 255 - mnist.images[60_000]  # a 7
    plain = read(picture)
    page = read(picture, allow="1,7")
    assert page.text == plain.text == "7"
    p = plain[0].probabilities
    assert page.confidence == pytest.approx(p["7"] / (p["1"] + p["7"]))
    assert read(picture, pattern="7").confidence == 1
    other = read(picture, allow="0-6", accept_all=True)
    assert other.text == max("0123456", key=lambda name: p[name])
    share = max(p[name] for name in "0123456") / sum(p[name] for name in "0123456")
    assert other[0].confidence == pytest.approx(share)
    assert other.confidence == pytest.approx(share / (1 + 0.01 * (p["7"] / p[other.text] - 1)))
    assert read(picture, length=2).reason == read(picture, length=2, single=True).reason == "does not fit"


def test_each_line_of_a_page_and_each_of_many_pictures_must_fit(new_digits):
    upper, lower = written("1203", new_digits, 1), written("451", new_digits, 2)
    page = np.ones((upper.shape[0] + lower.shape[0], max(upper.shape[1], lower.shape[1])))
    page[: upper.shape[0], : upper.shape[1]] = upper
    page[upper.shape[0] :, : lower.shape[1]] = lower
    assert read(page).text == "1203\n451"
    found = list(read([page, page], length=3))
    assert [one.text for one in found] == ["????\n451"] * 2
    assert found[0].fits[0] == 0 < 0.9 < found[0].fits[1]
    assert [line[0].reason for line in found[0].lines] == ["does not fit", ""]


def test_the_command_takes_what_the_function_takes(new_digits, capsys, tmp_path):
    from PIL import Image

    path = tmp_path / "amount.png"
    Image.fromarray((255 * written("-5", new_digits, 4)).astype(np.uint8)).save(path)
    table = tmp_path / "table.csv"
    for options, text in (
        ([], "5"), (["--punctuation"], "-5"), (["--pattern", r"-\d"], "-5"), (["--length", "1-2"], "5"),
        (["--length", "1", "--allow", "4-6"], "5"), (["--length", "2"], "?"),
    ):  # fmt: skip
        assert cli.run(["read", str(path), *options]) == 0
        assert capsys.readouterr().out.startswith(f"{path}: {text} (")
        assert cli.run(["read", str(path), "--csv", str(table), *options]) == 0
        assert table.read_text().splitlines()[1].split(",")[2] == text
        capsys.readouterr()
    for options, message in (
        (["--length", "2-"], "--length must be"), (["--length", "3-2"], "length must be"),
        (["--allow", "x"], "allow must be"), (["--pattern", "(1"], r"got '(' at character 1"),
    ):  # fmt: skip
        assert cli.run(["read", str(path), *options]) == 2
        assert message in capsys.readouterr().err


def test_a_model_of_other_classes_has_no_digits_to_constrain():
    letters = Model.untrained("4x3p", class_names=("a", "b"))
    with pytest.raises(InputError, match="classes of a model that reads what fits must be the digits 0 to 9"):
        read(np.zeros((30, 30)), letters, length=1)
