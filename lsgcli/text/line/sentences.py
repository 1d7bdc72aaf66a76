"""Prose to sentences, with the items in each; text without words is copied."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lsgcli.text.items import TOKEN, Finder, Item
from lsgcli.text.line.elements import Element, nest
from lsgcli.text.segmenter import CLOSING, TERMINAL, Limits, ends_sentence
from lsgcli.text.spans import Copy
from lsgcli.text.told import tell_of_cut
from lsgcli.text.words import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.text.spans import Guard
    from lsgcli.text.units import Divider

ENDING = frozenset(TERMINAL)
LAST = 8  # words by which it is seen whether a sentence ends


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a part of one, without the whitespace around it.

    ``items`` are in their order, with positions in ``text``.
    """

    text: str
    before: str = ""  # whitespace
    items: tuple[Item, ...] = ()
    language: str = ""  # as it was detected, if it was
    fragment: bool = False  # text between items, none of which the model may write
    guard: Guard | None = None  # what its format requires of the translation
    units: tuple[str, ...] = ()  # source units that are translated as they are, unchecked

    def part(self, start: int, end: int) -> Iterator[Part]:
        """Return the words from ``start`` to ``end`` as a sentence, or a copy if there are none."""
        items = tuple(i for i in self.items if start <= i.start and i.end <= end)
        before = self.before if not start else ""
        yield from trimmed(self.text, start, end, items, before, self.language)


Part: TypeAlias = Copy | Sentence


class Counted(NamedTuple):
    """A word, where it ends, its tokens, and whether a clause may end with it."""

    end: int
    text: str
    tokens: int
    clause: bool


class Cutter:
    """Cuts prose into sentences that a model can take; nothing is lost."""

    def __init__(self, find: Finder, limits: Limits, language: str = "") -> None:
        """Use a finder of items, the limits of a model, and the language if it was detected."""
        self._find = find
        self._limits = limits
        self._language = language

    def __call__(self, text: str) -> Iterator[Part]:
        """Yield sentences, and what is copied between them."""
        items = nest(text, self._find(text))
        end = first = 0
        for start, end in _cuts(text, items, self._limits):
            last = first
            while last < len(items) and items[last].end <= end:
                last += 1
            yield from self._opened(text, start, end, tuple(items[first:last]))
            first = last
        if end < len(text):
            yield Copy(text[end:])

    def _opened(self, text: str, start: int, end: int, items: tuple[Item, ...]) -> Iterator[Part]:
        """Open an element that is the whole sentence; it may hold several."""
        if len(items) == 1 and isinstance(element := items[0], Element):
            rest = text[element.end : end]
            if not text[start : element.start].strip() and not any(map(str.isalnum, rest)):
                yield Copy(text[start : element.inner])
                yield from self(text[element.inner : element.close])
                yield Copy(text[element.close : end])
                return
        yield from trimmed(text, start, end, items, "", self._language)


def _cuts(text: str, items: Sequence[Item], limits: Limits) -> Iterator[tuple[int, int]]:
    """Yield where sentences begin, with the whitespace before them, and end."""
    start = 0
    words: list[Counted] = []  # since the start
    for end, word in _words(text, items, limits.divide):
        tokens, sign = limits.count(word), is_sign(word)
        clause = limits.ends_clause(word) or bool(limits.divide and text[end : end + 1].isspace())
        if words and sign:
            yield start, words[-1].end
            start, words = words[-1].end, []
        while words and sum(each.tokens for each in words) + tokens > limits.tokens:
            kept = _last_clause(words)
            if not words[kept - 1].clause:
                tell_of_cut(limits.tokens)
            yield start, words[kept - 1].end
            start, words = words[kept - 1].end, words[kept:]
        words.append(Counted(end, word, tokens, clause))
        if sign or (limits.sentences and _ends([w.text for w in words[-LAST:]], limits.language)):
            yield start, end
            start, words = end, []
    if words:
        yield start, words[-1].end


def _last_clause(words: Sequence[Counted]) -> int:
    """How many words to keep of what is too long: to its last clause; all, if that is too short."""
    half = len(words) // 2
    ends = (n for n in range(len(words), half, -1) if words[n - 1].clause)
    return next(ends, len(words))


def _ends(words: list[str], language: str) -> bool:
    return words[-1].rstrip(CLOSING)[-1:] in ENDING and ends_sentence(words, language)


def _words(text: str, items: Sequence[Item], divide: Divider | None) -> Iterator[tuple[int, str]]:
    """Yield the end of each word and the word; of an item of several words, only the last one.

    The last word of an element is that of what it holds, with what follows.
    """
    wide = deque(item for item in items if divide or len(text[item.start : item.end].split()) > 1)
    for a, b in _spans(text, divide):
        item = None
        while wide and wide[0].end <= b:
            item = wide.popleft()
        if wide and wide[0].start < b:
            continue  # an item goes on
        if isinstance(item, Element) and a < item.close < b:
            yield b, text[max(a, item.inner) : item.close] + text[item.end : b]
        else:
            yield b, text[a:b]


def _spans(text: str, divide: Divider | None) -> Iterator[tuple[int, int]]:
    """Yield where words begin and end."""
    for token in TOKEN.finditer(text):
        begin = token.start()
        for word in divide(token[0]) if divide else [token[0]]:
            yield begin, begin + len(word)
            begin += len(word)


def is_sign(text: str) -> bool:
    """Return whether a sentence probably ends with it: emoji, the line between columns."""
    return not any(map(str.isalnum, text)) and any(c == "|" or ord(c) > 0x20FF for c in text)


def trimmed(
    text: str, start: int, end: int, items: tuple[Item, ...], before: str, language: str
) -> Iterator[Part]:
    """Return a sentence, with the items at its ends that are no part of it as copies."""
    first, last = start, end
    inner = list(items)
    while inner and _leads(text, first, inner[0], end):
        first = inner.pop(0).end
    while inner and _trails(text, inner[-1], last):
        last = inner.pop().start
    if not _has_letters(text, first, last, inner):
        yield Copy(before + text[start:end])
        return
    body = text[first:last]
    core = body.strip(SPACE)
    a = first + body.index(core)
    b = a + len(core)
    if first > start:
        yield Copy(before + text[start:first])
        before = ""
    shifted = tuple(_shifted(item, a) for item in inner)
    yield Sentence(core, before + text[first:a], shifted, language)
    if b < end:
        yield Copy(text[b:end])


def _leads(text: str, start: int, item: Item, end: int) -> bool:
    """Return whether an item stands before the sentence, as a tag or an address, not in it."""
    if isinstance(item, Element) or item.shown or text[start : item.start].strip():
        return False
    behind = text[item.end : end].lstrip()
    if text[item.start] == "<" and text[item.end - 1] == ">":
        return True
    return bool(behind[:1].isupper()) and text[item.end : item.end + 1] in (" ", ":")


def _trails(text: str, item: Item, end: int) -> bool:
    ends = text[item.start] + text[item.end - 1]
    own = ends in ("<>", "[]") and text[item.start - 1 : item.start] in (" ", "", ">")
    return not isinstance(item, Element) and own and not text[item.end : end].strip()


def _has_letters(text: str, start: int, end: int, items: Sequence[Item]) -> bool:
    for item in items:
        if isinstance(item, Element) or any(map(str.isalpha, text[start : item.start])):
            return True
        start = item.end
    return any(map(str.isalpha, text[start:end]))


def _shifted(item: Item, by: int) -> Item:
    if isinstance(item, Element):
        return Element(item.start - by, item.end - by, False, item.inner - by, item.close - by)
    return Item(item.start - by, item.end - by, item.shown)
