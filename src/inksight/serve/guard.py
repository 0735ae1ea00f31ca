"""`Guard`: what every request passes: its id, the token, security headers, one form of errors, a line in the log."""

import hmac
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inksight.serve.metrics import Metrics
from inksight.serve.refusal import ClientLeft, Refusal, refusal_of

OPEN = ("/v2/health/live", "/v2/health/ready")  # to those that watch the service, without a token
SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
NO_CONTENT_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
CONTENT_POLICY = b"x-inksight-own-policy"  # marks an answer, such as the page, that brings its own policy

log = logging.getLogger("inksight.serve")


class Guard:
    """An application around another one, which raises `Refusal` where it refuses a request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, token: str | None) -> None:
        self.app, self.metrics = app, metrics
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        start, headers = time.perf_counter(), Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", given) else secrets.token_hex(8)
        scope["app"] = self  # the router then raises what is wrong with a path or a method
        status, reason, failure = 0, "", None

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _guarded(message.get("headers", ()), request_id)
            await send(message)

        try:
            self._check_token(scope["path"], headers)
            await self.app(scope, receive, send_guarded)
        except ClientLeft:
            reason = "client left"
        except Exception as error:
            refusal = refusal_of(error)
            reason, failure = refusal.reason, error if refusal.status == 500 else None
            if not status:
                await _send_error(refusal, send_guarded)
        if reason:
            self.metrics.refusals.labels(reason).inc()
        outcome = reason or "answered"
        endpoint = getattr(scope.get("route"), "path", "none")
        self.metrics.requests.labels(endpoint, outcome).inc()
        if failure is not None or log.isEnabledFor(logging.INFO):
            details = {
                "request_id": request_id, "method": scope["method"], "path": scope["path"][:200], "status": status,
                "outcome": outcome, "milliseconds": round(1000 * (time.perf_counter() - start), 2),
            }  # fmt: skip
            level = logging.ERROR if failure is not None else logging.INFO
            log.log(level, "request", extra={"details": details}, exc_info=failure)

    def _check_token(self, path: str, headers: Headers) -> None:
        if self._token is None or path in OPEN:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        equal = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        if scheme.lower() != "bearer" or not equal:
            raise Refusal(
                401, "unauthorized", "the header Authorization must be 'Bearer ' and the token of the service",
                {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip


def _guarded(headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    own = [(name, value) for name, value in headers if name != CONTENT_POLICY]
    policy = [NO_CONTENT_POLICY] if len(own) == len(headers) else []
    return [*own, *SECURITY, *policy, (b"x-request-id", request_id.encode())]


async def _send_error(refusal: Refusal, send: Send) -> None:
    body = msgspec.json.encode({"error": refusal.message})
    given = [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *given]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class JsonLines(logging.Formatter):
    """Log records as JSON, one a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "details", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def log_to_stderr(requests: bool) -> None:
    """Write the log of this process to standard error: warnings, and all requests if `requests`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("inksight.serve", logging.INFO if requests else logging.WARNING), ("uvicorn", logging.ERROR)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
