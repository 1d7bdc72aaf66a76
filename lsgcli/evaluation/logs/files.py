"""Files of logs: lines read one at a time, files written whole or not at all."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from lsgcli.atomic import replacing
from lsgcli.errors import InputError, UsageError

LONGEST = 64 << 20  # bytes of a line


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
        for number, line in _lines(path, handle):
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
        for number, line in _lines(path, handle):
            try:
                yield number, line.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InputError(f"{path}:{number}: not UTF-8; convert it with iconv") from error


def _lines(path: Path, handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines. Raises InputError for one that would fill the memory."""
    for number, line in enumerate(iter(lambda: handle.readline(LONGEST + 1), b""), 1):
        if len(line) > LONGEST:
            raise InputError(f"{path}:{number}: a line of more than {LONGEST >> 20} MB")
        yield number, line


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines, whole or not at all; see ``lsgcli.atomic``.

    Raises:
        OutputError: if the file cannot be written.

    """
    with replacing(path) as file:
        file.writelines(f"{line}\n".encode() for line in lines)


def line_sum(*parts: bytes) -> str:
    """A short checksum, in hexadecimal: against damage, not against forgery."""
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def to_json(record: Mapping[str, Any]) -> str:
    """Write one line of JSON in ASCII, as Python tools do, leaving out what is None."""
    present = {key: value for key, value in record.items() if value is not None}
    return json.dumps(present, allow_nan=False)
