"""What the benchmarks compute from their measurements, without any of the other frameworks."""

import os
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fewer_filters, frameworks, prepare_speed, robustness, startup
from benchmarks.competitors.protocol import Worker
from inksight import Model
from inksight.config import get_network
from inksight.experiments.tradeoff import Pruning, Step, Tradeoff
from inksight.reading.reader import read

ROOT = Path(__file__).parents[1]

WORKER = """
import sys
sys.path.insert(0, {folder!r})
from protocol import latency, serve, throughput

def prepare(data):
    print("chatter of a framework")
    tasks = {{"train": lambda seconds: throughput(lambda: None, 256, seconds), "fail": lambda: 1 / 0}}
    return tasks, "a variant", data["images"][:, 0, :2] / 255

serve(prepare)
"""


@pytest.fixture
def start(tmp_path):
    script, data = tmp_path / "toy.py", tmp_path / "data.npz"
    script.write_text(WORKER.format(folder=str(ROOT / "benchmarks" / "competitors")))
    np.savez(data, images=np.full((3, 28, 28), 51, np.uint8))
    return lambda: Worker(Path(sys.executable), script, data)


def test_a_worker_answers_and_rests_in_between(start):
    with start() as worker:
        assert (worker.tasks, worker.chosen) == (["train", "fail"], "a variant")
        np.testing.assert_allclose(worker.probabilities, np.full((3, 2), 0.2))
        assert worker.ask("train", seconds=0.01)["images_per_second"] > 256
        status = Path(f"/proc/{worker.process.pid}/status")
        patience = time.monotonic() + 10  # a signal takes its time
        while status.exists() and not re.search(r"State:\s+T", status.read_text()):
            assert time.monotonic() < patience
    assert worker.process.poll() is not None


def test_a_worker_that_fails_says_why(start):
    with start() as worker, pytest.raises(RuntimeError, match=r"(?s)toy ended early:.*ZeroDivisionError"):
        worker.ask("fail")


def test_multiply_adds_of_the_posts_network():
    banks = [24 * 24 * 20 * 25, 8 * 8 * 20 * 20 * 25, 6 * 6 * 40 * 20 * 9]
    forward = sum(banks) + 40 * 20 + 20 * 10
    assert frameworks.multiply_adds(get_network("post")) == (forward, 3 * forward - banks[0])


def test_a_ratio_is_the_median_within_rounds_and_latency_counts_the_other_way():
    samples = {
        ("train", "inksight"): [40.0, 20.0, 60.0],
        ("train", "torch_eager"): [10.0, 10.0, 10.0],
        ("train", "inksight avx2"): [20.0, 12.0, 15.0],
        ("latency", "inksight"): [20.0, 20.0, 20.0],
        ("latency", "onnx_runtime"): [30.0, 10.0, 10.0],
    }
    rows = {(row.task, row.one, row.other): row for row in frameworks.comparisons(samples)}
    torch = rows["train", "inksight", "torch_eager"]
    assert (torch.medians, torch.ratio, torch.spread, torch.holds) == ((40, 10), 4, (2, 6), True)
    assert rows["train", "inksight avx2", "inksight"].ratio == 0.5
    latency = rows["latency", "inksight", "onnx_runtime"]
    assert (latency.ratio, latency.holds) == (0.5, False)
    table = frameworks.table(list(rows.values()), {"torch_eager": "PyTorch"})
    assert "| **4.00** (2.00, 6.00) | 4 |" in table
    assert "1, NOT HELD |" in table


def test_claims_name_tasks_and_workers_that_exist():
    known = {*frameworks.OURS, *frameworks.THEIRS, "peak"}
    for task, one, other in frameworks.CLAIMS:
        assert task in {*frameworks.TASKS, frameworks.SHARE}
        assert {one, other} <= known
    for name in frameworks.THEIRS:
        assert (ROOT / "benchmarks" / "competitors" / f"{name}.py").is_file()


def test_every_competitor_is_pinned():
    lines = (ROOT / "benchmarks" / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split(";")[0].strip().split("==") for line in lines if line and not line.startswith("#"))
    assert set(frameworks.PACKAGES) <= pinned.keys()


def test_the_first_step_is_timed_and_its_process_ended(tmp_path):
    out = tmp_path / "m.safetensors"
    took = startup.measure(startup.STEP, ["train", "--out", str(out)], os.environ | {"XDG_CACHE_HOME": str(tmp_path)})
    assert 0.1 < took < 60
    assert not out.exists()  # ended long before the first epoch was
    assert any((tmp_path / "inksight").iterdir()) or "JAX_COMPILATION_CACHE_DIR" in os.environ


def test_claims_of_startup_name_what_is_measured():
    assert startup.CLAIMS.keys() <= {*startup.COMMANDS, "load('mnist')"}


def test_the_picture_that_is_read_at_startup_holds_a_digit(tmp_path, mnist):
    path = tmp_path / "digit.png"
    startup.draw(str(path))
    page = read(path)
    assert page.text == str(mnist.labels[0])
    assert startup.measure(startup.CLI, ["read", str(path)], dict(os.environ)) > 0.01


def test_the_answer_on_fewer_filters_is_the_smallest_that_matches_the_post():
    def step(spec, parameters, accuracy):
        return Step(get_network(spec), parameters, 20, 0.5, accuracy, 1.0)

    steps = (step("post", 18_813, 0.994), step("9x5p,9x5,16x3", 4133, 0.991), step("2x5p,2x5,3x3", 300, 0.95))
    pruned = Pruning(steps, Model.untrained(steps[-1].network), None, 10_000, "steps")
    tradeoff = Tradeoff([pruned], [[step("9x5p,9x5,16x3", 4133, 0.98), step("2x5p,2x5,3x3", 300, 0.93)]])
    assert fewer_filters.still_the_posts(tradeoff.pruned_points).parameters == 4133
    page = fewer_filters.page(tradeoff, pruned, "a machine")
    assert "the smallest that matches the post has 4,133 parameters (22%) and reads 99.10%" in page
    assert "trained small from the start, no network matches the post." in page
    assert len(re.findall(r"^\| \d", page, flags=re.MULTILINE)) == 3
    assert "| 9-9-16 | 4,133 | 20 | 50.00% | 99.10% (" in page


def test_pictures_to_prepare_hold_digits_of_all_sizes():
    drawn = prepare_speed.pictures(40, 0)
    sides = [picture.shape[0] for picture in drawn]
    assert 28 <= min(sides) < 60
    assert 160 < max(sides) <= 200
    found = [prepare_speed.prepare(picture) for picture in drawn]
    assert all(one.dark and not one.problem for one in found)
    assert prepare_speed.CLAIMS.keys() == {"prepare", "prepare_grey"}


def test_a_model_is_not_stressed_with_what_it_was_trained_on(capsys):
    assert robustness.main("tiny") == 1
    assert "trained on the validation images" in capsys.readouterr().out
