"""What the benchmarks compute from their measurements, their synthetic pictures, and the search for reading weights."""

import importlib
import re
import shutil
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pages import CHROMIUM
from PIL import Image
from trials import QUICK, TINY

from benchmarks import (
    ensemble,
    fewer_filters,
    forms,
    frameworks,
    ood_detection,
    page_reading,
    prepare_speed,
    reading_speed,
    robustness,
    startup,
    tune_reading,
    wasm,
)
from benchmarks.__main__ import BENCHMARKS, main as run_benchmarks
from benchmarks.common import arguments, holdout
from benchmarks.common.claims import Claim
from benchmarks.common.machine import describe
from benchmarks.competitors import lineup
from benchmarks.competitors.protocol import SHOWN, Worker
from benchmarks.synthetic import non_digits, pages, single_digits
from benchmarks.synthetic.forms import KINDS, MAX_WIDTH, compose as compose_form
from inksight import Model
from inksight.config import RECIPES, get_network
from inksight.engine import library as native
from inksight.experiments.pruning_result import Pruning, Step
from inksight.experiments.tradeoff import Tradeoff
from inksight.imaging.preprocessing import prepare
from inksight.nn.model_file import load_model
from inksight.reading.reader import read

ROOT = Path(__file__).parents[1]

WORKER = """
from benchmarks.competitors.protocol import latency, serve, throughput

def prepare(data):
    print("output of a framework")
    tasks = {"train": lambda seconds: throughput(lambda: None, 256, seconds), "fail": lambda: 1 / 0}
    return tasks, "a variant", data["images"][:, 0, :2] / 255

serve(prepare)
"""


@pytest.fixture
def start(tmp_path):
    script, data = tmp_path / "toy.py", tmp_path / "data.npz"
    script.write_text(WORKER)
    np.savez(data, images=np.full((3, 28, 28), 51, np.uint8))
    return lambda: Worker(Path(sys.executable), script, data)


def test_a_worker_answers_and_is_stopped_in_between(start):
    with start() as worker:
        assert (worker.tasks, worker.chosen) == (["train", "fail"], "a variant")
        np.testing.assert_allclose(worker.probabilities, np.full((3, 2), 0.2))
        assert worker.ask("train", seconds=0.01)["images_per_second"] > 256
        status = Path(f"/proc/{worker.process.pid}/status")
        deadline = time.monotonic() + 10  # signals are not immediate
        while status.exists() and not re.search(r"State:\s+T", status.read_text()):
            assert time.monotonic() < deadline
    assert worker.process.poll() is not None


def test_a_worker_that_fails_gives_the_reason(start):
    with start() as worker, pytest.raises(RuntimeError, match=r"(?s)toy ended early:.*ZeroDivisionError"):
        worker.ask("fail")


def test_multiply_adds_of_the_posts_network():
    banks = [24 * 24 * 20 * 25, 8 * 8 * 20 * 20 * 25, 6 * 6 * 40 * 20 * 9]
    forward = sum(banks) + 40 * 20 + 20 * 10
    assert frameworks.multiply_adds(get_network("post")) == (forward, 3 * forward - banks[0])


def test_a_ratio_is_the_median_of_rounds_and_lower_latency_is_better():
    samples = {
        ("train", "inksight"): [40.0, 20.0, 60.0],
        ("train", "torch_eager"): [10.0, 10.0, 10.0],
        ("train", "inksight avx2"): [20.0, 12.0, 15.0],
        ("latency", "inksight"): [20.0, 20.0, 20.0],
        ("latency", "onnx_runtime"): [30.0, 10.0, 10.0],
    }
    rows = {(row.task, row.worker, row.other): row for row in frameworks.comparisons(samples, "avx512")}
    torch = rows["train", "inksight", "torch_eager"]
    assert (torch.medians, torch.ratio, torch.spread, torch.holds) == ((40, 10), 4, (2, 6), True)
    assert rows["train", "inksight avx2", "inksight"].ratio == 0.5
    latency = rows["latency", "inksight", "onnx_runtime"]
    assert (latency.ratio, latency.holds) == (0.5, False)
    table = frameworks.table({"avx512": list(rows.values())}, {"torch_eager": "PyTorch"})
    assert "| **4.00** (2.00, 6.00) | 4 |" in table
    assert "1, NOT HELD |" in table


def test_the_table_has_columns_for_each_instruction_set_and_its_own_claims():
    wide = {("train", "inksight"): [40.0], ("train", "torch_eager"): [10.0], ("train", "tinygrad_jit"): [2.0]}
    narrow = {("train", "inksight"): [30.0], ("train", "torch_eager"): [10.0]}
    columns = {name: list(frameworks.comparisons(s, name)) for name, s in (("avx512", wide), ("avx2", narrow))}
    head, _, torch, tinygrad = frameworks.table(columns, {}).splitlines()
    assert head.count("|") == torch.count("|") == tinygrad.count("|") == 11
    assert "| AVX-512: ratio (lowest, highest) | AVX-512: claimed | AVX2: A |" in head
    assert torch.endswith(
        ": torch_eager | 40 | 10 | **4.00** (4.00, 4.00) | 4 | 30 | 10 | **3.00** (3.00, 3.00) | 2.5 |"
    )
    assert tinygrad.endswith("| **20.00** (20.00, 20.00) |  | not measured |  |  |  |")


def test_the_fastest_of_the_others_has_the_lowest_ratio_and_is_not_inksight():
    samples = {
        ("train", "inksight"): [40.0, 40.0],
        ("train", "inksight avx2"): [39.0, 39.0],
        ("train", "torch_eager"): [10.0, 12.0],
        ("train", "torch_compiled"): [20.0, 24.0],
        ("latency", "inksight"): [20.0, 20.0],
        ("latency", "onnx_runtime"): [30.0, 30.0],
        ("latency", "ncnn_runtime"): [25.0, 25.0],
    }
    fastest = frameworks.fastest_others(list(frameworks.comparisons(samples, "avx512")))
    assert {task: row.other for task, row in fastest.items()} == {"train": "torch_compiled", "latency": "ncnn_runtime"}
    assert fastest["latency"].ratio == 1.25


def test_claims_name_tasks_and_workers_that_exist():
    known = {*lineup.OURS, *lineup.THEIRS, "peak"}
    for isa, claims in frameworks.CLAIMS.items():
        assert isa in frameworks.TITLES
        for task, worker, other in claims:
            assert task in {*frameworks.TASKS, frameworks.SHARE}
            assert {worker, other} <= known
            assert isa != "avx2" or other not in lineup.THEIRS or lineup.THEIRS[other].obeys_avx2
    for name in lineup.THEIRS:
        assert (lineup.FOLDER / f"{name}.py").is_file()


@pytest.mark.parametrize(
    ("name", "versions", "avx2", "reason"),
    [
        ("torch_eager", {"torch": "2"}, True, ""),
        ("torch_eager", {}, False, "not installed in"),
        ("onnx_runtime", {"onnxruntime": "1"}, False, ""),
        ("onnx_runtime", {"onnxruntime": "1"}, True, "cannot be held to AVX2"),
        ("tinygrad_jit", {"tinygrad": "0.14"}, False, "needs clang, which is not installed"),
    ],
)
def test_a_competitor_that_is_not_measured_has_a_reason(name, versions, avx2, reason, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(lineup, "BENCH_PYTHON", tmp_path / "bin" / "python")
    assert bool(reason) == bool(lineup.missing(lineup.THEIRS[name], versions, avx2))
    assert reason in lineup.missing(lineup.THEIRS[name], versions, avx2)


@pytest.mark.parametrize(
    ("chosen", "difference", "is_accepted"),
    [
        ("channels_last", 1e-6, True),
        ("channels_last", 1e-5, False),
        ("1024 a call; bf16", 5e-4, True),
        ("16-bit storage; 1 threads", 5e-4, True),
        ("1024 a call; bf16", 5e-3, False),
        ("channels_last", np.nan, False),
    ],
)
def test_a_worker_with_another_network_is_refused(chosen, difference, is_accepted):
    ours, worker = Worker.__new__(Worker), Worker.__new__(Worker)
    ours.probabilities = np.full((SHOWN, 10), 0.1)
    worker.probabilities, worker.chosen = ours.probabilities + difference, chosen
    with nullcontext() if is_accepted else pytest.raises(SystemExit, match="a_worker and inksight have different net"):
        lineup.check_probabilities("a_worker", worker, ours)


def test_a_processor_with_avx512_is_measured_with_avx2_too(monkeypatch):
    for used, measured in (("avx512", ["avx512", "avx2"]), ("avx2", ["avx2"]), ("neon", ["neon"])):
        monkeypatch.setattr("inksight.engine.library.isa", lambda used=used: used)
        assert frameworks.instruction_sets() == measured
    with pytest.raises(SystemExit, match="--isa is avx512, which is not among those of this machine: neon"):
        frameworks.main(isa="avx512")


def test_both_instruction_sets_are_measured_printed_and_kept(monkeypatch, capsys):
    kept: list[dict[str, Any]] = []
    samples = {"inksight": 40.0, "torch_eager": 5.0}
    monkeypatch.setattr("inksight.engine.library.isa", lambda: "avx512")
    monkeypatch.setattr(frameworks, "describe", lambda *_: "a machine")
    monkeypatch.setattr(frameworks, "installed", lambda: {"torch": "2.13"})
    monkeypatch.setattr(
        frameworks, "start", lambda stack, data, avx2: {name: SimpleNamespace(chosen=name) for name in samples}
    )
    monkeypatch.setattr(frameworks, "measure", lambda *_: {("train", name): [rate] for name, rate in samples.items()})
    monkeypatch.setattr(frameworks, "write_json_lines", lambda _name, record: kept.append(record))
    assert frameworks.main(rounds=1) == 0
    out = capsys.readouterr().out
    assert "a machine; compared with torch 2.13" in out
    for title in ("AVX-512", "AVX2"):
        assert f"{title}, fastest of the others:\n- training, images/s: PyTorch eager 2.13, ratio 8.00" in out
    assert "- not measured: latency, inksight : onnx_runtime" in out
    assert list(kept[0]["columns"]) == ["avx512", "avx2"]
    assert all(column["ratios"] == {"train: inksight : torch_eager": 8.0} for column in kept[0]["columns"].values())


def test_every_competitor_is_pinned():
    lines = (ROOT / "benchmarks" / "requirements.txt").read_text().splitlines()
    requirements = [re.split("[;#]", line)[0].strip() for line in lines if line and not line.startswith("#")]
    pinned = {name for name, _version in (requirement.split("==") for requirement in requirements)}
    assert set(lineup.PACKAGES) <= {name.casefold() for name in pinned}


def test_the_first_step_is_timed_and_its_process_ended(tmp_path):
    out = tmp_path / "m.safetensors"
    seconds = startup.measure(startup.FIRST_STEP, ["train", "--out", str(out)])
    assert 0.1 < seconds < 60
    assert not out.exists()  # ended long before the first epoch was


def test_claims_of_startup_name_what_is_measured():
    assert startup.CLAIMS.keys() <= {*startup.COMMANDS, "load('mnist')"}


def test_the_picture_that_is_read_at_startup_shows_a_digit(tmp_path, mnist):
    path = tmp_path / "digit.png"
    startup.write_picture(str(path))
    page = read(path)
    assert page.text == str(mnist.labels[0])
    assert startup.measure(startup.CLI, ["read", str(path)]) > 0.01


def test_the_answer_on_fewer_filters_is_the_smallest_that_matches_the_post():
    def step(spec: str, parameters: int, accuracy: float) -> Step:
        return Step(get_network(spec), parameters, 20, 0.5, accuracy, 1.0)

    steps = (step("post", 18_813, 0.994), step("9x5p,9x5,16x3", 4133, 0.991), step("2x5p,2x5,3x3", 300, 0.95))
    pruned = Pruning(steps, Model.untrained(steps[-1].network), None, 10_000, "steps")
    tradeoff = Tradeoff([pruned], [[step("9x5p,9x5,16x3", 4133, 0.98), step("2x5p,2x5,3x3", 300, 0.93)]])
    smallest = fewer_filters.smallest_matching_post(tradeoff.pruned_points)
    assert smallest is not None
    assert smallest.parameters == 4133
    page = fewer_filters.page(tradeoff, pruned, "a machine")
    assert "the smallest that matches the post has 4,133 parameters (22%) and reads 99.10%" in page
    assert "trained small from the start, no network matches the post." in page
    assert len(re.findall(r"^\| \d", page, flags=re.MULTILINE)) == 3
    assert "| 9-9-16 | 4,133 | 20 | 50.00% | 99.10% (" in page


def test_pictures_to_prepare_show_digits_of_all_sizes():
    pictures = single_digits.digit_pictures(40, 0)
    sides = [picture.shape[0] for picture in pictures]
    assert 28 <= min(sides) < 60
    assert 160 < max(sides) <= 200
    prepared = [prepare(picture) for picture in pictures]
    assert all(digit.dark and not digit.problem for digit in prepared)
    assert prepare_speed.CLAIMS.keys() == {"prepare", "prepare_grayscale"}


@pytest.mark.skipif(not native.computes(), reason="needs the native engine")
def test_webassembly_is_timed_beside_the_native_engine_and_computes_the_same(capsys):
    before = native.isa(), native.threads()
    assert wasm.main(rounds=1, seconds=0.001) == 0
    assert (native.isa(), native.threads()) == before
    output = capsys.readouterr().out
    engines = ["native", *(name for name, path in (("Node", shutil.which("node")), ("Chromium", CHROMIUM)) if path)]
    for task in wasm.TASKS:
        rates = re.findall(rf"(?m)^  {task} +(\w+).* ([\d,]+) images a second, (\d+\.\d\d) of native$", output)
        assert [name for name, *_ in rates] == engines
        assert all(int(rate.replace(",", "")) > 0 for _, rate, _ in rates)


def test_an_ensemble_averages_probabilities_over_all_groups():
    one, two, three = (np.array([first, [0.9, 0.1]], np.float32) for first in ([0.9, 0.1], [0.4, 0.6], [0.3, 0.7]))
    labels = np.array([0, 0])
    assert ensemble.accuracies([one, two, three], labels, 1) == [1, 0.5, 0.5]
    assert ensemble.accuracies([one, two, three], labels, 2) == [1, 1, 0.5]  # 0.65, 0.6 and 0.35 for the first image
    assert ensemble.accuracies([one, two, three], labels, 3) == [1]


def test_robustness_refuses_a_model_trained_on_the_validation_images(capsys):
    assert robustness.main("tiny") == 1
    assert "trained on the validation images" in capsys.readouterr().out


@pytest.mark.parametrize("name", [benchmark.name for benchmark in BENCHMARKS])
def test_every_listed_benchmark_has_a_main_that_takes_its_arguments(name, capsys):
    benchmark = next(benchmark for benchmark in BENCHMARKS if benchmark.name == name)
    main = importlib.import_module(f"benchmarks.{name}").main
    assert benchmark.arguments.keys() <= set(main.__code__.co_varnames[: main.__code__.co_argcount])
    assert run_benchmarks([name], list_only=True) == 0
    assert capsys.readouterr().out == f"{name:18}{benchmark.title}\n"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_form_is_a_function_of_its_seed_and_shows_its_number(kind, mnist):
    digits = mnist.split().validation
    form, same, other = (compose_form(digits, kind, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(form.image, same.image)
    assert form.image.shape != other.image.shape or (form.image != other.image).any()
    assert form.image.dtype == np.uint8
    assert form.image.shape[1] <= MAX_WIDTH
    assert re.fullmatch(r"\d{2,3}", form.number)
    assert form.image.min() < 120 < 200 < form.image.max()


def test_the_table_of_forms_counts_every_number(capsys):
    assert forms.main("reader", 1) in (0, 1)
    lines = capsys.readouterr().out.splitlines()
    table = [line.split("|")[1:-1] for line in lines if line.startswith("| ") and "%" in line]
    assert [row[0].strip() for row in table] == list(KINDS)
    assert all(sum(int(share.strip(" %")) for share in row[1:]) == 100 for row in table)


def test_a_claim_is_printed_with_its_verdict():
    at_least, at_most = Claim(0.95, "{:.0%}"), Claim(0.3, "{:g} s", at_most=True)
    assert (at_least.verdict(0.95), at_least.verdict(0.94)) == ("claimed: 95%", "claimed: 95%, NOT HELD")
    assert (at_most.verdict(0.3), at_most.verdict(0.31)) == ("claimed: 0.3 s", "claimed: 0.3 s, NOT HELD")


def test_arguments_are_passed_by_name(capsys):
    def main(**given: object) -> int:
        print(given)
        return 3

    declared = arguments.model(), arguments.seeds(5), arguments.names(["a", "b"], "NAME"), arguments.flag("fresh", "")
    assert arguments.run(main, "About.", *declared, argv=["small", "2", "b", "--fresh"]) == 3
    assert capsys.readouterr().out == "{'model': 'small', 'seeds': 2, 'names': ['b'], 'fresh': True}\n"
    assert arguments.run(main, "About.", *declared, argv=[]) == 3
    assert capsys.readouterr().out == "{'model': None, 'seeds': 5, 'names': (), 'fresh': False}\n"
    for wrong in (["small", "0"], ["small", "2", "c"]):
        with pytest.raises(SystemExit):
            arguments.run(main, "About.", *declared, argv=wrong)
        assert "must be" in capsys.readouterr().err


def test_the_machine_is_described_in_one_line():
    assert re.fullmatch(
        r".+, (native\S*|no native engine), \d+ cores, Python .+, numpy .+, \d{4}-\d\d-\d\d", describe("numpy")
    )


def test_the_holdout_model_is_trained_once(digits, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(RECIPES, "quick", QUICK)
    model = holdout.holdout_model(digits, TINY, "quick", epochs=1, progress=False)
    assert model.ood_detector is not None
    assert digits.seen_by(model.trained_on) == ("train",)
    monkeypatch.setattr(holdout, "train", None)
    assert holdout.holdout_model(digits, TINY, "quick", epochs=1, progress=False).digest == model.digest
    with pytest.raises(TypeError):  # other settings: would be trained
        holdout.holdout_model(digits, TINY, "quick", epochs=2, progress=False)


@pytest.mark.parametrize("kind", non_digits.KINDS)
def test_pictures_that_are_not_digits_are_the_same_for_the_same_seed(kind):
    draw = non_digits.KINDS[kind]
    picture = draw(np.random.default_rng(1))
    assert picture.shape == (200, 200)
    assert picture.dtype == np.float64
    assert 0 <= picture.min() <= picture.max() <= 1
    np.testing.assert_array_equal(picture, draw(np.random.default_rng(1)))


def test_auroc_counts_pairs_and_nothing_to_read_as_the_highest_score():
    digits, others = np.array([0.0, 1.0]), np.array([0.5, np.inf])
    assert ood_detection.auroc(digits, others) == 0.75


def test_the_contact_sheet_shows_all_photos(mnist):
    photos = [pages.compose(mnist[:500], seed) for seed in range(3)]
    sheet = pages.contact_sheet(photos, width=100, height=50, columns=2)
    assert sheet.size == (212, 112)
    cells = np.asarray(sheet)
    assert (cells[:50, :20] != 90).any()
    assert (cells[56:106, 106:] == 90).all()


def test_reading_weights_are_searched_around_the_present_ones(mnist, capsys):
    present = tune_reading.present_weights()
    trials = tune_reading.draw_weights(3, 0)
    assert trials[0] == present
    assert all(np.sign(trial).tolist() == np.sign(present).tolist() for trial in trials)
    assert tune_reading.main("small", trials=2, pages=2) == 0
    assert tune_reading.present_weights() == present
    out = capsys.readouterr().out
    assert len(re.findall(r"^ +[12] +\d+ +\d+\.\d\d%", out, flags=re.MULTILINE)) == 2
    assert out.count("(present)") == 1
    assert re.search(r"on \d+ new lines: present weights \d+ right, best trial \d+", out)


def test_a_search_counts_the_lines_that_are_read_with_the_weights(mnist):
    model, seeds, present = load_model("small"), range(3), tune_reading.present_weights()
    names = [name for _, name in tune_reading.WEIGHTS]
    skip_all = dict(zip(names, present, strict=True)) | {"ODDS_BIAS": -100.0, "SKIP_COST": 0.0}
    trials, lines = tune_reading.search(mnist[:5000], model, [present, tuple(skip_all.values())], seeds)
    photos = [pages.compose(mnist[:5000], seed) for seed in seeds]
    right = [
        line
        for photo in photos
        for line in page_reading.lines_right(photo.lines, page_reading.read_photo(photo, model).read)
    ]
    assert (trials[0].lines_right, lines) == (sum(right), len(right))
    assert trials[1].lines_right < trials[0].lines_right
    table = tune_reading.table(trials, lines)
    assert table.splitlines()[1].startswith("   1")
    assert table.splitlines()[1].endswith("(present)")
    assert table.splitlines()[2].startswith("   2")


def test_the_speed_of_reading_is_measured_for_photos_and_files(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(reading_speed, "PIXELS", 100_000)
    monkeypatch.setattr(reading_speed, "PHOTOS", 1)
    monkeypatch.setattr(reading_speed, "cold_start", lambda *arguments: 1.0)  # as in `startup`
    slow = {name: Claim(0.0, "{:g}", at_most=True) for name in reading_speed.CLAIMS}
    monkeypatch.setattr(reading_speed, "CLAIMS", slow)
    assert reading_speed.main(rounds=1, files=5) == 1
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split("  ")[1] for line in lines if "cold" not in line] == [
        "photo of lines", "photo of a form", "photo of a Sudoku", "folder", "memory",
    ]  # fmt: skip
    assert all("NOT HELD" in line for line in lines)


def test_a_drawn_sudoku_is_read_as_a_grid(mnist, monkeypatch, tmp_path):
    monkeypatch.setattr(reading_speed, "PIXELS", 500_000)
    photo = reading_speed.write_photo(reading_speed.draw_sudoku(mnist[:500], 0), tmp_path, 0)
    with Image.open(photo) as opened:
        assert opened.width * opened.height == pytest.approx(500_000, rel=0.01)
    grid = read(photo, grid=(9, 9))
    written = (grid.values > 0).mean()
    assert 0.3 < written < 0.7
