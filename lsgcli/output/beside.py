"""Files that are written beside standard output: statistics, recordings. Never the input."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from lsgcli.atomic import refused
from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

STANDARD = (1, 2)  # may be named as a file too: /dev/stdout


class SideFile:
    """A file that takes bytes, each write at once and whole.

    It is truncated when it is opened, after a check that it is none of the inputs.
    """

    def __init__(self, path: Path, option: str, inputs: Iterable[int | Path]) -> None:
        """Open it. ``inputs`` are descriptors and files that are read, or written already.

        Raises UsageError if it is one of them, OutputError if it cannot be opened.
        """
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise refused(self._path, error) from error
        try:
            if any(is_same(self._descriptor, each) for each in inputs):
                raise UsageError(
                    f"{option} {path}: that is the input, or another output; name another file"
                )
            self._begin()
        except BaseException as error:
            os.close(self._descriptor)
            if isinstance(error, OSError):
                raise refused(path, error) from error
            raise

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._descriptor

    def write(self, data: bytes, /) -> None:
        """Write all of it. Raises OutputError."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise refused(self._path, error) from error

    def __enter__(self) -> SideFile:
        """Return the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it. Raises OutputError."""
        try:
            os.close(self._descriptor)
        except OSError as failed:
            raise refused(self._path, failed) from failed

    def _begin(self) -> None:
        """Truncate it, unless it is standard output or standard error by another name."""
        for standard in STANDARD:
            if is_same(self._descriptor, standard):
                os.dup2(standard, self._descriptor, inheritable=False)
                return
        if stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            os.ftruncate(self._descriptor, 0)


def is_same(one: int | Path, other: int | Path) -> bool:
    """Whether what is written to one is read from the other: the same device and inode.

    A terminal or ``/dev/null`` is never its own input; nor is a file that cannot be examined.
    """
    with suppress(OSError):
        a, b = os.stat(one), os.stat(other)
        return os.path.samestat(a, b) and not stat.S_ISCHR(a.st_mode)
    return False


def check_output(inputs: Iterable[int | Path]) -> None:
    """Raise UsageError if standard output is a file that is read: it would never end."""
    with suppress(OSError):
        if stat.S_ISREG(os.fstat(1).st_mode) and any(is_same(1, each) for each in inputs):
            raise UsageError("standard output is the input too; write to another file")
