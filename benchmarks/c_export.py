"""Size, accuracy and speed of the networks that ship, as C programs.

Run: ``python -m benchmarks.c_export``. Needs a C compiler; the columns of the Cortex-M3 need ``arm-none-eabi-gcc`` with
newlib and ``qemu-system-arm``, and are left out without them.

Data: MNIST. Its training images calibrate the 8-bit integers; the accuracies are those on its 10,000 test images.

Measured: the bytes of weights and tables, of code (for a Cortex-M3, ``-Os``, with ``expf``) and of static memory; the
most stack that all functions of the network could take together; microseconds per image on this machine (``-O2``, one
core, the best of five rounds of 200 images); and the instructions per image on a Cortex-M3 without floating-point unit
(``-O2``), as counted by qemu, which says nothing about the time of each.
"""

import ctypes
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import arguments
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from inksight.data.loading import load
from inksight.export.c_program import CProgram, write_c
from inksight.nn.model_file import SHIPPED

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
ARM = ("arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", *STRICT)
IMAGES, ROUNDS = 200, 5
LOSS = Claim(0.1, "{:g} points", at_most=True)  # of tiny's accuracy in 8-bit integers
SIZE = Claim(16 * 1024, "{:,} bytes", at_most=True)  # of its weights and tables, and of its memory

# Semihosting: operation 4 prints a string on qemu's console, 0x18 ends the emulation. The clock of SysTick counts
# 25,000,000 ticks in a second of 1,000,000,000 emulated instructions.
_MAIN = """
#include "{prefix}.h"
#define TICK (*(volatile uint32_t *)0xE000E018)
extern uint32_t stack_top;
extern uint32_t data_start, data_end, data_load, bss_start, bss_end;
int main(void);
static const uint8_t images[{count}][784] = {{ {pixels} }};
static void call(int operation, const void *argument)
{{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}}
static void print(uint32_t number)
{{
    char text[12];
    char *end = text + 11;
    *end = 0;
    *--end = ' ';
    do
        *--end = (char)('0' + number % 10);
    while (number /= 10);
    call(4, end);
}}
static void start(void)
{{
    uint32_t *from = &data_load, *to;
    for (to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (to = &bss_start; to < &bss_end;)
        *to++ = 0;
    main();
    call(0x18, (const void *)0x20026);
    for (;;)
        ;
}}
__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {{
    (uintptr_t)&stack_top, (uintptr_t)start
}};
int main(void)
{{
    float probabilities[{macro}_CLASSES];
    int i, j, best;
    *(volatile uint32_t *)0xE000E014 = 0xFFFFFF;
    *(volatile uint32_t *)0xE000E010 = 5;
    for (i = 0; i < {count}; i++) {{
        const uint32_t before = TICK;
        {prefix}_predict(images[i], probabilities);
        print((before - TICK) & 0xFFFFFF);
        for (j = 1, best = 0; j < {macro}_CLASSES; j++)
            if (probabilities[j] > probabilities[best])
                best = j;
        print((uint32_t)best);
        print((uint32_t)(probabilities[best] * 1e6f));
    }}
    return 0;
}}
"""
_LAYOUT = """
MEMORY { flash : ORIGIN = 0, LENGTH = 4M  ram : ORIGIN = 0x20000000, LENGTH = 64K }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) . = ALIGN(4); } > flash
  .ARM.exidx : { *(.ARM.exidx*) . = ALIGN(4); data_load = .; } > flash
  .data : AT(data_load) { data_start = .; *(.data*) . = ALIGN(4); data_end = .; } > ram
  .bss : { bss_start = .; *(.bss*) *(COMMON) . = ALIGN(4); bss_end = .; } > ram
  stack_top = ORIGIN(ram) + LENGTH(ram);
}
"""


@dataclass(frozen=True)
class OnCortexM:
    """What a network answered on an emulated Cortex-M3.

    Parameters
    ----------
    labels : (n,) int
    confidences : (n,) float
        Probability of the label, in steps of one millionth.
    instructions : (n,) int
        In steps of 40.
    """

    labels: NDArray[np.int64]
    confidences: NDArray[np.float64]
    instructions: NDArray[np.int64]


def emulates_cortex_m() -> bool:
    """Return whether the compiler and the emulator are installed."""
    return bool(shutil.which(ARM[0]) and shutil.which("qemu-system-arm"))


def run_on_cortex_m(folder: Path, prefix: str, images: NDArray[np.uint8], optimize: str = "-O2") -> OnCortexM:
    """Compile a network for a Cortex-M3 and classify images (n, 28, 28) with it under qemu."""
    pixels = ", ".join("{" + ",".join(map(str, image.ravel())) + "}" for image in images)
    main = _MAIN.format(prefix=prefix, macro=prefix.upper(), count=len(images), pixels=pixels)
    (folder / "cortex_m.c").write_text(main)
    (folder / "cortex_m.ld").write_text(_LAYOUT)
    program = folder / "cortex_m.elf"
    files = [folder / "cortex_m.c", folder / f"{prefix}.c"]
    libraries = ("-nostartfiles", "-T", folder / "cortex_m.ld", "-lm", "-lc", "-lgcc", "--specs=nosys.specs")
    subprocess.run([*ARM, optimize, *files, *libraries, "-o", program], check=True)
    machine = (
        "qemu-system-arm",
        "-M",
        "mps2-an385",
        "-nographic",
        "-monitor",
        "none",
        "-serial",
        "none",
        "-icount",
        "0",
    )
    console = ("-semihosting-config", "enable=on,target=native")
    ran = subprocess.run([*machine, *console, "-kernel", program], capture_output=True, timeout=300, check=True)
    numbers = np.array((ran.stdout + ran.stderr).split(), np.int64).reshape(-1, 3)
    return OnCortexM(numbers[:, 1], numbers[:, 2] / 1e6, numbers[:, 0] * 40)


def code_and_stack(folder: Path, prefix: str, flash: int) -> tuple[int, int]:
    """Return the bytes of code for a Cortex-M3 at ``-Os``, without `flash` bytes of tables; and of all stack frames."""
    stack = folder / f"{prefix}.o"
    subprocess.run([*ARM, "-Os", "-fstack-usage", "-c", folder / f"{prefix}.c", "-o", stack], check=True)
    frames = re.findall(r"\t(\d+)\tstatic", stack.with_suffix(".su").read_text())
    sizes = subprocess.run(["arm-none-eabi-size", stack], capture_output=True, text=True, check=True).stdout
    return int(sizes.split()[6]) - flash, sum(map(int, frames))


def microseconds(folder: Path, prefix: str, images: NDArray[np.uint8]) -> float:
    """Return the microseconds that one prediction takes on this machine."""
    library = folder / f"{prefix}.so"
    subprocess.run(["cc", *STRICT, "-O2", "-shared", "-fPIC", folder / f"{prefix}.c", "-o", library, "-lm"], check=True)
    predict = ctypes.CDLL(str(library))[f"{prefix}_predict"]
    addresses = [ctypes.c_void_p(image.ctypes.data) for image in images]
    probabilities = (ctypes.c_float * 10)()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for address in addresses:
            predict(address, probabilities)
        times.append((time.perf_counter() - start) / len(images))
    return 1e6 * min(times)


def row(name: str, program: CProgram, folder: Path, prefix: str, images: NDArray[np.uint8]) -> str:
    """Return a line of the table."""
    cells = [name, "int8" if "int8" in prefix else "float", f"{program.accuracy:.2%}", f"{program.flash:,}"]
    code = stack = instructions = "-"
    if emulates_cortex_m():
        sizes = code_and_stack(folder, prefix, program.flash)
        code, stack = (f"{size:,}" for size in sizes)
        instructions = f"{run_on_cortex_m(folder, prefix, images[:3]).instructions.mean() / 1e6:.2f}"
    cells += [code, f"{program.ram:,}", stack, f"{microseconds(folder, prefix, images):,.0f}", instructions]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Print a line per network and kind of number; return 1 if a claim does not hold."""
    digits = load("mnist")
    images = np.ascontiguousarray(digits.split().train.images[:IMAGES])
    print(describe("numpy"))
    print("| model | numbers | accuracy | weights and tables, bytes | code, bytes | RAM, bytes | stack, bytes "
          "| µs here | million instructions, Cortex-M3 |")  # fmt: skip
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    programs = {}
    with TemporaryDirectory() as temporary:
        for name in SHIPPED:
            for int8 in (False, True):
                prefix = f"{name}_{'int8' if int8 else 'float'}"
                programs[name] = write_c(name, temporary, int8=int8, prefix=prefix, data=digits)
                print(row(name, programs[name], Path(temporary), prefix, images), flush=True)
    tiny = programs["tiny"]
    loss, size = 100 * (tiny.float_accuracy - tiny.accuracy), max(tiny.flash, tiny.ram)
    print(f"tiny in 8-bit integers loses {loss:.2f} points ({LOSS.verdict(loss)})")
    print(f"the larger of its weights and its memory: {size:,} bytes ({SIZE.verdict(size)})")
    return int(not (LOSS.holds(loss) and SIZE.holds(size)))


if __name__ == "__main__":
    sys.exit(arguments.run(main, __doc__))
