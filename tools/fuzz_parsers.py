"""Fuzzes the parsers of untrusted input, guided by which lines of the package an input reaches.

Run: ``make fuzz``, or ``python tools/fuzz_parsers.py [PARSER...] [--seconds 300]``. The parsers are those of
`tests/fuzz/parsers.py`. An input is a finding if it raises anything but `InputError`, takes more than two seconds of
processor time, or needs more than a gigabyte. It is kept in ``tests/fuzz/corpus/PARSER``, which the tests read again
each time. Exits with 1 if something was found. Needs atheris, which has wheels for Linux on x86-64.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
SECONDS_AN_INPUT, MEGABYTES = 2, 1024
HANGS = 120  # seconds after which an input that takes no processor time is a finding, too
LONGEST = 1 << 14  # bytes of an input


def main() -> int:
    """Fuzz each parser in a process of its own; return the exit code."""
    from parsers import PARSERS

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parsers", nargs="*", metavar="PARSER", help=f"by default all: {', '.join(PARSERS)}")
    options.add_argument("--seconds", type=int, default=300, help="for each parser (default 300)")
    chosen = options.parse_args()
    if unknown := set(chosen.parsers) - PARSERS.keys():
        options.error(f"no parser {', '.join(sorted(unknown))}: choose from {', '.join(PARSERS)}")
    if find_spec("atheris") is None:
        print("atheris is not installed; it has wheels for Linux on x86-64: pip install atheris")
        return 0
    results = {name: _fuzz(name, chosen.seconds) for name in chosen.parsers or PARSERS}
    findings = [name for name, code in results.items() if code]
    print(f"{len(results)} parsers, {chosen.seconds} s each; findings in: {', '.join(findings) or 'none'}")
    return bool(findings)


def _fuzz(name: str, seconds: int) -> int:
    """Fuzz a parser in a new process, since one that finds something ends; return its exit code."""
    from parsers import PARSERS

    kept = CORPUS / name
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(PARSERS[name].seeds()):
            (Path(folder) / f"seed{number}").write_bytes(seed)
        kept.mkdir(parents=True, exist_ok=True)
        limits = [
            f"-max_total_time={seconds}", f"-timeout={HANGS}", f"-rss_limit_mb={MEGABYTES}",
            f"-max_len={LONGEST}", f"-artifact_prefix={kept}/", "-len_control=0", "-print_final_stats=1",
        ]  # fmt: skip
        command = [sys.executable, __file__, "--one", name, folder, str(kept), *limits]
        process = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    lines = process.stderr.splitlines() + process.stdout.splitlines()
    runs = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
    print(f"{name}: {runs} inputs, {'a finding' if process.returncode else 'nothing found'}", flush=True)
    if process.returncode:
        print("\n".join(line for line in lines if not line.startswith("#"))[-3000:], flush=True)
    if not any(kept.iterdir()):
        kept.rmdir()
    return process.returncode


def _fuzz_here(name: str, arguments: list[str]) -> None:
    """Fuzz a parser in this process, which then ends."""
    import atheris

    with atheris.instrument_imports(include=["inksight"]):
        import parsers

    def parse(data: bytes) -> None:
        before = time.process_time()  # which does not depend on what else the machine does
        parsers.run(name, data)
        seconds = time.process_time() - before
        if seconds > SECONDS_AN_INPUT:
            raise TimeoutError(f"the input took {seconds:.1f} s of processor time")

    for seed in parsers.PARSERS[name].seeds():  # imports all that the parser needs, which takes long
        parsers.run(name, seed)
    atheris.Setup([__file__, *arguments], parse)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests" / "fuzz"), str(ROOT / "tests")]
    if sys.argv[1:2] == ["--one"]:
        _fuzz_here(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
