"""Lines of program code, recognised by their operators and keywords. They are copied."""

from __future__ import annotations

import re

from lsgcli.text.words import LONGEST_PROSE

PLACEHOLDER = re.compile(r"[%$]?\{\{?[^{};:=,]*\}\}?")
SIGN = re.compile(
    r"""
      [-+*/%&|^~!<:?]*=+>? | && | \|\| | <{1,2} | \*  # by itself: += => &&
    | [(\[]*[{}][)\]};,]*
    | \w+(?:\[\S*\]|\+\+|--)[);,]*                    # a[i], i++)
    | [{\[(]+["']?\w+["']?[:,] | ["']\w+["']:         # {'a': [1,
    | \S*["'\])}\d][)\]}]*;                           # f(x); 0;
    """,
    re.VERBOSE,
)
ENDS = (";", "{", "}")
SHARE = 0.4  # of the words: a line with more of them is code


def is_code(line: str) -> bool:
    """Return whether a line is program code.

    >>> [is_code(line) for line in ("return x;", "x = {'a': 1}", "Wait {0}", "Use a = b if it is")]
    [True, True, False, False]
    """
    words = PLACEHOLDER.sub(" ", line).split()
    if not words:
        return False
    signs = [len(word) <= LONGEST_PROSE and SIGN.fullmatch(word) is not None for word in words]
    ends = words[-1].endswith(ENDS)
    signs[-1] |= ends
    return sum(signs) >= max(2 - ends, SHARE * len(words))
