"""Decoder-only models in CTranslate2 (``ctranslate2.Generator``)."""

from __future__ import annotations

import math
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np

from lsgcli import languages
from lsgcli.backends.devices import place
from lsgcli.backends.lexicon import TokenLexicon, writing
from lsgcli.backends.loading import as_array, load
from lsgcli.backends.vocabulary import ANCHOR, WORDS_KEPT, open_tokenizer
from lsgcli.backends.watch import Watch
from lsgcli.core.backend import Placement, Usage
from lsgcli.core.distribution import Distribution
from lsgcli.core.steps import Scored
from lsgcli.errors import ManifestError
from lsgcli.models.files import read_tokens
from lsgcli.models.manifest import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from lsgcli.backends.vocabulary import Vocabulary
    from lsgcli.core.distribution import Tokens
    from lsgcli.core.steps import Generate, Query, SourceUnit
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import DecoderOnlyManifest

SPLIT_TOKENS = 96  # tokens up to which one pass is faster than two side by side
CACHED_BYTES = 2 << 20  # log-probabilities that a small model's pass returns without leaving cache
FORWARD_BYTES = 256 << 20  # log-probabilities that any other pass may return
ONE_ROW_BYTES = 32 << 20  # of a query's log-probabilities, from which its last row alone is got
KEPT_HEAD = 24  # tokens of a fixed head from which it pays on a CPU to keep what is computed of it


class DecoderOnlyLexicon(TokenLexicon):
    """How the tokens of a decoder-only model make words, and words a prompt."""

    def __init__(self, vocabulary: Vocabulary, model: Model[DecoderOnlyManifest]) -> None:
        """Resolve the manifest's prompt and end tokens. Raises ManifestError."""
        self.parallel = True
        self._vocabulary = vocabulary
        self._model = model
        end = map(self._id, model.manifest.prompt.end)
        units = model.manifest.units
        super().__init__(vocabulary, frozenset(end), writing(model.target, units.target))
        self.space = " " if writing(model.source) == "spaced" else ""
        self._latin = languages.latin(model.target)
        parts = model.manifest.layout(model.source, model.target)
        slot = parts.index("{source}")
        self._before = "" if not slot or self._whole(parts[slot - 1]) else parts[slot - 1]
        self._spaced = self._before.endswith(" ")  # which is the first word's, for tokenizers
        if self._spaced:
            parts[slot - 1] = self._before.rstrip(" ")
        self.head = self._fixed(parts[:slot], behind=False)
        self._middle = self._fixed(parts[slot + 1 : -1], behind=True)
        self._first = lru_cache(WORDS_KEPT)(self._encode_first)
        self.tokens_with = lru_cache(None)(self._tokens_with)
        self.tokens_without = lru_cache(None)(self._tokens_without)

    def limit(self, source: Sequence[SourceUnit]) -> int:
        """Twice the source's tokens and a few: no translation is longer, but loops are endless.

        In a script that the model may have to spell, tokens are as many as bytes, and those
        three for a character.
        """
        length = len(self.source_tokens(source))
        if not self._latin:
            length = max(length, 2 * sum(len(str(unit).encode()) for unit in source))
        return 2 * length + 16

    def source_tokens(self, source: Sequence[SourceUnit]) -> tuple[int, ...]:
        """The tokens of a source prefix: those of its words, one after the other."""
        if not source:
            return ()
        units = map(self.unit_tokens, source[1:])
        return self._first(str(source[0])) + tuple(token for unit in units for token in unit)

    def unit_tokens(self, unit: SourceUnit) -> tuple[int, ...]:
        """The tokens of a source unit behind another one: of a word, with the space before it."""
        text = str(unit)
        if self.space or text.startswith(" "):
            return self._vocabulary.encode_word(text.lstrip(" "), False)
        return self._vocabulary.encode_joined(text)

    def _encode_first(self, word: str) -> tuple[int, ...]:
        """Tokens of the first word, as they are behind the text before the slot."""
        if self._before and not self._spaced:
            return self._vocabulary.encode_behind(self._before, word)
        return self._vocabulary.encode_word(word, not self._spaced)

    def prompt(self, query: Query) -> tuple[int, ...]:
        """The tokens the model sees for a source and target prefix."""
        return self.head + self.source_tokens(query.source) + self._middle + query.target

    def invented(self, prompt: Sequence[int]) -> tuple[str, ...]:
        """The placeholders that are not in the prompt: a model that writes one makes it up."""
        if not (placeholders := self._model.manifest.placeholders):
            return ()
        text = self.text(prompt)
        return tuple(each for each in placeholders if each not in text)

    def _tokens_with(self, words: tuple[str, ...]) -> list[int]:
        """The tokens that have one of the words in them."""
        names = map(self._vocabulary.token, range(self._vocabulary.size if words else 0))
        return [n for n, name in enumerate(names) if any(word in name for word in words)]

    def _tokens_without(self, words: tuple[str, ...]) -> Tokens | None:
        """All tokens but these, of shape ``[V]``; None for all."""
        if not (tokens := self.tokens_with(words)):
            return None
        allowed = np.ones(self._vocabulary.size, np.bool_)
        allowed[tokens] = False
        return allowed

    def _fixed(self, parts: Sequence[str], *, behind: bool) -> tuple[int, ...]:
        """Tokens of fixed parts; ``behind``: text stands before the first of them."""
        tokens: tuple[int, ...] = ()
        for part in parts:
            whole = self._vocabulary.id(part)
            if whole is not None:
                tokens += (whole,)
            elif behind:
                tokens += self._behind(part)
            else:
                tokens += self._vocabulary.encode(part)
            behind = whole is None
        return tokens

    def _behind(self, part: str) -> tuple[int, ...]:
        """Tokens of a fixed part behind text; special tokens in it are recognised."""
        encode = self._vocabulary.encode
        start, whole = encode(ANCHOR), encode(ANCHOR + part)
        return whole[len(start) :] if whole[: len(start)] == start else encode(part)

    def _whole(self, part: str) -> bool:
        return self._vocabulary.id(part) is not None

    def _id(self, token: str) -> int:
        number = self._vocabulary.id(token)
        if number is None:
            file = self._model.directory / FILE_NAME
            raise ManifestError(f"{file}: prompt.end: the tokenizer has no token {token!r}")
        return number


class DecoderOnlyBackend:
    """A ``ctranslate2.Generator`` behind the ``Backend`` protocol.

    What stands before the source is the same in all prompts. If it is long, its keys and values are
    kept (CTranslate2's ``static_prompt``), and passes go on from there. They write token by token,
    so that drafts are of no use to them: a pass that computes the head anew and verifies a draft
    costs more than one that does neither (benchmarks/llm_cost.py). On a card, where tokens side by
    side cost next to nothing, it is the other way about.

    A small model is fastest with one core a pass, and uses the others for passes side by side: the
    synchronisation of two cores costs more than a pass (measured in benchmarks/README.md).
    """

    def __init__(
        self, model: Model[DecoderOnlyManifest], placement: Placement, usage: Usage | None = None
    ) -> None:
        """Load a model whose files have been verified; the weights in a thread, see ``ready``.

        What is asked of it is added to ``usage``.

        Raises ModelError, ManifestError, or UsageError for a device that is not there.
        """
        self.usage = usage or Usage()
        self.batch_size = placement.batch_size
        self._pool = ThreadPoolExecutor()
        self._loading = self._pool.submit(load, ctranslate2.Generator, model.directory, placement)
        self._vocabulary = open_tokenizer(model.directory, model.manifest.tokenizer)
        self._on_cpu = place(placement.device, placement.compute_type).device == "cpu"
        self._serve(model)

    def _serve(self, model: Model[DecoderOnlyManifest]) -> None:
        """Take a direction's prompt."""
        self._model = model
        self.lexicon = DecoderOnlyLexicon(self._vocabulary, model)
        head = self.lexicon.head
        keep = self._on_cpu and len(head) >= KEPT_HEAD
        self.lexicon.parallel = not keep
        # What is kept; CTranslate2 wants a token behind it.
        self._head = list(map(self._vocabulary.token, head[:-1] if keep else ()))

    def toward(self, model: Model[DecoderOnlyManifest]) -> DecoderOnlyBackend:
        """Serve another direction of the same model with the same weights. Raises ManifestError."""
        other = copy(self)
        other._serve(model)
        return other

    def ready(self) -> None:
        """Wait for the weights. Raises ModelError, or UsageError for a device that is not there."""
        self._loading.result()

    @property
    def _generator(self) -> ctranslate2.Generator:
        return self._loading.result()[0]

    @property
    def replicas(self) -> int:
        """How many passes run side by side."""
        return self._loading.result()[1]

    def count(self, unit: SourceUnit) -> int:
        """How many tokens a source unit has."""
        return len(self.lexicon.unit_tokens(unit))

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]:
        """Answer all queries in one batch, spread over the replicas.

        Every position of a sequence is computed in parallel, and its result does not depend on
        the batch or the padding: CTranslate2 quantises each position by itself. (Its int8 kernels
        for CPUs without MKL round otherwise in company, by up to 0.1 in a log-probability.) A pass
        returns the rows of all positions; a large vocabulary's would be more to copy than to
        compute, so that of a query without a draft the last one is asked for alone. So it is
        behind a head that is kept, and what follows, as far as it is of use.
        """
        rows = [(self.lexicon.prompt(query), query.draft) for query in queries]
        row = 4 * self._vocabulary.size
        alone = [
            n
            for n, (prompt, draft) in enumerate(rows)
            if not draft and (self._head or row * len(prompt) > ONE_ROW_BYTES)
        ]
        others = sorted(set(range(len(rows))).difference(alone))
        replies: list[list[Distribution]] = [[] for _ in queries]
        lengths = [len(rows[n][0]) + len(rows[n][1]) for n in others]
        parts = [[others[n] for n in part] for part in self._parts(lengths)]
        answers = self._map([[rows[n] for n in part] for part in parts])
        for part, answer in zip(parts, answers, strict=True):
            for n, reply in zip(part, answer, strict=True):
                replies[n] = reply
        self.usage.calls += bool(others)
        self.usage.tokens += sum(lengths)
        onward = self._onward([queries[n] for n in alone], [rows[n][0] for n in alone])
        for n, reply in zip(alone, onward, strict=True):
            replies[n] = reply
        return replies

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, ...]]:
        """Continue greedily; see ``scored``."""
        return (each.tokens for each in self.scored(requests))

    def scored(self, requests: Sequence[Generate]) -> Iterator[Scored]:
        """Greedy search with CTranslate2's key/value cache.

        Of exact requests only those with prompts of equal length share a batch: then the result
        does not depend on the batch (shorter prompts of a mixed batch are read by another kernel,
        with other rounding). Others are sorted by length and spread over the replicas.
        """
        prompts = [self.lexicon.prompt(request.query) for request in requests]
        futures: dict[int, ctranslate2.AsyncGenerationResult] = {}
        for members in self._batches(requests, prompts):
            limit = max(requests[n].limit for n in members)
            end = self._model.manifest.prompt.end
            batch = [prompts[n] for n in members]
            invented = self.lexicon.tokens_with(self.lexicon.invented(batch[0]))
            without = [[self._vocabulary.token(token)] for token in invented]
            results = self._generate(
                batch, limit, end_token=end, suppress_sequences=without, return_scores=True
            )
            futures.update(zip(members, results, strict=True))
        return self._replies(requests, prompts, futures)

    def _replies(
        self,
        requests: Sequence[Generate],
        prompts: list[tuple[int, ...]],
        futures: dict[int, ctranslate2.AsyncGenerationResult],
    ) -> Iterator[Scored]:
        for n, prompt in enumerate(prompts):
            result = futures.pop(n).result()
            tokens = tuple(result.sequences_ids[0])[: requests[n].limit]
            self.usage.calls += len(tokens) + 1
            self.usage.tokens += len(prompt) - len(self._head) + len(tokens)
            yield Scored(tokens, result.scores[0])

    def alike(self, request: Generate) -> Hashable:
        """The length of the prompt, and what may not be written; see ``scored``."""
        prompt = self.lexicon.prompt(request.query)
        length = (len(prompt), request.limit) if request.exact else ()
        return self.lexicon.invented(prompt), length

    def _onward(
        self, queries: Sequence[Query], prompts: list[tuple[int, ...]]
    ) -> list[list[Distribution]]:
        """The distributions behind whole prompts, and behind what the model writes from there.

        Only prompts of equal length share a batch.
        """
        batches: list[tuple[list[int], list[ctranslate2.AsyncGenerationResult]]] = []
        for length in dict.fromkeys(map(len, prompts)):
            members = [n for n, prompt in enumerate(prompts) if len(prompt) == length]
            asked = self._generate(
                [prompts[n] for n in members],
                1 + max(queries[n].ahead for n in members),
                end_token=self._model.manifest.prompt.end,
                return_end_token=True,
                return_logits_vocab=True,
                return_scores=True,
                callback=_first_enough([self._watch(queries[n]) for n in members]),
            )
            batches.append((members, asked))
        replies: list[list[Distribution]] = [[] for _ in prompts]
        for members, asked in batches:
            for n, reply in zip(members, asked, strict=True):
                rows = [as_array(row).reshape(-1) for row in reply.result().logits[0]]
                allowed = self._allowed(prompts[n])
                replies[n] = [Distribution(row, allowed, normalised=False) for row in rows]
                self.usage.tokens += len(prompts[n]) - len(self._head) + len(rows) - 1
            self.usage.calls += 1 + max(len(replies[n]) for n in members)
        return replies

    def _watch(self, query: Query) -> Watch:
        words = math.inf if query.whole else 1
        return Watch(self.lexicon, 1, 1 + query.ahead, words, query.above)

    def _allowed(self, prompt: tuple[int, ...]) -> Tokens | None:
        """What may be written behind a prompt."""
        return self.lexicon.tokens_without(self.lexicon.invented(prompt))

    def _batches(
        self, requests: Sequence[Generate], prompts: list[tuple[int, ...]]
    ) -> list[list[int]]:
        """Group requests for generation, the first ones first; all of one may write the same."""
        groups: defaultdict[tuple[tuple[str, ...], tuple[int, ...]], list[int]] = defaultdict(list)
        for n in sorted(range(len(prompts)), key=lambda n: len(prompts[n])):
            alike = (len(prompts[n]), requests[n].limit) if requests[n].exact else ()
            groups[self.lexicon.invented(prompts[n]), alike].append(n)
        size = self.batch_size
        others = sum(not request.exact for request in requests)
        share = max(1, min(size, -(-others // self.replicas)))
        return sorted(
            part
            for (_, alike), group in groups.items()
            for part in _cut(group, size if alike else share)
        )

    def _generate(
        self, prompts: list[tuple[int, ...]], limit: int, **options: Any
    ) -> list[ctranslate2.AsyncGenerationResult]:
        results: list[ctranslate2.AsyncGenerationResult] = self._generator.generate_batch(
            [list(map(self._name, prompt[len(self._head) :])) for prompt in prompts],
            static_prompt=self._head or None,
            max_length=limit,
            include_prompt_in_result=False,
            asynchronous=True,
            **options,
        )
        return results

    def _name(self, token: int) -> str:
        """A token as CTranslate2 calls it; a model may have more than its tokenizer."""
        return self._vocabulary.token(token) or self._names[token]

    @cached_property
    def _names(self) -> list[str]:
        file = self._model.directory / "vocabulary.json"
        return read_tokens(file if file.exists() else file.with_suffix(".txt"))

    def _parts(self, lengths: list[int]) -> list[list[int]]:
        """Cut a batch into a part for each replica, if worth it, or more if it is too large."""
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        parallel = min(self.replicas, 1 + sum(lengths) // SPLIT_TOKENS)
        width = -(-len(order) // parallel)
        cached = self.replicas > 1 and self._generator.device == "cpu"
        most = CACHED_BYTES if cached else FORWARD_BYTES
        room = most // (4 * self._vocabulary.size)
        parts: list[list[int]] = []
        for n in order:
            if parts and len(parts[-1]) < width and (len(parts[-1]) + 1) * lengths[n] <= room:
                parts[-1].append(n)
            else:
                parts.append([n])
        return parts

    def _map(
        self, parts: list[list[tuple[tuple[int, ...], tuple[int, ...]]]]
    ) -> Iterator[list[list[Distribution]]]:
        if len(parts) > 1:
            return self._pool.map(self._forward, parts)
        return map(self._forward, parts)

    def _forward(
        self, rows: list[tuple[tuple[int, ...], tuple[int, ...]]]
    ) -> list[list[Distribution]]:
        lengths = np.array([len(prompt) + len(draft) for prompt, draft in rows], np.int32)
        tokens = np.zeros((len(rows), lengths.max()), np.int32)
        for line, (prompt, draft) in zip(tokens, rows, strict=True):
            line[: len(prompt) + len(draft)] = prompt + draft
        view = ctranslate2.StorageView.from_array
        output = self._generator.forward_batch(view(tokens), view(lengths), return_log_probs=True)
        logp = as_array(output)
        large = logp.nbytes > CACHED_BYTES  # that a decoder would keep for the sake of a few rows
        replies = []
        for line, (prompt, draft) in zip(logp, rows, strict=True):
            asked, allowed = line[len(prompt) - 1 : len(prompt) + len(draft)], self._allowed(prompt)
            asked = asked.copy() if large else asked
            replies.append([Distribution(row, allowed) for row in asked])
        return replies


def _cut(group: list[int], size: int) -> list[list[int]]:
    return [group[start : start + size] for start in range(0, len(group), size)]


def _first_enough(
    watches: list[Watch],
) -> Callable[[ctranslate2.GenerationStepResult], bool]:
    """What ends each row of a batch, for CTranslate2."""
    return lambda step: watches[step.batch_id].enough(step.token_id, step.log_prob)
