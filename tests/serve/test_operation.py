"""The service as a process: its start, signals, replaced models, metrics, log; and the documents that describe it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict

import httpx
import pytest
from click.testing import CliRunner
from commands import command
from service import output, request_of, until

from inksight import Model, load_model
from inksight.cli import cli
from inksight.errors import InputError
from inksight.serve.application import Service
from inksight.serve.limits import Limits
from inksight.serve.models import Models
from inksight.serve.server import listening, serving
from inksight.web.site import site_files


@contextmanager
def started(*arguments, **environment):
    """Run the command on a free port while the block runs; yield the process and its address."""
    code = "from inksight.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", "--port", "0", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().split(" ")[0].rstrip("/")
    finally:
        process.kill()
        process.communicate()


def test_sigterm_turns_ready_off_answers_what_is_accepted_and_ends(images, tiny):
    with started("--model", "tiny", "--drain", "0.5") as (process, address), ThreadPoolExecutor(4) as pool:
        with httpx.Client(base_url=address) as client:
            assert client.get("/v2/health/ready").status_code == 200
            process.send_signal(signal.SIGTERM)
            until(lambda: client.get("/v2/health/ready").status_code == 503)
            accepted = [pool.submit(client.post, "/v2/models/tiny/infer", json=request_of(images)) for _ in range(4)]
            for each in accepted:
                assert (output(each.result().json(), "probabilities") == tiny.probabilities(images)).all()
        start = time.monotonic()
        _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert time.monotonic() - start < 10
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"path": "/v2/models/tiny/infer", "status": 200}.items() <= lines[-1].items()
    assert re.fullmatch("[0-9a-f]{16}", lines[-1]["request_id"])


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_sighup_reads_models_again_and_keeps_one_whose_file_is_damaged(tmp_path):
    path = tmp_path / "mine.safetensors"
    load_model("tiny").save(path)
    with started("--model", f"m={path}") as (process, address), httpx.Client(base_url=address) as client:
        versions = [client.get("/v2/models/m").json()["versions"][0]]
        load_model("small").save(path)
        process.send_signal(signal.SIGHUP)
        until(lambda: client.get("/v2/models/m").json()["versions"][0] != versions[0])
        versions.append(client.get("/v2/models/m").json()["versions"][0])
        path.write_bytes(b"damaged")
        process.send_signal(signal.SIGHUP)
        for line in process.stderr:
            record = json.loads(line)
            if record["event"] == "model not reloaded: it stays as it was":
                break
        assert "damaged" in record["error"]
        assert client.get("/v2/models/m").json()["versions"][0] == versions[1]


def test_a_hundred_replacements_under_load_change_no_answer(tmp_path, images):
    candidates = [load_model("tiny"), Model.untrained("tiny", seed=1)]
    files, expected = [], {}
    for number, model in enumerate(candidates):
        files.append(tmp_path / f"{number}.safetensors")
        model.save(files[-1])
        version = next(iter(Models({"m": str(files[-1])}))).version
        expected[version] = model.probabilities(images[:20])
    path = tmp_path / "served.safetensors"
    shutil.copy(files[0], path)
    service = Service(Models({"m": str(path)}), token="0123456789abcdef", limits=Limits())
    headers = {"Authorization": "Bearer 0123456789abcdef"}
    over, seen = threading.Event(), []

    def load(address):
        with httpx.Client(base_url=address, headers=headers) as client:
            while not over.is_set():
                answer = client.post("/v2/models/m/infer", json=request_of(images[:20]))
                assert answer.status_code == 200
                found = answer.json()
                assert (output(found, "probabilities") == expected[found["model_version"]]).all()
                seen.append(found["model_version"])

    with serving(service) as address, ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(load, address) for _ in range(3)]
        try:
            with httpx.Client(base_url=address, headers=headers) as client:
                for number in range(100):
                    shutil.copy(files[(number + 1) % 2], tmp_path / "next")
                    (tmp_path / "next").replace(path)
                    assert client.post("/v2/repository/models/m/load").status_code == 200
        finally:
            over.set()
        for each in clients:
            each.result()
    assert {*seen} == {*expected}
    assert len(seen) > 100


def test_metrics(client, images, page):
    def value(name):
        found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    names = {
        'inksight_requests_total{endpoint="/v2/models/{model}/infer",outcome="answered"}': 1,
        'inksight_requests_total{endpoint="/read",outcome="invalid"}': 1,
        'inksight_refusals_total{reason="invalid"}': 1,
        'inksight_images_total{model="tiny"}': 7,
        'inksight_batch_images_sum{worker="inference"}': 7,
        'inksight_queue_seconds_count{worker="inference"}': 1,
        'inksight_compute_seconds_count{worker="inference"}': 1,
    }
    before = {name: value(name) for name in names}
    client.post("/v2/models/tiny/infer", json=request_of(images[:7]))
    client.post("/read", content=b"junk")
    assert {name: value(name) - before[name] for name in names} == names
    version = client.get("/v2/models/tiny").json()["versions"][0]
    assert f'model="tiny",version="{version}"' in client.get("/metrics").text


def test_the_page_is_that_of_web(client):
    files = site_files("reader")
    assert client.get("/").content == files["index.html"]
    answer = client.get("/model.safetensors")
    assert answer.content == files["model.safetensors"]
    assert "content-security-policy" not in answer.headers  # the page brings its own


def test_the_openapi_document_names_every_endpoint(client, service):
    document = client.get("/openapi.json").json()
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    routes = service._app.app.routes
    there = {(route.path, method) for route in routes for method in route.methods - {"HEAD"}}
    assert described == there - {("/{file:path}", "GET")}
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    for path, _ in described:
        assert path in page.text


def test_images_of_different_requests_are_computed_as_one_batch(images, monkeypatch):
    sizes = []
    service = Service(Models({"tiny": "tiny"}))
    service._inference._observe = lambda name, size, waited, seconds: sizes.append((size, len(waited)))
    hold = threading.Event()
    with serving(service) as address, httpx.Client(base_url=address) as client, ThreadPoolExecutor(12) as pool:
        served = service.models["tiny"]

        class Held:
            def outputs(self, images, names):
                assert hold.wait(20)
                return served.outputs(images, names)

            def __getattr__(self, name):
                return getattr(served, name)

        monkeypatch.setitem(service.models._served, "tiny", Held())
        first = pool.submit(client.post, "/v2/models/tiny/infer", json=request_of(images[:1]))
        until(lambda: service._requests == 1)
        until(lambda: service._inference._jobs.empty())
        rest = [pool.submit(client.post, "/v2/models/tiny/infer", json=request_of(images[:9])) for _ in range(8)]
        until(lambda: service._inference._jobs.qsize() == 8)
        hold.set()
        assert {each.result().status_code for each in [first, *rest]} == {200}
    assert sizes == [(1, 1), (63, 7), (9, 1)]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--model", "a=tiny", "--model", "a=small"], "different ones"),
        (["--model", "a b=tiny"], "letters"),
        (["--model", "none.safetensors"], "file that exists"),
        (["--requests", "0"], "requests must be"),
        (["--deadline", "-1"], "deadline must be"),
        (["--host", "no.such.host.invalid"], "cannot serve on"),
        (["--token-file", "no-such-file"], "no-such-file"),
    ],
)
def test_wrong_options_end_with_one_line(capsys, arguments, part):
    error = command(capsys, "serve", "--port", 0, "--model", "tiny", *arguments, code=2)
    assert part in error
    assert error.count("\n") == 1


def test_a_short_token_is_refused(capsys, monkeypatch):
    monkeypatch.setenv("INKSIGHT_TOKEN", "short")
    assert "16 or more" in command(capsys, "serve", "--port", 0, "--model", "tiny", code=2)


def test_a_port_that_is_taken_is_refused():
    with listening("127.0.0.1", 0) as first, pytest.raises(InputError, match="give another --host or --port"):
        listening("127.0.0.1", first.getsockname()[1])


def test_the_help_names_the_defaults():
    text = " ".join(CliRunner().invoke(cli, ["serve", "--help"]).output.split())
    for name, value in asdict(Limits()).items():
        assert f"--{name}" in text
        assert f"[default: {value:,g}]" in text if isinstance(value, float) else f"[default: {value:,}]" in text
