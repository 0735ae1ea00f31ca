"""Makes the model `reader`, with which `inksight.read` reads by default, and the figures of its card.

Run: ``python -m benchmarks.ship_reader [--fonts FOLDER] [--start READER] [--check] [--processes N]``. The fonts are
those in the folder, ``/usr/share/fonts`` by default; `docs/how-to/train-the-reader.md` lists the packages that the
shipped model was trained with. ``--start`` trains a reader further, such as the shipped one. ``--check`` evaluates the
shipped model and trains nothing.

Data: MNIST's 50,000 training digits, as they are and redrawn with other pens; pictures of these digits, of printed ones
and of what is not a digit, with clutter around them (`benchmarks.synthetic.crops`), prepared as `inksight.read` does
it; crops of lines of these digits (`benchmarks.synthetic.line_crops`), cut by the segmentation; digits cut out wrongly
(`inksight.augmentation.negatives`), and noise. Then hard mining: of half as many pictures and lines again, those that
the network gets wrong join the training, which goes on.

The network is trained with eleven classes: ten digits and "not a digit". The eleventh output becomes the model's
detector (`inksight.nn.rejection_output`). MNIST's validation images, and pictures in families of fonts that are never
trained on, set the temperature and the threshold, which accepts 99.5 % of the digits. MNIST's test images are
read once a training, at the end, and choose nothing.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common import arguments
from benchmarks.synthetic.crop_dataset import Labeled, draw_images, draw_line_images
from benchmarks.synthetic.crops import NOT_A_DIGIT, Sources
from benchmarks.synthetic.fonts import find_fonts, is_held_out
from benchmarks.synthetic.noise import noise_images
from inksight._shared.files import write_bytes
from inksight.augmentation.negatives import synthetic_negatives
from inksight.augmentation.pen_style import restyle
from inksight.config import DIGITS, Augmentation, Recipe, get_network
from inksight.data.dataset import Dataset, join
from inksight.data.loading import load
from inksight.data.splits import Splits
from inksight.inspection import model_card as cards
from inksight.inspection.evaluation import evaluate
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.nn.ood import ood_score
from inksight.nn.rejection_output import RejectionOutput
from inksight.training.calibration import calibrated, with_temperature
from inksight.training.fitting import train

ASSETS = Path(cards.__file__).parents[1] / "assets"
FONTS = "/usr/share/fonts"
NETWORK = "12x3,16x3p,32x3,40x3,56x3,64x3"
CLASSES = (*DIGITS, "not a digit")
PICTURES, LINES = 36_000, 1_200  # drawn to train on
CANDIDATES, CANDIDATE_LINES = 18_000, 600  # drawn for hard mining
VALIDATION, VALIDATION_LINES = 4_000, 100
NOISE_SHARE = 0.1  # images of noise for each digit as it is
ACCEPTED = 0.995  # share of held-out digits that the threshold accepts
RECIPE = Recipe(
    epochs=6, batch_size=256, learning_rate=1e-2, beta1=0.8, beta2=0.95, label_smoothing=0.02,
    augmentation=Augmentation(rotation=8, shift=1.5, scale=0.08, shear=0.15, elastic=2, aspect=0.3), taper=1,
)  # fmt: skip
# Then on, with narrower and wider digits, which some hands write.
FINISH = replace(RECIPE, epochs=7, learning_rate=6e-3, augmentation=replace(RECIPE.augmentation, aspect=0.45))


def with_redrawn(digits: Dataset, seed: int) -> Dataset:
    """Return digits as they are and redrawn with other pens."""
    labels = digits.require_labels("training the reader")
    return join(digits, replace(digits, images=restyle(digits.images, labels, 1.0, seed, 0)))


def with_negatives(digits: Dataset, seed: int) -> Labeled:
    """Return digits, half as many that are cut out wrongly, and a few images of noise."""
    labels = digits.require_labels("training the reader")
    half = digits.images[len(digits) // 2 :]
    negatives = synthetic_negatives(half, np.random.default_rng([seed, 1]))
    noise = noise_images(int(NOISE_SHARE * len(half)), np.random.default_rng([seed, 2]))
    negatives = np.concatenate([negatives, noise])
    return np.concatenate([digits.images, negatives]), np.append(labels, np.full(len(negatives), NOT_A_DIGIT))


def drawn(sources: Sources, pictures: int, lines: int, seed: int, processes: int) -> Labeled:
    """Return pictures of one sign and crops of lines."""
    single = draw_images(sources, pictures, seed, processes)
    return joined([single, draw_line_images(sources, lines, seed, processes)])


def joined(parts: list[Labeled]) -> Labeled:
    """Return the images and labels of all parts."""
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def hard_ones(model: Model, candidates: Labeled) -> Labeled:
    """Return the candidates that a network with eleven classes gets wrong."""
    images, labels = candidates
    wrong = model.predict(images) != labels
    print(f"{wrong.sum():,} of {len(labels):,} candidates are hard", flush=True)
    return images[wrong], labels[wrong]


def train_on(parts: list[Labeled], candidates: Labeled, start: Model | None = None) -> Model:
    """Train a network with eleven classes, and then further, also on the candidates that it gets wrong.

    With `start`, a reader, only the second training takes place, from its weights.
    """
    if start is None:
        first = train(as_splits(parts), get_network(NETWORK, len(CLASSES)), RECIPE, seed=0)
    else:
        first = with_eleven_classes(start)
    return train(as_splits([*parts, hard_ones(first, candidates)]), None, FINISH, start=first, seed=0)


def as_splits(parts: list[Labeled]) -> Splits:
    """Return images to train on, without validation images."""
    return Splits(Dataset(*joined(parts), "digits and clutter", CLASSES))


def with_rejection_output(model: Model, validation: list[Labeled]) -> Model:
    """Make the last class of a model its detector, after calibration on validation images."""
    images, labels = joined(validation)
    model = calibrated(model, Dataset(images, labels, "validation", CLASSES))
    kernel, bias = model.params["output.kernel"], model.params["output.bias"]
    weights = np.append(kernel[:, NOT_A_DIGIT], bias[NOT_A_DIGIT]).astype(np.float32)
    digits = {"output.kernel": np.ascontiguousarray(kernel[:, :NOT_A_DIGIT]), "output.bias": bias[:NOT_A_DIGIT]}
    detector = RejectionOutput(weights, 0.0, model.temperature)
    network = replace(model.network, classes=NOT_A_DIGIT)
    model = replace(
        model, network=network, params=model.params | digits, class_names=DIGITS, ood_detector=detector
    )  # fmt: skip
    scores = ood_score(model, images[labels != NOT_A_DIGIT])
    # Log-odds of 0 reject what is more probably not a digit; unfamiliar handwriting is given the benefit of the doubt.
    threshold = max(float(np.quantile(scores, ACCEPTED)), 0.0)
    return replace(model, ood_detector=replace(detector, threshold=threshold))


def with_eleven_classes(model: Model) -> Model:
    """Make the detector of a reader its last class again, uncalibrated: the inverse of `with_rejection_output`."""
    detector = model.ood_detector
    assert isinstance(detector, RejectionOutput)
    model = with_temperature(model, detector.temperature)  # that of the detector's weights
    kernel, weights = model.params["output.kernel"], detector.rejection_weights
    output = {
        "output.kernel": np.column_stack([kernel, weights[:-1]]),
        "output.bias": np.append(model.params["output.bias"], weights[-1]),
    }
    network = replace(model.network, classes=len(CLASSES))
    params = model.params | output
    eleven = replace(model, network=network, params=params, class_names=CLASSES, ood_detector=None)
    return with_temperature(eleven, 1.0)


def make(fonts: str, processes: int, start: Model | None = None) -> Model:
    """Train the reader, or train one further."""
    splits = load("mnist").split()
    assert splits.validation is not None
    found = find_fonts(fonts)
    known, held_out = ([font for font in found if is_held_out(font) == wanted] for wanted in (False, True))
    print(f"{len(known)} fonts to train on, {len(held_out)} to measure", flush=True)
    digits, validation = with_redrawn(splits.train, 0), with_redrawn(splits.validation, 3)
    sources = Sources(digits, known)
    pictures = drawn(sources, PICTURES, LINES, 1, processes)
    candidates = drawn(sources, CANDIDATES, CANDIDATE_LINES, 2, processes)
    model = train_on([with_negatives(digits, 0), pictures], candidates, start)
    new = drawn(Sources(validation, held_out), VALIDATION, VALIDATION_LINES, 3, processes)
    return with_rejection_output(model, [with_negatives(validation, 3), new])


def main(
    fonts: str = FONTS, check: bool = False, processes: int = os.cpu_count() or 1, start: str | None = None
) -> int:
    """Make the model and the figures of its card; with `check`, return 1 if the shipped figures differ."""
    reader = None if start is None else load_model(start)
    model = load_model("reader") if check else make(fonts, processes, reader)
    test = load("mnist").split().test
    assert test is not None
    card = cards.describe("reader", model, evaluate(model, test), "MNIST's test images").to_dict()
    figures = json.dumps({name: card[name] for name in ("images", "evaluation", "protocol")}, indent=1) + "\n"
    path = ASSETS / "reader.json"
    if check:
        same = path.read_text() == figures
        print(f"{path.name}: {'the same' if same else 'different'}")
        return int(not same)
    model.save(ASSETS / "reader.safetensors")
    write_bytes(path, figures.encode())
    print(f"{model!r}: {card['evaluation']['accuracy']:.2%} of MNIST's test images right")
    return 0


if __name__ == "__main__":
    sys.exit(
        arguments.run(
            main, __doc__,
            arguments.option("fonts", f"folder of fonts (default: {FONTS})", default=FONTS),
            arguments.flag("check", "evaluate the shipped model, train nothing"),
            arguments.option("start", "reader, such as the shipped one, to train further (default: train a new one)"),
            arguments.option(
                "processes", "processes that draw pictures", type=arguments.at_least(1), default=os.cpu_count() or 1
            ),
        )
    )  # fmt: skip
