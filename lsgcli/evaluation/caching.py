"""Computation shared between settings.

A distribution does not depend on thresholds, only on the source and target prefix. Settings whose
decisions have been the same so far need the same ones.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lsgcli.core.distribution import Distribution
from lsgcli.evaluation.engine import in_turn
from lsgcli.evaluation.runner import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.core.backend import Backend, Lexicon, Usage
    from lsgcli.core.steps import Generate, Query, SourceUnit
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.engine import Done, Translate
    from lsgcli.metrics.units import LatencyUnit
    from lsgcli.policy.base import Policy

CACHED_BYTES = 1 << 30  # of distributions
STATES = 400  # of a sentence that all settings together come to

Prefixes = tuple[tuple["SourceUnit", ...], tuple[int, ...]]


class CachingBackend:
    """A backend that caches its answers until ``forget``."""

    def __init__(self, backend: Backend) -> None:
        """Cache what ``backend`` answers."""
        self._backend = backend
        self._rows: dict[Prefixes, Distribution] = {}
        self._tokens: dict[Generate, tuple[int, ...]] = {}

    @property
    def lexicon(self) -> Lexicon:
        """How the model's tokens make words."""
        return self._backend.lexicon

    @property
    def usage(self) -> Usage:
        """What the model itself was asked."""
        return self._backend.usage

    def ready(self) -> None:
        """Wait until the model is loaded."""
        self._backend.ready()

    def count(self, unit: SourceUnit) -> int:
        """How many tokens a source unit has."""
        return self._backend.count(unit)

    def forget(self) -> None:
        """Drop all answers: a distribution takes 4 bytes for every word of the vocabulary."""
        self._rows.clear()
        self._tokens.clear()

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]:
        """Ask the model for what is not in the cache, each query once."""
        missing = [query for query in dict.fromkeys(queries) if not self._known(query)]
        for query, rows in zip(missing, self._backend.forward(missing), strict=True):
            path = query.draft + tuple(row.likeliest for row in rows[len(query.draft) :])
            own = map(Distribution.copy, rows)
            self._rows.update(zip(_prefixes(query, path[: len(rows) - 1]), own, strict=True))
        return [[self._rows[each] for each in _prefixes(query, query.draft)] for query in queries]

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, ...]]:
        """Ask the model for what is not in the cache, each request once."""
        missing = [request for request in dict.fromkeys(requests) if request not in self._tokens]
        self._tokens.update(zip(missing, self._backend.generate(missing), strict=True))
        return (self._tokens[request] for request in requests)

    def _known(self, query: Query) -> bool:
        return all(prefixes in self._rows for prefixes in _prefixes(query, query.draft))


def _prefixes(query: Query, path: tuple[int, ...]) -> list[Prefixes]:
    """Return the prefixes of each row: the target, then one token more each time."""
    return [(query.source, query.target + path[:length]) for length in range(len(path) + 1)]


def sharing(backend: Backend, unit: LatencyUnit = "word") -> Translate:
    """Return what runs policies over sentences, and computes once what they have in common.

    As many sentences at a time as their distributions leave room for.
    """
    cache = CachingBackend(backend)

    def translate(policies: Sequence[Policy], sentences: Sequence[Sentence], done: Done) -> None:
        size = max(1, CACHED_BYTES // (4 * STATES * len(backend.lexicon.after_word(()))))
        together = max(1, min(size, len(sentences)))
        run = in_turn(partial(evaluate, cache, batch_size=together, unit=unit))
        for start in range(0, len(sentences), together):
            run(policies, sentences[start : start + together], done)
            cache.forget()

    return translate
