"""Compares a converted model with the original: same distributions, same choices?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.backends.encoder_decoder import EncoderDecoderBackend
from lsgcli.core.distribution import Distribution
from lsgcli.core.steps import Query

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
        return [[Distribution(row) for row in self._rows(query)] for query in queries]

    def _rows(self, query: Query) -> npt.NDArray[np.float32]:
        rows = len(query.draft) + 1
        if isinstance(self._converted, EncoderDecoderBackend):
            lexicon = self._converted.lexicon
            begin = self._original.ids(lexicon.begin)
            start = self._original.start if self._converted.has_start else []
            target = [*start, *begin, *query.target, *query.draft]
            return self._original.decoded(lexicon.source_tokens(query.source), target, rows)
        assert isinstance(self._converted, DecoderOnlyBackend)
        prompt = self._converted.lexicon.prompt(query) + query.draft
        return self._original.continued(prompt, rows)


def compare(original: Original, converted: Backend, sentences: Sequence[str]) -> Agreement:
    """Compare distributions on prefixes of sentences, along what the original would write."""
    backend = OriginalBackend(original, converted)
    divergences, same = [], 0
    for query in _queries(sentences):
        path: tuple[int, ...] = ()
        for _ in range(STEPS):
            ((row,),) = backend.forward([Query(query.source, path)])
            if converted.lexicon.ends(row.likeliest):
                break
            path += (row.likeliest,)
        asked = Query(query.source, (), path)
        for p, q in zip(backend.forward([asked])[0], converted.forward([asked])[0], strict=True):
            divergences.append(max(p.divergence(q), 0.0))  # but for rounding
            same += p.likeliest == q.likeliest
    count = len(divergences)
    return Agreement(count, float(np.mean(divergences)), float(np.max(divergences)), same / count)


def _queries(sentences: Sequence[str]) -> Iterator[Query]:
    for sentence in sentences:
        words = tuple(sentence.split())
        for length in sorted({1, len(words) // 2 or 1, len(words)}):
            yield Query(words[:length], ())
