"""What the engine asks of the world (requests) and what it reports (events).

The engine is a generator: it yields one of these and is resumed with the reply its docstring
names. Whoever drives it decides where source units come from, which model answers, and what time
it is.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")

SourceUnit: TypeAlias = Hashable  # a word (str), or a segment of speech
KlDirection: TypeAlias = Literal["forward", "reverse"]  # KL(p||q) as in eq. 3, or KL(q||p)


class Query(msgspec.Struct, frozen=True):
    """One (source prefix, target prefix) pair, with a guess of how the target goes on."""

    source: tuple[SourceUnit, ...]  # source units x_<=j
    target: tuple[int, ...]  # target tokens
    draft: tuple[int, ...] = ()  # tokens that may follow the target
    ahead: int = 0  # how many more distributions are of use, if they are cheap
    above: float = 0.0  # and if the first token is more probable than this
    whole: bool = False  # they are of use up to the end, not only up to the next word


class Forward(msgspec.Struct, frozen=True):
    """Ask for next-token distributions, all queries in one batched model call.

    Reply: for each query a list of ``len(draft) + 1`` distributions; the k-th one is conditioned
    on the target and the first k draft tokens. A model that decodes step by step may add up to
    ``ahead`` more, each conditioned on the most probable tokens before it.
    """

    queries: tuple[Query, ...]


class Generate(msgspec.Struct, frozen=True):
    """Ask for a greedy continuation of at most ``limit`` tokens.

    Reply: the tokens, without the end token. A fast path of the model may answer, whose rounding
    differs from ``Forward``'s, so this only *proposes*: ``Forward`` decides. ``exact``: the reply
    must not depend on the batch it is made in, because nothing verifies it.
    """

    query: Query
    limit: int
    exact: bool = False


class Scored(msgspec.Struct, frozen=True):
    """A greedy continuation, and how much the model believes it."""

    tokens: tuple[int, ...]
    logp: float  # mean log-probability of a token, the end token included, in nats


class Locate(msgspec.Struct, frozen=True):
    """Ask where words were spoken that continue a target prefix.

    Reply: a ``Place`` for each word, in order. Fewer places than words: from there on the words
    have no place in the source, which is how a model looks that repeats itself.
    """

    query: Query
    words: tuple[tuple[int, ...], ...]


class Place(msgspec.Struct, frozen=True):
    """Where in the source a word was spoken."""

    unit: int  # the number, from 1, of the source unit in which it ends
    margin: float  # seconds of source after its end; infinite if the speech has paused since


class Receive(msgspec.Struct, frozen=True):
    """Ask for source units. Reply: an ``Arrival``; an empty one only if ``wait`` is false."""

    wait: bool


class Arrival(msgspec.Struct, frozen=True):
    """Source units that have come, and whether they are the segment's last."""

    units: tuple[SourceUnit, ...] = ()
    finished: bool = False


class Action(str, Enum):
    """What a policy may decide."""

    READ = "read"
    WRITE = "write"


class Reason(str, Enum):
    """Which rule decided."""

    FINISHED = "finished"  # WRITE: the source is complete
    BOUND = "bound"  # READ: fewer units than the lower bound; WRITE: the upper bound is reached
    END_HELD = "end held"  # READ: the model would end before its source does
    CONFIDENCE = "confidence"  # WRITE: the best token is probable enough (eq. 4)
    DIVERGENCE = "divergence"  # WRITE: reading on has changed the distribution enough (eq. 3)
    UNCERTAIN = "uncertain"  # READ: neither
    AGREEMENT = "agreement"  # WRITE: a stable part of the hypothesis (local agreement, hold-n)
    UNSTABLE = "unstable"  # READ: not yet stable
    KNOWN = "known"  # WRITE: the translation memory has it
    LEFT = "left"  # WRITE: the source itself, since the model does not believe its translation
    CUT = "cut"  # READ: the word ends so near the end of the source that it may go on
    MARGIN = "margin"  # WRITE: enough source was heard after the word
    PAUSE = "pause"  # WRITE: the speech has paused after the word


class Decision(msgspec.Struct, frozen=True):
    """A decision for the ``i``-th target word with ``j`` source units read.

    An event as well: the engine reports every decision it takes. Reply: none.
    """

    action: Action
    reason: Reason
    i: int
    j: int
    top: float | None = None  # max p, where it was looked at
    kl: float | None = None  # nats, where it was computed


class Units(msgspec.Struct, frozen=True):
    """Event: source units were read; ``j`` of the segment have been read now. Reply: none."""

    units: tuple[SourceUnit, ...]
    j: int
    space: str = " "  # what stands between units


class Commit(msgspec.Struct, frozen=True):
    """Event: a word is committed and will never change. Reply: none."""

    text: str
    spaced: bool  # a space stands before the word
    decision: Decision
    tokens: tuple[int, ...] = ()  # that make the word


class Hypothesis(msgspec.Struct, frozen=True):
    """Event: how the target would go on if no more source came. Reply: none."""

    text: str


class Belief(msgspec.Struct, frozen=True):
    """Event: how much the model believes the segment's translation. Reply: none."""

    logp: float  # mean log-probability of a token, in nats
    doubted: bool  # below the floor


Request: TypeAlias = Forward | Generate | Locate | Receive
Event: TypeAlias = Decision | Units | Commit | Hypothesis | Belief
Steps: TypeAlias = Generator[Request | Event, Any, T]
