"""What the service refuses, and clients that are slow, leave early, or send nonsense."""

import json
import random
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from service import output, request_of, until

from inksight.serve.application import Service
from inksight.serve.limits import Limits
from inksight.serve.models import Models
from inksight.serve.server import serving

INFER = "/v2/models/tiny/infer"


def connect(address):
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def received(connection):
    """Return all that a server sends until it closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


@pytest.fixture
def held(service, monkeypatch):
    """Hold up the inference worker; yield an event that lets it go on, and the names of the outputs computed."""
    go, computed = threading.Event(), []
    served = service.models["tiny"]

    class Held:
        def outputs(self, images, names):
            assert go.wait(20)
            computed.append(len(images))
            return served.outputs(images, names)

        def __getattr__(self, name):
            return getattr(served, name)

    monkeypatch.setitem(service.models._served, "tiny", Held())
    yield go, computed
    go.set()


def test_a_body_that_is_too_large_is_refused(client, service):
    answer = client.post("/read", content=bytes(service.limits.body + 1))
    assert (answer.status_code, answer.json()["error"]) == (413, "the body must have at most 400,000 bytes")


def test_a_body_of_unknown_length_that_is_too_large_is_refused(client):
    answer = client.post("/read", content=(bytes(100_000) for _ in range(6)))
    assert answer.status_code == 413


def test_what_does_not_fit_into_the_queue_is_refused_and_the_rest_is_answered(client, service, images, tiny, held):
    go, _ = held
    request = request_of(images[:3])
    with ThreadPoolExecutor(service.limits.requests) as pool:
        accepted = [pool.submit(client.post, INFER, json=request) for _ in range(service.limits.requests)]
        until(lambda: service._requests == service.limits.requests)
        refused = client.post(INFER, json=request)
        go.set()
        answers = [each.result() for each in accepted]
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    for answer in answers:
        assert (output(answer.json(), "probabilities") == tiny.probabilities(images[:3])).all()
    assert service._requests == service._memory == 0


def test_after_the_deadline_a_request_costs_nothing(client, service, images, held, monkeypatch):
    go, computed = held
    patient = service.limits
    monkeypatch.setattr(service, "limits", replace(patient, deadline=0.5))
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(client.post, INFER, json=request_of(images[:n])) for n in (1, 2)]
        assert [each.result().status_code for each in both] == [504, 504]
    monkeypatch.setattr(service, "limits", patient)
    go.set()
    assert client.post(INFER, json=request_of(images[:4])).status_code == 200
    assert computed[-1] == 4
    assert len(computed) == 2  # the one that was already being computed, and the last


def test_a_client_that_left_costs_nothing(address, client, service, images, held):
    go, computed = held
    body = json.dumps(request_of(images[:1])).encode()
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    clients = []
    for _ in range(4):
        clients.append(connect(address))
        clients[-1].sendall(head + body)
    until(lambda: service._requests == 4)
    for each in clients:
        each.close()
    until(lambda: service._requests == 0)
    go.set()
    assert client.post(INFER, json=request_of(images[:5])).status_code == 200
    assert computed in ([1, 5], [5])


def test_slow_senders_are_cut_off(address):
    head = connect(address)
    head.sendall(b"POST /read HTTP/1.1\r\nHost:")
    body = connect(address)
    body.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nslow")
    silent = connect(address)
    with head, body, silent:
        assert received(head) == received(silent) == b""
        assert received(body).startswith(b"HTTP/1.1 408 ")


def test_an_endless_head_is_cut_off(address):
    with connect(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")

        def send_endlessly():
            for _ in range(200):
                connection.sendall(b"X: " + b"x" * 10_000 + b"\r\n")
                time.sleep(0.001)

        with pytest.raises(ConnectionError):
            send_endlessly()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/v2/", 404), ("POST", "/v2", 405), ("GET", "/read", 405), ("PUT", "/", 405),
     ("POST", "/nothing", 405), ("GET", "/../pyproject.toml", 404), ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404)],
)  # fmt: skip
def test_unknown_paths_and_methods(client, method, path, status):
    answer = client.request(method, path)
    assert (answer.status_code, "error" in answer.json()) == (status, True)


def test_security_headers_and_the_id_of_a_request(client):
    answer = client.get("/v2", headers={"X-Request-ID": "trace-1", "Origin": "https://example.org"})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-request-id"] == "trace-1"
    assert "access-control-allow-origin" not in answer.headers
    made = client.get("/v2", headers={"X-Request-ID": "two words"}).headers["x-request-id"]
    assert len(made) == 16


def test_the_token_guards_all_but_health(images):
    service = Service(Models({"tiny": "tiny"}), token="0123456789abcdef", limits=Limits())
    with serving(service) as address, httpx.Client(base_url=address) as client:
        paths = ("/v2", "/metrics", "/", "/docs", "/v2/models/tiny", "/nothing")
        for given in ({}, {"Authorization": "Bearer 0123456789abcdeF"}, {"Authorization": "Basic 0123456789abcdef"}):
            assert {client.get(path, headers=given).status_code for path in paths} == {401}
            assert client.post("/v2/repository/models/tiny/load", headers=given).status_code == 401
        assert client.get("/v2/health/ready").status_code == 200
        good = {"Authorization": "Bearer 0123456789abcdef"}
        assert client.post(INFER, json=request_of(images[:1]), headers=good).status_code == 200
        assert client.post("/v2/repository/models/tiny/load", headers=good).json()["model_name"] == "tiny"


def test_without_a_token_models_cannot_be_reloaded(client):
    assert client.post("/v2/repository/models/tiny/load").status_code == 403


ANSWERS = {200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 503, 504}


def test_mutated_requests_are_answered_without_an_internal_error(address, images, page):
    random_ = random.Random(5)
    bodies = [json.dumps(request_of(images[:1])).encode(), page, b'{"image": "aGFsbG8="}', b""]
    paths = [INFER, "/read", "/read?grid=3x3", "/v2", "/metrics", "/v2/models/tiny", "/nothing", "/%ff?a=%00"]
    methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW"]
    kinds = ["application/json", "multipart/form-data; boundary=x", "image/png", "a/b; charset=\xff"]
    for _ in range(300):
        body = bytearray(random_.choice(bodies))
        head = f"{random_.choice(methods)} {random_.choice(paths)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += f"Content-Type: {random_.choice(kinds)}\r\nContent-Length: {len(body)}\r\n\r\n"
        for _ in range(random_.choice([0, 1, 5]) if body else 0):
            body[random_.randrange(len(body))] = random_.randrange(256)
        raw = bytearray(head.encode("latin-1"))
        if random_.random() < 0.2:
            raw[random_.randrange(len(raw))] = random_.randrange(256)
        with connect(address) as connection:
            connection.sendall(raw + body)
            connection.shutdown(socket.SHUT_WR)
            answer = received(connection)
        assert not answer or int(answer.split(b" ", 2)[1]) in ANSWERS, (raw, answer)
    assert httpx.get(f"{address}/v2/health/ready").status_code == 200
