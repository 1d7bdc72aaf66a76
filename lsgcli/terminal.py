"""The streams and colours of the process."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from lsgcli.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console


def setup() -> None:
    """UTF-8 whatever the locale; closed streams are open, but of no use; notes go to stderr.

    What standard error does not take is lost, but not the work: a full disk there is no failure.
    """
    _occupy()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    told = io.BufferedWriter(_Forgiving(2, "w", closefd=False))
    sys.stderr = io.TextIOWrapper(told, "utf-8", "replace", line_buffering=True)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_Lines())


class _Forgiving(io.FileIO):
    """A file to which writing never fails."""

    def write(self, data: Any, /) -> int:
        with suppress(OSError):
            return super().write(data)
        return len(data)


def _occupy() -> None:
    """Keep files from being opened in the place of a closed standard stream, and written to.

    Standard input and output still fail if they are used, standard error is silent.
    """
    for descriptor, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # takes the lowest free number
    sys.stdout = sys.stdout or os.fdopen(1, "w")


def is_terminal(descriptor: int) -> bool:
    """Whether a descriptor is a terminal; one that is closed is none."""
    return os.isatty(descriptor)


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
        return Console(
            stderr=True,
            force_terminal=True,
            no_color=False,
            color_system="standard",
            highlight=False,
        )
    return Console(stderr=True, force_terminal=False, color_system=None, highlight=False)


@contextmanager
def transfer(
    label: str, choice: str = "auto", *, show: bool
) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many bytes have come, and of how many.

    Shown as a bar on standard error, if that is a terminal.
    """
    if not show or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console(choice), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines(logging.Handler):
    """Notes and warnings as lines on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        kind = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        _say(f"lsg: {kind}{record.getMessage()}")


def be_quiet() -> None:
    """Print errors, and nothing else."""
    logger.setLevel(logging.ERROR)


def is_quiet() -> bool:
    """Whether only errors are wanted."""
    return logger.level >= logging.ERROR


def error(message: str) -> None:
    """Print the one line of an error."""
    _say(f"lsg: error: {message}")


def end_line() -> None:
    """End the line that the ``^C`` of an interrupt is on, if there is a terminal to show it."""
    if sys.stderr.isatty():
        _say("")


def _say(line: str) -> None:
    with suppress(OSError):  # nobody may be listening; the exit code still tells
        print(" ".join(line.splitlines()), file=sys.stderr, flush=True)
