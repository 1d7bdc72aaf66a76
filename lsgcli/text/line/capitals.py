"""Sentences in capitals: what is shown to a model that has not learnt to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = 2  # of two letters or more; what has fewer may be an abbreviation


def in_capitals(words: Sequence[str]) -> bool:
    """Whether a sentence is in capitals: all its letters, in words enough.

    >>> in_capitals("THE DISK {0} IS FULL!".split()), in_capitals(["USB:", "A", "B"])
    (True, False)
    """
    long = sum(sum(map(str.isalpha, word)) >= 2 for word in words)
    return long >= WORDS and "".join(words).isupper()


def in_lower_case(words: Sequence[str]) -> tuple[str, ...]:
    """The sentence as it is usually written, but that names and the like are not known.

    >>> in_lower_case(["THE", "DISK", "IS", "FULL!"])
    ('The', 'disk', 'is', 'full!')
    """
    first, *others = words
    return (first.capitalize(), *map(str.lower, others))
