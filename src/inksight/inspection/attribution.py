"""Evidence: which barcode entries speak for the class predicted, and which for the runner-up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inksight._shared.display import Display
from inksight._shared.validation import check, is_count
from inksight.imaging.arrays import as_single_image
from inksight.inspection.barcodes import AverageBarcodes
from inksight.nn.model import Model


@dataclass(frozen=True, eq=False)
class Evidence(Display):
    """What each barcode entry adds to the lead of one class over another.

    Parameters
    ----------
    values : (filters,) float64, in logits
        Above 0 an entry speaks for `predicted`, below 0 for `against`; in sum ``margin - baseline_margin``.
    barcode, baseline : (filters,) float64
        The image's barcode and the one it is compared with.
    margin, baseline_margin : float, in logits
        Logit of `predicted` minus logit of `against`, for either barcode.
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
            f"({self.probabilities[self.against]:.1%}): a lead of {self.margin:.2f} logits, "
            f"{self.baseline_margin:.2f} of them before the image is seen"
        )


def evidence(
    model: Model, image: ArrayLike, baseline: AverageBarcodes | ArrayLike, *, against: int | None = None
) -> Evidence:
    """Share out the lead of the class predicted over another among the entries of the image's barcode.

    Integrated gradients (Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", ICML 2017) along
    the straight path from `baseline` to the image's barcode. The integral is exact, not a sum over steps: on
    that path a unit's input z runs evenly from z0 to z1, so the mean slope of its leaky ReLU f is
    (f(z1) - f(z0)) / (z1 - z0). Without a dense layer an entry's share is (w_a - w_b) (x - baseline).

    Parameters
    ----------
    model : Model
    image : (28, 28) uint8, or float 0..1
        High = ink.
    baseline : AverageBarcodes, or (filters,) float
        Where the path starts: what all classes have in common (`AverageBarcodes.trend`), or a barcode.
    against : int, optional
        The class compared with; by default the runner-up.

    Returns
    -------
    Evidence
        With `values` (filters of the last bank,), in logits.

    Raises
    ------
    InputError
        If it isn't one image, `baseline` has another length or isn't finite, or `against` is no other class.

    Examples
    --------
    >>> from inksight.config import get_network
    >>> model = Model.untrained(get_network("post"))
    >>> found = evidence(model, np.eye(28, dtype=np.float32), np.zeros(40))
    >>> bool(np.isclose(found.values.sum(), found.margin - found.baseline_margin))
    True
    """
    filters, classes = model.network.banks[-1].filters, model.network.classes
    picture = as_single_image(image)
    start = np.asarray(baseline.trend if isinstance(baseline, AverageBarcodes) else baseline, np.float64)
    check(start.shape == (filters,), "shape of baseline", start.shape, f"({filters},), as the model's barcodes")
    check(bool(np.isfinite(start).all()), "baseline", "a value that is not finite", "finite")
    found = model.activations(picture, ["barcode", "logits", "probabilities"])
    end = found["barcode"][0].astype(np.float64)
    # Stable, so that of two equal logits the one that `predict` names comes first.
    ranking = np.argsort(-found["logits"][0], kind="stable")
    predicted = int(ranking[0])
    if against is None:
        against = int(ranking[1])
    check(
        is_count(against, 0) and against < classes and against != predicted,
        "against", against, f"a class from 0 to {classes - 1} other than the one predicted, {predicted}",
    )  # fmt: skip

    margins, slopes = _margins(model, np.stack([start, end]), predicted, against)
    return Evidence(
        values=(end - start) * slopes,
        barcode=end,
        baseline=start,
        margin=float(margins[1]),
        baseline_margin=float(margins[0]),
        image=picture,
        probabilities=found["probabilities"][0].astype(np.float64),
        predicted=predicted,
        against=against,
        class_names=model.class_names,
    )


def _margins(
    model: Model, ends: NDArray[np.float64], a: int, b: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logit a minus logit b at both `ends` (2, filters), and its mean gradient (filters,) on the way.

    In double precision: the shares must add up, and single precision would blur a long sum of small ones.
    """
    weights = {name: value.astype(np.float64) for name, value in model.params.items()}
    output = weights["output.kernel"]
    slopes = output[:, a] - output[:, b]  # of the margin in what the output layer reads
    offset = weights["output.bias"][a] - weights["output.bias"][b]
    if not model.network.dense:
        return ends @ slopes + offset, slopes
    leak = model.network.leak
    z = ends @ weights["dense.kernel"] + weights["dense.bias"]  # (2, units)
    units = np.where(z > 0, z, leak * z)
    way = z[1] - z[0]
    still = way == 0  # such a unit adds nothing: any slope will do, and its own avoids 0 / 0
    mean_slope = np.where(still, np.where(z[0] > 0, 1.0, leak), (units[1] - units[0]) / np.where(still, 1.0, way))
    return units @ slopes + offset, weights["dense.kernel"] @ (slopes * mean_slope)
