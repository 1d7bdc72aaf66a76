"""Tries a model that can be used: what it says while sentences grow, which placeholders it copies.

What is found is for its manifest. The sentences are short, and written for this purpose.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lsgcli.core.decoder import split_words
from lsgcli.core.segment import request_whole
from lsgcli.core.steps import Generate, Query
from lsgcli.policy.fitting import State, Trial
from lsgcli.scripts import unspaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lsgcli.core.backend import Backend
    from lsgcli.core.distribution import Distribution
    from lsgcli.core.steps import SourceUnit

LEAST = 3  # words of a sentence in which there is something to decide
STYLES = ("{%d}", "<%d>", "[%d]")  # of placeholders
PLACEHOLDERS = 4  # that a sentence may have
ENOUGH = 0.75  # of the sentences with items, that are translated with all of them


def sentences(language: str) -> tuple[tuple[SourceUnit, ...], ...]:
    """The sentences in a language, the same ones in each; none in languages that have none.

    Their units are words, or characters where there are no spaces.
    """
    texts = _column("sentences.tsv", language)
    return tuple(tuple(text if unspaced(text[0]) else text.split()) for text in texts)


@cache
def _column(name: str, language: str) -> tuple[str, ...]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    head, *rows = (line.split("\t") for line in text.splitlines())
    return tuple(row[head.index(language)] for row in rows) if language in head else ()


def placeholders(backends: Mapping[str, Backend]) -> list[str]:
    """The placeholders that a model copies in all directions; none if it does not copy any.

    ``backends``: those of its directions, by source language. Raises ModelError, UsageError.
    """
    for style in STYLES:
        shares = (_copied(backend, of, style) for of, backend in backends.items())
        if all(share >= ENOUGH for share in shares):
            return [style % n for n in range(PLACEHOLDERS)]
    return []


def _copied(backend: Backend, language: str, style: str) -> float:
    """The share of sentences that are translated with each placeholder once, and no other."""
    names = [style % n for n in range(PLACEHOLDERS)]
    shown = [
        text.replace("%0", names[0]).replace("%1", names[1])
        for text in _column("items.tsv", language)
    ]
    if not shown:
        return 0.0
    lexicon = backend.lexicon
    asked = [request_whole(tuple(text.split()), lexicon) for text in shown]
    written = map(lexicon.text, backend.generate(asked))
    kept = [
        [text.count(name) for name in names] == [other.count(name) for name in names]
        for text, other in zip(shown, written, strict=True)
    ]
    return sum(kept) / len(kept)


def grown(
    backend: Backend,
    sources: Sequence[tuple[SourceUnit, ...]],
    done: Callable[[], None] = lambda: None,
) -> list[Trial]:
    """What a model says while sentences grow; ``done`` is called after each.

    One generation a sentence, then a pass for each of its words. Raises ModelError, UsageError.
    """
    trials = []
    limit = backend.lexicon.limit
    asked = [source for source in sources if len(source) >= LEAST]
    requests = [Generate(Query(source, ()), limit(source), exact=True) for source in asked]
    for source, tokens in zip(asked, backend.generate(requests), strict=True):
        if (trial := _trial(backend, source, tokens)) is not None:
            trials.append(trial)
        done()
    return trials


def _trial(
    backend: Backend, source: tuple[SourceUnit, ...], tokens: tuple[int, ...]
) -> Trial | None:
    lexicon = backend.lexicon
    words = split_words(tokens, lexicon)
    starts = [sum(map(len, words[:n])) for n in range(len(words))]
    if not starts:
        return None
    under = [
        list(_at(backend, rows, tokens, starts))
        for length in range(1, len(source) + 1)
        for rows in backend.forward([Query(source[:length], (), tokens[: starts[-1]])])
    ]
    last = under[-1]
    return Trial(
        tuple(
            tuple(
                State(
                    top=row[n].top,
                    kl=row[n].divergence(under[min(n, j)][n]),
                    right=row[n].token == last[n].token,
                    ends=lexicon.ends(row[n].token),
                )
                for j, row in enumerate(under)
            )
            for n in range(len(starts))
        )
    )


def _at(
    backend: Backend, rows: Sequence[Distribution], tokens: tuple[int, ...], starts: Sequence[int]
) -> Iterator[Distribution]:
    """The distributions that decide about words; after one none may go on with it."""
    for start in starts:
        row = rows[start].copy()
        yield row.only(backend.lexicon.after_word(tokens[:start])) if start else row
