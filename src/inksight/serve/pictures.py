"""`POST /read`: the picture in a request's body, the options in its query, and the JSON of what was read."""

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from inksight._shared.validation import check
from inksight.errors import TooLargeError
from inksight.imaging.decoding import decode_upright
from inksight.nn.ensemble_file import first_model
from inksight.reading.constraints import constraint_of
from inksight.reading.grid import Grid, check_grid
from inksight.reading.page import NEIGHBOURS, Page, Reading, nearest
from inksight.reading.reader import read
from inksight.reading.text_options import parse_grid, parse_length
from inksight.serve.limits import Limits
from inksight.serve.models import ServedModel
from inksight.serve.refusal import Refusal, one_line

UNNAMED = Path("-")  # the name of a picture without one, as for `inksight read -`


class Upload(NamedTuple):
    """A picture that was sent, by the name that the client gave it."""

    name: str
    content: bytes


class _Encoded(msgspec.Struct):
    image: bytes  # base64
    name: str = str(UNNAMED)


def _flag(text: str) -> bool:
    check(text in ("true", "false", "1", "0"), "a switch of the query", text, "true or false")
    return text in ("true", "1")


def _page(text: str) -> int:
    good = re.fullmatch("[0-9]{1,4}", text) is not None and int(text) > 0
    check(good, "page", text[:64], "a number from 1")
    return int(text)


OPTIONS: dict[str, Callable[[str], Any]] = {
    "invert": _flag, "accept_all": _flag, "single": _flag, "length": parse_length, "allow": str, "pattern": str,
    "punctuation": _flag, "grid": parse_grid,
}  # fmt: skip
"""The options of `inksight.read` as text."""
DETAILS = ("steps", "barcode", "neighbours")
"""What else the JSON tells of each digit, if it is asked for."""


class Query(NamedTuple):
    """The query of a request to read a picture."""

    model: str | None
    page: int
    options: dict[str, Any]
    details: tuple[str, ...]


def parse_query(query: list[tuple[str, str]]) -> Query:
    """Return a query whose options are checked.

    Raises
    ------
    InputError
        If an option is unknown, is given twice, or has a value that is not allowed.
    """
    values = dict(query)
    allowed = ["model", "page", *OPTIONS, *DETAILS]
    for name, _ in query:
        check(name in allowed, "option", name[:64], f"one of {', '.join(allowed)}")
    check(len(values) == len(query), "options", [name for name, _ in query][:20], "given once each")
    options = {name: parse(values[name]) for name, parse in OPTIONS.items() if name in values}
    details = tuple(name for name in DETAILS if name in values and _flag(values[name]))
    constraint_of(options.get("length"), options.get("allow"), options.get("pattern"))
    if "grid" in options:
        check(not details, "details of a grid", list(details), "left out")
        check_grid(
            options["grid"],
            single=options.get("single", False),
            length=options.get("length"),
            pattern=options.get("pattern"),
            punctuation=options.get("punctuation", False),
        )
    return Query(values.get("model"), _page(values.get("page", "1")), options, details)


async def uploaded(headers: Headers, body: bytes) -> Upload:
    """Return the picture in a body: the body itself, the file of a multipart form, or base64 in JSON.

    Raises
    ------
    Refusal
        With status 400, if the body is not what its content type says, or holds no picture.
    """
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    upload = Upload(str(UNNAMED), body)
    try:
        if kind == "application/json":
            found = msgspec.json.decode(body, type=_Encoded)
            upload = Upload(found.name, found.image)
        elif kind == "multipart/form-data":
            upload = await _of_form(headers, body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "malformed", f'the body must be {{"image": "<base64>"}}: {one_line(error)}') from error
    except (MultiPartException, LookupError, ValueError) as error:
        raise Refusal(400, "malformed", f"the body must be a form with one file: {one_line(error)}") from error
    if not upload.content:
        raise Refusal(400, "malformed", "the body must hold a picture, got none")
    return upload


class _InMemory(MultiPartParser):
    spool_max_size = 1 << 40  # the body is in memory and bounded: no file is written


async def _of_form(headers: Headers, body: bytes) -> Upload:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    form = await _InMemory(headers, stream(), max_files=1, max_fields=0).parse()
    try:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        return Upload(files[0].filename or str(UNNAMED), await files[0].read()) if files else Upload("", b"")
    finally:
        await form.close()


def read_upload(upload: Upload, model: ServedModel, query: Query, limits: Limits) -> dict[str, Any]:
    """Return the JSON object that `inksight read --json` prints of a page, without its time.

    Raises
    ------
    InputError
        If the picture is not one, is too large, or does not have such a page or grid.
    """
    try:
        image = decode_upright(upload.content, UNNAMED, 4 * limits.pixels, query.page - 1)
    except TooLargeError as error:
        raise TooLargeError(f"a picture must have at most {limits.pixels:,} pixels: make it smaller") from error
    page: Page | Grid = read(image, model.classifier, **query.options)
    record: dict[str, Any] = {"path": upload.name, "page": query.page, **page.to_dict()}
    if isinstance(page, Page) and query.details:
        for digit, more in zip(record["digits"], _details(page, model, query.details), strict=True):
            digit.update(more)
    return record | {"model_name": model.name, "model_version": model.version}


def _details(page: Page, model: ServedModel, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what was asked for of each digit."""
    images = np.stack([reading.image for reading in page])
    result: list[dict[str, Any]] = [{} for _ in page]
    if "steps" in names:
        for more, reading in zip(result, page, strict=True):
            more["steps"] = _steps(reading)
    if "barcode" in names:
        for more, barcode in zip(result, first_model(model.classifier).barcodes(images).tolist(), strict=True):
            more["barcode"] = barcode
    if "neighbours" in names:
        found = nearest(model.classifier, images)
        assert found.labels is not None  # those of MNIST
        rows = zip(result, found.ids.tolist(), found.labels.tolist(), found.distances.tolist(), strict=True)
        for more, ids, labels, distances in rows:
            more["neighbours"] = [
                {"id": ids[i], "label": found.class_names[labels[i]], "distance": distances[i]}
                for i in range(NEIGHBOURS)
            ]
    return result


def _steps(reading: Reading) -> Mapping[str, Any]:
    """Return the steps from the picture to the network's input, as rows of pixels from 0 to 255."""
    prepared = reading.prepared
    return {
        "grayscale": _pixels(prepared.grayscale),
        "ink": _pixels(prepared.ink),
        "image": prepared.image.tolist(),
        "dark": prepared.dark,
        "problem": prepared.problem,
    }


def _pixels(values: NDArray[np.float64]) -> Any:
    return (255 * values + 0.5).astype(np.uint8).tolist()
