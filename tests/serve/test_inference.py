"""The Open Inference Protocol, by plain requests and by Triton's client."""

import json

import httpx
import numpy as np
import pytest
from service import output, request_of

from inksight import Ensemble, load_model
from inksight.serve.application import Service
from inksight.serve.models import LABEL, Models
from inksight.serve.server import serving

INFER = "/v2/models/tiny/infer"


@pytest.mark.parametrize("count", [1, 2, 8, 9, 16, 23, 64, 100])
def test_answers_are_those_of_the_model_to_the_last_bit(client, tiny, images, count):
    answer = client.post(INFER, json=request_of(images[:count], id="a 1")).json()
    assert (output(answer, "probabilities") == tiny.probabilities(images[:count])).all()
    assert output(answer, "label").tolist() == [str(digit) for digit in tiny.predict(images[:count])]
    assert (answer["id"], answer["model_name"]) == ("a 1", "tiny")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(5, 28, 28), (5, 28, 28, 1)])
@pytest.mark.parametrize("nested", [False, True])
def test_all_forms_of_a_tensor_give_the_same(client, tiny, images, dtype, shape, nested):
    given = images[:5].reshape(shape).astype(dtype) / dtype(255 if dtype == np.float32 else 1)
    given = given.astype(dtype)
    request = request_of(given)
    if nested:
        request["inputs"][0]["data"] = given.tolist()
    answer = client.post(INFER, json=request).json()
    assert (output(answer, "probabilities") == tiny.probabilities(given)).all()


@pytest.mark.parametrize("binary", [False, True])
def test_tritons_client(address, tiny, images, binary):
    triton = pytest.importorskip(
        "tritonclient.http",
        reason="tritonclient is not among the tools, since it needs an older ml_dtypes than JAX's newest",
    )
    server = triton.InferenceServerClient(address.removeprefix("http://"))
    try:
        assert server.is_server_live()
        assert server.is_server_ready()
        assert server.is_model_ready("tiny")
        assert "binary_tensor_data" in server.get_server_metadata()["extensions"]
        described = {each["name"]: each for each in server.get_model_metadata("tiny")["outputs"]}
        expected = tiny.activations(images[:3])
        tensor = triton.InferInput("images", [3, 28, 28], "UINT8").set_data_from_numpy(images[:3], binary_data=binary)
        wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in (*expected, LABEL)]
        answer = server.infer("tiny", [tensor], outputs=wanted, request_id="x")
        for name, array in expected.items():
            assert (answer.as_numpy(name) == array).all()
            assert described[name]["shape"] == [-1, *array.shape[1:]]
        names = [name.decode() if binary else name for name in answer.as_numpy(LABEL)]
        assert names == [str(digit) for digit in tiny.predict(images[:3])]
        assert answer.get_response()["id"] == "x"
        with pytest.raises(Exception, match="output must be one of normalized"):
            server.infer("tiny", [tensor], outputs=[triton.InferRequestedOutput("thought")])
    finally:
        server.close()


def test_binary_output_by_default(client, tiny, images):
    answer = client.post(INFER, json=request_of(images[:2], parameters={"binary_data_output": True}))
    length = int(answer.headers["inference-header-content-length"])
    first = json.loads(answer.content[:length])["outputs"][0]
    assert first["parameters"] == {"binary_data_size": 80}
    assert answer.content[length : length + 80] == tiny.probabilities(images[:2]).tobytes()


def test_an_ensemble_predicts_probabilities_and_labels(tmp_path, images):
    ensemble = Ensemble([load_model("tiny"), load_model("small")])
    ensemble.save(tmp_path / "two.safetensors")
    models = Models({"two": str(tmp_path / "two.safetensors")})
    with serving(Service(models)) as address, httpx.Client(base_url=address) as client:
        answer = client.post("/v2/models/two/infer", json=request_of(images[:4])).json()
        assert (output(answer, "probabilities") == ensemble.probabilities(images[:4])).all()
        wrong = client.post("/v2/models/two/infer", json=request_of(images[:4], outputs=[{"name": "bank1"}]))
    assert wrong.status_code == 422
    assert wrong.json()["error"] == "output must be one of probabilities, label, got 'bank1'"


def changed(images, **changes):
    request = request_of(images)
    request["inputs"][0] |= changes
    return request


NONSENSE = {
    "not JSON": (b"{", 400, "JSON"),
    "no inputs": ({}, 400, "missing required field `inputs`"),
    "no tensor": ({"inputs": []}, 422, "one tensor named 'images'"),
    "another name": ({"name": "x"}, 422, "one tensor named 'images'"),
    "another shape": ({"shape": [1, 784]}, 422, "[n, 28, 28]"),
    "a negative shape": ({"shape": [-1, 28, 28]}, 422, "1 to 100"),
    "too many images": ({"shape": [101, 28, 28]}, 422, "1 to 100"),
    "another type": ({"datatype": "INT64"}, 422, "UINT8"),
    "too few numbers": ({"data": [0]}, 422, "784"),
    "numbers out of range": ({"data": [256] * 784}, 422, "0 to 255"),
    "huge numbers": ({"data": [2**70] * 784}, 422, "0 to 255"),
    "negative numbers": ({"data": [-1] * 784}, 422, "0 to 255"),
    "fractions": ({"data": [0.5] * 784}, 400, "numbers"),
    "text": ({"data": ["1"] * 784}, 400, "numbers"),
    "ragged data": ({"data": [[[0] * 28] * 27 + [[0] * 56]]}, 422, "nested like the shape"),
    "floats out of range": ({"datatype": "FP32", "data": [1.5] * 784}, 422, "0 to 1"),
    "too little binary data": ({"parameters": {"binary_data_size": 784}}, 422, "784"),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_is_refused_with_one_line(client, images, case):
    given, status, part = NONSENSE[case]
    if isinstance(given, dict) and "inputs" not in given and given:
        given = changed(images[:1], **given)
    answer = client.post(INFER, content=given if isinstance(given, bytes) else json.dumps(given))
    assert answer.status_code == status, answer.text
    assert part in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_a_float_that_is_not_a_number_is_refused(client):
    body = json.dumps({"inputs": [{"name": "images", "shape": [1, 28, 28], "datatype": "FP32",
                                   "parameters": {"binary_data_size": 3136}}]}).encode()  # fmt: skip
    answer = client.post(
        INFER,
        content=body + np.full(784, np.nan, "<f4").tobytes(),
        headers={"Inference-Header-Content-Length": str(len(body))},
    )
    assert answer.status_code == 422
    assert "0 to 1" in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "x", "99999999", "²"])
def test_a_wrong_length_of_the_header_is_refused(client, images, length):
    headers = {b"Inference-Header-Content-Length": length.encode("latin-1")}
    assert client.post(INFER, json=request_of(images[:1]), headers=headers).status_code == 400


def test_an_answer_of_too_many_numbers_is_refused(client, images):
    answer = client.post(INFER, json=request_of(images[:50], outputs=[{"name": "bank1"}]))
    assert answer.status_code == 422
    assert "at most 20,000" in answer.json()["error"]


def test_an_unknown_model_is_named(client):
    answer = client.get("/v2/models/huge")
    assert (answer.status_code, answer.json()["error"]) == (404, "model must be one of reader, tiny, got 'huge'")
