"""Plots: each renders for odd numbers of filters and classes, and its SVG fits any page."""

import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, strategies as st
from matplotlib import colormaps
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from pages import SVG, check_svg
from PIL import Image

from inksight import plot
from inksight._shared.display import Display
from inksight.augmentation.corruptions import CORRUPTIONS
from inksight.config import Bank, Network
from inksight.data.dataset import Dataset
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.errors import InputError
from inksight.imaging.preprocessing import prepare
from inksight.inspection.attribution import evidence
from inksight.inspection.banks import FilterSimilarity, feature_maps, filter_similarity, filters
from inksight.inspection.barcodes import AverageBarcodes, average_barcodes, barcode, detrended_barcodes
from inksight.inspection.corruption_robustness import robustness
from inksight.inspection.evaluation import Evaluation, evaluate
from inksight.inspection.geometry import embedding, separation
from inksight.inspection.nearest import neighbours
from inksight.nn.history import Epoch, History
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import param_shapes
from inksight.plot import grammar
from inksight.plot.geometry import _spread_apart
from inksight.reading.reader import read

HISTORY = History(tuple(Epoch(i, 1 / i, 1 - 0.1 / i, 0.9 / i, 1 - 0.2 / i, 0.01, 2.0) for i in range(1, 6)))
MADE_OF_BARS = ("counts", "counts of splits", "probabilities")  # they have no color scale
PAGE = np.full((60, 200), 255, np.uint8)  # three strokes
PAGE[10:50, 20:26] = PAGE[10:50, 90:96] = PAGE[12:52, 150:156] = 30
SCALE = re.compile(r"one (color )?scale|color scale is this|its own color scale|for all")


def make(banks: tuple[Bank, ...], names: tuple[str, ...], dense: int = 0) -> tuple[Model, Dataset]:
    """Return a random model and twelve random images per class."""
    random = np.random.default_rng(0)
    network = Network(banks, dense, len(names))
    params = {k: np.asarray(random.normal(0, 0.3, shape), np.float32) for k, shape in param_shapes(network).items()}
    model = Model(network, params, Normalization(0.1, 0.3), names)
    images = np.zeros((12 * len(names), 28, 28), np.uint8)
    images[:, 8:20, 8:20] = random.integers(0, 256, (len(images), 12, 12))
    return model, Dataset(images, np.arange(len(images)) % len(names), "noise", names)


def results(model: Model, dataset: Dataset) -> list[tuple[str, Display, dict[str, Any]]]:
    """Return every kind of result that depends on filters or classes, with plot options, and a name for each."""
    last = len(model.network.banks)
    evaluation = evaluate(model, dataset)
    average = average_barcodes(model, dataset)
    image = dataset.images[0]
    page = read(PAGE, model)
    cases: list[tuple[str, Display, dict[str, Any]]] = [
        ("examples", dataset, {}),
        ("one of each", dataset, {"kind": "one_of_each", "seed": 3}),
        ("counts", dataset, {"kind": "counts"}),
        ("counts of splits", Splits(dataset, dataset[:13], Dataset(dataset.images[:5])), {}),
        ("model", model, {"bank": last, "shared": False}),
        ("unlabeled", Dataset(dataset.images[:13], None, "unlabeled"), {"columns": 4}),
        ("confusion", evaluation, {}),
        ("calibration", evaluation, {"kind": "calibration"}),
        ("hardest", evaluation, {"kind": "hardest", "count": 11}),
        ("filters own", filters(model, last), {"shared": False}),
        ("maps own", feature_maps(model, image, last), {"shared": False}),
        ("weight similarity", filter_similarity(model, last), {}),
        ("barcode", barcode(model, image), {}),
        ("average", average, {}),
        ("trend", average, {"kind": "trend"}),
        ("detrended", detrended_barcodes(model, dataset, average=average), {}),
        ("evidence", evidence(model, image, average), {}),
        ("separation", separation(model, dataset), {}),
        ("pca", embedding(model, dataset, "pca"), {"most": 7}),
        ("neighbours", neighbours(model, dataset[:3], dataset, 4), {}),
        ("page", page, {}),
        ("reading", page[0], {}),
        ("probabilities", page[0], {"kind": "probabilities"}),
        ("nothing to read", read(np.ones((50, 90)), model), {}),
        ("neighbours without labels", neighbours(model, dataset.images[0], Dataset(dataset.images), 1), {}),
    ]
    for bank in range(1, last + 1):
        cases.append((f"filters {bank}", filters(model, bank), {}))
        cases.append((f"maps {bank}", feature_maps(model, image, bank), {}))
        cases.append((f"similarity {bank}", filter_similarity(model, bank, dataset.images[:5]), {}))
    if len(dataset.class_names) > 2:
        cases.append(("discriminants", embedding(model, dataset), {}))
    return cases


@pytest.fixture(scope="module")
def usual() -> list[tuple[str, Display, dict[str, Any]]]:
    """Return every kind of result, for a network with two banks and four classes."""
    model, dataset = make((Bank(7, 5, pool=2), Bank(13, 1)), ("Trouser", "$x_1$", "<b>&amp;", "Ankle boot"), 3)
    return [
        *results(model, dataset),
        ("prepared", prepare(255 - dataset.images[0]), {}),
        ("blank", prepare(np.ones((9, 300))), {}),
        ("robustness", robustness(model, dataset, images=4, progress=False), {}),
        ("one corruption", robustness(model, dataset, images=2, prepare=True, progress=False), {"kind": "lined paper"}),
    ]


def svg(name: str, result: Display, options: dict[str, Any]) -> str:
    figure = result.plot(**options)
    assert isinstance(figure, Figure)
    return plot.to_svg(figure, prefix="p-", label=f'plot of "{name}"')


@pytest.fixture(scope="module")
def usual_svgs(usual) -> dict[str, str]:
    """Return the plots of the usual results, drawn once for several tests."""
    return {name: svg(name, result, options) for name, result, options in usual}


@pytest.mark.parametrize(
    ("banks", "names"),
    [
        ((), ()),
        ((Bank(1, 7, pool=2), Bank(1, 3)), ("x" * 300, "y" * 300)),
        ((Bank(70, 5, pool=2), Bank(3, 3)), tuple("ABCDEFGHIJKLM")),
    ],
)
def test_every_plot_renders(usual_svgs, banks, names):
    cases = (
        {name: svg(name, result, options) for name, result, options in results(*make(banks, names))}
        if banks
        else usual_svgs
    )
    for name, text in cases.items():
        root = check_svg(text, "p-")
        assert root.attrib["aria-label"] == f'plot of "{name}"'
        assert "currentColor" in text
        assert grammar.TEXT not in text
        assert len(text) < 300_000
        words = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
        if name not in ("calibration", "pca", "discriminants", "evidence", *MADE_OF_BARS):
            assert SCALE.search(words), name
        for image in root.iter(f"{SVG}image"):
            assert image.attrib["href"].startswith("data:image/png;base64,iVBOR")


def test_empty_results_render():
    model, dataset = make((Bank(2, 5),), ("a", "b"))
    empty = Dataset(np.zeros((0, 28, 28), np.uint8), np.zeros(0, int), "n" * 300, ("a", "b"))
    figures = [
        empty.plot(),
        empty.plot(kind="one_of_each"),
        Dataset(empty.images).plot(),
        evaluate(model, dataset, hardest=0).plot(kind="hardest"),
        neighbours(model, empty, dataset).plot(),
        History().plot(),
    ]
    for figure in figures:
        check_svg(plot.to_svg(figure), "")


def test_no_two_texts_overlap(usual):
    for name, result, options in usual:
        figure = result.plot(**options)
        figure.draw_without_rendering()
        page = figure.get_tightbbox()
        assert page.width < 10
        assert page.height < 12
        assert figure.axes[0].get_title(loc="left")
        if name in ("calibration", "evidence", "pca", "discriminants"):
            continue  # their numbers are placed at the values
        boxes = [
            text.get_window_extent().padded(-1)
            for text in figure.findobj(Text)
            if text.get_text().strip() and text.get_visible()
        ]
        assert len(boxes) > 1
        for one, other in combinations(boxes, 2):
            assert not one.overlaps(other), name


def test_the_same_figure_gives_the_same_bytes(usual, usual_svgs, tmp_path):
    for name, result, options in usual[::3]:
        assert svg(name, result, options) == usual_svgs[name]
    for suffix in ("png", "svg"):
        for number in (1, 2):
            plot.save(HISTORY.plot(), tmp_path / f"{number}.{suffix}")
        assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"2.{suffix}").read_bytes()


# files and pages


def test_save_png_and_svg(tmp_path):
    plot.save(HISTORY.plot(), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["dpi"][0] >= 150
        pixel = picture.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        assert pixel[:3] == (255, 255, 255)
    plot.save(HISTORY.plot(), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert "Loss" in [element.text for element in root.iter(f"{SVG}text")]
    assert "date" not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg"]


@pytest.mark.parametrize("name", ["a.jpg", "a", "missing/a.png"])
def test_save_checks_the_path(tmp_path, name):
    with pytest.raises(InputError, match=r"\.png or \.svg|does not exist"):
        plot.save(HISTORY.plot(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_svg_without_theme_is_dark_on_white():
    text = plot.to_svg(HISTORY.plot(), themed=False)
    assert "currentColor" not in text
    assert grammar.TEXT in text
    assert "fill: #ffffff" in text
    check_svg(text, "")


def test_global_settings_of_matplotlib_are_restored():
    before = dict(mpl.rcParams)
    with mpl.rc_context({"font.size": 20, "svg.fonttype": "path"}):
        assert "<text" in plot.to_svg(HISTORY.plot())
        assert mpl.rcParams["svg.fonttype"] == "path"
    assert dict(mpl.rcParams) == before


def test_threads_draw_the_same():
    expected = plot.to_svg(HISTORY.plot())
    drawn: list[str] = []
    threads = [threading.Thread(target=lambda: drawn.append(plot.to_svg(HISTORY.plot()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [expected] * 4


def test_pyplot_is_never_imported():
    code = """
import sys
from inksight import plot
from inksight.nn.history import Epoch, History
plot.to_svg(History((Epoch(1, 1.0, 0.5, 0.9, 0.6, 0.1, 1.0),)).plot())
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# content


def test_draw_on_given_axes(usual):
    for name, result, options in usual:
        figure = Figure()
        ax = figure.subfigures(1, 2, squeeze=False)[0, 0].add_subplot()
        assert result.plot(ax, **options) is figure, name
        assert figure.axes == [ax]
        assert ax.get_title(loc="left")


def test_only_results_can_be_drawn():
    with pytest.raises(InputError, match=r"only results can be drawn \(AverageBarcodes, .*\), got int"):
        plot.draw(3)


def test_bad_options_are_errors():
    model, dataset = make((Bank(2, 5),), ("a", "b"))
    unlabeled = Dataset(dataset.images, None, "unlabeled")
    wrong: list[tuple[Display, dict[str, Any], str]] = [
        (HISTORY, {"kind": "time"}, "kind must be loss, accuracy or learning_rate"),
        (dataset, {"kind": "all"}, "kind must be examples, one_of_each or counts"),
        (dataset, {"columns": 0}, "columns must be"),
        (unlabeled, {"kind": "one_of_each"}, "kind='one_of_each' needs labels, and 'unlabeled' has none"),
        (unlabeled, {"kind": "counts"}, "kind='counts' needs labels, and 'unlabeled' has none"),
        (model, {"bank": 2}, "bank must be 1 to 1, got 2"),
        (average_barcodes(model, dataset), {"kind": "mean"}, "kind must be classes or trend"),
        (read(PAGE, model)[0], {"kind": "box"}, "kind must be steps or probabilities"),
        (evaluate(model, dataset), {"kind": "best"}, "kind must be confusion, calibration or hardest"),
        (evaluate(model, dataset), {"kind": "hardest", "count": -1}, "count must be"),
        (filters(model), {"most": 0}, "most must be"),
        (filter_similarity(model), {"kind": "maps"}, "kind must be weights if no images were given"),
        (filter_similarity(model), {"kind": "both"}, "kind must be weights or maps"),
        (robustness(model, dataset, images=1, progress=False), {"kind": "color"}, "kind must be mean, rotation, "),
        (embedding(model, dataset), {"most": "all"}, "most must be"),
    ]
    for result, options, message in wrong:
        with pytest.raises(InputError, match=message):
            result.plot(**options)


def test_an_unknown_option_is_an_error_that_lists_the_known_ones(usual):
    for _, result, _ in usual:
        with pytest.raises(InputError, match=f"option of the plot of {type(result).__name__} must be .*, got 'colour'"):
            result.plot(colour="red")
    model = next(result for name, result, _ in usual if name == "model")
    with pytest.raises(InputError, match="must be bank or shared or most, got 'kind'"):
        model.plot(kind="x")
    with pytest.raises(InputError, match="ax must be matplotlib axes, got 'counts'"):
        plot.draw(model, "counts")  # type: ignore[arg-type]


def heights(figure: Figure) -> list[list[float]]:
    return [[bar.get_height() for bar in bars] for bars in figure.axes[0].containers if isinstance(bars, BarContainer)]


def test_counts_are_bars_of_each_class():
    _, dataset = make((Bank(1, 3),), ("a", "b", "c"))
    few = dataset[np.array([0, 1, 3])]  # a, b, a
    figure = few.plot(kind="counts")
    assert heights(figure) == [[2, 1, 0]]
    assert texts(figure) == ["2", "1", "0"]
    splits = Splits(dataset, few, Dataset(dataset.images[:5]))
    figure = splits.plot()
    assert heights(figure) == [[12, 12, 12, 0], [2, 1, 0, 0], [0, 0, 0, 5]]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["a", "b", "c", "no label"]
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["train: 36", "validation: 3", "test: 5"]


def test_the_trend_is_the_mean_of_the_averages(usual):
    average = next(result for name, result, _ in usual if name == "trend")
    assert isinstance(average, AverageBarcodes)
    (bars,) = heights(average.plot(kind="trend"))
    np.testing.assert_allclose(bars, average.means.mean(axis=0))


def test_a_page_shows_its_picture_boxes_and_digits():
    model = load_model("small")
    digits = load("mnist").part("test").images[:4]
    page = read(np.hstack([*(255 - digits)]).repeat(3, axis=0).repeat(3, axis=1), model)
    assert page.text == "7210"
    rejected = replace(page[3], digit=None, reason="unsure")
    page = replace(page, lines=((*page.lines[0][:3], rejected),))
    figure = page.plot()
    (ax,) = figure.axes
    assert texts(figure) == ["7", "2", "1", "?"]
    boxes = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [(*box.get_xy(), box.get_width(), box.get_height()) for box in boxes] == [reading.box for reading in page]
    assert boxes[3].get_edgecolor() != boxes[0].get_edgecolor() == boxes[1].get_edgecolor()
    assert "? = rejected: unsure" in ax.get_xlabel()
    np.testing.assert_array_equal(255 - values_of(ax.images[0]), page.picture)


def test_a_large_page_is_reduced_and_its_boxes_fit():
    dark = np.full((900, 2500), 255, np.uint8)
    dark[200:700, 1200:1300] = 0
    page = read(dark, "small", accept_all=True)
    assert (page.picture.shape, page.block) == ((300, 834), 3)
    left, top, width, height = (side // page.block for side in page[0].box)
    ink = page.picture[top : top + height, left : left + width]
    assert (ink < 128).sum() > 0.9 * (page.picture < 128).sum()


def test_probabilities_of_a_reading():
    digit = load("mnist").part("test").images[0]
    reading = read(255 - digit, "small")[0]
    expected = load_model("small").probabilities(reading.image)[0]
    assert list(reading.probabilities) == [*"0123456789"]
    np.testing.assert_allclose(list(reading.probabilities.values()), expected, atol=1e-6)
    (bars,) = heights(reading.plot(kind="probabilities"))
    np.testing.assert_allclose(bars, expected, atol=1e-6)
    assert reading.plot().axes[1].get_title(loc="left") == "Read as 7"
    nothing = read(np.ones((50, 50)), "small")[0]
    assert nothing.probabilities == {}
    assert nothing.plot().axes[1].get_title(loc="left") == "Rejected: blank"


def rows_of(*accuracies: tuple[float, float]) -> History:
    return History(tuple(Epoch(i, 0.1, a, 0.1, b, 0.01, 1.0) for i, (a, b) in enumerate(accuracies, start=1)))


@pytest.mark.parametrize(
    ("accuracies", "low", "cut"),
    [
        (((0.8, 0.95), (0.96, 0.97)), 0.9, 1),
        (((0.5, 0.8), (0.7, 0.95), (0.92, 0.96), (0.94, 0.97)), 0.9, 2),
        (((0.992, 0.993), (0.993, 0.994)), 0.99, 0),
        (((0.95, 0.99), (0.991, 0.993)), 0.99, 1),
        (((0.92, float("nan")),), 0.9, 0),
    ],
)
def test_the_axis_of_accuracies_starts_above_poor_first_epochs(accuracies, low, cut):
    ax = rows_of(*accuracies).plot(kind="accuracy").axes[0]
    assert ax.get_ylim() == (low, 1.0)
    assert (f"cut off below {low:.0%}: up to epoch {cut}" in ax.get_xlabel()) == bool(cut)


@pytest.mark.parametrize("accuracies", [((0.6, 0.7),), ((0.3, 0.5), (0.5, 0.8)), ((0.95, 0.95), (0.4, 0.95))])
def test_the_axis_of_low_accuracies_shows_all_of_them(accuracies):
    ax = rows_of(*accuracies).plot(kind="accuracy").axes[0]
    assert ax.get_ylim()[0] <= min(min(row) for row in accuracies)
    assert "cut off" not in ax.get_xlabel()


def test_examples_are_in_the_row_of_their_class():
    _, dataset = make((Bank(1, 3),), ("a", "b"))
    dataset = dataset[np.array([0, 1, 2, 4, 5])]  # three of a, two of b
    pixels = values_of(dataset.plot(columns=3).axes[0].images[0])
    assert pixels.shape == (58, 88)
    np.testing.assert_allclose(pixels[30:, :28], dataset.images[1] / 255, rtol=1e-6)
    np.testing.assert_allclose(pixels[:28, 60:], dataset.images[3] / 255, rtol=1e-6)
    missing = np.ma.getmaskarray(pixels)
    assert missing[30:, 60:].all(), "b has no third image"
    assert missing[28:30].all()


def values_of(image: AxesImage) -> np.ma.MaskedArray[Any, Any]:
    array = image.get_array()
    assert isinstance(array, np.ma.MaskedArray)
    return array


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_confusion_matrix_shows_every_count():
    model, dataset = make((Bank(2, 5),), ("a", "b", "c"))
    confusion = np.array([[900, 0, 1], [2, 800, 0], [0, 3, 7]])
    evaluation = replace(evaluate(model, dataset), confusion=confusion)
    assert isinstance(evaluation, Evaluation)
    figure = evaluation.plot()
    assert sorted(texts(figure), key=int) == ["1", "2", "3", "7", "800", "900"]
    image = figure.axes[0].images[0]
    assert values_of(image).mask.sum() == 3  # cells without images have no color
    # One image in 900 is still visible.
    assert np.asarray(image.norm(np.array(1 / 901))) > 0.08


def test_history_without_validation_or_epochs():
    nan = float("nan")
    untested = History((Epoch(1, 0.5, 0.8, nan, nan, 0.01, 1.0), Epoch(2, 0.4, 0.9, nan, nan, 0.01, 1.0)))
    loss, accuracy = untested.plot().axes
    assert [len(ax.lines) for ax in (loss, accuracy)] == [1, 1]
    assert loss.get_legend() is None
    assert [len(ax.lines) for ax in HISTORY.plot().axes] == [2, 2]
    assert len(HISTORY.plot(kind="learning_rate").axes[0].lines) == 1
    assert History().plot().axes[0].get_xlabel() == "not trained yet"


def test_robustness_shows_accuracy_by_severity():
    model, dataset = make((Bank(2, 5),), ("a", "b", "c"))
    result = robustness(model, dataset, images=30, prepare=True, progress=False)
    assert result.prepared_accuracies is not None
    panels = result.plot().axes
    assert [ax.get_title(loc="left") for ax in panels] == ["mean of all corruptions", *CORRUPTIONS]
    for row, ax in enumerate(panels[1:]):
        level, direct, other_level, prepared = (np.asarray(line.get_ydata()) for line in ax.lines)
        np.testing.assert_array_equal(direct, [result.clean_accuracy, *result.accuracies[row]])
        np.testing.assert_array_equal(prepared, [result.prepared_clean_accuracy, *result.prepared_accuracies[row]])
        assert (level[0], other_level[0]) == (result.clean_accuracy, result.prepared_clean_accuracy)
        (strip,) = ax.child_axes
        tiles = values_of(strip.images[0])
        np.testing.assert_allclose(tiles[:, 30:58], result.examples[row, 0] / 255)
        assert [label.get_text() for label in strip.get_xticklabels()][
            -1
        ] == f"{[*CORRUPTIONS.values()][row].strengths[4]:g}"
    assert np.asarray(panels[0].lines[1].get_ydata())[1] == pytest.approx(result.accuracies[:, 0].mean())


def test_similar_filters_are_next_to_each_other():
    matrix = np.eye(3)
    matrix[0, 2] = matrix[2, 0] = 0.9
    result = FilterSimilarity(1, matrix, None, np.array([1, 0, 2]), 0)
    ax = result.plot().axes[0]
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 0, 0], [0, 1, 0.9], [0, 0.9, 1]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "0", "2"]


def test_names_that_would_overlap_are_pushed_apart():
    points = np.array([[0.0, 0], [0, 0], [0.1, 0], [9, 9]])
    result = _spread_apart(points, 1.0)
    distances = np.linalg.norm(result[:, None] - result[None], axis=2) + 9 * np.eye(4)
    assert distances.min() > 0.95
    np.testing.assert_array_equal(result[3], [9, 9])


def test_a_notebook_shows_the_plot():
    html = HISTORY._repr_html_()
    assert html.startswith('<img src="data:image/png;base64,')


def test_a_notebook_shows_all_results(usual):
    for result in {type(result): result for _, result, _ in usual}.values():
        assert '<img src="data:image/png;base64,' in result._repr_html_(), type(result)
    model = next(result for name, result, _ in usual if name == "model")
    table = model._repr_html_().split("<img")[0]
    assert table.startswith("<pre>Model(7-13 filters, 4 classes, 0 epochs)")
    assert "Total params:" in table


# the grammar


def test_montage_by_hand():
    tiles = np.arange(3).repeat(2).reshape(3, 1, 2)
    nan = np.nan
    expected = [[0, 0, nan, 1, 1], [nan] * 5, [nan] * 5, [2, 2, nan, nan, nan]]
    np.testing.assert_array_equal(grammar.montage(tiles, 2, (2, 1)), expected)


@given(st.integers(1, 1024))
def test_columns_leave_few_cells_empty(count):
    columns = grammar.columns_for(count)
    rows = -(-count // columns)
    assert 1 <= columns <= count
    assert rows * columns - count < columns
    assert count < 6 or rows <= columns + 1


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 5), (7, 7), (20, 10), (40, 10), (60, 15)])
def test_columns_of_common_banks(count, columns):
    assert grammar.columns_for(count) == columns


def test_own_scale_by_hand():
    tiles = np.array([[[1.0, 3.0]], [[-4.0, 2.0]], [[5.0, 5.0]]])
    np.testing.assert_array_equal(grammar.own_scale(tiles), [[[0, 1]], [[0, 1]], [[0, 0]]])
    np.testing.assert_allclose(grammar.own_scale(tiles, centered=True), [[[1 / 3, 1.0]], [[-1.0, 0.5]], [[1.0, 1.0]]])


def test_weights_are_centered_on_zero():
    model, _ = make((Bank(3, 5),), ("a", "b"))
    low, high = filters(model).plot().axes[0].images[0].get_clim()
    assert low == -high < 0


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (-0.123, "−0.12"), (12.6, "13"), (1234.5, "1234")])
def test_numbers_of_a_color_scale(value, text):
    assert grammar.number(value) == text


def contrast(one: Any, other: Any) -> float:
    low, high = sorted((grammar.luminance(one), grammar.luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_by_hand():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)  # known as just too light


@pytest.mark.parametrize("name", [*grammar.FROM_WHITE, grammar.ACTIVATIONS])
def test_text_is_readable_on_any_cell_in_light_and_dark(name):
    exchanged = {grammar.DARK_THEN_LIGHT: grammar.LIGHT, grammar.LIGHT_THEN_DARK: grammar.DARK}
    seen = set()
    for color in colormaps[name](np.linspace(0, 1, 256)):
        assert contrast(grammar.text_on(color), color) >= 4.5
        text = grammar.text_on(color, inverts=True)
        seen.add(text)
        assert contrast(text, color) >= 4.5
        assert contrast(exchanged.get(text, text), grammar.in_dark_mode(color)) >= 4.5
    assert len(seen) >= 2
    assert grammar.TEXT not in seen  # a page replaces the color TEXT


def test_dark_mode_reverses_lightness_and_keeps_hue():
    assert grammar.in_dark_mode("white") == pytest.approx((0.1, 0.1, 0.1))
    assert grammar.in_dark_mode("black") == pytest.approx((0.9, 0.9, 0.9))
    for color in ("#67001f", "#053061", "#7f2704"):  # the ends of the scales: red, blue and orange
        before, after = rgb_to_hsv(to_rgb(color)), rgb_to_hsv(grammar.in_dark_mode(color))
        assert abs((before[0] - after[0] + 0.5) % 1 - 0.5) < 0.08
        assert grammar.luminance(grammar.in_dark_mode(color)) > 0.4


def test_svg_for_a_page_marks_what_a_dark_page_inverts():
    figure = grammar.blank(5, 2)
    first, second = figure.subplots(1, 2)
    image = grammar.show(first, np.eye(3), grammar.WEIGHTS, -1, 1)
    grammar.color_bar(first, image)
    grammar.show(second, np.eye(3), grammar.ACTIVATIONS, 0, 1)
    for color in (grammar.DARK, grammar.DARK_THEN_LIGHT, grammar.LIGHT_THEN_DARK):
        grammar.write(first, 1, 1, "x", color=color)
    root = check_svg(plot.to_svg(figure), "")
    classes = [element.get("class") for element in root.iter(f"{SVG}image")]
    assert sorted(map(str, classes)) == ["None", "from-white", "from-white"]
    fills = [
        element.attrib["style"].partition("fill: ")[2] for element in root.iter(f"{SVG}text") if element.text == "x"
    ]
    assert fills == ["", "var(--dark-then-light, #000000)", "var(--light-then-dark, #ffffff)"]
    assert image.get_gid() is None  # the figure is as before
    assert "from-white" not in plot.to_svg(figure, themed=False)


@pytest.mark.parametrize(("points", "pixels"), [(5, 10), (6, 10), (7.5, 10), (12, 16)])
def test_text_of_an_svg_is_at_least_ten_pixels_high(points, pixels):
    figure = grammar.blank(4, 2)
    figure.text(0.5, 0.5, "small", fontsize=points)
    root = check_svg(plot.to_svg(figure), "")
    natural = re.search(r"--natural:(\d+)px", root.attrib["style"])
    assert natural is not None
    assert points * float(natural[1]) / float(root.attrib["viewBox"].split()[2]) == pytest.approx(pixels, rel=0.02)


@pytest.mark.parametrize("count", [3, 28, 29, 64])
def test_numbers_of_similar_filters_are_as_large_as_other_text(count):
    result = FilterSimilarity(1, np.eye(count), np.eye(count), np.arange(count), 9)
    figure = result.plot()
    assert min(label.get_fontsize() for ax in figure.axes for label in ax.get_yticklabels()) == grammar.SMALL
    figure.draw_without_rendering()
    for ax in figure.axes:
        assert ax.get_window_extent().height / figure.dpi * 72 / count >= grammar.SMALL
    natural = re.search(r"--natural:(\d+)px", plot.to_svg(figure))
    assert natural is not None
    assert float(natural[1]) < 912  # the column of a wide page
