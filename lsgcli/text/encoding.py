"""Encodings of the input: others are converted to UTF-8 as they are read."""

from __future__ import annotations

import codecs
from itertools import chain
from typing import TYPE_CHECKING

from lsgcli.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UTF_8 = "utf-8"
INVALID = "\udcff"  # a byte that is invalid in UTF-8, for what is invalid in another encoding
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # which begins with that of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ENOUGH = 16  # bytes from which the encoding is detected without a byte order mark
SHARE = 0.9  # of the characters of a text, that are ASCII and have a zero byte


def check(name: str) -> None:
    """Check the name of an encoding. Raises UsageError."""
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise UsageError(
            f"--encoding {name!r}: no text encoding of Python's; there are utf-8, utf-16, latin-1, "
            "cp1252, shift-jis, ..."
        ) from None


def is_utf8(name: str) -> bool:
    """Return whether the name is one of UTF-8's."""
    return codecs.lookup(name).name == UTF_8


def transcoded(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """Convert text to UTF-8; what is invalid in its encoding stays invalid.

    Raises InputError if it lacks the byte order mark that its encoding needs.
    """
    codecs.register_error(__name__, lambda error: (INVALID, error.end))  # type: ignore[attr-defined]
    decoder = codecs.getincrementaldecoder(name)(__name__)
    for data in chain(pieces, [None]):
        try:
            text = decoder.decode(data or b"", final=data is None)
        except UnicodeError as error:
            raise InputError(
                f"the input is not {name.upper()}: it has no byte order mark; say which with "
                f"--encoding {name}-le or {name}-be"
            ) from error
        if text:
            yield text.encode(UTF_8, "surrogateescape")


def wide(data: bytes) -> str:
    """Detect UTF-16 and UTF-32 by the first bytes of a text; empty if it is neither.

    >>> wide("Hello".encode("utf-16")), wide("Good morning!".encode("utf-16-be")), wide(b"Hello")
    ('utf-16', 'utf-16-be', '')
    """
    for mark, name in MARKS.items():
        if data.startswith(mark):
            return name
    if len(data) < ENOUGH:
        return ""
    for name, zeros in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        others = data.count(0) - zeros.count(0)
        if zeros.count(0) > SHARE * len(zeros) and not others:
            return name
    return ""
