"""Batches of examples in a fixed order: whole sentences, prefixes, copies.

An example is ``<s> <2de> SOURCE <sep> TARGET </s>``. A share of them is cut to a source prefix and
as much of the target as it justifies, without the end: so the model goes on well from a source that
is still growing, and does not end its translation before the source ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from corpus import PHRASE
from vocabulary import tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from align import Aligned
    from corpus import Weights
    from numpy.random import Generator
    from numpy.typing import NDArray
    from prepare import Encoded
    from torch import Tensor
    from vocabulary import Vocabulary

POOL = 60_000  # examples sorted by length together
LONGEST = 160  # tokens
MARKS = (".", "!", "?")
# How much of a target stays with a prefix of its source: the same share of its words, rounded down;
# as many as wait-k would have written; those whose links, up to them, are all in the prefix; all.
CONSTRUCTIONS = ("proportional", "wait-k", "alignment", "none")

Ids = list[int]


@dataclass(frozen=True)
class Mix:
    """What examples are made of, besides whole sentences."""

    prefixes: float = 0.35
    construction: str = "proportional"  # or "wait-k", "alignment", "none"
    ended: float = 0.0  # of the prefixes, that are translated as if they were all there is
    copies: float = 0.02  # texts in the language that is asked for: to be left alone
    bare: float = 0.25  # sentences without the mark at their end, on both sides
    lags: tuple[int, int] = (1, 5)  # of wait-k, drawn for every example


@dataclass(frozen=True)
class Batch:
    """``ids`` [B, T], padded behind; ``places`` [N] in ids.flatten() predict ``labels`` [N]."""

    ids: Tensor
    places: Tensor
    labels: Tensor


class Batches:
    """All epochs of a corpus. Everything is drawn from the seed and the epoch."""

    def __init__(
        self,
        encoded: Encoded,
        words: Vocabulary,
        weights: Weights,
        mix: Mix,
        *,
        tokens: int,
        workers: int,
        seed: int,
        aligned: Aligned | None = None,
    ) -> None:
        """Take ``tokens`` for each of ``workers`` at a step. ``aligned``: for that construction."""
        self._times = np.array(weights.by_kind())[np.repeat(encoded.kinds, 2)]
        self._encoded, self._mix, self._tokens = encoded, mix, tokens
        self._workers, self._seed = workers, seed
        self._words = words
        self._begins = np.array(words.begins)
        self._tags = [words.id(tag(language)) for language in encoded.languages]
        self._marks = {i for i, name in enumerate(words.names) if name in MARKS}
        self._aligned = aligned

    def steps(self, worker: int, first: int = 0) -> Iterator[Batch]:
        """Give the worker's batches without end, from step ``first`` on."""
        epoch = step = 0
        while True:
            for group in self._epoch(epoch):
                if step >= first:
                    yield self._batch(group[worker])
                step += 1
            epoch += 1

    def _epoch(self, epoch: int) -> Iterator[list[list[tuple[Ids, int]]]]:
        """For every step a batch of examples for each worker, of about the same length."""
        rng = np.random.default_rng((self._seed, epoch))
        times = np.floor(self._times + rng.random(len(self._times))).astype(np.int64)
        order = np.repeat(np.arange(len(times)), times)
        rng.shuffle(order)
        for at in range(0, len(order), POOL):
            pool = [self._example(int(i), rng) for i in order[at : at + POOL]]
            pool.sort(key=lambda example: len(example[0]))
            batches = list(self._sized(pool))
            groups = [
                batches[i : i + self._workers]
                for i in range(0, len(batches) - self._workers + 1, self._workers)
            ]
            yield from (groups[i] for i in rng.permutation(len(groups)))

    def _sized(self, pool: list[tuple[Ids, int]]) -> Iterator[list[tuple[Ids, int]]]:
        batch: list[tuple[Ids, int]] = []
        for example in pool:
            if batch and len(example[0]) * (len(batch) + 1) > self._tokens:
                yield batch
                batch = []
            if len(example[0]) <= LONGEST:
                batch.append(example)
        if batch:
            yield batch

    def _example(self, number: int, rng: Generator) -> tuple[Ids, int]:
        """Ids, and how many of them come before the target. Number: twice the pair, plus side."""
        pair, side = divmod(number, 2)
        language = self._encoded.sides[pair, 1 - side]
        target = self._encoded.side(pair, 1 - side)
        source = target if rng.random() < self._mix.copies else self._encoded.side(pair, side)
        end = [self._words.end]
        if rng.random() < self._mix.bare and {int(source[-1]), int(target[-1])} <= self._marks:
            source, target = source[:-1], target[:-1]
        whole = rng.random() >= self._mix.prefixes or self._encoded.kinds[pair] == PHRASE
        starts = self._starts(source), self._starts(target)
        if not whole and (cut := self._cut(*starts, number, rng)):
            source, target = source[: cut[0]], target[: cut[1]]
            end = end if rng.random() < self._mix.ended else []
        before = [self._words.start, self._tags[language], *source.tolist(), self._words.separator]
        return [*before, *target.tolist(), *end], len(before)

    def _cut(
        self, source: NDArray[np.int64], target: NDArray[np.int64], number: int, rng: Generator
    ) -> tuple[int, int] | None:
        """How many tokens of both stay, given where their words begin; None: all of them."""
        words, wanted = len(source) - 1, len(target) - 1
        if words < 2 or self._mix.construction == "none":
            return None
        read = int(rng.integers(1, words))
        if self._mix.construction == "proportional":
            written = read * wanted // words
        elif self._mix.construction == "wait-k":
            written = min(wanted, read - int(rng.integers(*self._mix.lags, endpoint=True)) + 1)
        else:
            assert self._aligned
            pair, side = divmod(number, 2)
            needs = self._aligned.side(pair, 1 - side)[:wanted]
            written = int(np.searchsorted(needs, read, side="right"))
        return (int(source[read]), int(target[written])) if written > 0 else None

    def _starts(self, ids: NDArray[np.uint16]) -> NDArray[np.int64]:
        """Where the words begin, and the end."""
        return np.append(np.flatnonzero(self._begins[ids]), len(ids))

    def _batch(self, examples: list[tuple[Ids, int]]) -> Batch:
        longest = max(len(ids) for ids, _ in examples)
        ids = np.full((len(examples), longest), self._words.end, np.int64)
        places, labels = [], Ids()
        for row, (example, before) in enumerate(examples):
            ids[row, : len(example)] = example
            places.append(np.arange(before - 1, len(example) - 1) + row * longest)
            labels += example[before:]
        return Batch(
            torch.from_numpy(ids), torch.from_numpy(np.concatenate(places)), torch.tensor(labels)
        )
