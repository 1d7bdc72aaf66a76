"""The policies LSG is compared with."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.core.steps import Decision, Reason, Steps
from lsgcli.policy.base import Decide, read, write

if TYPE_CHECKING:
    from lsgcli.core.decoder import Decoder, Tokens

Words = list["Tokens"]


@dataclass(frozen=True)
class WaitK:
    """Read k units, then write a word for every unit read (Ma et al. 2019, arXiv 1810.08398)."""

    k: int = 3

    def __str__(self) -> str:
        return f"wait-{self.k}"

    def start(self) -> Decide:
        """Begin a segment; the policy keeps no state."""
        return self._decide

    def _decide(self, d: Decoder) -> Steps[Decision]:
        if d.finished:
            return write(d, Reason.FINISHED)
        if d.j < self.k + d.i - 1:
            return read(d, Reason.BOUND)
        p = yield from d.distribution()
        if d.lexicon.ends(p.token):
            return read(d, Reason.END_HELD, p.top)
        return write(d, Reason.BOUND, p.top)


@dataclass(frozen=True)
class Offline:
    """Read everything, then write: the latency that cannot be exceeded."""

    def __str__(self) -> str:
        return "offline"

    def start(self) -> Decide:
        """Begin a segment; the policy keeps no state."""
        return self._decide

    def _decide(self, d: Decoder) -> Steps[Decision]:
        yield from ()
        return write(d, Reason.FINISHED) if d.finished else read(d, Reason.BOUND)


@dataclass(frozen=True)
class LocalAgreement:
    """LA-n: write what the last n hypotheses agree on (Liu et al. 2020, arXiv 2005.11185)."""

    n: int = 2

    def __str__(self) -> str:
        return f"local-agreement-{self.n}"

    def start(self) -> Decide:
        """Begin a segment, without hypotheses yet."""
        return _Hypotheses(self.n, stable_prefix).decide


@dataclass(frozen=True)
class HoldN:
    """Write the hypothesis without its last n words (Liu et al. 2020, arXiv 2005.11185)."""

    n: int = 2

    def __str__(self) -> str:
        return f"hold-{self.n}"

    def start(self) -> Decide:
        """Begin a segment, without hypotheses yet."""
        return _Hypotheses(1, lambda last: max(0, len(last[0]) - self.n)).decide


def stable_prefix(hypotheses: list[Words]) -> int:
    """How many leading words all hypotheses share.

    >>> stable_prefix([[(1, 2), (3,)], [(1, 2), (4,)]])
    1
    """
    shared = 0
    for words in zip(*hypotheses, strict=False):
        if any(word != words[0] for word in words):
            break
        shared += 1
    return shared


class _Hypotheses:
    """The last ``keep`` whole hypotheses of a segment, and how far they may be written."""

    def __init__(self, keep: int, stable: _Stable) -> None:
        self._last: deque[Words] = deque(maxlen=keep)
        self._stable = stable
        self._j = 0
        self._committed: Words = []

    def decide(self, d: Decoder) -> Steps[Decision]:
        if d.finished:
            return write(d, Reason.FINISHED)
        if d.j == 0:
            return read(d, Reason.BOUND)
        words = yield from d.rest()
        if d.j > self._j:
            self._j = d.j
            self._last.append(self._committed + words)
        full = len(self._last) == self._last.maxlen
        if full and words and self._stable(list(self._last)) >= d.i:
            self._committed.append(words[0])
            return write(d, Reason.AGREEMENT)
        return read(d, Reason.UNSTABLE)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Stable = Callable[[list[Words]], int]
