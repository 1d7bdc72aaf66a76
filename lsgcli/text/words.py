"""Bytes to words, whatever pieces the bytes come in."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_WORD = 4096  # characters; what is longer is cut, so that memory stays bounded
BLANK = r" \t\r\f\v"
ITEM = re.compile(rf"([{BLANK}]*)(?:(\n)|([^{BLANK}\n]+))")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the blanks before it; none if it continues the word before."""

    text: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Newline:
    """The end of a line, with the blanks before it."""

    before: str = ""


Item: TypeAlias = Word | Newline


class Utf8:
    """Incremental UTF-8: a character may be split between chunks.

    Bytes that are no UTF-8 become U+FFFD and are counted in ``invalid``.
    """

    def __init__(self) -> None:
        """Start, expecting that a byte order mark may come."""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._held = b""
        self.invalid = 0

    def feed(self, data: bytes, final: bool = False) -> str:
        """Decode what is complete."""
        data = self._held + data
        end = len(data) if final else len(data) - _unfinished(data)
        self._held = data[end:]
        text = self._decoder.decode(data[:end], final)
        self.invalid += text.count("\N{REPLACEMENT CHARACTER}") - data[:end].count(b"\xef\xbf\xbd")
        return text


def _unfinished(data: bytes) -> int:
    """How many bytes at the end begin a character that is not complete.

    >>> _unfinished("ü".encode()[:1])
    1
    """
    for length in range(1, min(4, len(data) + 1)):
        byte = data[-length]
        if byte >= 0xC0:
            needs = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return length if length < needs else 0
        if byte < 0x80:
            return 0
    return 0


class WordSplitter:
    """Text to words and line ends. A word ends at a blank, a line end, or when ``flush``ed."""

    def __init__(self) -> None:
        """Start at the beginning of a line."""
        self._held = ""

    def feed(self, text: str) -> Iterator[Item]:
        """Give the items that are complete."""
        text = self._held + text
        end = 0
        for match in ITEM.finditer(text):
            before, newline, word = match.groups()
            if word and match.end() == len(text) and len(word) < LONGEST_WORD:
                break
            end = match.end()
            if newline:
                yield Newline(before)
            else:
                yield from _cut(word, before)
        self._held = text[end:]

    def pending(self) -> bool:
        """Whether a word has begun that is not complete."""
        return bool(self._held.strip())

    def flush(self) -> Iterator[Item]:
        """Take what is held as complete."""
        held, self._held = self._held, ""
        for match in ITEM.finditer(held):
            yield Word(match[3], match[1])


def _cut(word: str, before: str) -> Iterator[Word]:
    for start in range(0, len(word), LONGEST_WORD):
        yield Word(word[start : start + LONGEST_WORD], before if start == 0 else "")
