"""Inline markup: tags, links and emphasis, with the words they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.text.items import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)[^<]*?(/?)>")
KEPT = {"code", "kbd", "pre", "samp", "script", "style", "tt", "var"}  # what they hold is copied
EMPTY = {"area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
EMPHASIS = re.compile(
    r"(?<![\w*])(\*\*\*?|__|~~)(?=\S)([^*~\n]{1,200}?)(?<=\S)\1(?!\w)"
    r"|(?<![\w*_])([*_])(?=[^\s*_])([^*_\n]{1,200}?)(?<=\S)\3(?![\w*_])"
)


@dataclass(frozen=True, slots=True)
class Element(Item):
    """Markup from ``start`` to ``end`` that holds prose, from ``inner`` to ``close``."""

    inner: int = 0
    close: int = 0


def nest(text: str, items: Sequence[Item]) -> list[Item]:
    """Join tags that belong together, the outermost ones; items inside are left out.

    >>> text = "Press <b>Save</b> or *wait*, <kbd>C</kbd>"
    >>> from lsgcli.text.items import Finder
    >>> [text[i.start : i.end] for i in nest(text, Finder()(text))]
    ['<b>Save</b>', '*wait*', '<kbd>C</kbd>']
    """
    found = [*_tags(text, items), *_links(text, items), *_emphasis(text, items)]
    if not found:
        return list(items)
    result: list[Item] = []
    for item in sorted([*found, *items], key=lambda item: (item.start, -item.end)):
        if not result or item.start >= result[-1].end:
            result.append(item)
    return result


def _element(text: str, start: int, inner: int, close: int, end: int, name: str = "") -> Item:
    if name in KEPT or not any(map(str.isalpha, text[inner:close])):
        return Item(start, end)
    return Element(start, end, inner=inner, close=close)


def _tags(text: str, items: Sequence[Item]) -> Iterator[Item]:
    opened: dict[str, list[Item]] = {}
    for item in items:
        tag = TAG.fullmatch(text, item.start, item.end)
        if not tag or tag[3] or tag[2].lower() in EMPTY:
            continue
        name = tag[2].lower()
        if not tag[1]:
            opened.setdefault(name, []).append(item)
        elif opened.get(name):
            first = opened[name].pop()
            yield _element(text, first.start, first.end, item.start, item.end, name)


def _links(text: str, items: Sequence[Item]) -> Iterator[Item]:
    before = 0
    for item in items:
        if text.startswith("]", item.start):
            start = text.rfind("[", before, item.start)
            if start >= 0:
                first = start - text.startswith("!", max(start - 1, 0))
                yield _element(text, max(first, 0), start + 1, item.start, item.end)
            before = item.end


def _emphasis(text: str, items: Sequence[Item]) -> Iterator[Item]:
    if "*" not in text and "_" not in text and "~" not in text:
        return
    for match in EMPHASIS.finditer(text):
        group = 2 if match[1] else 4
        a, b = match.span()
        crossed = any(i.start < a < i.end or i.start < b < i.end for i in items)
        if not crossed:
            yield _element(text, a, match.start(group), match.end(group), b)
