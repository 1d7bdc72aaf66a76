"""Captions: words laid out in lines and cues, within the limits that broadcasters ask for.

A cue ends with a clause, at a pause, or at least not after a short word, which mostly belongs to
what follows. It is shown long enough to be read, if the speech leaves the time.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from lsgcli.output.base import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.output.base import SpokenWord

LINGER = 1.0  # seconds that a cue may be shown after its words
PAUSE = 0.3  # seconds of silence that count as a pause
SENTENCE, CLAUSE = tuple(".?!…。？！"), tuple(",;:、，；：—–")
SHORT = 3  # letters of articles, prepositions, pronouns
CUE, UNREAD, SILENT, UNEVEN = 3.0, 8.0, 4.0, 0.125  # costs: of a cue, of a second that is missing
# to read it, of a second of silence in it behind the first, of a column by which a line is uneven
OTHER, WEAK, AT_PAUSE, AT_CLAUSE = 4.0, 6.0, 1.5, 1.0  # costs of breaking there


@dataclass(frozen=True)
class Layout:
    """Limits of captions; the defaults are about those of the BBC and Netflix."""

    characters: int = 42  # of a line; wide ones (Chinese, Japanese, Korean) count twice
    lines: int = 2
    least: float = 1.0  # seconds that a cue is shown
    most: float = 7.0
    speed: float = 20.0  # characters read in a second


@dataclass(frozen=True)
class Cue:
    """What is shown at a time, and when, in seconds."""

    start: float
    end: float
    lines: list[Sequence[SpokenWord]]

    @property
    def text(self) -> str:
        """The lines as they are shown."""
        return "\n".join(map(joined, self.lines))


def captions(words: Sequence[SpokenWord], layout: Layout, after: float = 0.0) -> list[Cue]:
    r"""Lay a sentence's words out in cues, none of which begins before ``after``.

    Every word is in one cue, in order. No cue overlaps another, has more lines or longer ones than
    the layout allows, or is shown longer. Two exceptions: a single word may be longer than a line,
    and captions are as fast as the speech where that is too fast to read.

    >>> from lsgcli.output.base import SpokenWord
    >>> text = "We choose to go to the moon, not because it is easy"
    >>> said = [SpokenWord(w, True, (), 0, 0, n / 3, n / 3) for n, w in enumerate(text.split())]
    >>> [cue.text for cue in captions(said, Layout(30))]
    ['We choose to go to the moon,\nnot because it is easy']
    """
    sheet = _Sheet(words, layout)
    cues = []
    for first, last in pairwise(sheet.cuts()):
        start = max(words[first].start, after)
        after = sheet.end(first, last, start)
        lines = [words[a:b] for a, b in pairwise(sheet.wrapped(first, last))]
        cues.append(Cue(start, after, lines))
    return cues


class _Sheet:
    """Words to be laid out; a range of them is given by its first and the one after its last."""

    def __init__(self, words: Sequence[SpokenWord], layout: Layout) -> None:
        self._words = words
        self._layout = layout
        sizes = [width(word.text) + word.spaced for word in words]
        self._sizes = list(accumulate(sizes, initial=0))
        gaps = [max(b.start - a.end - 1.0, 0.0) for a, b in pairwise(words)]
        self._silences = list(accumulate(gaps, initial=0.0))

    def cuts(self) -> list[int]:
        """Cut into cues at the least cost; return the boundaries."""
        costs, before = [0.0], [0]
        for last in range(1, len(self._words) + 1):
            choices = []
            for first in range(last - 1, -1, -1):
                if first < last - 1 and not self._fits(first, last):
                    break
                choices.append((costs[first] + self._cost(first, last), first))
            cost, first = min(choices)
            costs.append(cost)
            before.append(first)
        edges = [len(self._words)]
        while edges[-1]:
            edges.append(before[edges[-1]])
        return edges[::-1]

    def wrapped(self, first: int, last: int) -> tuple[int, ...]:
        """Break a cue into as few lines as possible, of even length; return the boundaries."""
        count = self._lines(first, last)
        even = self._width(first, last) / count

        @cache
        def best(begin: int, left: int) -> tuple[float, tuple[int, ...]]:
            """Return the cost of so many lines from a word on, and their ends."""
            if left == 1:
                over = 0.0 if self._is_line(begin, last) else float("inf")
                return over + UNEVEN * abs(self._width(begin, last) - even), (last,)
            found = []
            for end in range(begin + 1, last - left + 2):
                if not self._is_line(begin, end):
                    break
                cost, ends = best(end, left - 1)
                uneven = UNEVEN * abs(self._width(begin, end) - even)
                found.append((cost + uneven + self._breaking(end), (end, *ends)))
            return min(found, default=(float("inf"), (last,)))

        return (first, *best(first, count)[1])

    def end(self, first: int, last: int, start: float) -> float:
        """When a cue that begins at ``start`` ends: with its words, or when it has been read."""
        spoken = max(self._words[last - 1].end, start)
        end = max(spoken, min(start + self._reading(first, last), spoken + LINGER))
        return max(min(end, self._next(last), start + self._layout.most), start + 0.001)

    def _next(self, last: int) -> float:
        return self._words[last].start if last < len(self._words) else float("inf")

    def _width(self, first: int, last: int) -> int:
        return self._sizes[last] - self._sizes[first] - self._words[first].spaced

    def _is_line(self, first: int, last: int) -> bool:
        return last == first + 1 or self._width(first, last) <= self._layout.characters

    def _lines(self, first: int, last: int) -> int:
        """Return how many lines it takes."""
        count, begin = 1, first
        for end in range(first + 1, last + 1):
            if not self._is_line(begin, end):
                count, begin = count + 1, end - 1
        return count

    def _fits(self, first: int, last: int) -> bool:
        time = self._words[last - 1].end - self._words[first].start
        return time <= self._layout.most and self._lines(first, last) <= self._layout.lines

    def _reading(self, first: int, last: int) -> float:
        """Return how many seconds it takes to read."""
        return max(self._layout.least, self._width(first, last) / self._layout.speed)

    def _cost(self, first: int, last: int) -> float:
        until = min(self._words[last - 1].end + LINGER, self._next(last))
        unread = self._reading(first, last) - (until - self._words[first].start)
        silent = self._silences[last - 1] - self._silences[first]
        return CUE + UNREAD * max(unread, 0.0) + SILENT * silent + self._breaking(last)

    def _breaking(self, after: int) -> float:
        """Return the cost of a break before a word."""
        if after == len(self._words) or self._words[after - 1].text.endswith(SENTENCE):
            return 0.0
        word, following = self._words[after - 1 : after + 1]
        if word.text.endswith(CLAUSE):
            return AT_CLAUSE
        if following.start - word.end >= PAUSE:
            return AT_PAUSE
        return WEAK if following.spaced and len(word.text) <= SHORT else OTHER


def width(text: str) -> int:
    """Return how many columns a text takes.

    >>> width("Moon"), width("月球")
    (4, 4)
    """
    return sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in text)
