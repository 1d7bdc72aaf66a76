"""Files of logs: lines read one at a time, files written whole or not at all."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lsgcli.errors import InputError, OutputError, UsageError


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read the lines that are not blank, with their numbers from 1.

    Raises:
        UsageError: if the file cannot be opened.

    """
    try:
        handle = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a log or its directory") from error
    with handle:
        for number, line in enumerate(handle, 1):
            if not line.isspace():
                yield number, line


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Read all lines as UTF-8 text without their ends, with their numbers from 1.

    Raises:
        InputError: if a line is not UTF-8.
        UsageError: if the file cannot be opened.

    """
    try:
        handle = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a text file") from error
    with handle:
        for number, line in enumerate(handle, 1):
            try:
                yield number, line.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InputError(f"{path}:{number}: not UTF-8; convert it with iconv") from error


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a temporary file beside ``path``, then put it in its place.

    Nothing is left behind, and an older file stays, if a line cannot be made or written.

    Raises:
        OutputError: if the file cannot be written.

    """
    try:
        _replace(path, lines)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{path}: cannot be written: {reason}; choose another place") from error


def _replace(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as handle:
            handle.writelines(f"{line}\n" for line in lines)
            handle.flush()
            os.fsync(handle.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def to_json(record: Mapping[str, Any]) -> str:
    """Write one line of JSON in ASCII, as Python tools do, leaving out what is None."""
    present = {key: value for key, value in record.items() if value is not None}
    return json.dumps(present, allow_nan=False)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
