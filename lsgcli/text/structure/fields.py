"""Named fields of JSON: their texts are prose, and every other byte stays."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from lsgcli.text.spans import Copy, Guard, Prose, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)|[{}\[\]:,]')
STRING = Guard(json=True)
FRAGMENT = re.compile(r'\s*"(?:[^"\\]|\\.)*"\s*:.*|\s*[{}\[\]],?\s*')


def is_json(line: str) -> bool:
    """Return whether a line is an object or a list."""
    if not line.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):  # the latter: nested too deeply
        return False
    return True


def is_fragment(line: str) -> bool:
    """Return whether a line may be part of JSON that is spread over lines."""
    return FRAGMENT.fullmatch(line) is not None


def texts(line: str, names: Sequence[str]) -> Iterator[Span]:
    r"""Yield the spans of a line, texts of fields as prose; ``a.b`` is ``b`` in an object ``a``.

    >>> [span.text for span in texts('{"id": "a", "msg": "It\\nis"}', ["msg"])]
    ['{"id": "a", "msg": "', 'It', '\\n', 'is', '"}']
    """
    paths = [name.split(".") for name in names]
    path: list[str] = []
    key, end = "", 0
    previous: re.Match[str] | None = None
    for token in TOKEN.finditer(line):
        sign = token[0]
        if sign == ":" and previous is not None and previous[0].startswith('"'):
            key = _string(previous[0])
        elif sign in "{[":
            path.append(key)
        elif sign in "}]" and path:
            key = path.pop()
        elif sign.startswith('"') and _is_value(line, token.end()):
            here = [*filter(None, path), key]
            if any(here[-len(each) :] == each for each in paths):
                yield Copy(line[end : token.start() + 1])
                yield from _lines(_string(sign))
                end = token.end() - 1
        previous = token
    if end < len(line):
        yield Copy(line[end:])


def _lines(text: str) -> Iterator[Span]:
    for n, line in enumerate(text.split("\n")):
        if n:
            yield Copy("\\n")
        if line:
            yield Prose(line, STRING)


def _is_value(line: str, end: int) -> bool:
    return not line[end : end + 40].lstrip().startswith(":")


def _string(token: str) -> str:
    try:
        text: str = json.loads(token)
    except ValueError:
        return ""
    return text
