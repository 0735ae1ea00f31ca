"""Train small networks in Keras 3 and save them in each of its formats, with what they predict.

The tests of import read the files.

Run it in an environment with Keras: ``python tools/make_keras_files.py src/inksight/assets/mnist.npz``.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
from keras import layers

HERE = Path(__file__).parents[1] / "tests" / "export" / "keras"


def sequential() -> keras.Sequential:
    """Return a network as in the post: augmentation and normalization are layers of the model."""
    normalization = layers.Normalization()
    normalization.adapt(images[:1000].astype("float32") / 255)
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Rescaling(1 / 255),
        keras.Sequential([layers.RandomRotation(0.1), layers.RandomTranslation(0.1, 0.1)]),
        normalization,
        layers.Conv2D(8, 5),
        layers.MaxPooling2D(),
        layers.LeakyReLU(negative_slope=0.1),
        layers.Conv2D(12, 3, activation=layers.LeakyReLU(negative_slope=0.1)),
        layers.GlobalAveragePooling2D(),
        layers.Dense(11),
        layers.LeakyReLU(negative_slope=0.1),
        layers.Dropout(0.1),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def functional() -> keras.Model:
    """Return the same kind of network, for pixels from 0 to 1, with other layers for the same things."""
    x = start = keras.Input((28, 28))
    x = layers.Reshape((28, 28, 1))(x)
    x = layers.Conv2D(6, 3, activation="relu", name="strokes")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.SeparableConv2D(9, 3, use_bias=False)(x)
    x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(10)(x)
    return keras.Model(start, layers.Softmax()(x))


def tiny() -> keras.Sequential:
    """Return the preset `tiny`, for pixels from 0 to 1."""
    rest = [layer for n in (10, 10, 11, 12) for layer in (layers.SeparableConv2D(n, 3), layers.LeakyReLU(0.3))]
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(7, 3), layers.MaxPooling2D(), layers.LeakyReLU(0.3), *rest,
        layers.GlobalAveragePooling2D(), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


if __name__ == "__main__":
    with np.load(sys.argv[1]) as arrays:
        images, labels = arrays["x_train"][:2000, ..., None], arrays["y_train"][:2000]
    expected = {}
    for make, scale in ((sequential, 1), (functional, 255), (tiny, 255)):
        keras.utils.set_random_seed(0)
        model = make()
        model.compile("adam", "sparse_categorical_crossentropy")
        shown = images.reshape(-1, *model.input_shape[1:]).astype("float32") / scale
        model.fit(shown, labels, epochs=2, verbose=0)
        expected[make.__name__] = model.predict(shown[:20], verbose=0)
        if make is tiny:
            model.save_weights(HERE / "tiny.weights.h5")
        else:
            model.save(HERE / f"{make.__name__}.keras", include_optimizer=False)
        if make is functional:
            model.save(HERE / "functional.h5", include_optimizer=False)
    np.savez_compressed(HERE / "expected.npz", **expected)
