"""LiteRT (TensorFlow Lite) with XNNPACK, which its interpreter uses for all layers by default.

TensorFlow only converts the network: the interpreter runs without it.
"""

import os

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from benchmarks.competitors.keras_network import network
from benchmarks.competitors.protocol import (
    MANY,
    ONE_CALL,
    SHOWN,
    THREADS,
    Data,
    Prepared,
    fastest,
    pixels,
    prediction,
    serve,
)

SLICES = (32, 128, 256, ONE_CALL)  # images in a call, where the worker may choose


def prepare(data: Data) -> Prepared:
    model = keras.Sequential([network(data, l2=0.0, first=[]), keras.layers.Softmax()])
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    images = pixels(data)[:MANY]

    def call(size: int, total: int) -> Callable[[], list[Any]]:
        interpreter = Interpreter(model_content=content, num_threads=THREADS)
        image, probabilities = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        interpreter.resize_tensor_input(image, (size, 28, 28, 1))
        interpreter.allocate_tensors()
        parts = [images[start : start + size] for start in range(0, total, size)]

        def predict(part: Any) -> Any:
            interpreter.set_tensor(image, part)
            interpreter.invoke()
            return interpreter.get_tensor(probabilities)

        return lambda: [predict(part) for part in parts]

    slices = {f"{size} a call": call(size, MANY) for size in SLICES}
    size = fastest(slices)
    tasks = prediction(call(ONE_CALL, ONE_CALL), slices[size], call(1, 1))
    return tasks, size, call(SHOWN, SHOWN)()[0]


serve(prepare)
