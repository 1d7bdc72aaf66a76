"""Control sequences of a terminal, taken out of a line and put back in their places."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from lsgcli.text.line.sentences import Part, Sentence
from lsgcli.text.spans import Copy
from lsgcli.text.words import ESCAPE, SEQUENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COLOUR = re.compile(SEQUENCE)
Colours = list[tuple[int, str]]


def without(text: str) -> tuple[str, Colours]:
    r"""Return the text without control sequences, and the position of each in that text.

    >>> without("\x1b[1mbold\x1b[0m")
    ('bold', [(0, '\x1b[1m'), (4, '\x1b[0m')])
    """
    if ESCAPE not in text:
        return text, []
    plain, colours, end, length = list[str](), Colours(), 0, 0
    for match in COLOUR.finditer(text):
        plain.append(text[end : match.start()])
        length += match.start() - end
        colours.append((length, match[0]))
        end = match.end()
    return "".join([*plain, text[end:]]), colours


def put_back(parts: Iterable[Part], colours: Colours) -> Iterator[Part]:
    """Put them back between the parts of a text; those inside a sentence go after it."""
    left, start = list(reversed(colours)), 0
    for part in parts:
        if isinstance(part, Sentence):
            before, end = part.before, start + len(part.before) + len(part.text)
            while left and left[-1][0] <= start + len(before):
                at, colour = left.pop()
                yield Copy(before[: at - start] + colour)
                before, start = before[at - start :], at
            yield part if before is part.before else replace(part, before=before)
        else:
            text, end = part.text, start + len(part.text)
            while left and left[-1][0] <= end:
                at, colour = left.pop()
                yield Copy(text[: at - start] + colour)
                text, start = text[at - start :], at
            if text:
                yield Copy(text)
        while left and left[-1][0] <= end:
            yield Copy(left.pop()[1])
        start = end
    yield from (Copy(colour) for _, colour in reversed(left))
