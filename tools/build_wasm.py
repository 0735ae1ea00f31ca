"""Build the engine for WebAssembly: ``python tools/build_wasm.py [FILE]``, by default ``build/engine.wasm``.

It preprocesses, predicts and trains, on one thread and with 128-bit vectors. It exports the functions below, and
``malloc`` and ``free`` for the arrays that they are given.
"""

import subprocess
import sys
from pathlib import Path

from zig import NATIVE, ROOT, zig

EXPORTS = (
    "malloc", "free", "inksight_abi", "inksight_predictor_new", "inksight_predictor_free", "inksight_predict",
    "inksight_preprocess", "inksight_trainer_new", "inksight_trainer_free", "inksight_trainer_steps",
    "inksight_trainer_read", "inksight_trainer_write",
)  # fmt: skip
SOURCES = (
    "api/library.cpp", "api/training.cpp", "image/downscale.cpp", "image/foreground.cpp", "image/framing.cpp",
    "image/illumination.cpp", "image/preprocess.cpp", "predict/predictor.cpp", "runtime/dispatch.cpp",
    "runtime/kernels.cpp", "runtime/scratch.cpp", "train/layers.cpp", "train/loss.cpp", "train/optimizer.cpp",
    "train/trainer.cpp", "wasm/abort.cpp", "wasm/serial.cpp",
)  # fmt: skip
MAX_SIZE = 340_000  # bytes: a page downloads it, compressed to less than a quarter


def build(path: Path) -> None:
    """Build the engine as `path`.

    Raises
    ------
    SystemExit
        If the compiler is missing or fails, or the file is too large for a page.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    target = ["-target", "wasm32-wasi", "-mexec-model=reactor", "-mcpu=baseline", "-msimd128"]
    # Preprocessing must agree with NumPy to the last bit: no contraction of products and sums.
    small = ["-fno-unroll-loops", "-fno-rtti"]  # loops marked UNROLL still are
    options = ["-std=c++17", "-Os", "-s", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", *small]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    sources = [str(NATIVE / source) for source in SOURCES]
    exports = [f"-Wl,--export={name}" for name in EXPORTS]
    command: list[str | Path] = [
        zig(),
        "c++",
        *target,
        *options,
        *warnings,
        "-I",
        NATIVE,
        *sources,
        *exports,
        "-o",
        path,
    ]
    if subprocess.run(command, check=False).returncode:
        sys.exit("the engine did not compile; the lines above say why")
    size = path.stat().st_size
    if size > MAX_SIZE:
        sys.exit(f"{path} has {size:,} bytes: at most {MAX_SIZE:,} are allowed")
    print(f"{path}: {size:,} bytes")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "engine.wasm")
