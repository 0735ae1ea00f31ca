"""Filters, barcodes, evidence, geometry and neighbours, against small examples, NumPy and scikit-learn."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import NearestNeighbors

from inksight.config import Bank, Network
from inksight.data.dataset import Dataset
from inksight.errors import InputError
from inksight.inspection import banks as filters_module, nearest as neighbours_module
from inksight.inspection.attribution import evidence
from inksight.inspection.banks import feature_maps, filter_similarity, filters
from inksight.inspection.barcodes import average_barcodes, barcode, detrended_barcodes
from inksight.inspection.geometry import embedding, separation
from inksight.inspection.nearest import neighbours
from inksight.nn.model import Model
from inksight.nn.normalization import Normalization
from inksight.nn.parameters import param_shapes

NAMES = ("a", "b", "c")
NETWORK = Network((Bank(4, 5, pool=2), Bank(6, 3)), dense=5, classes=3)


def random_model(network: Network, seed: int = 0) -> Model:
    """Return a model with random weights and biases."""
    random = np.random.default_rng(seed)
    params = {k: np.asarray(random.normal(0, 0.5, shape), np.float32) for k, shape in param_shapes(network).items()}
    return Model(network, params, Normalization(0.1, 0.3), NAMES)


SIX = random_model(NETWORK)  # six entries per barcode


@pytest.fixture(scope="module")
def model() -> Model:
    return SIX


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (30, 28, 28), dtype=np.uint8)
    return Dataset(images, np.arange(30) % 3, "noise", NAMES)


def clouds(n: int = 300, entries: int = 6, seed: int = 2) -> tuple[np.ndarray, Dataset]:
    """Return barcodes drawn around three centers, and a dataset with the matching labels."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    values = random.normal(0, 3, (3, entries))[labels] + random.normal(size=(n, entries))
    return values, Dataset(np.zeros((n, 28, 28), np.uint8), labels, "clouds", NAMES)


# filters


def test_filters_are_the_weights_of_the_bank(model):
    result = filters(model, bank=2)
    assert result.kernels.shape == (6, 4, 3, 3)
    assert result.kernels[5, 3, 2, 1] == model.params["bank2.kernel"][2, 1, 3, 5]
    assert str(result) == "Filters of bank 2: 6 of 3x3, 4 input channels"


@pytest.mark.parametrize("bank", [0, 3, True, "1", 1.0])
def test_missing_bank_is_an_error(model, dataset, bank):
    for function in (filters, lambda m, b: feature_maps(m, dataset.images[0], b), filter_similarity):
        with pytest.raises(InputError, match=r"bank must be 1 to 2, got"):
            function(model, bank)


def test_feature_map_by_hand():
    network = Network((Bank(1, 1),), classes=3, leak=0.1)
    values: dict[str, Any] = {
        "bank1.kernel": [[[[2.0]]]], "bank1.bias": [1.0],
        "output.kernel": [[1, 0, -1]], "output.bias": [0, 0, 0],
    }  # fmt: skip
    params = {k: np.array(v, np.float32) for k, v in values.items()}
    model = Model(network, params, Normalization(0.5, 0.25), NAMES)
    image = np.zeros((28, 28), np.float32)
    image[3, 4] = 1
    result = feature_maps(model, image)
    # A paper pixel is normalized to -1: 2 * -1 + 1 = -1, after the leaky ReLU -0.1. An ink pixel is 1: 2 * 1 + 1 = 3.
    expected = np.full((1, 28, 28), -0.1, np.float32)
    expected[0, 3, 4] = 3
    np.testing.assert_allclose(result.maps, expected, atol=1e-6)
    assert barcode(model, image).values == pytest.approx(expected.mean(), abs=1e-5)
    assert result.prediction == "c"  # the mean is negative, and the last class has the weight -1


def test_feature_maps_and_prediction_agree_with_the_model(model, dataset):
    image = dataset.images[7]
    result = feature_maps(model, image[None, ..., None], bank=2)
    np.testing.assert_array_equal(result.maps, model.activations(image)["bank2"][0].transpose(2, 0, 1))
    probabilities = model.probabilities(image)[0]
    assert result.confidence == pytest.approx(probabilities.max())
    assert result.prediction == NAMES[probabilities.argmax()]
    assert "bank 2: 6 maps" in str(result)


@pytest.mark.parametrize("image", [np.zeros((2, 28, 28), np.uint8), np.zeros((0, 28, 28), np.uint8)])
def test_anything_but_one_image_is_an_error(model, image):
    for function in (feature_maps, barcode):
        with pytest.raises(InputError, match=r"image must be a single one of 28x28, got [02]: select"):
            function(model, image)


def test_similarity_of_weights_by_hand(model):
    kernel = np.zeros((5, 5, 1, 4), np.float32)
    kernel[0, 0, 0] = [3, -1, 0, 0]  # filters 0 and 1 are opposite
    kernel[0, 1, 0] = [4, 0, 0, 0]  # the cosine of 0 and 1 becomes -3/5
    kernel[2, 2, 0, 2] = 7  # 2 is orthogonal to the others; 3 is zero
    result = filter_similarity(replace(model, params=model.params | {"bank1.kernel": kernel}), 1)
    expected = np.eye(4)
    expected[0, 1] = expected[1, 0] = -0.6
    np.testing.assert_allclose(result.weights, expected, atol=1e-12)
    assert result.maps is None
    assert result.most_similar(1)[0][2] == 0


def test_correlation_of_maps_against_numpy(model, dataset, monkeypatch):
    monkeypatch.setattr(filters_module, "CHUNK", 7)
    bias = model.params["bank1.bias"].copy()
    kernel = model.params["bank1.kernel"].copy()
    kernel[..., 3] = kernel[..., 0]  # a duplicate filter
    kernel[..., 2], bias[2] = 0, 0.1  # a filter with a constant map
    bias[3] = bias[0]
    model = replace(model, params=model.params | {"bank1.kernel": kernel, "bank1.bias": bias})
    result = filter_similarity(model, 1, dataset.images)
    # In the same chunks, because the engine rounds differently for batches of different sizes.
    chunks = [model.activations(dataset.images[start : start + 7])["bank1"] for start in range(0, 30, 7)]
    maps = np.concatenate(chunks).reshape(-1, 4).T.astype(np.float64)
    varying = [0, 1, 3]
    assert result.maps is not None
    np.testing.assert_allclose(result.maps[np.ix_(varying, varying)], np.corrcoef(maps[varying]), atol=1e-9)
    np.testing.assert_array_equal(result.maps[2], [0, 0, 1, 0])
    assert result.images == 30
    ((first, second, similarity),) = result.most_similar(1)
    assert (first, second) == (0, 3)
    assert similarity == pytest.approx(1)
    order = result.order.tolist()
    assert abs(order.index(0) - order.index(3)) == 1
    assert str(result).startswith("FilterSimilarity of bank 1, most similar: 0 and 3 (1.00)")


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 99))
def test_the_order_is_a_permutation(count, seed):
    model = random_model(Network((Bank(count, 3),), classes=3), seed)
    result = filter_similarity(model)
    assert sorted(result.order.tolist()) == list(range(count))
    assert (np.diag(result.weights) == 1).all()
    assert (np.abs(result.weights) <= 1).all()


def test_similarity_with_an_empty_batch_is_an_error(model):
    with pytest.raises(InputError, match="number of images must be at least 1, got 0"):
        filter_similarity(model, 1, np.zeros((0, 28, 28), np.uint8))


# barcodes


def test_barcode_is_the_mean_of_the_last_maps(model, dataset):
    result = barcode(model, dataset.images[0])
    np.testing.assert_allclose(
        result.values, feature_maps(model, dataset.images[0], 2).maps.mean(axis=(1, 2)), rtol=1e-5
    )
    assert "Barcode of 6 entries" in str(result)


def test_average_barcodes_against_numpy(model, dataset):
    result = average_barcodes(model, dataset, each=4)
    values = model.barcodes(dataset.images)
    for label in range(3):
        np.testing.assert_allclose(result.means[label], values[dataset.labels == label][:4].mean(axis=0), rtol=1e-5)
    assert result.counts.tolist() == [4, 4, 4]
    np.testing.assert_allclose(result.trend, result.means.mean(axis=0))
    assert str(result) == "AverageBarcodes of 3 classes, 6 entries each, over 4 images per class"


def test_a_class_with_fewer_images_gives_all_of_them(model, dataset):
    few = dataset[:4]
    result = average_barcodes(model, few)
    assert result.counts.tolist() == [2, 1, 1]
    assert "over 1 to 2 images" in str(result)
    assert detrended_barcodes(model, few).labels.tolist() == [0, 0, 1, 2]


def test_the_seed_chooses_the_images(model, dataset):
    first, same, other = (average_barcodes(model, dataset, 3, seed=seed).means for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    ids = detrended_barcodes(model, dataset, 3, seed=5).ids
    assert len(set(ids.tolist())) == 9
    assert dataset.labels[ids].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_detrended_barcodes_are_barcodes_minus_the_trend(model, dataset):
    average = average_barcodes(model, dataset, each=7)
    result = detrended_barcodes(model, dataset, each=2, average=average)
    assert result.ids.tolist() == [0, 3, 1, 4, 2, 5]
    np.testing.assert_allclose(result.values, model.barcodes(dataset.images[result.ids]) - average.trend, atol=1e-6)
    assert str(result) == "DetrendedBarcodes of 6 images in 3 classes, 6 entries each"
    # Their mean over all averaged images is zero.
    everything = detrended_barcodes(model, dataset, each=10).values
    np.testing.assert_allclose(everything.mean(axis=0), 0, atol=1e-6)


def test_averages_need_labels_and_every_class(model, dataset):
    unlabeled = Dataset(dataset.images, None, "unlabeled", NAMES)
    for function, purpose in (
        (average_barcodes, "averaging barcodes"),
        (detrended_barcodes, "averaging barcodes"),
        (separation, "measuring distances"),
    ):
        with pytest.raises(InputError, match=f"{purpose} needs labels, and 'unlabeled' has none"):
            function(model, unlabeled)
        with pytest.raises(InputError, match=f"images of class 'c' in 'noise' must be at least 1 for {purpose}, got 0"):
            function(model, dataset[:2])
    for each in (0, 2.5, True):
        with pytest.raises(InputError, match="images per class must be a whole number"):
            average_barcodes(model, dataset, each=each)  # type: ignore[arg-type]


# evidence


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_evidence_sums_to_the_margin(seed, dense):
    random = np.random.default_rng(seed)
    model = random_model(Network((Bank(3, 5),), dense=4 if dense else 0, classes=3), seed)
    image = random.random((28, 28), dtype=np.float32)
    baseline = random.normal(0, 3, 3)
    result = evidence(model, image, baseline)
    assert result.values.sum() == pytest.approx(result.margin - result.baseline_margin, abs=1e-9)
    logits = model.activations(image)["logits"][0]
    assert result.margin == pytest.approx(logits[result.predicted] - logits[result.against], abs=1e-4)
    start = model.logits_from_barcodes(baseline[None])[0]
    assert result.baseline_margin == pytest.approx(start[result.predicted] - start[result.against], abs=1e-4)
    assert [result.predicted, result.against] == np.argsort(-logits)[:2].tolist()


def test_evidence_is_the_integral_of_the_gradient(model, dataset):
    baseline = np.full(6, 2.0)
    result = evidence(model, dataset.images[0], baseline)

    steps = (np.arange(4000) + 0.5) / 4000
    path = baseline + steps[:, None] * (result.barcode - baseline)
    # The gradient of the margin by the chain rule, at each point of the path.
    hidden = path @ model.params["dense.kernel"] + model.params["dense.bias"]
    output = model.params["output.kernel"]
    through = np.where(hidden > 0, 1, model.network.leak) * (output[:, result.predicted] - output[:, result.against])
    slopes = (through @ model.params["dense.kernel"].T).mean(axis=0)
    np.testing.assert_allclose(result.values, slopes * (result.barcode - baseline), atol=2e-3)
    z = path @ model.params["dense.kernel"] + model.params["dense.bias"]
    assert (np.sign(z[0]) != np.sign(z[-1])).any(), "no unit changes its sign, so the path does not test the leaky ReLU"


def test_evidence_without_a_dense_layer_by_hand():
    model = random_model(Network((Bank(3, 5),), classes=3))
    result = evidence(model, np.eye(28, dtype=np.float32), [1.0, 2.0, 3.0], against=None)
    kernel = model.params["output.kernel"].astype(np.float64)
    expected = (kernel[:, result.predicted] - kernel[:, result.against]) * (result.barcode - [1, 2, 3])
    np.testing.assert_allclose(result.values, expected)


def test_evidence_against_another_class(model, dataset):
    average = average_barcodes(model, dataset)
    first = evidence(model, dataset.images[0], average)
    last = ({0, 1, 2} - {first.predicted, first.against}).pop()
    result = evidence(model, dataset.images[0], average, against=last)
    assert (result.predicted, result.against) == (first.predicted, last)
    assert f"Evidence for {NAMES[first.predicted]}" in str(result)
    assert result.margin >= first.margin
    # With its own barcode as the baseline, an image gives no evidence.
    none = evidence(model, dataset.images[0], first.barcode)
    np.testing.assert_array_equal(none.values, np.zeros(6))
    for against in (first.predicted, 3, -1, "a"):
        with pytest.raises(InputError, match="against must be a class from 0 to 2 other than the predicted one"):
            evidence(model, dataset.images[0], average, against=against)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"shape of baseline must be \(6,\)"):
        evidence(model, dataset.images[0], np.zeros(5))
    with pytest.raises(InputError, match="baseline must be finite"):
        evidence(model, dataset.images[0], np.full(6, np.nan))


# geometry


def test_separation_by_hand():
    # One entry separates the classes. Each image is 1 away from its class mean, and n - classes = 3.
    values = np.zeros((6, 6))
    values[:, 0] = [0, 2, 10, 12, 30, 32]
    data = Dataset(np.zeros((6, 28, 28), np.uint8), np.array([0, 0, 1, 1, 2, 2]), "six", NAMES)
    result = separation(SIX, data, barcodes=values)
    deviation = np.sqrt(6 / 3)
    np.testing.assert_allclose(result.distances, np.array([[0, 10, 30], [10, 0, 20], [30, 20, 0]]) / deviation)
    assert result.closest == (0, 1)
    assert str(result).endswith("closest: a and b, 7.1 standard deviations apart")


def test_separation_is_the_mahalanobis_distance(model):
    values, data = clouds()
    result = separation(model, data, barcodes=values, shrinkage=0)
    classes = [values[data.labels == k] for k in range(3)]
    within = sum(np.cov(each.T, ddof=0) * len(each) for each in classes) / 297
    for i in range(3):
        for j in range(3):
            difference = classes[i].mean(axis=0) - classes[j].mean(axis=0)
            expected = np.sqrt(difference @ np.linalg.solve(within, difference))
            assert result.distances[i, j] == pytest.approx(expected)
    assert result.images == 300


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1e-3, 1e3), min_size=6, max_size=6), st.floats(0, 0.9))
def test_separation_is_independent_of_units(scales, shrinkage):
    values, data = clouds()
    first = separation(SIX, data, barcodes=values, shrinkage=shrinkage).distances
    scaled = separation(SIX, data, barcodes=values * scales + 5, shrinkage=shrinkage).distances
    np.testing.assert_allclose(scaled, first, rtol=1e-6)
    np.testing.assert_array_equal(first, first.T)


@pytest.mark.parametrize("weights", [[1, 0, 0, 0], [-2.5, 0, 0, 0], [1, -3, 0.1, 7], [1e-3, 0, 0, 1e3]])
@pytest.mark.parametrize("seed", range(5))
def test_separation_with_constant_and_linearly_dependent_entries(model, weights, seed):
    values, data = clouds(seed=seed)
    values[:, 4] = 7
    values[:, 5] = values[:, :4] @ weights
    assert np.isfinite(separation(model, data, barcodes=values).distances).all()
    with pytest.raises(InputError, match="shrinkage must be larger for 300 images, got 0"):
        separation(model, data, barcodes=values, shrinkage=0)


def test_separation_needs_spread_within_a_class(model, dataset):
    with pytest.raises(InputError, match="some class must hold two images that differ"):
        separation(model, dataset[:3])
    same = Dataset(np.zeros((6, 28, 28), np.uint8), np.arange(6) % 3, "same", NAMES)
    with pytest.raises(InputError, match="some class must hold two images that differ"):
        separation(model, same)
    with pytest.raises(InputError, match=r"shape of barcodes must be \(30, 6\)"):
        separation(model, dataset, barcodes=np.zeros((30, 5)))
    with pytest.raises(InputError, match="barcodes must be finite"):
        separation(model, dataset, barcodes=np.full((30, 6), np.inf))
    with pytest.raises(InputError, match="shrinkage must be 0 to 1, got 2"):
        separation(model, dataset, shrinkage=2)


def test_pca_against_scikit_learn(model):
    values, data = clouds()
    result = embedding(model, data, "pca", barcodes=values)
    reference = PCA(2).fit(values)
    np.testing.assert_allclose(np.abs(result.points), np.abs(reference.transform(values)), atol=1e-9)
    np.testing.assert_allclose(result.share, reference.explained_variance_ratio_)
    np.testing.assert_allclose((values - result.center) @ result.axes, result.points)


def test_discriminants_against_scikit_learn(model):
    values, data = clouds(n=3000)
    result = embedding(model, data, barcodes=values)
    assert result.method == "discriminant"
    reference = LinearDiscriminantAnalysis(solver="eigen").fit(values, data.labels)
    theirs = reference.transform(values)[:, :2]
    for axis in range(2):
        # The shrinkage of 0.01 rotates the axes by less than this.
        assert abs(np.corrcoef(result.points[:, axis], theirs[:, axis])[0, 1]) > 0.9999
    np.testing.assert_allclose(result.share, reference.explained_variance_ratio_[:2], atol=1e-3)
    inner = result.points - np.stack([result.points[data.labels == k].mean(axis=0) for k in range(3)])[data.labels]
    np.testing.assert_allclose(inner.T @ inner / 2997, np.eye(2), atol=0.02)


def test_the_sign_of_an_embedding_is_fixed(model):
    values, data = clouds()
    for method in ("pca", "discriminant"):
        result = embedding(model, data, method, barcodes=values)
        mirrored = embedding(model, data, method, barcodes=-values)
        for axes in (result.axes, mirrored.axes):
            assert (axes[np.abs(axes).argmax(axis=0), [0, 1]] > 0).all()
        np.testing.assert_allclose(result.points, -mirrored.points, atol=1e-9)
        assert f"of 300 barcodes by {method}" in str(result)


def test_embedding_without_labels_or_with_one_entry(model):
    values, data = clouds()
    unlabeled = Dataset(data.images, None, "unlabeled", NAMES)
    assert embedding(model, unlabeled, barcodes=values).method == "pca"
    with pytest.raises(InputError, match="discriminants needs labels, and 'unlabeled' has none"):
        embedding(model, unlabeled, "discriminant", barcodes=values)
    narrow = random_model(Network((Bank(1, 5),), classes=3))
    for method in ("pca", "discriminant"):
        points = embedding(narrow, data, method, barcodes=values[:, :1]).points
        assert np.ptp(points[:, 0]) > 0
        assert (points[:, 1] == 0).all()


def test_embedding_checks_its_arguments(model, dataset):
    with pytest.raises(InputError, match="method must be discriminant or pca, got 'tsne'"):
        embedding(model, dataset, "tsne")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="number of images must be at least 2, got 1"):
        embedding(model, dataset[:1], "pca")
    pair = Dataset(dataset.images, dataset.labels % 2, "pair", ("a", "b"))
    assert embedding(model, pair).method == "pca"
    with pytest.raises(InputError, match="number of classes for discriminant must be at least 3"):
        embedding(model, pair, "discriminant")


# neighbours


def test_neighbours_against_scikit_learn(model, dataset, monkeypatch):
    values = model.barcodes(dataset.images).astype(np.float64)
    deviation = values.std(axis=0)
    reference = NearestNeighbors(n_neighbors=4).fit(values / deviation)
    distances, ids = reference.kneighbors(values[:9] / deviation)
    for chunk in (30, 100, 10_000):  # one image at a time, three, and all
        monkeypatch.setattr(neighbours_module, "DISTANCES", chunk)
        result = neighbours(model, dataset[:9], dataset, k=4)
        np.testing.assert_array_equal(result.ids, ids)
        np.testing.assert_allclose(result.distances, distances, atol=1e-6)
    assert result.ids[:, 0].tolist() == list(range(9))
    np.testing.assert_array_equal(result.images, dataset.images[ids])
    np.testing.assert_array_equal(result.labels, dataset.labels[ids])
    np.testing.assert_array_equal(result.query_labels, dataset.labels[:9])
    np.testing.assert_array_equal(result.predictions, model.predict(dataset.images[:9]))
    assert str(result) == "Neighbours of 9 images: the 4 nearest of each by barcode"


def test_neighbours_can_leave_out_the_image_itself(model, dataset):
    rows = np.array([3, 8])
    with_own = neighbours(model, dataset.images[rows], dataset, k=4)
    result = neighbours(model, dataset.images[rows], dataset, k=3, leave_out=rows)
    np.testing.assert_array_equal(result.ids, with_own.ids[:, 1:])
    assert neighbours(model, dataset.images[0], dataset[:5], k=4, leave_out=[0]).ids.shape == (1, 4)


def test_of_equal_neighbours_the_lower_row_comes_first(model, dataset):
    duplicates = Dataset(np.repeat(dataset.images[:3], 5, axis=0), None, "duplicates")
    result = neighbours(model, dataset.images[1], duplicates, k=4, barcodes=np.repeat(np.eye(6)[:3], 5, axis=0) * 1e3)
    assert result.labels is None
    np.testing.assert_array_equal(np.diff(result.ids[0]), [1, 1, 1])
    assert result.ids[0, 0] % 5 == 0
    # Constant entries are not scaled, and do not divide by zero.
    flat = neighbours(model, dataset.images[:2], duplicates, k=1, barcodes=np.zeros((15, 6)))
    np.testing.assert_allclose(
        flat.distances[:, 0], np.linalg.norm(model.barcodes(dataset.images[:2]), axis=1), rtol=1e-6
    )


def test_neighbours_check_their_arguments(model, dataset):
    for k in (0, 31, 1.0):
        with pytest.raises(InputError, match="k must be a whole number from 1 to the 30 images"):
            neighbours(model, dataset.images[0], dataset, k)  # type: ignore[arg-type]
    for rows in ([0, 1], [30], [0.5], [-1]):
        with pytest.raises(InputError, match="leave_out must be 1 rows of the reference set, one per query image"):
            neighbours(model, dataset.images[0], dataset, 1, leave_out=rows)
    other = Dataset(dataset.images, dataset.labels, "others", ("x", "y", "z"))
    with pytest.raises(InputError, match="classes of the data must be the model's"):
        neighbours(model, dataset.images[0], other)


def test_no_queries_have_no_neighbours(model, dataset):
    result = neighbours(model, np.zeros((0, 28, 28), np.uint8), dataset, k=2)
    assert result.ids.shape == (0, 2)
    assert result.images.shape == (0, 2, 28, 28)
