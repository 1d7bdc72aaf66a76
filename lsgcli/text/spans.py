"""What a line consists of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Copy:
    """Text that is copied, with the whitespace in it and around it."""

    text: str


@dataclass(frozen=True, slots=True)
class Guard:
    """What a format requires of the text in it."""

    doubled: str = ""  # a character that is written twice
    forbidden: str = ""  # characters that would end it; a translation with one is not used
    json: bool = False  # it is escaped as in a string of JSON

    def __call__(self, text: str) -> str:
        r"""Escape a text.

        >>> Guard(doubled='"')('a "b"'), Guard(json=True)('a "b"')
        ('a ""b""', 'a \\"b\\"')
        """
        if self.json:
            return json.dumps(text, ensure_ascii=False)[1:-1]
        return text.replace(self.doubled, 2 * self.doubled) if self.doubled else text


@dataclass(frozen=True, slots=True)
class Prose:
    """Text to translate, of any number of sentences."""

    text: str
    guard: Guard | None = None


Span: TypeAlias = Copy | Prose
