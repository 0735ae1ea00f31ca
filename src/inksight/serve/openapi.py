"""The description of the service as an OpenAPI document, and as a page for people."""

from html import escape
from typing import Any

from inksight import __version__
from inksight.serve.limits import Limits

NUMBERS = {"type": "array", "items": {}}


def document(limits: Limits, models: list[str]) -> dict[str, Any]:
    """Return the OpenAPI document of a service with some models."""
    which = {"name": "model", "in": "path", "required": True, "schema": {"type": "string", "enum": models}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "inksight",
            "version": __version__,
            "description": "Reads handwritten digits on pictures, and predicts images of 28x28 pixels.",
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Error": {
                    "type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}
                }
            },
        },
        "security": [{}, {"token": []}],
        "paths": {
            "/read": {"post": _read(limits, models)},
            "/v2": {"get": _get("The name and version of the server, and its extensions")},
            "/v2/health/live": {"get": _get("Whether the process lives")},
            "/v2/health/ready": {"get": _get("Whether requests are accepted", "503")},
            "/v2/models/{model}": {"get": _get("The inputs and outputs of a model", "404", parameters=[which])},
            "/v2/models/{model}/ready": {
                "get": _get("Whether a model accepts requests", "404", "503", parameters=[which])
            },
            "/v2/models/{model}/infer": {"post": _infer(limits, which)},
            "/v2/repository/models/{model}/load": {
                "post": _get("Read the file of a model again; needs the token", "403", "404", "422", parameters=[which])
            },
            "/metrics": {"get": _get("Metrics for Prometheus", content="text/plain")},
            "/openapi.json": {"get": _get("This document")},
            "/docs": {"get": _get("This document as a page", content="text/html")},
            "/": {"get": _get("The page: draw a digit and look inside the network", content="text/html")},
        },
    }  # fmt: skip


def _get(
    summary: str, *refusals: str, parameters: list[dict[str, Any]] | None = None, content: str = "application/json"
) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": "The answer", "content": {content: {}}}}
    return {"summary": summary, "parameters": parameters or [], "responses": answers | _refusals("401", *refusals)}


def _refusals(*statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": REFUSALS[status], "content": content} for status in statuses}


REFUSALS = {
    "400": "The body is malformed",
    "401": "The token is missing or wrong",
    "403": "The service has no token",
    "404": "There is no such model",
    "408": "The body arrived too slowly",
    "413": "The body is too large",
    "415": "The content is of a kind that is not supported",
    "422": "The input is not valid",
    "503": "The service is busy or about to stop; see the header Retry-After",
    "504": "The deadline has passed",
}
OF_POSTS = ("400", "401", "404", "408", "413", "415", "422", "503", "504")


def _read(limits: Limits, models: list[str]) -> dict[str, Any]:
    switch, text = {"type": "boolean"}, {"type": "string"}
    options: dict[str, tuple[dict[str, Any], str]] = {
        "model": ({"type": "string", "enum": models}, "The model that reads; by default the first"),
        "page": ({"type": "integer", "minimum": 1, "maximum": 1000}, "The page of a TIFF or PDF"),
        "invert": (switch, "Whether the ink is lighter than the paper; detected by default"),
        "accept_all": (switch, "Do not reject digits"),
        "single": (switch, "Read the picture as one digit"),
        "length": (text, "Digits of each line: 3, or 2-4"),
        "allow": (text, "Digits that may occur: 0-5, or 1,3,7-9"),
        "pattern": (text, r"What each line looks like: \d{2}/\d{2}/\d{4}"),
        "punctuation": (switch, "Keep the signs . , - / : in the text"),
        "grid": (text, "Read the cells of a grid: 9x9, or auto"),
        "steps": (switch, "Tell the steps from the picture to the network's input"),
        "barcode": (switch, "Tell the barcode of each digit"),
        "neighbours": (switch, "Tell the nearest training digits of each digit"),
    }
    return {
        "summary": "Read the digits on a picture; the answer is that of inksight read --json",
        "parameters": [
            {"name": name, "in": "query", "schema": schema, "description": description}
            for name, (schema, description) in options.items()
        ],
        "requestBody": {
            "required": True,
            "description": f"At most {limits.body:,} bytes and {limits.pixels:,} pixels",
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"image": {"type": "string", "format": "binary"}}}
                },
                "application/json": {
                    "schema": {
                        "type": "object", "required": ["image"],
                        "properties": {"image": {"type": "string", "contentEncoding": "base64"}, "name": text},
                    }
                },
            },
        },
        "responses": {"200": {"description": "What was read", "content": {"application/json": {}}}}
        | _refusals(*OF_POSTS),
    }  # fmt: skip


def _infer(limits: Limits, which: dict[str, Any]) -> dict[str, Any]:
    tensor = {
        "type": "object", "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"const": "images"}, "datatype": {"enum": ["UINT8", "FP32"]},
            "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 4}, "data": NUMBERS,
            "parameters": {"type": "object"},
        },
    }  # fmt: skip
    output = {
        "type": "object", "required": ["name"],
        "properties": {"name": {"type": "string"}, "parameters": {"type": "object"}},
    }  # fmt: skip
    schema = {
        "type": "object", "required": ["inputs"],
        "properties": {
            "id": {"type": "string"}, "inputs": {"type": "array", "items": tensor, "minItems": 1, "maxItems": 1},
            "outputs": {"type": "array", "items": output}, "parameters": {"type": "object"},
        },
    }  # fmt: skip
    return {
        "summary": f"Predict up to {limits.images:,} images by the Open Inference Protocol",
        "parameters": [which],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "The outputs", "content": {"application/json": {}}}}
        | _refusals(*OF_POSTS),
    }


def html(content: dict[str, Any]) -> str:
    """Return an OpenAPI document as a page."""
    parts = []
    for path, methods in content["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}.</p>")
            rows = "".join(
                f"<dt><code>{escape(each['name'])}</code></dt>"
                f"<dd>{escape(each.get('description', 'In the path'))}.</dd>"
                for each in operation["parameters"]
            )
            answers = "".join(
                f"<dt>{status}</dt><dd>{escape(answer['description'])}.</dd>"
                for status, answer in operation["responses"].items()
            )
            parts.append(
                (f"<h3>Parameters</h3><dl>{rows}</dl>" if rows else "") + f"<h3>Answers</h3><dl>{answers}</dl>"
            )
    info = content["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(info["title"])} service</title>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{escape(info['description'])} "
        f'Errors are <code>{{"error": "..."}}</code>. For programs: <a href="openapi.json">openapi.json</a>.</p>'
        + "".join(parts)
        + "</html>"
    )
