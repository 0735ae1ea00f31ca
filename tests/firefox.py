"""An installed Firefox, driven by its own protocol, Marionette: other drivers need a Firefox of their own."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

FIREFOX = shutil.which("firefox") or shutil.which("firefox-esr")
PATIENCE = 60  # seconds for the start, and for each condition


class Firefox:
    """A session with a Firefox that listens on a port. The commands are those of WebDriver.

    Each message is a JSON list of its kind, a number, an error or a command, and values, after its length and a colon.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.stream = self.socket.makefile("rb")
        self.count = 0
        self.read()
        self.call("NewSession")

    def close(self) -> None:
        self.stream.close()
        self.socket.close()

    def read(self) -> Any:
        length = b""
        while (letter := self.stream.read(1)) != b":":
            assert letter, "Firefox has ended"
            length += letter
        return json.loads(self.stream.read(int(length)))

    def call(self, name: str, **values: Any) -> Any:
        """Give a command and return its result."""
        self.count += 1
        message = json.dumps([0, self.count, f"WebDriver:{name}", values]).encode()
        self.socket.sendall(f"{len(message)}:".encode() + message)
        _, _, error, result = self.read()
        assert error is None, error
        return result

    def open(self, address: str) -> None:
        self.call("Navigate", url=address)

    def run(self, script: str, *values: Any) -> Any:
        """Run the body of a function in the page and return what it returns."""
        return self.call("ExecuteScript", script=script, args=values)["value"]

    def wait_for(self, expression: str) -> None:
        """Wait until an expression is true in the page."""
        until = time.monotonic() + PATIENCE
        while not self.run(f"return Boolean({expression})"):
            assert time.monotonic() < until, f"{expression} has not become true"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        self.run("document.querySelector(arguments[0]).click()", selector)

    def drag(self, points: list[tuple[float, float]]) -> None:
        """Press the mouse at the first point, in pixels of the window, move it over the others and release it."""
        moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 50} for x, y in points]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        self.call("PerformActions", actions=[{"type": "pointer", "id": "mouse", "actions": actions}])


@contextmanager
def launched(profile: Path) -> Iterator[Firefox]:
    """Start Firefox without a window and with a new profile, and end it afterwards."""
    assert FIREFOX is not None
    (profile / "user.js").write_text('user_pref("marionette.port", 0);\n')  # a free one
    command = [FIREFOX, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    environment = os.environ | {"HOME": str(profile)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with closing(Firefox(_port(profile / "MarionetteActivePort"))) as firefox:
                yield firefox
        finally:
            process.kill()


def _port(file: Path) -> int:
    """Wait for the port that Firefox writes down."""
    until = time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < until, "Firefox has not started"
        time.sleep(0.05)
    return int(file.read_text())
