"""TOML that may come from anyone, read in linear time and bounded memory.

tomllib needs time and memory that grow with the square of a key's parts, and a stack that grows
with the brackets. Both have limits here, far beyond what any of our files has.
"""

from __future__ import annotations

import re
import sys
from itertools import accumulate
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LARGEST = 1 << 20  # characters of a file
LONGEST = 100  # digits of a number
DEEPEST = 16  # parts of a key, brackets in brackets

_OPAQUE = re.compile(
    r'"""(?:[^\\]|\\.)*?"""' r"|'''.*?'''" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'|#[^\n]*", re.DOTALL
)
_NO_KEY = re.compile(r"[^\w.\- \t]+")
_NUMBER = re.compile(rf"\b[\d_]{{{LONGEST}}}\d")
_BRACKET = re.compile(r"[\[\]{}]")


def parse(text: str) -> dict[str, Any]:
    """Give the table that a text in TOML is. Raises ValueError, which says what is wrong.

    >>> parse("a = {b = [1, 2]}")
    {'a': {'b': [1, 2]}}
    >>> parse("a" + ".a" * 20_000 + " = 1")
    Traceback (most recent call last):
    ...
    ValueError: a key of more than 16 parts
    """
    if len(text) > LARGEST:
        raise ValueError(f"more than {LARGEST} characters")
    rest = _OPAQUE.sub("_", text)
    if any(piece.count(".") >= DEEPEST for piece in _NO_KEY.split(rest)):
        raise ValueError(f"a key of more than {DEEPEST} parts")
    if _NUMBER.search(rest):
        raise ValueError(f"a number of more than {LONGEST} digits")
    steps = (1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(rest))
    if max(accumulate(steps), default=0) > DEEPEST:
        raise ValueError(f"more than {DEEPEST} brackets in brackets")
    table: dict[str, Any] = tomllib.loads(text)
    return table
