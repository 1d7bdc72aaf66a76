"""A translation memory: texts whose translation is known without a model.

``phrases.tsv`` beside this has system phrases: error texts, signals, HTTP's phrases, messages of
systemd, ssh, git, make. Users have files of their own, a text and its translation a line with a
tab between. In an entry ``{}`` is any word, or text between quotation marks; ``{*}`` is any words,
the first not in lower case. They are copied; ``{1}`` and ``{2}`` in the translation take them in
another order. ``%s`` and ``%d`` are slots too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PHRASES = Path(__file__).with_name("phrases.tsv")
SLOT = re.compile(r"\{(\d*)(\*?)\}|%(?:(\d+)\$)?[sdiu]")
ONE = r"""("[^"]*"|'[^']*'|‘[^’]*’|“[^”]*”|«[^»]*»|„[^“]*“|`[^`']*[`']|\S+?)"""
SEVERAL = r"((?-i:(?![a-zà-ÿ])).+?)"
END = re.compile(r"\s?[.!:…]*$")
LEAD = re.compile(r"(?:\[[^\]]*\]|\(\w+\)|\*+|(?:HTTP\S* )?\d+)\s+")  # [Errno 2], ***, 404
BRACKETS = re.compile(r"(.*\S)(\s+\()([^()]+)(\)[.!]?)")
SEPARATOR = ": "
MOST = 8  # parts of a text between separators, up to which it is searched
LONGEST = 400  # characters of a text that is searched


@dataclass(frozen=True)
class Piece:
    """A part of a text: with its translation, or None where a model is needed."""

    text: str
    translation: str | None


@dataclass(frozen=True)
class Entry:
    """A text and its translation, without the punctuation at their ends."""

    source: str
    target: str
    ends: tuple[str, str]

    @property
    def slotted(self) -> bool:
        """Whether it has slots."""
        return bool(SLOT.search(self.source))

    @cached_property
    def strict(self) -> bool:
        """Whether the punctuation at its end must match too."""
        return any(slot[2] for slot in SLOT.finditer(self.source))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of the texts that it matches."""
        pattern, end = "", 0
        for slot in SLOT.finditer(self.source):
            pattern += re.escape(self.source[end : slot.start()]) + (SEVERAL if slot[2] else ONE)
            end = slot.end()
        return re.compile(pattern + re.escape(self.source[end:]), re.IGNORECASE)

    def end(self, sign: str) -> str:
        """Return the punctuation at the end of a translation, for that of a text."""
        return self.ends[1] if sign == self.ends[0] else sign

    def fill(self, match: re.Match[str]) -> str:
        """Insert what the slots have matched into the translation."""
        held = dict(zip(_numbers(self.source), match.groups(), strict=True))
        numbers = iter(_numbers(self.target))
        return SLOT.sub(lambda _: held[next(numbers)], self.target)


class Memory:
    """Finds texts, whole or before or after a colon, ignoring case."""

    def __init__(self, pairs: Iterable[tuple[str, str]], *, nouns: bool = False) -> None:
        """Take texts and translations; the first entry for a text counts.

        ``nouns``: translations may begin with a noun, which stays capitalised.
        """
        self._nouns = nouns
        self._exact: dict[str, Entry] = {}
        self._slotted: dict[str, list[Entry]] = {}  # by a word that they have
        for source, target in pairs:
            entry = _entry(source, target)
            if entry.slotted:
                self._slotted.setdefault(_rarest(entry.source), []).append(entry)
            else:
                self._exact.setdefault(entry.source.casefold(), entry)

    def __bool__(self) -> bool:
        """Whether it has entries."""
        return bool(self._exact or self._slotted)

    def find(self, text: str) -> str | None:
        """Return the translation of a whole text; None if there is none.

        >>> Memory([("No route to {}", "Pas de route vers {}")]).find("No route to example.com.")
        'Pas de route vers example.com.'
        """
        core, sign = _without_end(text)
        if not core:
            return None
        if entry := self._exact.get(core.casefold()):
            return self._cased(entry.target, core, entry) + entry.end(sign)
        for entry in self._candidates(core):
            match = entry.pattern.fullmatch(core)
            if match and not (entry.strict and sign != entry.ends[0]):
                return self._cased(entry.fill(match), core, entry) + entry.end(sign)
        return None

    def split(self, text: str) -> list[Piece]:
        """Cut a text into known and unknown parts; empty if nothing of it is known.

        >>> memory = Memory([("Permission denied", "Permission refusée")])
        >>> [piece.translation for piece in memory.split("cat: /x: Permission denied")]
        ['cat', ': ', '/x', ': ', 'Permission refusée']
        """
        if len(text) > LONGEST:
            return []
        parts = re.split(f"({SEPARATOR})", text)
        if len(parts) > 2 * MOST:
            return self._known(text)
        pieces: list[Piece] = []
        found, first = False, 0
        while first < len(parts):
            last, known = self._longest(parts, first)
            found |= bool(known)
            pieces += known or [_unknown(parts[first])]
            first = last + 1
        return [piece for piece in pieces if piece.text] if found else []

    def _longest(self, parts: list[str], first: int) -> tuple[int, list[Piece]]:
        """Return the last part that is known together with the first, and the known pieces."""
        if first % 2:  # a separator
            return first, []
        for last in range(len(parts) - 1, first - 1, -2):
            if known := self._known("".join(parts[first : last + 1])):
                return last, known
        return first, []

    def _known(self, text: str) -> list[Piece]:
        """Look up a text by itself, after a number, or in brackets."""
        lead = LEAD.match(text)
        for start in (0, lead.end()) if lead else (0,):
            if found := self.find(text[start:]):
                return [Piece(text, text[:start] + found)]
        match = BRACKETS.fullmatch(text)
        if match and (found := self.find(match[3])):
            before = self.find(match[1])
            closed = Piece(text[match.start(2) :], match[2] + found + match[4])
            return [Piece(match[1], before), closed]
        return []

    def _candidates(self, text: str) -> Iterator[Entry]:
        for word in dict.fromkeys(text.casefold().split()):
            yield from self._slotted.get(word, ())

    def _cased(self, target: str, text: str, entry: Entry) -> str:
        """Return a translation in the text's case: upper case, or a lower-case first letter."""
        if text.isupper() and not entry.source.isupper():
            return target.upper()
        if text[0].isupper() and entry.source[0].islower():
            return target[0].upper() + target[1:]
        if text[0].islower() and entry.source[0].isupper() and not self._nouns:
            return target[0].lower() + target[1:]
        return target


def _unknown(part: str) -> Piece:
    """Return the part beside a known one: a separator, or a name without whitespace, is copied."""
    return Piece(part, part if part == SEPARATOR or len(part.split()) < 2 else None)


def _entry(source: str, target: str) -> Entry:
    core, end = _without_end(source)
    translated, translated_end = _without_end(target)
    return Entry(core, translated, (end, translated_end))


def _numbers(text: str) -> list[int]:
    """Return the numbers of a text's slots: as given, or else counted from 1."""
    slots = enumerate(SLOT.finditer(text), 1)
    return [int(slot[1] or slot[3] or place) for place, slot in slots]


def _without_end(text: str) -> tuple[str, str]:
    text = " ".join(text.split())
    end = END.search(text)
    return (text[: end.start()], end[0]) if end else (text, "")


def _rarest(source: str) -> str:
    """Return the longest word of an entry that no slot touches."""
    words = [word for word in source.casefold().split() if not SLOT.search(word)]
    return max(words, key=len, default="")


def read(file: Path) -> list[tuple[str, str]]:
    """Read a user's file. Raises InputError, which names the line, and OSError."""
    pairs: list[tuple[str, str]] = []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8: {error.reason}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 2 or not all(map(str.strip, fields)):
            raise InputError(f"{file}:{number}: not a text, a tab and its translation")
        _check(fields[0], fields[1], f"{file}:{number}")
        pairs.append((fields[0], fields[1]))
    return pairs


def _check(source: str, target: str, where: str) -> None:
    """Check that a translation has no slot that the text lacks. Raises InputError."""
    has = _numbers(source)
    if len(set(has)) < len(has) or not set(_numbers(target)) <= set(has):
        raise InputError(f"{where}: the translation has a slot that the text does not have")
    if has and not _rarest(source):
        raise InputError(f"{where}: nothing but slots")


@cache
def system_phrases(source: str, target: str) -> tuple[tuple[str, str], ...]:
    """Return the system phrases of a direction; empty for a language without any."""
    header, *rows = PHRASES.read_text(encoding="utf-8").splitlines()
    languages = header.split("\t")
    if source not in languages or target not in languages:
        return ()
    of, to = languages.index(source), languages.index(target)
    fields = (row.split("\t") for row in rows)
    return tuple((row[of], row[to]) for row in fields)


def of_direction(
    source: str, target: str, own: Iterable[tuple[str, str]] = (), *, phrases: bool = True
) -> Memory:
    """Return the memory of a direction: the user's entries, then the system phrases."""
    said = system_phrases(source, target) if phrases else ()
    return Memory((*own, *said), nouns=target == "de")
