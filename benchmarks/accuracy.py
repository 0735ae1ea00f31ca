"""Test accuracy on MNIST: seven pairs of network and recipe, in five sizes.

Run: ``python -m benchmarks.accuracy [--fresh] [SEEDS [ROW...]]``; ten seeds and all rows by default. Results with the
same settings are read from ``results/accuracy.jsonl``, so that an interrupted run resumes. ``--fresh`` deletes them and
trains everything again, about an hour on two cores. Writes ``docs/accuracy.png`` if all rows were asked for.

Data: MNIST. Networks, recipes and numbers of epochs were chosen on the validation images, the training images 50,000 to
59,999 (`docs/log.md`).

For each row one network is first trained on the other 50,000 images. It gives the validation accuracy, and the
temperature and the out-of-distribution threshold (`inksight.nn.ood`), which need images that were not trained on. Then
each seed trains a network on all 60,000 images for as many epochs, sets that temperature, and reads the 10,000 test
images once, after the last epoch. No seed and no epoch is picked.

Measured: the accuracy; the accuracy without the 15 test images whose label most reviewers rejected
(`benchmarks.doubtful_labels`); the expected calibration error in 15 bins; the seconds of the training steps with
augmentation on all cores, without reading.
"""

import json
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from benchmarks.common.results import RESULTS as FOLDER, save_figure
from benchmarks.doubtful_labels import REJECTED
from inksight._shared.files import write_text
from inksight.config import Network, Recipe, get_network, get_recipe
from inksight.data.dataset import Dataset
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.parameters import parameter_count
from inksight.training.calibration import with_temperature
from inksight.training.fitting import fit
from inksight.training.result import TrainingResult

RESULTS = FOLDER / "accuracy.jsonl"
SEEDS = 10
CALIBRATION = Claim(0.003, "{:.1%}", at_most=True)  # expected calibration error of each row


@dataclass(frozen=True)
class Row:
    """A network with its recipe, and the claims about it.

    Parameters
    ----------
    name : str
    network, recipe : str
        As for `inksight.train`.
    parameters : int
        Claimed maximum.
    claim : float, optional
        Claimed minimum of the mean test accuracy.
    seconds : float, optional
        Claimed maximum of the median training time.
    """

    name: str
    network: str
    recipe: str
    parameters: int
    claim: float | None = None
    seconds: float | None = None


ROWS = (
    Row("seconds", "post", "seconds", 18_813),
    Row("default", "post", "default", 18_813),
    Row("post", "post", "mnist", 18_813, 0.9950, 60),
    Row("best", "best", "best", 20_000, 0.9960),
    Row("medium", "medium", "mnist", 8_000, 0.9940),
    Row("small", "small", "small", 5_000, 0.9920),
    Row("tiny", "tiny", "tiny", 1_000, 0.9860),
)
# The best results published elsewhere when this project began: single runs or the best of several, often picked by test
# accuracy. Parameters (the limit where the number is unknown), accuracy in %, label. The last is
# github.com/JoshWarn/Parameter-Efficient-MNIST.
PUBLISHED = (
    (18_813, 98.9, "the post"),
    (20_000, 99.56, "up to 20,000"),
    (8_000, 99.48, "up to 8,000"),
    (5_000, 99.07, "up to 5,000"),
    (697, 99.03, "the best of some 700 runs"),
)


def settings(row: Row) -> dict[str, Any]:
    """Return everything but the seed that a row's trainings depend on, as JSON values."""
    values = {"network": get_network(row.network).to_dict(), "recipe": get_recipe(row.recipe).to_dict()}
    return dict(json.loads(json.dumps(values)))  # lists in place of tuples, as in the file


def validated(row: Row, splits: Splits) -> TrainingResult:
    """Train on the 50,000 images: for validation accuracy, temperature and OOD threshold. Never reads test images."""
    return fit(Splits(splits.train, splits.validation, None), row.network, row.recipe, progress=False)


def trained(row: Row, splits: Splits, seed: int, temperature: float) -> TrainingResult:
    """Train on all 60,000 images, and set a temperature. Never reads test images."""
    everything = Splits(splits.train, splits.validation, None).with_validation_to_train()
    result = fit(everything, row.network, row.recipe, seed=seed, progress=False)
    return TrainingResult(**vars(result) | {"model": with_temperature(result.model, temperature)})


def read(model: Model, test: Dataset) -> dict[str, Any]:
    """Read the test images once."""
    evaluation = evaluate(model, test, hardest=0)
    right = evaluation.predictions == test.require_labels("this benchmark")
    accepted = np.setdiff1d(np.arange(len(test)), list(REJECTED))
    return {
        "test_accuracy": evaluation.accuracy,
        "without_rejected": float(right[accepted].mean()),
        "calibration_error": evaluation.calibration_error,
        "log_loss": evaluation.log_loss,
    }


def known(row: Row) -> list[dict[str, Any]]:
    """Return the kept results of a row with its present settings."""
    results = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    present = get_network(row.network), get_recipe(row.recipe)
    return [result for result in results if result["row"] == row.name and present == parse(**result["settings"])]


def parse(network: object, recipe: object) -> tuple[Network, Recipe]:
    """Return the network and the recipe of kept `settings`; fields added since then have their defaults."""
    return Network.from_dict(network), Recipe.from_dict(recipe)


def keep(result: dict[str, Any]) -> None:
    """Append a result to the file at once, so that an interrupted run resumes."""
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps(result) + "\n")


def measure(row: Row, splits: Splits, seeds: int, machine: str) -> list[dict[str, Any]]:
    """Return the results of a row: that of validation, whose seed is None, then one a seed. Train what is missing."""
    assert splits.test is not None
    results = {result["seed"]: result for result in known(row)}
    base = {"row": row.name, "settings": settings(row), "machine": machine}
    if "threshold" not in results.get(None, {}):
        model = validated(row, splits).model
        assert model.ood_detector is not None
        figures = {"val_accuracy": model.history.rows[-1].val_accuracy, "temperature": model.temperature}
        results[None] = base | {"seed": None} | figures | {"threshold": model.ood_detector.threshold}
        keep(results[None])
    validation = results[None]
    print(f"{row.name}: validation {validation['val_accuracy']:.2%}, temperature {validation['temperature']:.3f}")
    for seed in range(seeds):
        if seed not in results:
            training = trained(row, splits, seed, validation["temperature"])
            figures = {"seconds": round(training.seconds, 2)} | read(training.model, splits.test)
            results[seed] = base | {"seed": seed} | figures
            keep(results[seed])
        line = "test {test_accuracy:.2%}, without rejected labels {without_rejected:.2%}, calibration error "
        line += "{calibration_error:.2%}, {seconds:.1f} s"
        print(f"  seed {seed}: {line.format(**results[seed])}", flush=True)
    return [validation, *(results[seed] for seed in range(seeds))]


def protocol(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize the results of a row's seeds, with the fields of `inksight.inspection.model_card.Protocol`."""

    def column(name: str) -> list[float]:
        return [result[name] for result in results if result["seed"] is not None]

    accuracies = column("test_accuracy")
    n, mean, sd, half_width = len(accuracies), statistics.mean(accuracies), math.nan, math.inf
    if n > 1:
        sd = statistics.stdev(accuracies)
        half_width = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)
    return {
        "seeds": n,
        "mean": mean,
        "sd": sd,
        "interval": [max(mean - half_width, 0.0), min(mean + half_width, 1.0)],
        "without_rejected": statistics.mean(column("without_rejected")),
        "calibration_error": statistics.mean(column("calibration_error")),
        "seconds": statistics.median(column("seconds")),
        "machine": results[-1]["machine"],
    }


def holds(row: Row, summary: dict[str, Any]) -> bool:
    """Return whether all claims about a row hold, given its `protocol`."""
    return accurate(row, summary) and CALIBRATION.holds(summary["calibration_error"])


def accurate(row: Row, summary: dict[str, Any]) -> bool:
    """Return whether a row is as accurate as claimed, in the size and the time claimed."""
    return (
        parameter_count(get_network(row.network)) <= row.parameters
        and (row.claim is None or summary["mean"] >= row.claim)
        and (row.seconds is None or summary["seconds"] <= row.seconds)
    )


def table(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the README's table, given the `protocol` of each row by name."""
    heads = ["network", "parameters", "epochs", "training", "test accuracy (95 % interval of the mean)", "sd"]
    heads += ["claimed", "without rejected labels", "calibration error"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in ROWS:
        if row.name in summaries:
            x, network = summaries[row.name], get_network(row.network)
            name = f"`{row.network}`" if row.network == row.recipe else f"`{row.network}`, recipe `{row.recipe}`"
            claim = "" if row.claim is None else f"{row.claim:.2%}"
            excess = "" if CALIBRATION.holds(x["calibration_error"]) else f", above {CALIBRATION.target:.1%}"
            cells = [
                name, f"{parameter_count(network):,}", str(get_recipe(row.recipe).epochs), f"{x['seconds']:.0f} s",
                f"**{x['mean']:.2%}** ({x['interval'][0]:.2%} to {x['interval'][1]:.2%})", f"{x['sd']:.2%}",
                claim + ("" if accurate(row, x) else ", NOT HELD"), f"{x['without_rejected']:.2%}",
                f"{x['calibration_error']:.2%}{excess}",
            ]  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(summaries: dict[str, dict[str, Any]]) -> Figure:
    """Plot test error against parameters: means with their intervals, and the best results published elsewhere."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    ax = figure.add_subplot()
    for row in ROWS:
        x, size = summaries[row.name], parameter_count(get_network(row.network))
        low, high = (100 * (1 - bound) for bound in reversed(x["interval"]))
        ax.plot([size, size], [low, high], color="#3f90da", linewidth=2.2)
        ax.plot(size, 100 * (1 - x["mean"]), "o", color="#3f90da", markersize=5)
        ax.annotate(
            f"{row.name}  ", (size, 100 * (1 - x["mean"])), color="#3f90da", va="center", ha="right", fontsize=9
        )
    for size, accuracy, name in PUBLISHED:
        ax.plot(size, 100 - accuracy, "D", color="#a96b59", markersize=4.5)
        ax.annotate(f" {name}", (size, 100 - accuracy), color="#a96b59", va="center", fontsize=8)
    ax.set(xscale="log", yscale="log", xlabel="parameters", ylabel="error on MNIST's test images, %")
    seeds = min(x["seeds"] for x in summaries.values())
    ax.set_title(f"Means of {seeds} seeds, and the best single runs known elsewhere", loc="left", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_xticks(
        [500, 1000, 2000, 5000, 10_000, 20_000], labels=["500", "1,000", "2,000", "5,000", "10,000", "20,000"]
    )
    ax.set_yticks([0.3, 0.5, 1, 2], labels=["0.3", "0.5", "1", "2"])
    ax.minorticks_off()
    ax.margins(x=0.12, y=0.12)
    return figure


def forget(names: set[str]) -> None:
    """Delete the kept results of some rows."""
    lines = RESULTS.read_text().splitlines(keepends=True) if RESULTS.exists() else []
    write_text(RESULTS, "".join(line for line in lines if json.loads(line)["row"] not in names))


def main(seeds: int = SEEDS, names: Sequence[str] = (), fresh: bool = False) -> int:
    """Print every seed and the table; return 1 if a claim does not hold.

    Parameters
    ----------
    seeds : int
    names : sequence of str
        The rows; all by default.
    fresh : bool
        Delete the rows' kept results first.
    """
    splits, machine = load("mnist").split(), describe("numpy")
    print(f"{machine}; MNIST, {seeds} seeds a row")
    rows = [row for row in ROWS if not names or row.name in names]
    if fresh:
        forget({row.name for row in rows})
    summaries = {row.name: protocol(measure(row, splits, seeds, machine)) for row in rows}
    print("\n" + table(summaries))
    if len(rows) == len(ROWS):
        save_figure(draw(summaries), "accuracy.png")
    return int(not all(holds(row, summaries[row.name]) for row in rows))


if __name__ == "__main__":
    names = arguments.names([row.name for row in ROWS], "ROW")
    fresh = arguments.flag("fresh", "delete the kept results of these rows first")
    sys.exit(arguments.run(main, __doc__, arguments.seeds(SEEDS), names, fresh))
