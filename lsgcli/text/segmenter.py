"""Words to segments: what is translated together, what is copied, and where lines end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import sentencex

from lsgcli.scripts import CLAUSE_ENDS, FULL_STOPS, own_script, unspaced
from lsgcli.text.told import tell_of_cut, tell_of_data
from lsgcli.text.words import ESCAPE, LONGEST_PROSE, Item, Language, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lsgcli.text.protect import Protector
    from lsgcli.text.units import Divider

TERMINAL = f".!?…{FULL_STOPS}"
CLOSING = "\"'’”»)]）］｝〉》」』】〕｣"
FULL = 0.75  # of the longest source: from there on a segment ends with a clause
NAME = "Xyz"  # a word of no language, and no more likely to begin a sentence than others
MOST_NUMBERS = 16  # words without letters that wait for one with letters, at most


@dataclass(frozen=True, slots=True)
class Unit:
    """A source unit: a word of prose, or a character of one."""

    text: str
    before: str
    language: str = ""  # as it was detected, if it was
    spaced: bool = False  # in a script without spaces: there is one before it, and it is not first

    @property
    def source(self) -> str:
        """What the model is shown."""
        return f" {self.text}" if self.spaced else self.text


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A passage to copy, with the whitespace before it."""

    text: str


@dataclass(frozen=True, slots=True)
class EndSegment:
    """The segment is complete; ``cut`` off by a protected word, inside its sentence."""

    cut: bool = False


@dataclass(frozen=True, slots=True)
class EndLine:
    """A line ends; ``text`` is what ends it, with trailing whitespace."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A whole line, without its end."""

    text: str
    language: str = ""  # as it was detected, if it was


Piece: TypeAlias = Unit | Verbatim | EndSegment | EndLine | Line


@dataclass(frozen=True)
class Limits:
    """What may be one segment."""

    tokens: int  # the longest source the model takes
    count: Callable[[str], int]  # tokens of a word
    language: str  # for the abbreviations after which no sentence ends
    sentences: bool = True  # a segment ends with its sentence
    characters: bool = False  # units are characters, and a segment ends at whitespace
    divide: Divider | None = None  # text without spaces into units

    def units(self, text: str) -> tuple[str, ...]:
        """Return the source units of a text."""
        return self.divide.words(text) if self.divide else tuple(text.split())

    def foreign(self, word: str) -> bool:
        """Return whether the model would have to spell a word, of no script of the language's."""
        own = own_script(self.language, word) or (self.divide and any(map(unspaced, word)))
        return not own and is_spelt(word, self.count)

    def spells(self, word: str) -> bool:
        """Return whether the model would have to spell a word, or cannot take it at all."""
        return self.foreign(word) or self.count(word) > self.tokens

    def ends_clause(self, word: str) -> bool:
        """Return whether a clause may end with a word."""
        return word.rstrip(CLOSING).endswith(tuple(CLAUSE_ENDS))


class Segmenter:
    """Cuts a stream of words into segments.

    ``line``: a line of input is a line of output. ``sentence``: the input is one stream, whose line
    breaks are spaces; each sentence is a line of output, and blank lines stay.

    ``languages`` has the limits for each language that may be detected; words of others are copied.
    """

    def __init__(
        self,
        limits: Limits,
        mode: Literal["line", "sentence"] = "line",
        protector: Protector | None = None,
        languages: Mapping[str, Limits] | None = None,
    ) -> None:
        """Start at the beginning of a line; without a protector every word is prose."""
        self._limits = limits
        self._languages = languages or {}
        self._language = ""
        self._foreign = False
        self._by_sentence = mode == "sentence"
        self._protector = protector
        self._segment: list[str] = []
        self._tokens = 0
        self._numbers: list[Word] = []  # words without letters that begin a segment
        self._line_empty = True  # of the input
        self._output_empty = True  # of the output line

    def feed(self, item: Item) -> Iterator[Piece]:
        """Take an item, yield what is decided."""
        if isinstance(item, Language):
            yield from self._end_protected()
            self._language = item.code
            self._foreign = item.code not in self._languages
            self._limits = self._languages.get(item.code, self._limits)
        elif isinstance(item, Word):
            self._line_empty = False
            if self._foreign:
                yield from self._verbatim(item)
            elif self._protector is None:
                yield from self._prose(item)
            else:
                yield from self._decided(self._protector.feed(item))
        elif self._by_sentence:
            yield from self._paragraph_break()
        else:
            yield from self._end_line(item.before + "\n")

    def end(self) -> Iterator[Piece]:
        """End the input."""
        yield from self._end_protected()
        if not self._output_empty:
            yield EndLine("\n")
            self._output_empty = True

    def _end_line(self, text: str) -> Iterator[Piece]:
        yield from self._end_protected()
        yield EndLine(text)
        self._line_empty = self._output_empty = True

    def _paragraph_break(self) -> Iterator[Piece]:
        """Take a line break as a space, unless the line is empty."""
        if self._line_empty:
            yield from self._end_protected()
            if not self._output_empty:
                yield from self._end_line("\n")
            yield from self._end_line("\n")
        self._line_empty = True

    def _end_protected(self) -> Iterator[Piece]:
        if self._protector is not None:
            yield from self._decided(self._protector.end())
        yield from self._end_segment()

    def _decided(self, words: Iterable[tuple[Word, bool]]) -> Iterator[Piece]:
        """Copy what is protected, or would be spelt; the rest is prose."""
        for word, protected in words:
            spelt = not self._limits.characters and self._limits.foreign(word.text)
            copied = protected or spelt
            yield from self._verbatim(word) if copied else self._prose(word)

    def _prose(self, word: Word) -> Iterator[Piece]:
        if self._limits.characters and not word.continues:
            yield from self._end_segment()
        if not self._is_prose(word):
            yield from self._verbatim(word)
        elif self._limits.characters:
            yield from self._unit(word)
        elif not self._segment and not any(map(str.isalpha, word.text)):
            self._numbers.append(word)
        else:
            numbers, self._numbers = self._numbers, []
            for each in (*numbers, word):
                yield from self._unit(each)

    def _is_prose(self, word: Word) -> bool:
        """Return whether a word is something to translate, by the word alone.

        A character is, if the model has a token for it.
        """
        if self._limits.characters:
            return self._limits.count(word.text) > 0
        if (word.continues and not self._limits.divide) or word.text.startswith(ESCAPE):
            return False
        if len(word.text) > LONGEST_PROSE:
            tell_of_data(word.text)
            return False
        if not self._segment and not any(map(str.isalpha, word.text)):
            return any(map(str.isalnum, word.text)) and len(self._numbers) < MOST_NUMBERS
        return self._limits.count(word.text) <= self._limits.tokens

    def _unit(self, word: Word) -> Iterator[Piece]:
        tokens = self._limits.count(word.text)
        most = self._limits.tokens
        if self._segment and self._tokens + tokens > most:
            tell_of_cut(most)
            yield from self._end_segment()
        blank = self._blank(word)
        spaced = bool(self._limits.divide and self._segment and blank)
        self._segment.append(word.text)
        self._tokens += tokens
        yield Unit(word.text, blank, self._language, spaced)
        if self._tokens > FULL * most and self._limits.ends_clause(word.text):
            yield from self._end_segment()
        elif self._ends_here():
            yield from self._end_segment()
            if self._by_sentence:
                yield EndLine("\n")
                self._output_empty = True

    def _verbatim(self, word: Word) -> Iterator[Piece]:
        yield from self._end_segment(cut=True)
        yield Verbatim(self._blank(word) + word.text)

    def _end_segment(self, *, cut: bool = False) -> Iterator[Piece]:
        if self._segment:
            yield EndSegment(cut)
        numbers, self._numbers = self._numbers, []
        for word in numbers:
            yield Verbatim(self._blank(word) + word.text)
        self._segment, self._tokens = [], 0

    def _blank(self, word: Word) -> str:
        """Return the whitespace to write before a word: as it is, or a space for a line break."""
        first, self._output_empty = self._output_empty, False
        if not self._by_sentence or word.continues:
            return word.before
        joins = self._segment and unspaced(self._segment[-1][-1]) and unspaced(word.text[0])
        return "" if first or (joins and not word.before) else " "

    def _ends_here(self) -> bool:
        if not (self._limits.sentences or self._by_sentence):
            return False
        if self._limits.characters:
            return self._segment[-1] in TERMINAL
        return ends_sentence(self._segment, self._limits.language)


def is_spelt(word: str, count: Callable[[str], int]) -> bool:
    """Return whether a model has to spell a word in bytes: emoji, scripts that it has not learnt.

    ``count`` gives the tokens of a word.
    """
    return not word.isascii() and count(word) > len(word) + 1


def ends_sentence(words: list[str], language: str) -> bool:
    """Return whether a sentence would end after these words if a capitalised word came next.

    >>> ends_sentence(["I", "saw", "it."], "en"), ends_sentence(["Hello", "Dr."], "en")
    (True, False)
    """
    if not words[-1].rstrip(CLOSING).endswith(tuple(TERMINAL)):
        return False
    probe = " ".join([*(word[-LONGEST_PROSE:] for word in words[-8:]), NAME])
    sentences: list[str] = list(sentencex.segment(language, probe))
    return sentences[-1].strip() == NAME
