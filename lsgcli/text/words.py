"""Bytes to words, however the bytes are divided."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 4096  # characters; longer words and whitespace are cut, so memory is bounded
LONGEST_PROSE = 100  # characters; a longer word is data, whatever it looks like
SPACE = " \t\r\f\v\u3000"  # the last one is as wide as a Chinese character
ESCAPE = "\x1b"  # begins a control sequence: colours, links
SEQUENCE = (  # a control sequence, the end of which may be missing
    rf"{ESCAPE}(?:\[[0-?]{{0,64}}[ -/]{{0,64}}[@-~]?|\][^\a{ESCAPE}\n]{{0,{LONGEST - 3}}}\a?"
    + r"|[ -/]{0,64}[0-Z\\^-~]?)"
)
ITEM = re.compile(
    rf"([{SPACE}]{{0,{LONGEST - 1}}})(?:(\n)|({SEQUENCE}|[^{SPACE}\n{ESCAPE}]{{1,{LONGEST}}}))"
    rf"|([{SPACE}]{{{LONGEST}}})"
)
CHARACTER = re.compile(ITEM.pattern.replace(f"{{1,{LONGEST}}}", ""))


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the whitespace before it; what begins with ESCAPE is for the terminal."""

    text: str
    before: str = ""
    continues: bool = False  # the word before: this is a part of it


@dataclass(frozen=True, slots=True)
class Newline:
    """The end of a line, with the whitespace before it."""

    before: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """The language of the words that follow; an empty code if it is none of the known ones."""

    code: str


Item: TypeAlias = Word | Newline | Language


class Splitter(Protocol):
    """Text to words, or to parts of them, and line ends."""

    def feed(self, text: str) -> Iterator[Item]:
        """Yield the items that are complete."""
        ...

    def pending(self) -> bool:
        """Whether an incomplete one is held."""
        ...

    def flush(self) -> Iterator[Item]:
        """Yield the one that is held, as complete."""
        ...


class Utf8:
    """Incremental UTF-8: a character may be split between chunks.

    Invalid bytes become U+FFFD and are counted in ``invalid``.
    """

    def __init__(self) -> None:
        """Start; a byte order mark may follow."""
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
    """Return how many bytes at the end begin an incomplete character.

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
    """Text to words and line ends. A word ends at whitespace, at a newline, or with ``flush``.

    By ``characters``, each one is returned as soon as it arrives, as a part of its word.
    """

    def __init__(self, *, characters: bool = False) -> None:
        """Start at the beginning of a line."""
        self._held = ""
        self._pattern = CHARACTER if characters else ITEM
        self._longest = 1 if characters else LONGEST
        self._inside = False  # a word of which a part has been returned

    def feed(self, text: str) -> Iterator[Item]:
        """Yield the items that are complete."""
        self._held += text
        end = 0
        while match := self._pattern.match(self._held, end):
            if match.end() == len(self._held) and match[3] and self._may_grow(match[3]):
                break
            end = match.end()
            yield self._item(match)
        self._held = self._held[end:]

    def pending(self) -> bool:
        """Whether an incomplete word is held."""
        return self._pattern.match(self._held) is not None

    def flush(self) -> Iterator[Item]:
        """Yield the word that is held, as complete."""
        if match := self._pattern.match(self._held):
            self._held = ""
            yield self._item(match)

    def _may_grow(self, word: str) -> bool:
        return len(word) < (LONGEST if word.startswith(ESCAPE) else self._longest)

    def _item(self, match: re.Match[str]) -> Item:
        before, newline, word, space = match.groups()
        prose = bool(word) and not word.startswith(ESCAPE)
        continues = self._inside and not before and prose
        self._inside = prose
        if newline:
            return Newline(before)
        return Word(word or space, before or "", continues)
