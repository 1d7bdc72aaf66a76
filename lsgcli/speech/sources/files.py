"""A path or a descriptor, opened, and what to call it in messages."""

from __future__ import annotations

import os
from io import FileIO
from typing import TYPE_CHECKING

from lsgcli.errors import InputError

if TYPE_CHECKING:
    from os import PathLike

    Source = str | PathLike[str] | int


def title(source: Source) -> str:
    """Return the name of a source for messages, valid as UTF-8 in any locale."""
    if source == 0:
        return "standard input"
    if isinstance(source, int):
        return f"descriptor {source}"
    return os.fsencode(source).decode("utf-8", "replace")


def unbuffered(source: Source) -> FileIO:
    """Open for reading without a buffer; a descriptor that was passed in is not closed.

    Raises InputError if it cannot be opened.
    """
    try:
        return FileIO(source, closefd=not isinstance(source, int))
    except OSError as error:
        raise InputError(f"{title(source)}: {error.strerror}") from error
