"""`CtrlC`: Ctrl-C as a request to stop at the next safe point."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class CtrlC:
    """A context in which the first Ctrl-C only sets `pressed`; the second one raises `KeyboardInterrupt`.

    A request belongs to all contexts it is made in: an inner one starts with that of the outer one, and hands its own
    on. Outside the main thread a context has no effect, because Python delivers signals to the main thread only.
    """

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> Self:
        self.previous_handler = None
        if threading.current_thread() is threading.main_thread():
            self.previous_handler = signal.signal(signal.SIGINT, self._handle)
        self.outer = getattr(self.previous_handler, "__self__", None)
        if isinstance(self.outer, CtrlC):
            self.pressed = self.outer.pressed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.previous_handler is not None:
            signal.signal(signal.SIGINT, self.previous_handler)
        if isinstance(self.outer, CtrlC):
            self.outer.pressed |= self.pressed

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
