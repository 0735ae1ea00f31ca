"""The workers that `benchmarks.frameworks` compares: which there are, and how each is held to an instruction set."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.competitors.protocol import ROOT, SHOWN, Worker

FOLDER = Path(__file__).parent
BENCH_PYTHON = Path(os.environ.get("INKSIGHT_BENCH_PYTHON", ROOT / ".venv-bench" / "bin" / "python"))
MAX_DIFFERENCE = {"float32": 2e-6, "lower precision": 1e-3}  # of probabilities from those of inksight

# Environment variables that hold a worker to AVX2 on a processor that has AVX-512; each framework reads its own.
AVX2 = {
    "INKSIGHT_ISA": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # the convolutions of PyTorch, TensorFlow and OpenVINO
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",  # JAX and TensorFlow
    "DEV": "CPU:CLANG:x86_64,haswell",  # tinygrad
}

# inksight by default and on other engines: environment variables, and the default engines to compare them with.
OURS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "inksight": ({}, ()),
    "inksight avx2": ({"INKSIGHT_ISA": "avx2"}, ("native-avx512",)),
    "inksight jax": ({"INKSIGHT_ENGINE": "jax"}, ("native-avx512", "native-avx2", "native")),
}


@dataclass(frozen=True)
class Competitor:
    """A framework in one of its ways to compute.

    Parameters
    ----------
    label : str
        For the table.
    package : str
        The package whose version is shown; without it the competitor is skipped.
    obeys_avx2 : bool
        Whether `AVX2` holds it to that instruction set. The others always use all that the processor has.
    program : str
        A program that it needs besides, or an empty string.
    """

    label: str
    package: str
    obeys_avx2: bool = True
    program: str = ""


# By the names of the workers' scripts.
THEIRS = {
    "keras_tf": Competitor("Keras on TensorFlow", "tensorflow"),
    "torch_eager": Competitor("PyTorch eager", "torch"),
    "torch_compiled": Competitor("PyTorch compiled", "torch", program="g++"),
    "jax_xla": Competitor("JAX with XLA", "jax"),
    "tinygrad_jit": Competitor("tinygrad", "tinygrad", program="clang"),
    "onnx_runtime": Competitor("ONNX Runtime", "onnxruntime", obeys_avx2=False),
    "openvino_runtime": Competitor("OpenVINO", "openvino"),
    "ncnn_runtime": Competitor("ncnn", "ncnn", obeys_avx2=False),
    "mnn_runtime": Competitor("MNN", "mnn", obeys_avx2=False),
    "litert_runtime": Competitor("LiteRT", "ai-edge-litert", obeys_avx2=False),
}
PACKAGES = (
    "tensorflow", "keras", "torch", "jax", "tinygrad", "onnx", "onnxruntime", "openvino", "ncnn", "mnn",
    "ai-edge-litert", "numpy",
)  # fmt: skip


def installed() -> dict[str, str]:
    """Return the version of each of `PACKAGES` in the competitors' environment; empty if there is none."""
    if not BENCH_PYTHON.exists():
        return {}
    code = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in distributions()}))"
    )
    printed = subprocess.run([BENCH_PYTHON, "-c", code], check=True, capture_output=True, text=True).stdout
    versions: dict[str, str] = json.loads(printed)
    # TensorFlow's build for CPUs has another name.
    versions.setdefault("tensorflow", versions.get("tensorflow-cpu", ""))
    return {name: versions[name] for name in PACKAGES if versions.get(name)}


def missing(competitor: Competitor, versions: dict[str, str], avx2: bool) -> str:
    """Return why a competitor is not measured, or an empty string; `avx2`: measured with that instruction set."""
    folders = os.pathsep.join([str(BENCH_PYTHON.parent), os.environ.get("PATH", "")])
    if competitor.package not in versions:
        return f"not installed in {BENCH_PYTHON.parents[1].name}/"
    if competitor.program and shutil.which(competitor.program, path=folders) is None:
        return f"needs {competitor.program}, which is not installed"
    return "cannot be held to AVX2" if avx2 and not competitor.obeys_avx2 else ""


def start(stack: ExitStack, data: Path, avx2: bool) -> dict[str, Worker]:
    """Start all workers, inksight first, and check that they have the same network.

    Parameters
    ----------
    stack : ExitStack
        Ends the workers.
    data : path
        What `Worker` starts from.
    avx2 : bool
        Hold all workers to AVX2, and leave out those that do not obey.
    """
    workers: dict[str, Worker] = {}
    limits = AVX2 if avx2 else {}
    for name, (variables, engines) in OURS.items():
        if name == "inksight" or workers["inksight"].chosen in engines:
            script = FOLDER / "inksight_itself.py"
            workers[name] = stack.enter_context(Worker(Path(sys.executable), script, data, limits | variables))
    versions = installed()
    for name, competitor in THEIRS.items():
        if reason := missing(competitor, versions, avx2):
            print(f"- {competitor.label}: {reason}")
            continue
        workers[name] = stack.enter_context(Worker(BENCH_PYTHON, FOLDER / f"{name}.py", data, limits))
    for name, worker in workers.items():
        check_probabilities(name, worker, workers["inksight"])
    return workers


def check_probabilities(name: str, worker: Worker, ours: Worker) -> None:
    """Exit if a worker's probabilities show that it has another network, or computes it less exactly than it says."""
    assert worker.probabilities.shape == (SHOWN, 10)
    difference = np.abs(worker.probabilities - ours.probabilities).max()
    is_lower = any(word in worker.chosen for word in ("bf16", "16-bit", "low precision"))
    if not difference <= MAX_DIFFERENCE["lower precision" if is_lower else "float32"]:  # NaN is not either
        raise SystemExit(f"{name} and inksight have different networks: probabilities differ by {difference:.1g}")
