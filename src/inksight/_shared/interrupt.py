"""Ctrl-C as a request: work ends at its next safe place instead of anywhere."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class CtrlC:
    """While this context lasts, the first Ctrl-C only sets `pressed`; a second one interrupts at once.

    Outside the main thread, where Python hands out no signals, nothing changes.
    """

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> Self:
        self.before = None
        if threading.current_thread() is threading.main_thread():
            self.before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _press(self, number: int, frame: FrameType | None) -> None:
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True
