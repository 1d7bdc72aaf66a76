"""Bytes to words, whatever pieces the bytes come in."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4096  # characters; what is longer, word or blanks, is cut: memory stays bounded
LONGEST_PROSE = 100  # characters; a longer word is data, whatever it looks like
BLANK = r" \t\r\f\v"
ESCAPE = "\x1b"  # begins what a terminal obeys: colours, links
SEQUENCE = (  # of which the end may be missing
    rf"{ESCAPE}(?:\[[0-?]{{0,64}}[ -/]{{0,64}}[@-~]?|\][^\a{ESCAPE}\n]{{0,{LONGEST - 3}}}\a?"
    + r"|[ -/]{0,64}[0-Z\\^-~]?)"
)
ITEM = re.compile(
    rf"([{BLANK}]{{0,{LONGEST - 1}}})(?:(\n)|({SEQUENCE}|[^{BLANK}\n{ESCAPE}]{{1,{LONGEST}}}))"
    rf"|([{BLANK}]{{{LONGEST}}})"
)
CHARACTER = re.compile(ITEM.pattern.replace(f"{{1,{LONGEST}}}", ""))


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the blanks before it; what begins with ESCAPE is for the terminal."""

    text: str
    before: str = ""
    continues: bool = False  # the word before, of which it is a part


@dataclass(frozen=True, slots=True)
class Newline:
    """The end of a line, with the blanks before it."""

    before: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """The language of the words that follow; none that is known, if the code is empty."""

    code: str


Item: TypeAlias = Word | Newline | Language


class Utf8:
    """Incremental UTF-8: a character may be split between chunks.

    Bytes that are no UTF-8 become U+FFFD and are counted in ``invalid``.
    """

    def __init__(self) -> None:
        """Start, expecting that a byte order mark may come."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""
        self._began = False
        self.invalid = 0

    def feed(self, data: bytes, final: bool = False) -> str:
        """Decode what is complete."""
        data = self._held + data
        end = len(data) if final else len(data) - _unfinished(data)
        self._held = data[end:]
        text = self._decoder.decode(data[:end], final)
        self.invalid += text.count("\N{REPLACEMENT CHARACTER}") - data[:end].count(b"\xef\xbf\xbd")
        if text and not self._began:
            self._began = True
            return text.removeprefix("\N{BYTE ORDER MARK}")
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
    """Text to words and line ends. A word ends at a blank, a line end, or when ``flush``ed.

    By ``characters``, every one of them is given as soon as it comes, those of a word as its parts.
    """

    def __init__(self, *, characters: bool = False) -> None:
        """Start at the beginning of a line."""
        self._held = ""
        self._pattern = CHARACTER if characters else ITEM
        self._longest = 1 if characters else LONGEST
        self._inside = False  # a word of which a part has been given

    def feed(self, text: str) -> Iterator[Item]:
        """Give the items that are complete."""
        self._held += text
        end = 0
        while match := self._pattern.match(self._held, end):
            if match.end() == len(self._held) and match[3] and self._may_grow(match[3]):
                break
            end = match.end()
            yield self._item(match)
        self._held = self._held[end:]

    def pending(self) -> bool:
        """Whether a word has begun that is not complete."""
        return self._pattern.match(self._held) is not None

    def flush(self) -> Iterator[Item]:
        """Take the word that is held as complete."""
        if match := self._pattern.match(self._held):
            self._held = ""
            yield self._item(match)

    def _may_grow(self, word: str) -> bool:
        return len(word) < (LONGEST if word.startswith(ESCAPE) else self._longest)

    def _item(self, match: re.Match[str]) -> Item:
        before, newline, word, blanks = match.groups()
        prose = bool(word) and not word.startswith(ESCAPE)
        continues = self._inside and not before and prose
        self._inside = prose
        if newline:
            return Newline(before)
        return Word(word or blanks, before or "", continues)
