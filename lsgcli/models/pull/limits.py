"""How long the Hub is waited for, and how much it may say: ends to what would have none."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsgcli.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from lsgcli.errors import LsgError

LARGEST_ANSWER = 32 << 20  # bytes of what the Hub tells of a repository
MOST_FILES = 200  # of a model
ANSWER = 60.0  # seconds until an answer must have begun; of what is told of a repository, ended
RETRY_AFTER = 60.0  # seconds that the Hub may ask to be waited
TEST_SET = 600.0  # seconds for the download of a test set
SLOWEST, PATIENCE = 1024, 60.0  # bytes a second at least, over so many seconds


class _TooLate(BaseException):
    """The time is over; not an ``Exception``, which a library may take for one of its own."""


@contextmanager
def deadline(seconds: float, error: LsgError) -> Iterator[None]:
    """Raise the error if the block takes longer, whatever it waits for.

    Only in the main thread, where a signal can end a wait; elsewhere the time-outs of single reads
    are all there is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise _TooLate

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _TooLate:
        raise error from None
    finally:
        signal.signal(signal.SIGALRM, before)


@dataclass
class Pace:
    """Watches how fast bytes come."""

    what: str
    clock: Callable[[], float] = time.monotonic
    _since: float = 0.0
    _bytes: int = field(default=-1)

    def __call__(self, count: int) -> None:
        """Note that so many bytes have come. Raises HubError if they come too slowly."""
        now = self.clock()
        if self._bytes < 0:
            self._since, self._bytes = now, 0
        self._bytes += count
        passed = now - self._since
        if passed >= PATIENCE:
            if self._bytes < SLOWEST * passed:
                raise HubError(
                    f"{self.what} comes with less than {SLOWEST} bytes a second for "
                    f"{PATIENCE:.0f} s; try again later, it goes on where it ended"
                )
            self._since, self._bytes = now, 0
