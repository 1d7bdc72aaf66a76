"""How the process ends when it is told to: at once while it starts, in order while it works.

SIGINT and SIGTERM raise where work has begun that is to be finished: lines, statistics, partial
files. Whatever happens then, and even if nothing does, since a library computes or a reader does
not read, the process is gone ``GRACE`` seconds later, with the same exit code. So it is at the
second signal.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

GRACE = 1.5  # seconds
ENDING = (signal.SIGINT, signal.SIGTERM)


class TerminatedError(BaseException):
    """SIGTERM: finish cleanly, now."""


class _State:
    """What a handler must know."""

    working = False
    received = 0  # the signal that ends the process
    first: Callable[[], None] | None = None  # what the next SIGINT does instead
    spent = 0  # SIGINTs that have done that


_state = _State()


def catch() -> None:
    """Take the signals, as the first thing of all. One that is ignored, as by nohup, stays so."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)


def watch() -> None:
    """Have a thread see to it that a signal is the end. Standard streams must be open by now."""
    from threading import Thread

    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    Thread(target=_watch, args=(read,), daemon=True).start()
    sys.unraisablehook = _unraisable


def work() -> None:
    """From here on a signal raises KeyboardInterrupt or TerminatedError."""
    _state.working = True


def received() -> int:
    """The exit code by which to tell of the signal that has come; 0 if none has."""
    return 128 + _state.received if _state.received else 0


@contextmanager
def first(then: Callable[[], None]) -> Iterator[None]:
    """Make the first SIGINT call something; the second one interrupts."""
    _state.first = then
    try:
        yield
    finally:
        _state.first = None


def _handle(number: int, frame: FrameType | None) -> None:
    then = _state.first
    if number == signal.SIGINT and then:
        _state.spent += 1
        _state.first = None
        then()
        return
    again, _state.received = _state.received, number
    if again or not _state.working:
        if number == signal.SIGINT and os.isatty(2):
            os.write(2, b"\n")  # the line that the ^C is on
        os._exit(128 + number)
    raise KeyboardInterrupt if number == signal.SIGINT else TerminatedError


def _watch(read: int) -> None:
    """Wait for a signal, which comes even while no Python runs in the main thread, and then end."""
    import time

    interrupts = 0
    while True:
        for number in os.read(read, 64):
            interrupts += number == signal.SIGINT
            spared = interrupts <= _state.spent + bool(_state.first)
            if number == signal.SIGTERM or (number == signal.SIGINT and not spared):
                time.sleep(GRACE)
                os._exit(128 + number)


def _unraisable(hook: sys.UnraisableHookArgs) -> None:
    """Say nothing of a signal that was raised where it could not be; the watch ends the process."""
    if not issubclass(hook.exc_type, KeyboardInterrupt | TerminatedError):
        sys.__unraisablehook__(hook)
