"""The streams, colours and signals of the process."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from rich.console import Console


class TerminatedError(BaseException):
    """SIGTERM: finish cleanly, now."""


def setup() -> None:
    """UTF-8 on standard error whatever the locale; SIGTERM as an exception, as SIGINT is."""
    if hasattr(sys.stderr, "reconfigure"):
        sys.stderr.reconfigure(encoding="utf-8", errors="replace")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise TerminatedError


def coloured(choice: str, stream: IO[str]) -> bool:
    """``--color`` beats NO_COLOR, which beats whether ``stream`` is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def console(choice: str) -> Console:
    """A Rich console on standard error, without escapes where colour is not wanted."""
    from rich.console import Console

    if coloured(choice, sys.stderr):
        return Console(stderr=True, force_terminal=True, no_color=False, highlight=False)
    return Console(stderr=True, force_terminal=False, color_system=None, highlight=False)


def error(message: str) -> None:
    """Print the one line of an error."""
    _say(f"lsg: error: {message}")


def warning(message: str) -> None:
    """Print the one line of a warning."""
    _say(f"lsg: warning: {message}")


def note(message: str) -> None:
    """Print a remark."""
    _say(f"lsg: {message}")


def _say(line: str) -> None:
    with suppress(OSError):  # nobody may be listening; the exit code still tells
        print(line, file=sys.stderr, flush=True)
