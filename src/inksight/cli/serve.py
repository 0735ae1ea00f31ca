"""``inksight serve``: the HTTP service."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from inksight._shared.untrusted import unreadable
from inksight._shared.validation import check
from inksight.errors import MissingDependencyError

Command = TypeVar("Command", bound=Callable[..., Any])

TOKEN = "INKSIGHT_TOKEN"
SIZES = ("body", "pixels", "images", "values", "requests", "memory", "readers")
HELP = {
    "body": "Bytes of a request.  [default: 10,000,000]",
    "pixels": "Pixels of a picture.  [default: 16,777,216]",
    "images": "Images of an inference request.  [default: 4,096]",
    "values": "Numbers in an answer.  [default: 1,048,576]",
    "requests": "Requests that may wait for an answer.  [default: 256]",
    "memory": "Bytes of these requests together.  [default: 268,435,456]",
    "readers": "Threads that read pictures.  [default: 2]",
    "deadline": "Seconds to an answer.  [default: 5]",
    "sender": "Seconds in which a client sends a request.  [default: 10]",
    "drain": "Seconds from SIGTERM until no more requests are accepted.  [default: 1]",
}


def _limit_options(command: Command) -> Command:
    """Add an option for each limit."""
    for name, text in reversed(HELP.items()):
        kind: type = int if name in SIZES else float
        command = click.option(f"--{name}", type=kind, metavar="N" if kind is int else "SECONDS", help=text)(command)
    return command


@click.command()
@click.option("--model", "models", multiple=True, metavar="[NAME=]MODEL",
              help="Model or model file, and its name in requests; may be repeated.  [default: reader]")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, metavar="PORT",
              help="Port to listen on; 0 for a free one.")  # fmt: skip
@click.option("--token-file", metavar="FILE", help=f"File of a bearer token that requests must bring.  [{TOKEN}]")
@click.option("--log-requests/--no-log-requests", default=True, help="Log each request.  [default: --log-requests]")
@_limit_options
def serve(
    models: tuple[str, ...], host: str, port: int, token_file: str | None, log_requests: bool, **limits: Any
) -> None:
    """Answer requests over HTTP: read pictures, predict images, and serve the page.

    POST /read takes a picture and answers what `inksight read --json` prints. POST /v2/models/NAME/infer predicts
    images by the Open Inference Protocol. GET /docs describes both, /metrics is for Prometheus, and / is the page of
    `inksight web`.

    Models are read again on SIGHUP. On SIGTERM the service finishes what it has accepted. The log is JSON lines on
    standard error.

    \b
    Examples:
      inksight serve
      inksight serve --model best --model mine=mine.safetensors
      inksight serve --host 0.0.0.0 --token-file token.txt
      curl --data-binary @photo.jpg http://127.0.0.1:8000/read
    """
    try:
        for name in ("httptools", "msgspec", "prometheus_client", "python_multipart", "starlette", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            f"serving needs {error.name}: install it with `pip install 'inksight[serve]'`"
        ) from error
    from inksight.serve.application import Service
    from inksight.serve.guard import log_to_stderr
    from inksight.serve.limits import Limits
    from inksight.serve.models import Models
    from inksight.serve.server import serve as run

    sources: dict[str, str] = {}
    for model in models or ("reader",):
        name, source = _named(model)
        check(name not in sources, "names of models", name, "different ones", "give --model NAME=MODEL")
        sources[name] = source
    token = _token(token_file)
    bounds = Limits(**{name: value for name, value in limits.items() if value is not None})
    service = Service(Models(sources), token, bounds)

    def announce(address: str) -> None:
        log_to_stderr(log_requests)
        click.echo(f"{address} answers until you press Ctrl-C")

    run(service, host, port, started=announce)


def _named(model: str) -> tuple[str, str]:
    """Return the name of a model in requests, and what it is read from."""
    name, equals, source = model.partition("=")
    return (name, source) if equals else (Path(model).stem, model)


def _token(file: str | None) -> str | None:
    """Return the token, which is not an option, because other users see the options of a process."""
    text = os.environ.get(TOKEN)
    if file is not None:
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise unreadable(file, error) from error
    if text is not None:
        good = text.isascii() and text.isprintable() and len(text) >= 16 and " " not in text
        check(good, "the token", f"{len(text)} characters", "16 or more ASCII characters without spaces")
    return text
