"""Lines of program code, told by their signs, and JSON: no language that a model translates."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from lsgcli.text.segmenter import EndLine, EndSegment, Piece, Unit, Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
SHARE = 0.4  # of the words, from which a line is code


def is_code(line: str) -> bool:
    """Whether a line is program code.

    >>> [is_code(line) for line in ("return x;", "x = {'a': 1}", "Wait {0}", "Use a = b if it is")]
    [True, True, False, False]
    >>> is_code('{"msg": "It is late"}'), is_code('["It is", late]')
    (True, False)
    """
    words = PLACEHOLDER.sub(" ", line).split()
    if not words:
        return False
    if _is_json(line):
        return True
    signs = [SIGN.fullmatch(word) is not None for word in words]
    ends = words[-1].endswith(ENDS)
    signs[-1] |= ends
    return sum(signs) >= max(2 - ends, SHARE * len(words))


def _is_json(line: str) -> bool:
    if not line.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):  # the latter: nested too deeply
        return False
    return True


def copy_code(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Copy the lines that are code, without their headers; give all other pieces as they are."""
    line: list[Piece] = []
    for piece in pieces:
        line.append(piece)
        if isinstance(piece, EndLine):
            yield from _copied(line)
            line = []
    yield from line


def _copied(line: list[Piece]) -> Iterable[Piece]:
    first = 0  # behind the header
    while isinstance(piece := line[first], Verbatim) and not SIGN.fullmatch(piece.text.strip()):
        first += 1
    text = "".join(map(_text, line[first:-1]))
    return [*line[:first], Verbatim(text), line[-1]] if is_code(text) else line


def _text(piece: Piece) -> str:
    if isinstance(piece, EndSegment):
        return ""
    return piece.before + piece.text if isinstance(piece, Unit) else piece.text
