"""The greedy continuation of one segment's target prefix, at the least cost.

What costs is a pass through the model, and each READ changes the source prefix that stands before
the target, so nothing computed for the old prefix is exact any more. It is still a good guess:

- tokens that were the greedy continuation under an older source prefix are kept as a *draft* and
  verified in the same parallel pass that computes the first new distribution;
- the distribution that ended one word is the one that decides about the next;
- a model that cannot verify a draft in parallel goes on by itself in the pass for the first token;
- the baseline ``q`` is computed once a word, rides along in a batch when it can be foreseen, and
  is free when the wait-1 prefix is one that was already decided on.

``rows[k]`` is the distribution after ``target`` and the k most probable tokens that follow it,
under the current source prefix; those k tokens are ``known``. A word that is committed is never
extended: after it, only tokens count that begin a word, closing punctuation, and the end token.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lsgcli.core.steps import Arrival, Forward, Generate, Locate, Place, Query, SourceUnit, Steps

if TYPE_CHECKING:
    from lsgcli.core.backend import Lexicon
    from lsgcli.core.distribution import Distribution

Tokens = tuple[int, ...]

GLANCE = 12  # tokens that a pass goes on by itself where only the next word is wanted
LONGEST_WORD = 64  # tokens; a word that does not end by then is cut, so that a loop is seen


class Decoder:
    """One segment: its source prefix, its committed target, and what the model says comes next."""

    def __init__(self, lexicon: Lexicon, *, scored: bool = False) -> None:
        """Start empty. ``mean_logp`` is known if the target is to be ``scored``."""
        self.lexicon = lexicon
        self.source: tuple[SourceUnit, ...] = ()
        self.finished = False
        self.target: Tokens = ()
        self.words = 0
        self._logps: list[float] | None = [] if scored else None  # of the target's tokens
        self._rows: list[Distribution] = []
        self._baseline: Distribution | None = None
        self._draft: Tokens = ()
        self._draft_ends = False  # the draft is a whole hypothesis
        self._stale_top: float | None = None  # max p of this position under an older source prefix
        self._placed: list[tuple[Tokens, Place]] | None = None  # the hypothesis, word by word

    @property
    def i(self) -> int:
        """The number of the target word to be decided, from 1."""
        return self.words + 1

    @property
    def j(self) -> int:
        """How many source units have been read."""
        return len(self.source)

    @property
    def room(self) -> int:
        """How many tokens more the target may have."""
        return self.lexicon.limit(self.source) - len(self.target)

    @property
    def expected_top(self) -> float | None:
        """What max p was at this position under an older source prefix, if it was looked at."""
        return self._stale_top

    def read(self, arrival: Arrival) -> None:
        """Extend the source prefix."""
        self.finished |= arrival.finished
        if not arrival.units:
            return
        if self._rows:
            if self.j == self.i and self._baseline is None:
                self._baseline = self._rows[0]
            self._keep_draft()
            self._stale_top = self._rows[0].top
            self._rows = []
        self._placed = None
        self.source += arrival.units

    def commit(self, word: Tokens) -> None:
        """Append a word, which must be what ``word`` or ``rest`` has given, to the target."""
        self._score(word)
        self._keep_draft()
        self._draft = self._draft[len(word) :]
        self.target += word
        self.words += 1
        known = self._placed  # of a word whose mark is held nothing is known but the rows
        self._placed = known[1:] if known and known[0][0] == word else None
        rows, self._rows = self._rows[len(word) :], []
        self._accept(rows[:1])
        if rows and rows[0].token == self._rows[0].token:
            self._accept(rows[1:])
        self._baseline = self._stale_top = None

    def mean_logp(self) -> float:
        """The mean log-probability of the target's tokens when they were committed, in nats.

        The end token's is among them, if it is known to come next.
        """
        if self._ended() and len(self._rows) == 1:
            self._score((self._rows[0].token,))
        logps = self._logps or [0.0]
        return sum(logps) / len(logps)

    def _score(self, tokens: Tokens) -> None:
        if self._logps is not None:
            rows = zip(self._rows, tokens, strict=False)
            self._logps += [float(row.logp[token]) for row, token in rows]

    def distribution(
        self, *, with_baseline: bool = False, above: float = 0.0
    ) -> Steps[Distribution]:
        """``p``: the distribution of the next token; the baseline comes in the same batch.

        What follows that token is of use only if it is more probable than ``above``.
        """
        if not self._rows:
            yield from self._extend(with_baseline=with_baseline, above=above)
        return self._rows[0]

    def baseline(self) -> Steps[Distribution]:
        """``q``: the next token's distribution under the wait-1 prefix ``x_<=min(i,J)``."""
        if self._baseline is None:
            self._baseline = yield from self.under(self.i)
        return self._baseline

    def under(self, units: int) -> Steps[Distribution]:
        """The next token's distribution under the first source units, at most those read."""
        if self.j <= units:
            return (yield from self.distribution())
        replies = yield Forward((Query(self.source[:units], self.target),))
        row: Distribution = replies[0][0]
        return row

    def word(self) -> Steps[Tokens]:
        """The next greedy word; empty if the translation ends here.

        A word ends where the next greedy token begins another one or is the end token. While the
        source goes on, punctuation before the end token is not taken: see ``Lexicon.holds``.
        """
        n = 0
        room = self.room
        while n < min(LONGEST_WORD, room):
            if len(self._rows) <= n:
                yield from self._extend()
            token = self._rows[n].token
            if self.lexicon.ends(token) or begins_word(self._known()[:n], token, self.lexicon):
                break
            n += 1
        word = self._known()[:n]
        last = self._ended() and len(self._rows) == n + 1
        return self._without_held(word) if last else word

    def rest(self) -> Steps[list[Tokens]]:
        """All greedy words to the end token, or to the longest target the source allows.

        While the source goes on, punctuation before the end token is left out, as by ``word``.
        """
        yield from self._complete()
        text = self._text_tokens()[: max(self.room, 0)]
        return split_words(self._without_held(text) if self._ended() else text, self.lexicon)

    def _without_held(self, tokens: Tokens) -> Tokens:
        """Tokens that stand before the end, but for marks that may be there since source stops."""
        while not self.finished and tokens and self.lexicon.holds(tokens[-1]):
            tokens = tokens[:-1]
        return tokens

    def _complete(self) -> Steps[None]:
        """Compute rows to the end token, or to the longest target the source allows."""
        room = self.room
        while len(self._rows) < room and not self._ended():
            if self.lexicon.parallel and not (self._ahead() and self._draft_ends):
                known = self._known()
                query = Query(self.source, self.target + known)
                self._draft = known + (yield Generate(query, room - len(known)))
                self._draft_ends = True
            yield from self._extend(whole=True)

    def hypothesis(self) -> Steps[list[tuple[Tokens, Place]]]:
        """All greedy words to the end, each with its place; those without a place are left out."""
        if self._placed is None:
            yield from self._complete()
            words = split_words(self._text_tokens()[: max(self.room, 0)], self.lexicon)
            request = Locate(Query(self.source, self.target), tuple(words))
            places: list[Place] = (yield request) if words else []
            self._placed = list(zip(words, places, strict=False))
        return self._placed

    def confidence(self) -> float:
        """The probability of the hypothesis' next word: the product of its tokens'."""
        tokens = self._placed[0][0] if self._placed else ()
        return math.prod(row.top for row in self._rows[: len(tokens)])

    def _extend(
        self, *, with_baseline: bool = False, above: float = 0.0, whole: bool = False
    ) -> Steps[None]:
        """Compute at least one row more, and as many as the draft turns out to be right for."""
        known = self._known()
        draft, ahead = self._ahead(), 0
        if not self.lexicon.parallel:
            draft, ahead = (), max(self.room - len(known) - 1, 0)
            ahead = ahead if whole else min(ahead, GLANCE)
        query = Query(self.source, self.target + known, draft, ahead, above, whole)
        queries: tuple[Query, ...] = (query,)
        if with_baseline and self._baseline is None and self.j > self.i:
            queries += (self._wait_1(),)
        replies = yield Forward(queries)
        if len(queries) > 1:
            self._baseline = replies[1][0]
        for n, row in enumerate(replies[0]):
            self._accept([row])
            if self._rows[-1].token != (draft[n] if n < len(draft) else row.likeliest):
                break

    def _accept(self, rows: list[Distribution]) -> None:
        """Append rows; the first after a committed word may not extend that word."""
        if rows and not self._rows and self.target:
            rows = [rows[0].only(self.lexicon.after_word(self.target)), *rows[1:]]
        self._rows += rows

    def _wait_1(self) -> Query:
        return Query(self.source[: self.i], self.target)

    def _known(self) -> Tokens:
        return tuple(row.token for row in self._rows)

    def _text_tokens(self) -> Tokens:
        known = self._known()
        return known[:-1] if self._ended() else known

    def _ended(self) -> bool:
        return bool(self._rows) and self.lexicon.ends(self._rows[-1].token)

    def _ahead(self) -> Tokens:
        """The part of the draft that goes beyond the known tokens; empty if it does not fit."""
        known = self._known()
        return self._draft[len(known) :] if self._draft[: len(known)] == known else ()

    def _keep_draft(self) -> None:
        """Before rows are dropped: the draft becomes what they say, and what may follow that."""
        if not self._ahead():
            self._draft, self._draft_ends = self._text_tokens(), self._ended()


def split_words(tokens: Tokens, lexicon: Lexicon) -> list[Tokens]:
    """Cut tokens into words."""
    words: list[Tokens] = []
    start = 0
    for end in range(1, len(tokens) + 1):
        if end == len(tokens) or begins_word(tokens[start:end], tokens[end], lexicon):
            words.append(tokens[start:end])
            start = end
    return words


def begins_word(before: Tokens, token: int, lexicon: Lexicon) -> bool:
    """Whether ``token`` begins a word after ``before``, which is not a mere blank by itself."""
    return lexicon.starts_word(token, before) and bool(lexicon.text(before).strip())
