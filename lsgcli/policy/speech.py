"""Policies in the time of speech: what counts is where a word was spoken, not its number.

A hypothesis is the greedy continuation under the source read so far, and each of its words has a
place in it (``steps.Place``): the source unit in which the word ends, and how much source was heard
after that. Where one word is spoken per unit, word ``i`` ends in unit ``i``, and the bounds below
are those of eq. 5 of arXiv 2501.00868.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.core.steps import Action, Decision, Place, Reason, Steps
from lsgcli.policy.base import Decide, read, short, write

if TYPE_CHECKING:
    from lsgcli.core.decoder import Decoder, Tokens
    from lsgcli.core.steps import KlDirection


@dataclass(frozen=True)
class SpokenLsg:
    """LSG where a word has a place in time.

    Of a word that ends in unit ``s``, with ``j`` units read:

    - a word after which less than ``margin`` seconds were heard may go on: READ;
    - the least that is read is ``s + L - 1`` units, the most ``s + L - 1 + U``;
    - between them, a word that the hypothesis before did not have at this place is READ, if
      ``agree``; then WRITE if the product of its tokens' probabilities is above ``alpha`` (eq. 4),
      or if the divergence from the distribution under ``x_<=s``, the wait-1 prefix of speech, is
      above ``delta`` nats (eq. 3).
    """

    delta: float
    alpha: float
    lower: int  # L
    upper: int  # U
    margin: float  # seconds
    agree: bool = True
    direction: KlDirection = "forward"

    def __str__(self) -> str:
        name = f"lsg-L{self.lower}-U{self.upper}-delta{short(self.delta)}-alpha{short(self.alpha)}"
        name += f"-margin{short(self.margin)}" + "-agree" * self.agree
        return name + "-reverse" * (self.direction == "reverse")

    def start(self) -> Decide:
        """Begin a segment, without hypotheses yet."""
        return _Spoken(self).decide


@dataclass(frozen=True)
class AlignAtt:
    """Write a word when ``margin`` seconds have been heard after it.

    The words are placed by dynamic time warping of the cross attention, where AlignAtt (Papi et al.
    2023, arXiv 2305.11408) looks at the frame that has most of it.
    """

    margin: float = 0.5

    def __str__(self) -> str:
        return f"alignatt-{short(self.margin)}"

    def start(self) -> Decide:
        """Begin a segment; the policy keeps no state."""
        return self._decide

    def _decide(self, d: Decoder) -> Steps[Decision]:
        found = yield from _next(d, self.margin)
        return found if isinstance(found, Decision) else write(d, Reason.MARGIN)


class _Spoken:
    """The policy over one segment, with the newest hypothesis and the one before.

    Both are what follows the words that are written.
    """

    def __init__(self, policy: SpokenLsg) -> None:
        self._policy = policy
        self._before: list[Tokens] = []
        self._newest: list[Tokens] = []
        self._j = 0

    def decide(self, d: Decoder) -> Steps[Decision]:
        found = yield from _next(d, self._policy.margin)
        if d.j > self._j and not d.finished:
            words = yield from d.hypothesis()
            self._before, self._newest, self._j = self._newest, [word for word, _ in words], d.j
        if not isinstance(found, Decision):
            found = yield from self._test(d, found)
        if found.action is Action.WRITE:
            self._before = self._before[1:] if self._agrees(d) else []
            self._newest = self._newest[1:]
        return found

    def _test(self, d: Decoder, place: Place) -> Steps[Decision]:
        policy, top = self._policy, d.confidence()
        least = place.unit + policy.lower - 1
        if d.j < least:
            return read(d, Reason.BOUND, top)
        if d.j >= least + policy.upper:
            return write(d, Reason.BOUND, top)
        if policy.agree and not self._agrees(d):
            return read(d, Reason.UNSTABLE, top)
        if top > policy.alpha:
            return write(d, Reason.CONFIDENCE, top)
        if policy.delta == math.inf:
            return read(d, Reason.UNCERTAIN, top)
        p = yield from d.distribution()
        kl = p.divergence((yield from d.under(place.unit)), policy.direction)
        if kl > policy.delta:
            return write(d, Reason.DIVERGENCE, top, kl)
        return read(d, Reason.UNCERTAIN, top, kl)

    def _agrees(self, d: Decoder) -> bool:
        """Whether both hypotheses go on with the same word, whatever marks stand behind it."""
        return [_bare(w, d) for w in self._before[:1]] == [_bare(w, d) for w in self._newest[:1]]


def _bare(word: Tokens, d: Decoder) -> Tokens:
    """A word without closing punctuation, unless that is all it is."""
    return tuple(token for token in word if not d.lexicon.holds(token)) or word


def _next(d: Decoder, margin: float) -> Steps[Decision | Place]:
    """Where the next word was spoken, or the decision that needs no more than that."""
    if d.finished:
        return write(d, Reason.FINISHED)
    if d.j == 0:
        return read(d, Reason.BOUND)
    words = yield from d.hypothesis()
    if not words:
        return read(d, Reason.END_HELD)
    place = words[0][1]
    if place.margin == math.inf:
        return write(d, Reason.PAUSE)
    if place.margin < margin:
        return read(d, Reason.CUT)
    return place
