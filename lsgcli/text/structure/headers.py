"""Headers before the prose of a line, and quoted values in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsgcli.text.items import MONTH, TIME, TOKEN
from lsgcli.text.protect import DAY, HEADER
from lsgcli.text.protect import LEVEL as LEVELS
from lsgcli.text.spans import Copy, Prose, Span
from lsgcli.text.structure.words import is_prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsgcli.text.items import Finder

GROUP = re.compile(  # of several words
    rf"(?:<\d{{1,3}}>)?{MONTH}\s{{1,2}}\d{{1,2}}\s{TIME}\s[\w.-]+"  # syslog
    r"\s[\w./-]+(?:\[\d+\])?:(?!\S)"
    rf"|\[\d{{1,2}}/{MONTH}/\d{{4}}:{TIME} [+-]\d{{4}}\](?!\S)"  # web servers
    r"|\[\s*\d+\.\d+\](?:\s[\w./-]+(?:\s[\w./:-]*\d[\w./:-]*)?(?:\s\([^()]{1,40}\))?:)?(?!\S)"
    rf"|{LEVELS}:[\w.-]+:(?=\S)"  # of Python's logging
    rf"|{DAY},?\s+(?:{MONTH}\s+\d{{1,2}}|\d{{1,2}}\s+{MONTH})\s+(?:\d{{4}}\s+)?{TIME}"
    rf"(?:\s+[A-Z]{{3,4}})?(?:\s+\d{{4}}|\s+[+-]\d{{4}})?(?!\S)"
    rf"|\[[\w./-]{{1,60}}:\d*:? ?[\w./-]{{0,60}}\](?!\S)"  # [Makefile:12: main]
)
LEVEL = re.compile(r"(?:fatal |internal )?(?:error|warning|note|fatal|hint|info|debug):(?!\S)")
SPEAKER = re.compile(  # bash: line 1: foo:
    r"[a-z][\w.+-]{0,40}(?:\[\d+\])?:(?=\s)(?:\s(?:line\s)?[\w./+-]{1,40}:(?=\s)){0,3}"
)
DATED = re.compile(rf"[\[(]?(?:\d{{4}}-|\d{{1,2}}/|\d{{1,2}}\.\d{{1,2}}\.|{TIME}|\d{{5,}})\S*")
# key="text", and "key": "text" where the line is no JSON that can be read
QUOTED = re.compile(
    r"(?<![^\s,{(\[])(?:[\w.@/-]{1,60}=|\"[\w.@/-]{1,60}\"\s{0,4}:\s{0,4})\"([^\"\\]*)\""
)
WHITESPACE = re.compile(r"\s*")


def header_end(text: str, find: Finder) -> int:
    """Return the end of a line's header: of everything before its prose.

    >>> from lsgcli.text.items import Finder
    >>> line = "Nov 23 02:45:34 web-1 sshd[812]: ERROR The disk is full"
    >>> line[header_end(line, Finder()) :]
    'The disk is full'
    """
    start = WHITESPACE.match(text).end()  # type: ignore[union-attr]
    first = SPEAKER.match(text, start)
    end = _skip(text, first.end()) if first else start
    last = end
    while end < len(text):
        group = GROUP.match(text, end) or LEVEL.match(text, end)
        token = TOKEN.match(text, end)
        if group:
            last, end = -1, _skip(text, group.end())
        elif token and token[0].count('"') % 2:
            break  # quoted text begins
        elif token and (HEADER.fullmatch(token[0]) or _is_item(token[0], find)):
            last, end = end, _skip(text, token.end())
        else:
            break
    if 0 <= last < end < len(text) and text[end].islower() and _is_subject(text[last:end]):
        return last
    return end


def _skip(text: str, end: int) -> int:
    return WHITESPACE.match(text, end).end()  # type: ignore[union-attr]


def _is_item(word: str, find: Finder) -> bool:
    items = find(word)
    if not items or any(item.shown for item in items):
        return False
    rest, end = "", 0
    for item in items:
        rest, end = rest + word[end : item.start], item.end
    return not any(map(str.isalnum, rest + word[end:]))


def _is_subject(text: str) -> bool:
    """Return whether a word before lower case is the subject of the rest: "x.c was not found"."""
    word = text.strip()
    if HEADER.fullmatch(word) or DATED.fullmatch(word) or "=" in word:
        return False
    return word[-1].isalnum() or word[-1] in ")'\"/`"


def quoted(text: str) -> Iterator[Span]:
    """Cut prose at key="quoted text"; the quoted text is a span of its own, if it is prose."""
    end = 0
    if "<" not in text:
        for match in QUOTED.finditer(text):
            if text[end : match.start()]:
                yield Prose(text[end : match.start()])
            if is_prose(match[1], 2):
                yield Copy(text[match.start() : match.start(1)])
                yield Prose(match[1])
                yield Copy('"')
            else:
                yield Copy(match[0])
            end = match.end()
    if end < len(text):
        yield Prose(text[end:])
