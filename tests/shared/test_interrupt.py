"""The first Ctrl-C is a request, the second one interrupts."""

import signal
import threading

import pytest

from inksight._shared.interrupt import CtrlC


def test_the_first_ctrl_c_is_a_request_and_the_second_interrupts(ctrl_c):
    previous = signal.getsignal(signal.SIGINT)
    with CtrlC() as request:
        before = request.pressed
        signal.raise_signal(signal.SIGINT)
        assert not before
        assert request.pressed
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is previous


def test_a_request_belongs_to_the_contexts_around_it(ctrl_c):
    with CtrlC() as outer:
        with CtrlC() as inner:
            signal.raise_signal(signal.SIGINT)
        assert (inner.pressed, outer.pressed) == (True, True)
        with CtrlC() as next_inner:
            assert next_inner.pressed
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with CtrlC() as other:
        assert not other.pressed


def test_other_threads_are_not_affected():
    seen = []

    def work():
        with CtrlC() as ctrl_c:
            seen.append(ctrl_c.pressed)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
