"""Pictures that are sent to be read."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from service import png

from inksight import read


def forms_of(picture):
    return {
        "body": {"content": picture},
        "form": {"files": {"image": ("scan.png", picture)}},
        "JSON": {"json": {"image": base64.b64encode(picture).decode(), "name": "scan.png"}},
    }


@pytest.mark.parametrize("form", ["body", "form", "JSON"])
def test_the_answer_is_that_of_read(client, page, form):
    answer = client.post("/read", **forms_of(page)[form])
    assert answer.status_code == 200, answer.text
    found, expected = answer.json(), read(page).to_dict()
    assert {name: found[name] for name in expected} == expected
    assert found["text"] == "721"
    assert found["path"] == ("-" if form == "body" else "scan.png")
    assert found["error"] is None


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("length=3", {"length": 3}),
        ("length=2-4&allow=0-5", {"length": (2, 4), "allow": "0-5"}),
        ("pattern=%5Cd{2}[12]", {"pattern": r"\d{2}[12]"}),
        ("single=true&accept_all=1", {"single": True, "accept_all": True}),
        ("invert=false&punctuation=true", {"invert": False, "punctuation": True}),
        ("model=tiny", {"model": "tiny"}),
    ],
)
def test_options_are_those_of_read(client, page, query, options):
    found, expected = client.post(f"/read?{query}", content=page).json(), read(page, **options).to_dict()
    assert {name: found[name] for name in expected} == expected


def test_details_of_each_digit(client, page, images):
    answer = client.post("/read?steps=true&barcode=true&neighbours=true", content=page).json()
    for digit, reading in zip(answer["digits"], read(page), strict=True):
        assert digit["steps"]["image"] == reading.image.tolist()
        assert digit["barcode"] == reading.model.barcodes(reading.image)[0].tolist()
        assert [each["id"] for each in digit["neighbours"]] == reading.neighbours.ids[0].tolist()
        assert [each["label"] for each in digit["neighbours"]] == [digit["digit"]] * 5


def test_a_grid(client, images):
    cells = np.full((200, 200), 255, np.uint8)
    for line in (10, 100, 190):
        cells[line - 1 : line + 2, 10:191] = cells[10:191, line - 1 : line + 2] = 0
    cells[27:83, 27:83] = np.minimum(cells[27:83, 27:83], 255 - images[0].repeat(2, axis=0).repeat(2, axis=1))
    answer = client.post("/read?grid=2x2", content=png(cells))
    assert answer.status_code == 200, answer.text
    expected = read(png(cells), grid=(2, 2)).to_dict()
    assert {name: answer.json()[name] for name in expected} == expected


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_a_photo_is_turned_once(client, page, orientation, kind):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.open(io.BytesIO(page)).convert("RGB").save(file, kind, exif=exif)
    found, expected = client.post("/read", content=file.getvalue()).json(), read(file.getvalue()).to_dict()
    assert {name: found[name] for name in expected} == expected


def test_a_page_of_several(client, images):
    file = io.BytesIO()
    pages = [Image.fromarray(255 - image) for image in images[:2]]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    assert [client.post(f"/read?page={n}", content=file.getvalue()).json()["text"] for n in (1, 2)] == ["7", "2"]
    answer = client.post("/read?page=3", content=file.getvalue())
    assert (answer.status_code, "1 to 2" in answer.json()["error"]) == (422, True)


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(client):
    header = struct.pack(">IIBBBBB", 5000, 4000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    bomb += struct.pack(">I", 4) + b"IDAT" + bytes(8)
    answer = client.post("/read", content=bomb)
    assert answer.status_code == 422
    assert answer.json()["error"] == "a picture must have at most 250,000 pixels: make it smaller"


@pytest.mark.parametrize(
    ("query", "sent", "status", "part"),
    [
        ("", {"content": b""}, 400, "a picture"),
        ("", {"content": b"junk"}, 422, "not a picture"),
        ("", {"json": {"image": "?"}}, 400, "base64"),
        ("", {"json": {}}, 400, "image"),
        ("", {"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "form"),
        (
            "",
            {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=a; charset=no"}},
            400,
            "form",
        ),
        ("", {"content": b"x", "headers": {"content-encoding": "gzip"}}, 415, "identity"),
        ("color=1", {"content": b"x"}, 422, "one of model"),
        ("single=1&single=1", {"content": b"x"}, 422, "once"),
        ("single=maybe", {"content": b"x"}, 422, "true or false"),
        ("length=many", {"content": b"x"}, 422, "2-4"),
        ("grid=9", {"content": b"x"}, 422, "9x9"),
        ("grid=2x2&steps=1", {"content": b"x"}, 422, "left out"),
        ("pattern=(", {"content": b"x"}, 422, "pattern"),
        ("page=0", {"content": b"x"}, 422, "from 1"),
        ("model=huge", {"content": b"x"}, 404, "one of reader, tiny"),
    ],
)
def test_nonsense_is_refused_with_one_line(client, query, sent, status, part):
    answer = client.post(f"/read?{query}", **sent)
    assert (answer.status_code, part in answer.json()["error"]) == (status, True), answer.text
    assert "\n" not in answer.json()["error"]
