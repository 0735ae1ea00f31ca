"""Speed of the engine for WebAssembly, in Node and in Chromium, beside the native one.

Run: ``python -m benchmarks.wasm [ROUNDS]``. Needs Node, and Chromium with the package `playwright`; what is missing is
left out. The processes keep to one core.

Data: MNIST's first 1,024 training images, the network `post` as it ships, the recipe `default`.

Measured: images a second, the best of several rounds of about half a second, because other work on the machine can
only slow a round down; a ratio is the median of the ratios within rounds. The engines take turns. The native engine
uses its portable kernels on one thread: the same source, compiled for vectors of 128 bits, as WebAssembly has them.

predict
    One call with 1,024 images, uint8 pixels in and probabilities out.
train
    One call with two training steps of 256 images each: augmentation, forward and backward pass, optimizer.

No timer includes the start of Node and Chromium, compilation, or loading data; warm-up rounds let them optimize the
code.
"""

import base64
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import arguments
from benchmarks.common.machine import describe
from benchmarks.prepare_speed import one_core
from inksight.augmentation.geometric import draw_lattices
from inksight.config import get_recipe
from inksight.data.loading import load
from inksight.engine import interface, library as native
from inksight.engine.trainer import Steps, Trainer
from inksight.nn.model import Model
from inksight.nn.model_file import load_model
from inksight.nn.parameters import flatten_weights

IMAGES, STEPS, SIZE, ROUNDS, WARM_UP = 1024, 2, 256, 7, 2
SECONDS = 0.5  # of a task in a round, at least
TASKS = ("predict", "train")
SCRIPT = Path(__file__).with_suffix(".js")
# Answers each line, the name of a function and its argument, by a line with its result.
NODE_LOOP = """
const lines = require("node:readline").createInterface({input: process.stdin});
let engine;
lines.on("line", async (line) => {
  const [name, value] = JSON.parse(line);
  if (name === "start") engine = await start(value);
  console.log(JSON.stringify(name === "start" ? process.version : engine[name](value)));
});
"""
# Calls a function of an engine by name, with an argument.
Engine = Callable[[str, Any], Any]


def main(rounds: int = ROUNDS, seconds: float = SECONDS) -> int:
    """Print the rates; return 1 if the engines do not compute the same."""
    if not native.computes():
        print("needs the native engine")
        return 1
    model, recipe = load_model("post"), get_recipe("default")
    images = load("mnist")[:IMAGES]
    assert images.labels is not None
    rng = np.random.default_rng(0)
    rows = np.stack([rng.permutation(IMAGES)[:SIZE] for _ in range(STEPS)]).astype(np.int32)
    steps = Steps(
        rows,
        np.ones((STEPS, SIZE), np.float32),
        draw_lattices(0, 0, STEPS * SIZE, recipe.augmentation).reshape(STEPS, SIZE, 2, 5, 5),
        images.labels[rows].astype(np.int32),
        np.full(STEPS, 1e-4),
    )
    given = wasm_input(model, images.images, steps)
    with ExitStack() as stack:
        stack.enter_context(one_core())
        engines = {"native, portable": stack.enter_context(native_engine(model, images.images, steps))}
        for name, start in {"Node": node_engine, "Chromium": chromium_engine}.items():
            if engine := stack.enter_context(start()):
                version = engine("start", given)
                engines[f"{name} {version}"] = engine
            else:
                print(f"{name} is not installed")
        checks = [engine("check", None) for engine in engines.values()]
        measured = [
            {(name, task): engine(task, seconds) for name, engine in engines.items() for task in TASKS}
            for _ in range(WARM_UP + rounds)
        ][WARM_UP:]
    print(f"{describe('numpy')}; one core, one thread")
    print(f"network post, n = {IMAGES:,} images, training steps of {SIZE} images; best of {rounds} rounds")
    reference = next(iter(engines))
    for task in TASKS:
        for name in engines:
            best = max(each[name, task] for each in measured)
            ratio = statistics.median(each[name, task] / each[reference, task] for each in measured)
            print(f"  {task:8}{name:26}{best:10,.0f} images a second, {ratio:.2f} of native")
    worst = max(float(np.abs(np.subtract(check, checks[0])).max()) for check in checks)
    print(f"largest difference between the probabilities of an image: {worst:.1g}")
    return int(worst > 1e-5)


def wasm_input(model: Model, images: np.ndarray[Any, Any], steps: Steps) -> dict[str, Any]:
    """Return what wasm.js needs, as values that JSON can hold; arrays and the module are in base64."""
    network, recipe, normalization = model.network, get_recipe("default"), model.normalization
    description, banks = interface.describe(network, normalization.mean, normalization.variance)
    names = [name for name, _ in interface.TrainingRecipe._fields_ if name != "l2"]
    settings = interface.TrainingRecipe(l2=network.l2, **{name: getattr(recipe, name) for name in names})
    arrays: dict[str, Any] = {
        "network": description, "banks": banks, "recipe": settings, "weights": flatten_weights(network, model.params),
        "images": images, "rows": steps.rows, "factors": steps.weights, "lattices": steps.lattices,
        "labels": steps.answers, "rates": steps.rates,
    }  # fmt: skip
    module = (resources.files("inksight") / "assets" / "engine.wasm").read_bytes()
    return {
        "module": base64.b64encode(module).decode(),
        "arrays": {name: base64.b64encode(bytes(array)).decode() for name, array in arrays.items()},
        "n": len(images), "banks": len(network.banks), "classes": network.classes, "steps": STEPS, "size": SIZE,
    }  # fmt: skip


@contextmanager
def native_engine(model: Model, images: np.ndarray[Any, Any], steps: Steps) -> Iterator[Engine]:
    """Use the portable kernels of the native engine on one thread; restore the engine afterwards."""
    library, best, threads = native.library(), native.isa(), native.threads()
    assert library is not None
    assert best is not None
    native.use("portable")
    library.inksight_choose_threads(1)
    try:
        normalization = model.normalization
        trainer = Trainer(
            model.network, get_recipe("default"), model.params, normalization.mean, normalization.variance, images
        )
        model = load_model("post")  # a predictor keeps the kernels that it was made for
        tasks = {
            "predict": (len(images), lambda: model.probabilities(images)),
            "train": (steps.rows.size, lambda: trainer.take(steps)),
        }

        def call(name: str, value: Any) -> Any:
            return model.probabilities(images[:1])[0] if name == "check" else rate(*tasks[name], value)

        yield call
    finally:
        native.use(best)
        library.inksight_choose_threads(threads)


def rate(images: int, call: Callable[[], Any], seconds: float) -> float:
    """Call a function until some seconds have passed; return images a second."""
    begin, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - begin) < seconds or not done:
        call()
        done += images
    return done / passed


@contextmanager
def node_engine() -> Iterator[Engine | None]:
    """Start Node, or return None if it is not installed."""
    node = shutil.which("node")
    if node is None:
        yield None
        return
    command = [node, "-e", SCRIPT.read_text() + NODE_LOOP]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        questions, answers = process.stdin, process.stdout

        def call(name: str, value: Any) -> Any:
            print(json.dumps([name, value]), file=questions, flush=True)
            return json.loads(answers.readline())

        try:
            yield call
        finally:
            process.kill()


@contextmanager
def chromium_engine() -> Iterator[Engine | None]:
    """Open a page in Chromium without a window, or return None if it or `playwright` is not installed."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.add_script_tag(content=SCRIPT.read_text())

        def call(name: str, value: Any) -> Any:
            if name != "start":
                return page.evaluate("([name, value]) => engine[name](value)", [name, value])
            page.evaluate("async (input) => { globalThis.engine = await start(input); }", value)
            return browser.version

        try:
            yield call
        finally:
            browser.close()


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__, arguments.rounds(ROUNDS)))
