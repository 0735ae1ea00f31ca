"""`serve`: the page on this machine, from memory."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from inksight._shared.validation import check, is_count
from inksight.errors import InputError
from inksight.nn.model_file import ModelLike
from inksight.web.site import site_files

HOST = "127.0.0.1"  # other machines cannot reach it
TYPES = {
    "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
    "json": "application/json", "wasm": "application/wasm", "safetensors": "application/octet-stream",
    "bin": "application/octet-stream",
}  # fmt: skip


@contextmanager
def serve(model: ModelLike = "post", *, port: int = 0) -> Iterator[str]:
    """Serve the page on 127.0.0.1 while the block runs.

    Parameters
    ----------
    model : Model, str or path-like
        A model, or what `inksight.load_model` reads.
    port : int
        0 to 65535; 0 takes a free one.

    Yields
    ------
    str
        The page's address.

    Raises
    ------
    InputError
        If the port is taken or may not be used, or the model does not exist.

    Examples
    --------
    >>> from urllib.request import urlopen
    >>> with serve("tiny") as address, urlopen(address) as answer:
    ...     answer.status
    200
    """
    check(is_count(port, 0) and port <= 65535, "port", port, "0 to 65535")
    files = site_files(model)
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(files))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot serve on port {port}: {reason}; give another port, or 0 for a free one") from error
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(files: dict[str, bytes]) -> type[BaseHTTPRequestHandler]:
    """Return a handler that answers with the files, and with nothing else of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):  # a browser leaves when its page is closed
                super().handle()

        def finish(self) -> None:
            with suppress(ConnectionError):
                super().finish()

        def do_GET(self) -> None:
            name = self.path.split("?")[0].lstrip("/") or "index.html"
            content = files.get(name)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", TYPES[name.rsplit(".", 1)[1]])
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")  # the next server on this port may have another model
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *values: object) -> None:
            pass

    return Handler
