"""Evidence: which barcode entries support the predicted class, and which support the runner-up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.imaging.arrays import as_single_image
from inksight.inspection.barcodes import AverageBarcodes
from inksight.nn.model import Model
from inksight.nn.model_file import ModelLike, as_model


@dataclass(frozen=True, eq=False)
class Evidence(Display):
    """The contribution of each barcode entry to the margin between two classes.

    Parameters
    ----------
    values : (filters,) float64, in logits
        Entries above 0 support `predicted`, entries below 0 support `against`. Their sum is
        ``margin - baseline_margin``.
    barcode, baseline : (filters,) float64
        The barcode of the image, and the barcode it is compared with.
    margin, baseline_margin : float, in logits
        Logit of `predicted` minus logit of `against`, for `barcode` and for `baseline`.
    image : (28, 28) uint8, or float32 0..1
    probabilities : (classes,) float64, 0..1
    predicted, against : int
        Classes.
    class_names : tuple of str
    """

    values: NDArray[np.float64]
    barcode: NDArray[np.float64]
    baseline: NDArray[np.float64]
    margin: float
    baseline_margin: float
    image: NDArray[np.generic]
    probabilities: NDArray[np.float64]
    predicted: int
    against: int
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        name, other = self.class_names[self.predicted], self.class_names[self.against]
        return (
            f"Evidence for {name} ({self.probabilities[self.predicted]:.1%}) over {other} "
            f"({self.probabilities[self.against]:.1%}): a margin of {self.margin:.2f} logits, "
            f"{self.baseline_margin:.2f} of them from the baseline"
        )


def evidence(
    model: ModelLike, image: ArrayLike, baseline: AverageBarcodes | ArrayLike, *, against: int | None = None
) -> Evidence:
    """Divide the margin of the predicted class among the entries of the image's barcode.

    This is integrated gradients (Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", ICML 2017)
    along the straight path from `baseline` to the image's barcode. The integral is exact, not a sum over steps:
    along the path the input z of a unit changes linearly from z0 to z1, so the mean slope of its leaky ReLU f is
    (f(z1) - f(z0)) / (z1 - z0). Without a dense layer, an entry contributes (w_a - w_b) (x - baseline).

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    image : (28, 28) uint8, or float 0..1
        High = ink.
    baseline : AverageBarcodes, or (filters,) float
        Start of the path: a barcode, or average barcodes, of which the mean over the classes is used
        (`AverageBarcodes.trend`).
    against : int, optional
        The class to compare with; by default the runner-up.

    Returns
    -------
    Evidence
        With `values` (filters of the last bank,), in logits.

    Raises
    ------
    InputError
        If `image` is not one image, `baseline` has another length or is not finite, or `against` is the predicted
        class or does not exist.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> model = Model.untrained(get_network("post"))
    >>> result = evidence(model, np.eye(28, dtype=np.float32), np.zeros(40))
    >>> bool(np.isclose(result.values.sum(), result.margin - result.baseline_margin))
    True
    """
    model = as_model(model)
    filters, classes = model.network.banks[-1].filters, model.network.classes
    picture = as_single_image(image)
    start = np.asarray(baseline.trend if isinstance(baseline, AverageBarcodes) else baseline, np.float64)
    check(start.shape == (filters,), "shape of baseline", start.shape, f"({filters},), as the model's barcodes")
    check(bool(np.isfinite(start).all()), "baseline", "a value that is not finite", "finite")
    activations = model.activations(picture, ["barcode", "logits", "probabilities"])
    end = activations["barcode"][0].astype(np.float64)
    # A stable sort puts the class that `predict` returns first, even among equal logits.
    ranking = np.argsort(-activations["logits"][0], kind="stable")
    predicted = int(ranking[0])
    if against is None:
        against = int(ranking[1])
    check(
        is_count(against, 0) and against < classes and against != predicted,
        "against", against, f"a class from 0 to {classes - 1} other than the predicted one, {predicted}",
    )  # fmt: skip

    margins, mean_gradient = _margins(model, np.stack([start, end]), predicted, against)
    return Evidence(
        values=(end - start) * mean_gradient,
        barcode=end,
        baseline=start,
        margin=float(margins[1]),
        baseline_margin=float(margins[0]),
        image=picture,
        probabilities=activations["probabilities"][0].astype(np.float64),
        predicted=predicted,
        against=against,
        class_names=model.class_names,
    )


def _margins(
    model: Model, ends: NDArray[np.float64], a: int, b: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logit a minus logit b at the two `ends` (2, filters), and its mean gradient (filters,) between them.

    Computed in double precision, because the contributions must add up to the margin.
    """
    weights = {name: value.astype(np.float64) for name, value in model.params.items()}
    output = weights["output.kernel"]
    slopes = output[:, a] - output[:, b]  # of the margin with respect to the output layer's input
    offset = weights["output.bias"][a] - weights["output.bias"][b]
    if not model.network.dense:
        return ends @ slopes + offset, slopes
    leak = model.network.leak
    z = ends @ weights["dense.kernel"] + weights["dense.bias"]  # (2, units)
    units = np.where(z > 0, z, leak * z)
    change = z[1] - z[0]
    constant = change == 0  # such a unit contributes nothing; its own slope avoids 0 / 0
    mean_slope = np.where(
        constant, np.where(z[0] > 0, 1.0, leak), (units[1] - units[0]) / np.where(constant, 1.0, change)
    )
    return units @ slopes + offset, weights["dense.kernel"] @ (slopes * mean_slope)
