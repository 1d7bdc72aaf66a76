"""Files written whole or not at all: after a crash there is the old one or the new one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from lsgcli.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes the place of ``path`` when the block ends.

    Its bytes and its name are on the disk then (fsync of the file and of its directory). If the
    block fails nothing is left of it, and what was at ``path`` stays as it was. A link at ``path``
    is replaced, not followed. A process that is killed leaves at most a file whose name begins
    with a dot.

    Raises:
        OutputError: if the file cannot be written.

    """
    partial = path.with_name(f".{secrets.token_hex(6)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise refused(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            _keep_mode(path, descriptor)
            os.fsync(descriptor)
        os.replace(partial, path)
        sync_directory(path.parent)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(partial)
        if isinstance(error, OSError) and error.filename in (None, str(partial)):
            raise refused(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all; see ``replacing``. Raises OutputError."""
    with replacing(path) as file:
        file.write(text.encode())


def sync_directory(directory: Path) -> None:
    """Have the names in a directory on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Have the files of a directory on the disk, and their names. Raises OSError."""
    for file in directory.iterdir():
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
    sync_directory(directory)


def _keep_mode(path: Path, descriptor: int) -> None:
    """Have the permissions of the file that is replaced, if there is one."""
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            os.fchmod(descriptor, stat.S_IMODE(mode))


def refused(path: Path, error: OSError) -> OutputError:
    """What to tell of a file that does not take what is written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "make room, then run it again" if full else "choose another place"
    return OutputError(f"{path}: cannot be written: {error.strerror or error}; {remedy}")
