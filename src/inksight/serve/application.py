"""`Service`: the endpoints of the service, as an ASGI application."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property, partial
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route, Router
from starlette.types import Receive, Scope, Send

from inksight import __version__
from inksight.serve import tensors
from inksight.serve.guard import CONTENT_POLICY, Guard, log
from inksight.serve.limits import Limits
from inksight.serve.metrics import CONTENT_TYPE, Metrics
from inksight.serve.models import Models
from inksight.serve.openapi import document, html
from inksight.serve.refusal import ClientLeft, Refusal, busy
from inksight.serve.workers import Workers

BATCH = 64  # images
Result = TypeVar("Result")


class Service:
    """The service as an ASGI application, for any server of such applications; `serve` runs it on uvicorn.

    Parameters
    ----------
    models : Models
    token : str, optional
        Every request but those for its health must bring this bearer token. Only with a token can models be reloaded
        by a request.
    limits : Limits

    Examples
    --------
    >>> service = Service(Models({"tiny": "tiny"}))
    >>> service.ready
    True
    >>> service.close()
    """

    def __init__(self, models: Models, token: str | None = None, limits: Limits | None = None) -> None:
        self.models, self.limits = models, limits or Limits()
        self.ready = True
        self.metrics = Metrics(models)
        self._inference = Workers("inference", 1, BATCH, self.metrics.observe)
        self._reading = Workers("reading", self.limits.readers, 1, self.metrics.observe)
        self._requests = self._memory = 0  # of the requests that are being answered
        self._may_reload = token is not None
        gets: dict[str, Callable[[Request], Any]] = {
            "/": self._page,
            "/v2": self._server,
            "/v2/health/live": self._live,
            "/v2/health/ready": self._is_ready,
            "/v2/models/{model}": self._model,
            "/v2/models/{model}/ready": self._model_ready,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
            "/docs": self._docs,
        }
        posts: dict[str, Callable[[Request], Any]] = {
            "/read": self._read,
            "/v2/models/{model}/infer": self._infer,
            "/v2/repository/models/{model}/load": self._load,
        }
        routes = [_Endpoint(path, endpoint, methods=["GET"]) for path, endpoint in gets.items()]
        self._posts = [_Endpoint(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()]
        page = _Endpoint("/{file:path}", self._page, methods=["GET"])
        self._app = Guard(Router([*routes, *self._posts, page], redirect_slashes=False), self.metrics, token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    def close(self) -> None:
        """Let the threads end after what they compute."""
        self._inference.close()
        self._reading.close()

    def warm_up(self) -> None:
        """Import in the background what the first picture needs; call it in the event loop."""
        self._reading.submit(_import_reading)

    async def _infer(self, request: Request) -> Response:
        model = self.models[request.path_params["model"]]
        async with self._body(request) as body:
            asked, images = tensors.parse(body, request.headers.get(tensors.HEADER), self.limits)
            names = tensors.outputs_of(asked, model, len(images), self.limits)
            # Each request is computed by itself, so that its answer is the same to the last bit whatever else waits.
            job = self._inference.submit(partial(model.outputs, images, names), len(images))
            outputs = await self._awaited(job, request)
            self.metrics.images.labels(model.name).inc(len(images))
            content, headers = tensors.answer(asked, model, outputs)
            return Response(content, headers=headers)

    async def _read(self, request: Request) -> Response:
        from inksight.serve import pictures

        query = pictures.parse_query(request.query_params.multi_items())
        model = self.models.default if query.model is None else self.models[query.model]
        async with self._body(request) as body:
            upload = await pictures.uploaded(request.headers, body)
            start = time.perf_counter()
            job = self._reading.submit(partial(pictures.read_upload, upload, model, query, self.limits))
            record = await self._awaited(job, request)
            self.metrics.images.labels(model.name).inc()
            milliseconds = round(1000 * (time.perf_counter() - start), 2)
            return _json(record | {"milliseconds": milliseconds, "error": None})

    @asynccontextmanager
    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        """Yield the body of a request that is admitted; its place and memory are kept until it is answered."""
        encoding = request.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise Refusal(415, "unsupported", f"Content-Encoding must be identity, got {encoding[:64]!r}")
        length = request.headers.get("content-length", str(self.limits.body))
        if not (length.isascii() and length.isdigit()):
            raise Refusal(400, "malformed", "Content-Length must be a number of bytes")
        size = int(length[:20])
        if size > self.limits.body:
            await self._received(request, 0)
            raise self._too_large()
        if self._requests >= self.limits.requests or self._memory + size > self.limits.memory:
            raise busy("too many requests are waiting: try again later")
        self._requests += 1
        self._memory += size
        self.metrics.waiting.set(self._requests)
        try:
            yield await self._received(request, self.limits.body)
        finally:
            self._requests -= 1
            self._memory -= size
            self.metrics.waiting.set(self._requests)

    async def _received(self, request: Request, limit: int) -> bytes:
        """Return a body of at most `limit` bytes; read some more of a larger one, as many clients send all first."""
        body, size = bytearray(), 0
        try:
            async with asyncio.timeout(self.limits.sender):
                async for chunk in _chunks(request.receive):
                    size += len(chunk)
                    if size <= limit:
                        body += chunk
                    elif size > 8 * self.limits.body:
                        break
        except TimeoutError:
            if size <= limit:
                message = f"the body must arrive within {self.limits.sender:g} seconds"
                raise Refusal(408, "slow sender", message, {"Connection": "close"}) from None
        if size > limit:
            raise self._too_large()
        return bytes(body)

    def _too_large(self) -> Refusal:
        message = f"the body must have at most {self.limits.body:,} bytes"
        return Refusal(413, "body too large", message, {"Connection": "close"})

    async def _awaited(self, job: "asyncio.Future[Result]", request: Request) -> Result:
        """Return the result of a job, which is not run if the client leaves or the deadline passes before its turn."""
        left = asyncio.ensure_future(_disconnected(request.receive))
        try:
            waiting: set[asyncio.Future[Any]] = {job, left}
            await asyncio.wait(waiting, timeout=self.limits.deadline, return_when=asyncio.FIRST_COMPLETED)
            if job.done():
                return job.result()
            if left.done():
                raise ClientLeft
            message = f"no answer within {self.limits.deadline:g} seconds: send less, or try again later"
            raise Refusal(504, "deadline", message)
        finally:
            job.cancel()
            left.cancel()

    async def _load(self, request: Request) -> Response:
        if not self._may_reload:
            raise Refusal(403, "forbidden", "models can be reloaded only by a service with a token; or send it SIGHUP")
        return _json(await self.reload(request.path_params["model"]))

    async def reload(self, name: str) -> dict[str, str]:
        """Read the file of a model again, beside the requests, and return its name and version."""
        served = await asyncio.to_thread(self.models.reload, name)
        details = {"model_name": served.name, "model_version": served.version}
        log.warning("model reloaded", extra={"details": details})
        return details

    async def _server(self, request: Request) -> Response:
        return _json({"name": "inksight", "version": __version__, "extensions": ["binary_tensor_data"]})

    async def _live(self, request: Request) -> Response:
        return _json({"live": True})

    async def _is_ready(self, request: Request) -> Response:
        return _json({"ready": self.ready}, 200 if self.ready else 503)

    async def _model(self, request: Request) -> Response:
        return _json(tensors.describe(self.models[request.path_params["model"]]))

    async def _model_ready(self, request: Request) -> Response:
        name = self.models[request.path_params["model"]].name
        return _json({"name": name, "ready": self.ready}, 200 if self.ready else 503)

    async def _metrics(self, request: Request) -> Response:
        return Response(self.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _openapi(self, request: Request) -> Response:
        return Response(self._document, headers={"Content-Type": "application/json"})

    async def _docs(self, request: Request) -> Response:
        return Response(html(msgspec.json.decode(self._document)), headers={"Content-Type": "text/html; charset=utf-8"})

    @cached_property
    def _document(self) -> bytes:
        return msgspec.json.encode(document(self.limits, [model.name for model in self.models]))

    async def _page(self, request: Request) -> Response:
        from inksight.web.server import TYPES

        name = request.path_params.get("file") or "index.html"
        if any(route.matches(request.scope)[0] is Match.PARTIAL for route in self._posts):
            raise Refusal(405, "method not allowed", "method must be POST", {"Allow": "POST"})
        files = await asyncio.to_thread(lambda: self._files)
        if name not in files:
            raise Refusal(404, "not found", "not found: see /docs for what there is")
        headers = {"Content-Type": TYPES[name.rsplit(".", 1)[1]], CONTENT_POLICY.decode(): "1"}
        return Response(files[name], headers=headers)

    @cached_property
    def _files(self) -> dict[str, bytes]:
        """The page of the first model, made when it is first asked for."""
        from inksight.nn.ensemble_file import first_model
        from inksight.web.site import site_files

        return site_files(first_model(self.models.default.classifier))


class _Endpoint(Route):
    """A route that tells the guard which one was taken; only later versions of Starlette do."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        await super().handle(scope, receive, send)


def _import_reading() -> None:
    import inksight.serve.pictures  # noqa: F401


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the parts of a body."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _disconnected(receive: Receive) -> None:
    """Return when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, {"Content-Type": "application/json"})
