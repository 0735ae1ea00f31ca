"""Keras on TensorFlow: the train function that ``model.fit`` calls, in the fastest of its variants.

Augmentation is the post's, RandomTranslation and RandomRotation: either in the ``tf.data`` pipeline, in parallel with
the training step, or as the model's first layers. XLA (``jit_compile``) is tried too, except with augmentation in the
model, which TensorFlow cannot compile with XLA.
"""

import os

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}

import time
from collections.abc import Callable
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.competitors.keras_network import network
from benchmarks.competitors.protocol import (
    BATCH,
    SHOWN,
    Answer,
    Data,
    Prepared,
    Tasks,
    fastest,
    pixels,
    serve,
    throughput,
)

VARIANTS = {  # whether augmentation is in the pipeline, jit_compile
    "augmentation in tf.data": (True, False),
    "augmentation in tf.data, jit_compile": (True, True),
    "augmentation in the model": (False, False),
}
PASSES = 3  # an epoch of the recipe `post`


def augmentation() -> list[layers.Layer]:
    """Return the post's: shifts of up to a tenth of the side, rotations of up to a tenth of a turn, zeros outside."""
    return [
        layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
        layers.RandomRotation(0.1, fill_mode="constant"),
    ]


def compiled(
    data: Data, *, l2: float = 0.0, in_model: bool = False, jit: bool = False, epsilon: float = 1e-7
) -> keras.Sequential:
    """Return the network with an optimizer and a loss; `in_model`: with augmentation layers."""
    model = network(data, l2=l2, first=augmentation() if in_model else [])
    model.compile(
        keras.optimizers.Adam(1e-3, epsilon=epsilon),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=jit,
    )
    return model


def augmented(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Return batches with augmentation in the pipeline."""
    augment = keras.Sequential(augmentation())
    return batches.map(lambda x, y: (augment(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)


def scaled(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return pixels in 0..1."""
    return tf.cast(x, tf.float32) / 255, y


def step_of(model: keras.Model, batches: tf.data.Dataset) -> Callable[[], object]:
    """Return the training step of `fit`, without callbacks."""
    model.make_train_function()
    batch = iter(batches.prefetch(tf.data.AUTOTUNE))

    def step() -> None:
        float(model.train_function(batch)["loss"])  # wait for it

    return step


def prepare(data: Data) -> Prepared:
    whole = len(data["images"]) // BATCH
    images = data["images"][: whole * BATCH].reshape(whole, BATCH, 28, 28, 1)
    labels = data["labels"][: whole * BATCH].reshape(whole, BATCH)
    raw = tf.data.Dataset.from_tensor_slices((images, labels)).cache().repeat().map(scaled)
    ready = tf.data.Dataset.from_tensor_slices((images / np.float32(255), labels)).repeat()

    jits = {"without jit_compile": False, "jit_compile": True}
    plain = {name: step_of(compiled(data, jit=jit), ready) for name, jit in jits.items()}
    moved = {
        name: step_of(compiled(data, in_model=not in_pipeline, jit=jit), augmented(raw) if in_pipeline else raw)
        for name, (in_pipeline, jit) in VARIANTS.items()
    }
    best, best_moved = fastest(plain), fastest(moved)
    tasks: Tasks = {
        "train": partial(throughput, plain[best], BATCH),
        "train_augmented": partial(throughput, moved[best_moved], BATCH),
        "recipe": partial(recipe, data, *VARIANTS[best_moved]),
    }
    shown = network(data, l2=0.0, first=[])(pixels(data)[:SHOWN])
    return tasks, f"{best}; {best_moved}", tf.nn.softmax(shown).numpy()


def recipe(data: Data, in_pipeline: bool, jit: bool, epochs: int) -> Answer:
    """Run epochs of the recipe `post`; return the seconds of training and the validation accuracy of each."""
    model = compiled(data, l2=1e-4, in_model=not in_pipeline, jit=jit, epsilon=1e-4)
    images, labels = data["images"][..., None], data["labels"]
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).cache().shuffle(len(images)).repeat()
    batches = batches.batch(BATCH).map(scaled)
    if in_pipeline:
        batches = augmented(batches)
    step = step_of(model, batches)
    validation = data["validation_images"][..., None] / np.float32(255)
    step()  # compile
    seconds, accuracy = [], []
    for _ in range(epochs):
        start = time.perf_counter()
        for _ in range(-(-PASSES * len(images) // BATCH)):
            step()
        seconds.append(time.perf_counter() - start)
        right = model.predict(validation, BATCH, verbose=0).argmax(axis=1) == data["validation_labels"]
        accuracy.append(float(right.mean()))
    return {"seconds": seconds, "accuracy": accuracy}


serve(prepare)
