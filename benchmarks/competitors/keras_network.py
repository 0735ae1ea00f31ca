"""The network `post` in Keras, for two workers."""

import keras
from keras import layers

from benchmarks.competitors.protocol import Data, weights


def network(data: Data, *, l2: float, first: list[layers.Layer]) -> keras.Sequential:
    """Return the network `post` with the data's weights, after the layers `first`."""

    def convolution(filters: int, kernel: int) -> layers.Layer:
        return layers.Conv2D(filters, kernel, kernel_regularizer=keras.regularizers.L2(l2) if l2 else None)

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *first,
            # Pooling before the activation gives the same result for a quarter of the work.
            convolution(20, 5),
            layers.MaxPooling2D(),
            layers.LeakyReLU(0.1),
            convolution(20, 5),
            layers.LeakyReLU(0.1),
            convolution(40, 3),
            layers.LeakyReLU(0.1),
            layers.GlobalAveragePooling2D(),
            layers.Dense(20, kernel_regularizer=keras.regularizers.L2(l2) if l2 else None),
            layers.LeakyReLU(0.1),
            layers.Dense(10, kernel_regularizer=keras.regularizers.L2(l2) if l2 else None),
        ]
    )
    for layer in first:
        assert not layer.trainable_weights
    trained = [layer for layer in model.layers if layer.trainable_weights]
    for layer, (kernel, bias) in zip(trained, weights(data), strict=True):
        layer.set_weights([kernel, bias])
    return model
