"""Encoder-decoder models in CTranslate2 (``ctranslate2.Translator``): Marian, NLLB, T5, mBART.

Their decoder takes one token after the other, also those that are forced, so there is nothing to
gain from a draft: a pass goes on greedily instead, and gives the distributions of all it passes.
How far: to the end of a word, which is all that a policy wants to know before it READs, and twice
as far with each further question about the same source. So a whole hypothesis costs a few passes,
and a READ costs no more than a word.

Sentences share a batch. In int8 that changes nothing at all, in floating point the last digits
(measured in benchmarks/README.md).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np

from lsgcli.backends.lexicon import TokenLexicon, writing
from lsgcli.backends.loading import as_array, load
from lsgcli.backends.pieces import SourceVocabulary, TargetVocabulary, open_speller, read_names
from lsgcli.backends.watch import Watch
from lsgcli.core.backend import Placement, Usage
from lsgcli.core.cache import Cache
from lsgcli.core.distribution import Distribution
from lsgcli.core.steps import Scored
from lsgcli.errors import ManifestError
from lsgcli.models.files import read_object
from lsgcli.models.manifest import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from pathlib import Path

    from lsgcli.core.steps import Generate, Query, SourceUnit
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import EncoderDecoderManifest

    Source = tuple[SourceUnit, ...]

KEPT_BYTES = 64 << 20  # distributions that are kept
ALIKE = 4  # tokens by which the lengths of sources in a batch differ, so that little is padding
PATIENCE = 4096  # source prefixes of which is known how far to go


class EncoderDecoderLexicon(TokenLexicon):
    """How the tokens of an encoder-decoder make words, and words a source."""

    parallel = False

    def __init__(self, model: Model[EncoderDecoderManifest]) -> None:
        """Open the tokenizers; resolve layouts and end tokens. Raises ModelError, ManifestError."""
        self._model = model
        source, target = model.manifest.source, model.manifest.target
        spellers = [open_speller(model.directory, source.tokenizer)]
        if target.tokenizer not in (None, source.tokenizer):
            spellers.insert(0, open_speller(model.directory, target.tokenizer))
        self.source = SourceVocabulary(read_names(model.directory, "source"), spellers[-1])
        self.target = TargetVocabulary(read_names(model.directory, "target"), spellers)
        written = writing(model.target, target.unit)
        super().__init__(self.target, frozenset(map(self._id, target.end)), written)
        self.space = " " if writing(model.source, source.unit) == "spaced" else ""
        slot = source.parts.index("{source}")
        self._head = self._fixed(source.parts[:slot])
        self._tail = self._fixed(source.parts[slot + 1 :])
        begin = [self._resolve(part) for part in target.parts[:-1]]
        self.begin = tuple(self.token(self._id(part, "target.parts")) for part in begin)

    def token(self, number: int) -> str:
        """The name of a target token."""
        return self.target.token(number)

    def limit(self, source: Sequence[SourceUnit]) -> int:
        """Twice the source's tokens and a few: no translation is longer, but loops are endless."""
        return 2 * sum(len(tokens) for tokens in self._units(source)) + 16

    def source_tokens(self, source: Sequence[SourceUnit]) -> tuple[str, ...]:
        """What the encoder sees for a source prefix."""
        tokens = (token for unit in self._units(source) for token in unit)
        return (*self._head, *tokens, *self._tail)

    def _units(self, source: Sequence[SourceUnit]) -> Iterator[tuple[str, ...]]:
        """The tokens of each unit, as it stands behind the one before."""
        for n, unit in enumerate(map(str, source)):
            joined = bool(n) and not self.space and not unit.startswith(" ")
            yield self.source.joined(unit) if joined else self.source.word(unit.lstrip(" "))

    def target_tokens(self, target: Sequence[int]) -> list[str]:
        """What the decoder is given for a target prefix."""
        return [*self.begin, *map(self.token, target)]

    def _fixed(self, parts: Sequence[str]) -> tuple[str, ...]:
        return tuple(token for part in parts for token in self.source.part(self._resolve(part)))

    def _resolve(self, part: str) -> str:
        return self._model.manifest.resolve(part, self._model.source, self._model.target)

    def _id(self, token: str, where: str = "target.end") -> int:
        number = self.target.id(token)
        if number is None:
            file = self._model.directory / FILE_NAME
            raise ManifestError(f"{file}: {where}: the model has no token {token!r}")
        return number


class EncoderDecoderBackend:
    """A ``ctranslate2.Translator`` behind the ``Backend`` protocol."""

    def __init__(
        self, model: Model[EncoderDecoderManifest], placement: Placement, usage: Usage | None = None
    ) -> None:
        """Load a model whose files have been verified; the weights in a thread, see ``ready``.

        What is asked of it is added to ``usage``.

        Raises ModelError, ManifestError.
        """
        self.usage = usage or Usage()
        self.batch_size = placement.batch_size
        self._end = list(model.manifest.target.end)
        self._pool = ThreadPoolExecutor()
        self._loading = self._pool.submit(load, ctranslate2.Translator, model.directory, placement)
        self.lexicon = EncoderDecoderLexicon(model)
        self.has_start = has_start(model.directory)  # a token before any that the layout has
        self._skipped = len(self.lexicon.begin) - (not self.has_start)
        if self._skipped < 0:
            raise ManifestError(
                f"{model.directory / FILE_NAME}: target.parts: this model has no start token of "
                'its own; begin with the language, as in ["{to}", "{target}"]'
            )
        self._lock = Lock()
        self._forget()

    def _forget(self) -> None:
        """Keep no results of other layouts."""
        rows = KEPT_BYTES // (4 * self.lexicon.target.size)
        self._rows: Cache[tuple[Source, tuple[int, ...]], Distribution] = Cache(max(rows, 16))
        self._patience: Cache[Source, int] = Cache(PATIENCE)

    def toward(self, model: Model[EncoderDecoderManifest]) -> EncoderDecoderBackend:
        """Serve another direction of the same model with the same weights. Raises ManifestError."""
        other = copy(self)
        other.lexicon = EncoderDecoderLexicon(model)
        other._forget()
        return other

    def ready(self) -> None:
        """Wait for the weights. Raises ModelError, or UsageError for a device that is not there."""
        self._loading.result()

    def count(self, unit: SourceUnit) -> int:
        """How many tokens a source unit has; none, if the model knows none of them."""
        return self.lexicon.source.count(str(unit))

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]:
        """Answer queries in one batch, spread over the replicas; see ``steps.Forward``."""
        replies: list[list[Distribution]] = [[] for _ in queries]
        missing: list[int] = []
        for n, query in enumerate(queries):
            known = self._rows.get((query.source, query.target))
            if not self.lexicon.source_tokens(query.source):  # which CTranslate2 does not take
                replies[n] = [self._nothing]
            elif known is None or query.draft or query.ahead:
                missing.append(n)
            else:
                replies[n] = [known]
        missing.sort(key=lambda n: len(queries[n].source))
        width = max(1, -(-len(missing) // self.replicas))
        parts = [missing[n : n + width] for n in range(0, len(missing), width)]
        answers = (self._pool.map if len(parts) > 1 else map)(
            self._pass, [[queries[n] for n in part] for part in parts]
        )
        for part, rows in zip(parts, answers, strict=True):
            for n, row in zip(part, rows, strict=True):
                replies[n] = row
        return replies

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, ...]]:
        """Continue greedily; see ``scored``."""
        return (each.tokens for each in self.scored(requests))

    def scored(self, requests: Sequence[Generate]) -> Iterator[Scored]:
        """Greedy search, in batches of sources of similar length."""
        lexicon = self.lexicon
        sources = [lexicon.source_tokens(request.query.source) for request in requests]
        order = sorted(range(len(requests)), key=lambda n: len(sources[n]))
        size = max(1, min(self.batch_size, -(-len(order) // self.replicas)))
        batches = sorted(order[n : n + size] for n in range(0, len(order), size))
        futures: dict[int, Any] = {}
        for members in batches:
            targets = [requests[n].query.target for n in members]
            steps = [len(t) + requests[n].limit for n, t in zip(members, targets, strict=True)]
            results = self._translate(
                [sources[n] for n in members],
                targets,
                max(steps),
                asynchronous=True,
                return_scores=True,
            )
            futures.update(zip(members, results, strict=True))
        return self._replies(requests, sources, futures)

    def _replies(
        self,
        requests: Sequence[Generate],
        sources: list[tuple[str, ...]],
        futures: dict[int, Any],
    ) -> Iterator[Scored]:
        for n, request in enumerate(requests):
            result = futures.pop(n).result()
            names = result.hypotheses[0]
            tokens = self._numbers(names[self._skipped + len(request.query.target) :])
            tokens = tokens[: request.limit]
            self.usage.calls += len(tokens) + 1
            self.usage.tokens += len(sources[n]) + len(tokens)
            yield Scored(tokens, result.scores[0])

    def alike(self, request: Generate) -> Hashable:
        """About how long the source is."""
        return len(self.lexicon.source_tokens(request.query.source)) // ALIKE

    @property
    def replicas(self) -> int:
        """How many batches run side by side."""
        return self._loading.result()[1]

    @cached_property
    def _nothing(self) -> Distribution:
        """The distribution behind an empty source: the end is certain."""
        logp = np.full(self.lexicon.target.size, -1e9, np.float32)
        logp[list(map(self.lexicon.ends, range(len(logp))))] = 0.0
        return Distribution(logp, normalised=False)

    @property
    def _translator(self) -> ctranslate2.Translator:
        return self._loading.result()[0]

    def _pass(self, queries: list[Query]) -> list[list[Distribution]]:
        """Answer queries with one batch, each as far as it has patience."""
        lexicon = self.lexicon
        sources = [lexicon.source_tokens(query.source) for query in queries]
        forced = [query.target + query.draft for query in queries]
        watches = [self._watch(query, len(f)) for query, f in zip(queries, forced, strict=True)]
        results = self._translate(
            sources,
            forced,
            max(len(f) + 1 + query.ahead for query, f in zip(queries, forced, strict=True)),
            return_logits_vocab=True,
            return_scores=True,
            callback=lambda step: watches[step.batch_id].enough(step.token_id, step.log_prob),
        )
        replies = []
        for query, result in zip(queries, results, strict=True):
            first = self._skipped + len(query.target)
            rows = [Distribution(as_array(s), normalised=False) for s in result.logits[0][first:]]
            rows = rows[: len(query.draft) + 1 + query.ahead]
            self._keep(query, rows)
            replies.append(rows)
        with self._lock:
            steps = [len(f) + len(r) for f, r in zip(forced, replies, strict=True)]
            self.usage.calls += 1 + max(steps)
            self.usage.tokens += sum(map(len, sources)) + sum(steps)
        return replies

    def _translate(
        self,
        sources: Sequence[Sequence[str]],
        targets: Sequence[tuple[int, ...]],
        steps: int,
        **options: Any,
    ) -> list[Any]:
        """Greedy search that suppresses nothing; ``steps`` counts forced tokens too."""
        results: list[Any] = self._translator.translate_batch(
            list(map(list, sources)),
            target_prefix=list(map(self.lexicon.target_tokens, targets)),
            beam_size=1,
            min_decoding_length=0,
            max_decoding_length=self._skipped + steps,
            max_input_length=0,
            end_token=self._end,
            return_end_token=True,
            **options,
        )
        return results

    def _numbers(self, names: Sequence[str]) -> tuple[int, ...]:
        """The numbers of tokens that the model wrote, up to the end token."""
        numbers = [self.lexicon.target.id(name) for name in names]
        ended = next((n for n, name in enumerate(names) if name in self._end), None)
        return tuple(number for number in numbers[:ended] if number is not None)

    def _watch(self, query: Query, forced: int) -> Watch:
        words = self._patience.get(query.source) or 1
        self._patience.put(query.source, 2 * words)
        least = self._skipped + forced + 1
        return Watch(self.lexicon, least, least + query.ahead, words, query.above)

    def _keep(self, query: Query, rows: Sequence[Distribution]) -> None:
        tokens = query.target + query.draft
        for n, row in enumerate(rows):
            known_as = tokens[: len(query.target) + n]
            self._rows.put((query.source, known_as), row)
            if len(known_as) == len(tokens):
                tokens += (row.likeliest,)


def has_start(directory: Path) -> bool:
    """Whether the decoder starts with a token of its own, before any that the layout has.

    Raises ModelError.
    """
    return read_object(directory / "config.json").get("decoder_start_token", "") is not None
