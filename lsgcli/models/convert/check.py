"""Compares a converted model with the original: same distributions, same choices?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.backends.encoder_decoder import EncoderDecoderBackend
from lsgcli.core.distribution import Distribution
from lsgcli.core.steps import Generate, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from lsgcli.core.backend import Backend, Lexicon
    from lsgcli.models.convert.original import Original

STEPS = 8  # target tokens that are compared behind each prefix


@dataclass(frozen=True)
class Agreement:
    """How alike two models are.

    Attributes:
        positions: how many distributions were compared.
        mean_kl, max_kl: KL(original || converted), in nats.
        same: the share of positions where both have the same most probable token.

    """

    positions: int
    mean_kl: float
    max_kl: float
    same: float

    def __str__(self) -> str:
        return (
            f"KL to the original {self.mean_kl:.2g} nats on average, {self.max_kl:.2g} at most; "
            f"same best token at {100 * self.same:.1f}% of {self.positions} positions"
        )


@dataclass(frozen=True)
class Asked:
    """What is asked of both models, as the original's tokens: the last ``rows`` distributions.

    ``source``: names of the source's tokens, of an encoder-decoder. ``names`` and ``tokens``: what
    stands before the rows, of which the layout's part is known by name.
    """

    tokens: tuple[int, ...]
    rows: int
    source: tuple[str, ...] | None = None
    names: tuple[str, ...] = ()
    has_start: bool = False

    def of(self, original: Original) -> npt.NDArray[np.float32]:
        """The original's log-probabilities, of shape [rows, V]."""
        if self.source is None:
            return original.continued(self.tokens, self.rows)
        start = original.start if self.has_start else []
        target = [*start, *original.ids(self.names), *self.tokens]
        return original.decoded(self.source, target, self.rows)


@dataclass(frozen=True)
class Answer:
    """What was asked, and what the converted model says: log-probabilities of shape [rows, V]."""

    asked: Asked
    rows: npt.NDArray[np.float32]


def asked(converted: Backend, query: Query) -> Asked:
    """What a query is to the original."""
    rows = len(query.draft) + 1
    if isinstance(converted, EncoderDecoderBackend):
        lexicon = converted.lexicon
        source = tuple(lexicon.source_tokens(query.source))
        target = query.target + query.draft
        return Asked(target, rows, source, tuple(lexicon.begin), converted.has_start)
    assert isinstance(converted, DecoderOnlyBackend)
    return Asked(converted.lexicon.prompt(query) + query.draft, rows)


class OriginalBackend:
    """The original behind ``Backend.forward``, with the converted model's tokens."""

    def __init__(self, original: Original, converted: Backend) -> None:
        """Take the tokens of ``converted``, which may lack one for padding."""
        ((row,),) = converted.forward([Query(("a",), ())])
        original.size = len(row.logp)
        self._original = original
        self._converted = converted

    @property
    def lexicon(self) -> Lexicon:
        """How the tokens make words."""
        return self._converted.lexicon

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]:
        """One plain pass for every query."""
        rows = (asked(self._converted, query).of(self._original) for query in queries)
        return [[Distribution(row) for row in each] for each in rows]


def answers(converted: Backend, sentences: Sequence[str]) -> list[Answer]:
    """Ask the converted model about prefixes of sentences, along what it would write itself."""
    queries = list(_queries(sentences))
    paths = converted.generate([Generate(query, STEPS, exact=True) for query in queries])
    drafted = [Query(query.source, (), path) for query, path in zip(queries, paths, strict=True)]
    return [
        Answer(asked(converted, query), np.stack([row.logp for row in rows]))
        for query in drafted
        for rows in converted.forward([query])
    ]


def compare(original: Original, found: Sequence[Answer]) -> Agreement:
    """Compare what the converted model has said with the original."""
    divergences, same = [], 0
    original.size = found[0].rows.shape[1]
    for answer in found:
        for row, other in zip(answer.asked.of(original), answer.rows, strict=True):
            p, q = Distribution(row), Distribution(other)
            divergences.append(max(p.divergence(q), 0.0))  # but for rounding
            same += p.likeliest == q.likeliest
    count = len(divergences)
    return Agreement(count, float(np.mean(divergences)), float(np.max(divergences)), same / count)


def _queries(sentences: Sequence[str]) -> Iterator[Query]:
    for sentence in sentences:
        words = tuple(sentence.split())
        for length in sorted({1, len(words) // 2 or 1, len(words)}):
            yield Query(words[:length], ())
