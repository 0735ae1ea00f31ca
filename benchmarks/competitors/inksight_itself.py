"""inksight as its users call it: `inksight.training.fitting.fit`, and `Model.probabilities` on uint8 images.

Runs in inksight's own environment; environment variables choose the engine and the instruction set.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.common.data import PLAIN_RECIPE
from benchmarks.competitors.protocol import (
    BATCH,
    MANY,
    ONE_CALL,
    SHOWN,
    WARM_UP,
    Answer,
    Data,
    Prepared,
    Tasks,
    prediction,
    serve,
)
from inksight.config import Augmentation, Recipe, get_network
from inksight.data.dataset import Dataset
from inksight.data.splits import Splits
from inksight.engine.choice import training_engine
from inksight.engine.library import peak
from inksight.nn.model import Model
from inksight.nn.normalization import Normalization
from inksight.training.fitting import fit

AUGMENTED = replace(PLAIN_RECIPE, batch_size=BATCH)
NOT_AUGMENTED = replace(AUGMENTED, augmentation=Augmentation())


def prepare(data: Data) -> Prepared:
    images, network = data["images"], get_network("post")
    splits = Splits(Dataset(images, data["labels"].astype(np.int64)), None, None)
    weights = {name: data[name] for name in data if name not in ("images", "labels")}
    model = Model(network, weights, Normalization())

    def train(recipe: Recipe, seconds: float) -> Answer:
        for budget in (WARM_UP, seconds):
            result = fit(splits, network, recipe, seconds=budget, progress=False)
        return {"images_per_second": result.images_per_second}

    tasks: Tasks = {
        "train": partial(train, NOT_AUGMENTED),
        "train_augmented": partial(train, AUGMENTED),
        **prediction(
            partial(model.probabilities, images[:ONE_CALL]),
            partial(model.probabilities, images[:MANY]),
            partial(model.probabilities, images[0]),
        ),
    }
    engine = training_engine() or ""
    if engine != "jax":
        tasks["peak"] = lambda: {"gflops": peak()}
    return tasks, engine, model.probabilities(images[:SHOWN])


serve(prepare)
