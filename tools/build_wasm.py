"""Build the engine for WebAssembly: ``python tools/build_wasm.py [FILE] [--relaxed]``, by default the file that ships.

It preprocesses, predicts and trains, on one thread and with 128-bit vectors. It imports nothing, and exports the
functions below, and ``malloc`` and ``free`` for the arrays that they are given.

With ``--relaxed`` it multiplies and adds in one instruction, which takes about three quarters of the processor time in
training. How often that rounds depends on the processor. Not all browsers can run it.

The same sources and the same version of Zig, that of constraints-tools.txt, give the same bytes: ``.ci/wasm`` compares
the file that ships with a fresh build.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from zig import NATIVE, ROOT, zig

EXPORTS = (
    "malloc", "free", "inksight_abi", "inksight_predictor_new", "inksight_predictor_free", "inksight_predict",
    "inksight_preprocess", "inksight_trainer_new", "inksight_trainer_free", "inksight_trainer_steps",
    "inksight_trainer_gradient", "inksight_trainer_update", "inksight_trainer_read", "inksight_trainer_write",
)  # fmt: skip
SOURCES = (
    "wasm/abort.cpp",  # before what needs its functions, for which the linker would else take the library's
    "wasm/serial.cpp", "api/library.cpp", "api/training.cpp", "image/downscale.cpp", "image/foreground.cpp",
    "image/framing.cpp", "image/illumination.cpp", "image/preprocess.cpp", "predict/predictor.cpp",
    "runtime/dispatch.cpp", "runtime/kernels.cpp", "runtime/scratch.cpp", "train/layers.cpp", "train/loss.cpp",
    "train/optimizer.cpp", "train/trainer.cpp",
)  # fmt: skip
SHIPPED = ROOT / "src" / "inksight" / "assets" / "engine.wasm"
RELAXED = SHIPPED.with_name("engine-relaxed.wasm")
TARGET = ("-target", "wasm32-wasi", "-mexec-model=reactor", "-mcpu=baseline", "-msimd128")
# Preprocessing must agree with NumPy to the last bit: no contraction of products and sums. Loops marked UNROLL are
# still unrolled.
OPTIONS = (
    "-std=c++17", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fno-unroll-loops", "-fno-rtti",
    "-Wall", "-Wextra", "-Werror",
)  # fmt: skip
# Nearly all of the time goes into the kernels, whose loops are written for vectors: vectorizing the others would add
# 28,000 bytes.
FAST = ("-O2", "-fno-vectorize", "-fno-slp-vectorize")
SMALL = ("-Oz",)
MAX_SIZE = 200_000  # bytes: a page downloads it


def build(path: Path, *, relaxed: bool = False) -> None:
    """Build the engine as `path`, with or without relaxed SIMD.

    Raises
    ------
    SystemExit
        If the compiler is missing or fails, or the file is too large for a page.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        objects = [compile_source(source, Path(folder), relaxed=relaxed) for source in SOURCES]
        run("-s", *SMALL, *objects, *(f"-Wl,--export={name}" for name in EXPORTS), "-o", path)
    size = path.stat().st_size
    if size > MAX_SIZE:
        sys.exit(f"{path} has {size:,} bytes: at most {MAX_SIZE:,} are allowed")
    print(f"{path}: {size:,} bytes")


def compile_source(source: str, folder: Path, *, relaxed: bool) -> Path:
    """Compile a source of `native/` to an object in `folder`."""
    made = folder / source.replace("/", "-").replace(".cpp", ".o")
    speed = FAST if source == "runtime/kernels.cpp" else SMALL
    features = ("-mrelaxed-simd",) if relaxed else ()
    run(*OPTIONS, *features, *speed, "-I", NATIVE, "-c", NATIVE / source, "-o", made)
    return made


def run(*arguments: str | Path) -> None:
    """Run the compiler; stop if it fails."""
    if subprocess.run([zig(), "c++", *TARGET, *arguments], check=False).returncode:
        sys.exit("the engine did not compile; the lines above say why")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--relaxed", action="store_true")
    given = parser.parse_args()
    build(given.file or (RELAXED if given.relaxed else SHIPPED), relaxed=given.relaxed)
