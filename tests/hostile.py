"""Thirty kinds of lines and more that have hurt readers of text: what is repeated in each."""

from __future__ import annotations

import random

REPEATED = {
    "round brackets": ")",
    "square brackets": "]",
    "curly brackets": "}",
    "opening brackets": "(",
    "opening curly brackets": "{",
    "quotation marks": '"',
    "apostrophes": "'",
    "backticks": "`",
    "backslashes": "\\",
    "less than": "<",
    "tags": "<b>",
    "tags that end": "</b>",
    "tags that begin": "<a ",
    "comments": "<!--",
    "links": "[a](b",
    "brackets of links": "[",
    "emphasis": "*a ",
    "stars": "*",
    "underscores": "_a",
    "numbers": "12 7 ",
    "digits": "1",
    "digits and commas": "1,",
    "digits and dots": "1.",
    "hexadecimal digits": "a1",
    "colons": "a:",
    "colons and blanks": "a: ",
    "dots": "a.",
    "slashes": "a/",
    "minus signs": "a-",
    "equals signs": "a=",
    "keys": 'a="b c d" ',
    "placeholders": "{0} ",
    "percent signs": "%",
    "dollars": "${",
    "arrows": "a->",
    "commas": "a,",
    "CSV": '"a b c","d e f",',
    "tabs": "a b c\t",
    "columns": "a b c   ",
    "bars": "| a b c ",
    "blanks": " ",
    "words": "the house is small ",
    "capitals": "THE HOUSE ",
    "sentences": "It is. ",
    "abbreviations": "Dr. ",
    "initials": "A. B. ",
    "exclamation marks": "!",
    "full stops": ".",
    "accents": "é",
    "combining marks": "e\u0301",
    "ideographs": "日本。",
    "emoji": "😀 ",
    "colours": "\x1b[1ma",
    "escapes": "\x1b",
    "titles": "\x1b]0;a",
    "NUL": "\0",
    "JSON": '{"a":',
    "JSON lists": "[",
    "strings": '"a\\',
    "dates": "2026-11-28 ",
    "times": "12:",
    "rows of settings": "a = b ",
    "code": "f(x); ",
    "calls": "f(",
    "paths": "C:\\",
    "options": "--a=",
    "mail": "a@",
    "diff": "@@ -1,9 +1,9 @@ ",
    "frames": " at a.b(c:1)",
    "rulers": "=",
    "dashes": "- ",
    "a word without end": "a",
}


def line(kind: str, length: int) -> str:
    """A line of a kind: ``length`` characters, or nearly."""
    unit = REPEATED[kind]
    return unit * (length // len(unit))


def mixture(seed: int, length: int) -> str:
    """A line of several kinds, in no order."""
    rng = random.Random(seed)
    kinds = rng.sample(sorted(REPEATED.values()), rng.randint(2, 4))
    text = ""
    while len(text) < length:
        text += rng.choice(kinds) * rng.choice((1, 1, 2, 7, 40))
    return text[:length]
