"""Sentences in upper case, and how they are shown to a model that cannot read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = 2  # of two letters or more; a sentence with fewer may be an abbreviation


def in_capitals(words: Sequence[str]) -> bool:
    """Return whether a sentence is in upper case: all its letters, in enough words.

    >>> in_capitals("THE DISK {0} IS FULL!".split()), in_capitals(["USB:", "A", "B"])
    (True, False)
    """
    long = sum(sum(map(str.isalpha, word)) >= 2 for word in words)
    return long >= WORDS and "".join(words).isupper()


def in_lower_case(words: Sequence[str]) -> tuple[str, ...]:
    """Return the sentence in its usual case, except for names, which are not known.

    >>> in_lower_case(["THE", "DISK", "IS", "FULL!"])
    ('The', 'disk', 'is', 'full!')
    """
    first, *others = words
    return (first.capitalize(), *map(str.lower, others))
