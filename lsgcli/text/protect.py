r"""Words of an arriving line that are copied: log headers, identifiers, numbers with units.

A protected word is never shown to the model. It ends the segment of prose before it, so it keeps
its place whatever the model does. Patterns are of whole words, without the punctuation around
them; some take several words (``30 ms``, a date in a syslog header, `code in backticks`), so a word
is held back while it may begin such a group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from lsgcli.text.items import MONTH, NUMBER, TIME, UNIT, Finder
from lsgcli.text.words import ESCAPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from lsgcli.text.words import Word

    Group: TypeAlias = tuple[re.Pattern[str], ...]

OPENING = "(\"'"
GROUPS = (
    (rf"{NUMBER}", rf"{UNIT}"),  # 30 ms
    (r"`\S*", r"\S*`"),
    (r"`\S*", r"[^`\s]*", r"\S*`"),
    (r"`\S*", r"[^`\s]*", r"[^`\s]*", r"\S*`"),
    (r"<[A-Za-z]\w*", r"[^<>\s]*>"),
    (r"<[A-Za-z]\w*", r"[^<>\s]*", r"[^<>\s]*>"),
    (r"\{\{?", r"[^{}\s]*", r"\}\}?"),
    (r"GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS", r"\S+", r"HTTP/[\d.]+"),
)
DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
HEADERS = (
    (MONTH, r"\d{1,2}", TIME, r"[\w.-]+", r"[\w./-]+(?:\[\d+\])?:"),  # syslog
    (rf"\[\d{{1,2}}/{MONTH}/\d{{4}}:{TIME}", r"[+-]\d{4}\]"),  # web servers
    (r"\[", r"\d+\.\d+\]"),  # dmesg
    (DAY, MONTH, r"\d{1,2}", TIME, r"\d{4}"),  # date(1)
    (DAY, MONTH, r"\d{1,2}", TIME, r"[A-Z]{3,4}", r"\d{4}"),
)
LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG)"
HEADER = re.compile(
    rf"{LEVEL}[:|]?|\[[^\s\[\]]*\]:?|[\[(<]|[\])>]:?|[\w./-]+\[\d+\]:?|[\w$-]+(?:\.[\w$-]+)+:?|[-|:>#*+•–—]+"
    r"|\(?\d{1,3}[.)]|[\w.@-]+>|\"[\w.-]+\":"
)


UNCLOSED = re.compile(r"[^<>]*</?[A-Za-z][^<>]*")  # a tag that continues in the next word


@dataclass
class Protector:
    """Decides, word by word, what is protected. It has the state of one line."""

    extra: tuple[str, ...] = ()  # patterns of the user's
    _held: list[Word] = field(default_factory=list)
    _header: bool = True  # nothing but protected words so far on this line

    def __post_init__(self) -> None:
        """Compile the patterns. Raises UsageError for an invalid regular expression."""
        find = Finder(self.extra)
        self._is_item = lru_cache(1024)(lambda word: bool(find(word)))

    def feed(self, word: Word) -> Iterator[tuple[Word, bool]]:
        """Yield the words that are decided, each with whether it is protected."""
        self._held.append(word)
        yield from self._decide(final=False)

    def end(self) -> Iterator[tuple[Word, bool]]:
        """End the line: nothing more can complete a group."""
        yield from self._decide(final=True)
        self._header = True

    def _decide(self, final: bool) -> Iterator[tuple[Word, bool]]:
        while self._held:
            groups = _begun_by(self._held[0].text, headers=self._header)
            length = max((self._match(group) for group in groups), default=0)
            if not length and not final and any(map(self._may_match, groups)):
                return
            protected = bool(length) or self._is_protected(self._held[0].text)
            for word in self._held[: max(length, 1)]:
                yield word, protected
            del self._held[: max(length, 1)]
            self._header &= protected

    def _match(self, group: Group) -> int:
        """Return the group's length if the held words begin with it, or else 0."""
        texts = [word.text for word in self._held[: len(group)]]
        if len(texts) < len(group):
            return 0
        texts[0], texts[-1] = texts[0].lstrip(OPENING), texts[-1].rstrip(".,;:!?)\"'")
        last = (*texts[:-1], self._held[len(group) - 1].text)
        either = _full(group, texts) or _full(group, last)
        return len(group) if either else 0

    def _may_match(self, group: Group) -> bool:
        """Return whether the held words are the beginning of the group."""
        texts = [word.text for word in self._held]
        texts[0] = texts[0].lstrip(OPENING)
        return len(texts) < len(group) and _full(group, texts)

    def _is_protected(self, text: str) -> bool:
        if text.startswith(ESCAPE) or UNCLOSED.fullmatch(text) or self._is_item(text):
            return True
        return self._header and bool(HEADER.fullmatch(text))


@lru_cache(1024)
def _begun_by(word: str, *, headers: bool) -> tuple[Group, ...]:
    """The groups of which a word may be the first."""
    core = word.lstrip(OPENING)
    groups = GROUPS + (HEADERS if headers else ())
    return tuple(tuple(map(re.compile, each)) for each in groups if re.fullmatch(each[0], core))


def _full(group: Group, texts: Iterable[str]) -> bool:
    return all(part.fullmatch(text) for part, text in zip(group, texts, strict=False))
