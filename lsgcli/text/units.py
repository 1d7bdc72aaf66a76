"""Source units of languages written without spaces: their words, as the text arrives.

Where words of Chinese, Japanese and Thai end is said by BudouX, which classifies a place by the
three characters before it and the three behind. So a unit is known when three more characters have
come, or whitespace, and is the same however the text is divided. Other scripts in the text
keep their words whole. For languages of which BudouX has no model, and on request, every character
is a unit, with the marks that belong to it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from lsgcli.scripts import CLOSING, OPENING, extends, unspaced
from lsgcli.text.words import ESCAPE, LONGEST, Item, Word, WordSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Parse = Callable[[str], list[str]]

ENDING = frozenset(CLOSING) - frozenset(OPENING)  # belongs to what is before it
FIRST_WIDE = "\u2e80"
AROUND = 3  # characters on either side by which a boundary is decided
KANA = re.compile("[\u3041-\u30ff]")
THAI = re.compile("[\u0e01-\u0e5b]")
PHRASES = re.compile(r"\S+")


class Divider:
    """Divides text without whitespace into units."""

    def __init__(self, language: str = "", *, characters: bool = False) -> None:
        """Divide a ``language``; without one, as the script of the text suggests.

        ``characters``: each is a unit.
        """
        self._language = language
        self._characters = characters

    def __call__(self, text: str) -> list[str]:
        """Divide a text; joined, the units are the text.

        >>> Divider("zh")("我弟弟用GitHub想买3.5辆车。")
        ['我', '弟弟', '用', 'GitHub', '想', '买', '3.5', '辆车。']
        """
        cuts = [0, *self.cuts(text, 0, final=True), len(text)]
        return [text[a:b] for a, b in pairwise(cuts) if a < b]

    def words(self, text: str) -> tuple[str, ...]:
        """Divide any text: units, with a space before those that have whitespace before them.

        >>> Divider("zh").words("我用 Git 好")
        ('我', '用', ' Git', ' 好')
        """
        units: list[str] = []
        for match in PHRASES.finditer(text):
            first, *others = self(match[0])
            units += [f" {first}" if units else first, *others]
        return tuple(units)

    def cuts(self, text: str, start: int, *, final: bool) -> Iterator[int]:
        """Yield where units begin behind ``start``, as far as that is known.

        ``final``: no more text follows without whitespace between.
        """
        for n in range(start + 1, len(text)):
            before, after = text[n - 1], text[n]
            if not _may_part(before, after):
                continue
            if self._characters or not (unspaced(before) and unspaced(after)):
                yield n
                continue
            if not final and n + AROUND > len(text):
                return
            first = max(n - AROUND, 0)
            window = text[first : n + AROUND]
            chunks = _parser(self._language or _language(window))(window)
            if n - first in accumulate(map(len, chunks)):
                yield n


class UnitSplitter:
    """Text to units and line ends, as they arrive; like ``WordSplitter``."""

    def __init__(self, divide: Divider) -> None:
        """Start at the beginning of a line."""
        self._divide = divide
        self._characters = WordSplitter(characters=True)
        self._text = ""  # since the last whitespace; the part before ``_start`` has been returned
        self._start = 0
        self._seen = 0  # up to where it is known that no unit begins
        self._before = ""  # whitespace before the part that has not

    def feed(self, text: str) -> Iterator[Item]:
        """Yield the items that are complete."""
        for item in self._characters.feed(text):
            if isinstance(item, Word) and not item.text.startswith(ESCAPE):
                yield from self._add(item)
            else:
                yield from self._complete()
                yield item
        yield from self._units(final=False)

    def pending(self) -> bool:
        """Whether an incomplete unit is held."""
        return self._start < len(self._text) or self._characters.pending()

    def flush(self) -> Iterator[Item]:
        """Yield the unit that is held, as complete."""
        yield from self._units(final=True)
        for item in self._characters.flush():
            yield from self._complete()
            yield item

    def _add(self, character: Word) -> Iterator[Item]:
        if not character.continues:
            yield from self._complete()
            self._before = character.before
        self._text += character.text
        if len(self._text) - self._start >= LONGEST:
            yield from self._units(final=True)

    def _complete(self) -> Iterator[Item]:
        yield from self._units(final=True)
        self._text, self._start, self._seen = "", 0, 0

    def _units(self, *, final: bool) -> Iterator[Item]:
        cuts = list(self._divide.cuts(self._text, max(self._start, self._seen), final=final))
        if final and self._start < len(self._text):
            cuts.append(len(self._text))
        for end in cuts:
            unit = self._text[self._start : end]
            yield Word(unit, self._before, continues=self._start > 0 and not self._before)
            self._start, self._before = end, ""
        surplus = max(self._start - AROUND, 0)
        self._text, self._start = self._text[surplus:], self._start - surplus
        self._seen = max(len(self._text) - AROUND, 0)


def _may_part(before: str, after: str) -> bool:
    """Whether a unit may end between two characters, by their scripts."""
    if after in ENDING or extends(after) or before in OPENING:
        return False
    return unspaced(before) or unspaced(after) or (before in ENDING and before > FIRST_WIDE)


def _language(text: str) -> str:
    """Which of BudouX's models fits a text, by its script."""
    if KANA.search(text):
        return "ja"
    return "th" if THAI.search(text) else "zh"


@lru_cache(maxsize=4)
def _parser(language: str) -> Parse:
    """BudouX's model of a language; characters, if it has none."""
    import budoux

    makers = {
        "zh": budoux.load_default_simplified_chinese_parser,
        "yue": budoux.load_default_traditional_chinese_parser,
        "ja": budoux.load_default_japanese_parser,
        "th": budoux.load_default_thai_parser,
    }
    return makers[language]().parse if language in makers else list
