"""`serve`: the service on uvicorn, which loads models again on SIGHUP and ends in order on SIGTERM."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from inksight._shared.validation import check, is_count
from inksight.errors import InksightError, InputError
from inksight.serve.application import Service
from inksight.serve.guard import log
from inksight.serve.refusal import one_line

MAX_HEAD = 1 << 16  # bytes before a request's body
LAST_SECONDS = 2.0  # for the answers after the deadline of the last request


class Server(uvicorn.Server):
    """A server of one service.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        limits = service.limits
        config = uvicorn.Config(
            service, http=_protocol(limits.sender), ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, timeout_keep_alive=30,
            timeout_graceful_shutdown=max(int(limits.deadline + LAST_SECONDS), 1),
        )  # fmt: skip
        super().__init__(config)
        self.service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then import what reading needs."""
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.service.warm_up()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while the block runs, if this is the main thread, to which they go."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers: dict[int, Callable[[int, FrameType | None], Any]] = {
            signal.SIGINT: self._drain, signal.SIGTERM: self._drain
        }  # fmt: skip
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = self._reload
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _drain(self, number: int, frame: FrameType | None) -> None:
        """Say that the service is not ready, and stop a little later; at once if asked again."""
        if not self.started or not self.service.ready:
            self.should_exit = True
            return
        self.service.ready = False
        self.loop.call_soon_threadsafe(self.loop.call_later, self.service.limits.drain, self._stop)

    def _stop(self) -> None:
        self.should_exit = True

    def _reload(self, number: int, frame: FrameType | None) -> None:
        if self.started:
            self.loop.call_soon_threadsafe(lambda: self.loop.create_task(self._reload_all()))

    async def _reload_all(self) -> None:
        for model in list(self.service.models):
            try:
                await self.service.reload(model.name)
            except InksightError as error:
                details = {"model_name": model.name, "error": one_line(error)}
                log.error("model not reloaded: it stays as it was", extra={"details": details})


def serve(
    service: Service, host: str = "127.0.0.1", port: int = 0, *, started: Callable[[str], Any] | None = None
) -> None:
    """Answer requests until SIGTERM or Ctrl-C.

    Parameters
    ----------
    service : Service
    host : str
        The address to listen on: by default only this machine can reach it.
    port : int
        0 to 65535; 0 takes a free one.
    started : callable, optional
        Is called with the address of the service, before the first request.

    Raises
    ------
    InputError
        If the address or the port is taken, or may not be used.
    """
    opened = listening(host, port)
    if started is not None:
        started(address_of(opened))
    try:
        Server(service).run([opened])
    finally:
        opened.close()
        service.close()


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; see `serve`."""
    check(is_count(port, 0) and port <= 65535, "port", port, "0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, protocol)  # with the protocol TCP, for which asyncio sets TCP_NODELAY
        try:
            if os.name == "posix":
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(2048)
        except BaseException:
            opened.close()
            raise
        return opened
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot serve on {host}, port {port}: {reason}; give another --host or --port") from error


def address_of(opened: socket.socket) -> str:
    """Return the address of a listening socket, such as ``http://127.0.0.1:8000/``."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _protocol(seconds: float) -> type[HttpToolsProtocol]:
    """Return uvicorn's protocol, which by itself waits for the head of a request for ever, with bounds."""

    class Bounded(HttpToolsProtocol):
        _timer: asyncio.TimerHandle | None = None
        _head = 0  # bytes of the head that is being received

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait(seconds)

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait(None)
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            self._head += len(data)
            super().data_received(data)
            if self._head > MAX_HEAD:
                self.transport.abort()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._wait(seconds)

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._head = -(1 << 62)  # until the next message
            self._wait(seconds + 2)  # the service itself cuts off a slow body a little earlier, with an answer

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._head = 0
            self._wait(None)

        def timeout_keep_alive_handler(self) -> None:
            if not self.transport.is_closing() and self.transport.get_write_buffer_size():
                self.transport.abort()  # closing would wait for a client that does not read
            super().timeout_keep_alive_handler()

        def _wait(self, limit: float | None) -> None:
            """Cut the connection after some seconds, unless this is called again before."""
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None if limit is None else self.loop.call_later(limit, self.transport.abort)

    return Bounded


@contextmanager
def serving(service: Service, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Answer requests in a thread while the block runs; yield the address of the service."""
    opened = listening(host, port)
    server = Server(service)
    thread = threading.Thread(target=server.run, args=([opened],), daemon=True)
    thread.start()
    try:
        yield address_of(opened)
    finally:
        server.should_exit = True
        thread.join()
        service.close()
        with suppress(OSError):
            opened.close()
