"""Prose or data: cells and quoted values."""

from __future__ import annotations

import re

from lsgcli.scripts import FULL_STOPS, unspaced

WORD = re.compile(r"[(\"'«„“]*[^\W\d_]+(?:['’-][^\W\d_]+)*[)\"'»”.,;:!?…]*")
SHARE = 0.6  # of all words: those of letters
SMALL = 0.4  # of those but the first: those that begin in lower case
LONG_NAME = 6  # characters of a script without spaces, from which a text is more than a name
ENDS = (".", "!", "?", "…")


def is_prose(text: str, least: int = 3) -> bool:
    """Return whether a text has ``least`` words, not all names; two, if they are a sentence.

    In a script without spaces, whether it is longer than names are, or ends as a sentence.

    >>> [is_prose(text) for text in ("Not found.", "Anna Maria Huber", "the disk is full", "a 1 b")]
    [True, False, True, False]
    >>> [is_prose(text) for text in ("磁盘已满请删除", "失败", "好。")]
    [True, False, True]
    """
    wide = sum(map(unspaced, text))
    if wide > sum(map(str.isalnum, text)) / 2:
        return wide >= LONG_NAME or text.rstrip().endswith(tuple(FULL_STOPS))
    words = text.split()
    plain = [word for word in words if WORD.fullmatch(word)]
    if len(plain) < SHARE * len(words) or len(words) < 2:
        return False
    small = sum(word[:1].islower() for word in plain[1:])
    return small > SMALL * len(plain[1:]) and (
        len(plain) >= least or (len(plain) > 1 and text.rstrip().endswith(ENDS))
    )
