"""A file descriptor that takes text."""

from __future__ import annotations

import errno
import os
import select
from dataclasses import dataclass, field

from lsgcli.errors import OutputError


class ClosedOutputError(Exception):
    """The reader of standard output has closed it: a reason to stop, not an error."""


@dataclass
class Output:
    """A file descriptor for UTF-8 text; each flush writes all of it."""

    descriptor: int = 1
    _buffer: bytearray = field(default_factory=bytearray)

    def write(self, text: str) -> None:
        """Add to what the next ``flush`` writes."""
        self._buffer += text.encode("utf-8", "replace")

    def flush(self) -> None:
        """Write it. Raises ClosedOutputError, or OutputError if it cannot be written.

        Waits in ``select``, not in ``write``: after a signal there a part could be written twice.
        """
        while self._buffer:
            try:
                select.select([], [self.descriptor], [])
                del self._buffer[: os.write(self.descriptor, self._buffer[: select.PIPE_BUF])]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise ClosedOutputError from None
            except OSError as error:
                reason = errno.errorcode.get(error.errno or 0, "") + ": " + str(error.strerror)
                raise OutputError(f"cannot write to standard output: {reason}") from error
