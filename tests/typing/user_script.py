"""A user's script, for type checkers only: `make lint` checks that inksight's types give it no `Any`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import inksight
from inksight.experiments.trial import grid

# Data
data = inksight.load("mnist")
splits = data.split()
assert splits.test is not None
test = splits.test
digits, digit = test.images[:5], test.images[:1]
assert test.labels is not None
print(data.name, len(data), data.class_names, data[:10].images.shape, data.of_digit(7).digest)
print([part.name for part in splits.parts.values()], splits.evaluation_set.test_count, test.labels[-3:])

# Training
recipe = inksight.Recipe(epochs=2, learning_rate=0.01, augmentation=inksight.Augmentation(rotation=10))
network = inksight.Network((inksight.Bank(8, 5, pool=2), inksight.Bank(16)))
print(inksight.summary(network), recipe.learning_rate_at(0.5), recipe.augmentation.scaled(0.5).rotation)
print(inksight.get_network("8x5p,16x3").banks[0].filters, inksight.get_recipe("default").epochs)
model = inksight.train(splits, network, recipe, seed=1, seconds=5, progress=False)


def erase(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    images[:, rng.integers(28)] = 0
    return images


weights = 1 / splits.train.counts[splits.train.require_labels("weighting")]
model = inksight.train(splits, epochs=1, augmentation=erase, sample_weight=weights)
print(len(data + data), len(sum([data, data, data], start=data[:0])), model.augmentation_function)
print([epoch.accuracy for epoch in model.history], model.history["loss"], model.temperature, model.digest)
model.save("model.safetensors")
again = inksight.load_model("model.safetensors")
print(again.predict(digits), again.probabilities(digits)[:, 7])
ensemble = inksight.Ensemble([model, again])
print(ensemble.predict(digits), ensemble.probabilities(digits)[:, 7], ensemble.evaluate(test).accuracy)
print(inksight.load_ensemble("ensemble.safetensors").models[0].digest, inksight.card(ensemble).name)
print(inksight.cross_validate(data, network, recipe, folds=3).interval)

# Evaluation
evaluation = inksight.evaluate(model, test)
print(evaluation.accuracy, evaluation.interval, evaluation.confusion)
print(inksight.ood_score(model, digits))
robustness = inksight.robustness(model, test, images=100, progress=False)
print(robustness.mean, robustness.worst, robustness.accuracies[:1])
card = inksight.card("best")
print(card.name, card.protocol.mean if card.protocol is not None else None)

# Inspection
print(inksight.filters(model, bank=1).kernels, inksight.feature_maps(model, digit, bank=2).maps)
print(inksight.filter_similarity(model, 1).most_similar(3), inksight.filter_importance(model, test)[0])
averages = inksight.average_barcodes(model, test)
print(averages.means, inksight.barcode(model, digit).values)
detrended = inksight.detrended_barcodes(model, test, average=averages)
evidence = inksight.evidence(model, digit, averages, against=3)
print(evidence.values, evidence.margin, evidence.predicted)
neighbours = inksight.neighbours(model, test.images[:2], splits.train, 4)
print(neighbours.distances)
separation = inksight.separation(model, test)
print(separation.closest, inksight.embedding(model, test, "pca").points[:, 0])
for result in (data, evaluation, robustness, averages, detrended, evidence, neighbours, separation, model.history):
    inksight.plot.save(result.plot(), Path("figures") / f"{type(result).__name__}.png")
print([picture.title for picture in inksight.gallery(model, test)])

# Reading
page = inksight.read("photo.jpg")
print(page.text, page.confidence, page[0].runner_up, [digit.box for digit in page])
pages = list(inksight.read(["photo.jpg", "scan.png"], accept_all=True))
pages.extend(inksight.read(("photo.jpg", page[0].image)))
strokes = inksight.Strokes([[(40, 20), (120, 20), (70, 160)]])
pages.extend(inksight.read([Path("photo.jpg"), b"GIF89a", strokes], model))
names = list(Path().glob("*.png"))
pages.extend(inksight.read(names, "small", single=True))
pages.extend(inksight.read(name for name in names))
print([each.text for each in pages], inksight.prepare("seven.png").image)

# Fine-tuning, pruning, search
try:
    taught = inksight.teach("my-digits/", model="best")
    print(taught.own_before, taught.own_after, taught.record.name, taught.model.fine_tunings)
except inksight.InksightError as error:
    print(error)
pruning = inksight.prune(splits, "post", keep_accuracy=0.98)
print([(step.parameters, step.accuracy) for step in pruning.steps])
doubtful = inksight.doubtful_labels(data)
print(doubtful.suspected, doubtful.order[:10], doubtful.top(10))
trials = grid(["8x5p,16x3"], recipe, {"learning_rate": (0.001, 0.01)})
best = inksight.sweep(splits, trials, "trials").configurations[0]
print(best.mean, best.sd, inksight.halving(splits, trials, "halving").configurations[0].mean)
