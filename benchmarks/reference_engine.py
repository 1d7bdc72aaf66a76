"""The engine that LSG's authors published, rebuilt over CTranslate2: the yardstick for cost.

At every READ it drafts up to 10 tokens with ``generate_batch`` and runs one pass on the wait-1
prefix for all of them; the longest prefix of the draft in which every token passes is written, cut
to the range. It decides token by token, as theirs does, so its output is not comparable; its cost
is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ctranslate2
import numpy as np

from lsgcli.core.steps import Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lsgcli.backends.decoder_only import DecoderOnlyLexicon
    from lsgcli.policy.lsg import Lsg

    Rows = npt.NDArray[np.float32]  # log-probabilities, of shape [tokens, V]

DRAFT = 10


@dataclass
class Reference:
    """One sentence at a time, source words one by one."""

    generator: ctranslate2.Generator
    lexicon: DecoderOnlyLexicon
    names: Sequence[str]
    calls: int = 0
    tokens: int = 0

    def translate(self, source: Sequence[str], policy: Lsg) -> tuple[int, ...]:
        """Translate; every step of a generation counts as a call."""
        target: tuple[int, ...] = ()
        words = 0
        for j in range(1, len(source)):
            draft, p = self._draft(tuple(source[:j]), target)
            if not draft:
                continue
            q = self._baseline(tuple(source[: words + 1]), target, draft)
            n = self._accepted(p, q, policy)
            n = self._in_range(draft, n, words, j, policy)
            words += self._starts(draft[:n])
            target += draft[:n]
        return target + self._finish(tuple(source), target)

    def _draft(
        self, source: tuple[str, ...], target: tuple[int, ...]
    ) -> tuple[tuple[int, ...], Rows]:
        prompt = self.lexicon.prompt(Query(source, target))
        (result,) = self.generator.generate_batch(
            [[self.names[token] for token in prompt]],
            max_length=DRAFT,
            include_prompt_in_result=False,
            return_logits_vocab=True,
        )
        draft = tuple(result.sequences_ids[0])
        self.calls += len(draft) + (len(draft) < DRAFT)
        self.tokens += len(prompt) + len(draft)
        rows = [np.asarray(row).reshape(-1) for row in result.logits[0][: len(draft)]]
        return draft, np.array([_log_softmax(row) for row in rows])

    def _baseline(
        self, source: tuple[str, ...], target: tuple[int, ...], draft: tuple[int, ...]
    ) -> Rows:
        prompt = self.lexicon.prompt(Query(source, target))
        row = np.array([prompt + draft], np.int32)
        view = ctranslate2.StorageView.from_array
        output = self.generator.forward_batch(
            view(row), view(np.array([row.shape[1]], np.int32)), return_log_probs=True
        )
        self.calls += 1
        self.tokens += row.shape[1]
        rows: Rows = np.asarray(output)[0, len(prompt) - 1 : -1]
        return rows

    def _accepted(self, p: Rows, q: Rows, policy: Lsg) -> int:
        for n, (row, base) in enumerate(zip(p, q, strict=True)):
            probability = np.exp(row)
            divergence = float(np.dot(probability, row - base))
            if probability.max() <= policy.alpha and divergence <= policy.delta:
                return n
        return len(p)

    def _in_range(self, draft: tuple[int, ...], n: int, words: int, j: int, policy: Lsg) -> int:
        most = max(0, j - policy.lower + 1)
        least = j - policy.lower - policy.upper + 1
        while n and words + self._starts(draft[:n]) > most:
            n -= 1
        while n < len(draft) and words + self._starts(draft[:n]) < least:
            n += 1
        return n

    def _starts(self, tokens: tuple[int, ...]) -> int:
        return sum(self.lexicon.starts_word(token) for token in tokens)

    def _finish(self, source: tuple[str, ...], target: tuple[int, ...]) -> tuple[int, ...]:
        prompt = self.lexicon.prompt(Query(source, target))
        (result,) = self.generator.generate_batch(
            [[self.names[token] for token in prompt]],
            max_length=self.lexicon.limit(source),
            include_prompt_in_result=False,
        )
        tokens = tuple(result.sequences_ids[0])
        self.calls += len(tokens) + 1
        self.tokens += len(prompt) + len(tokens)
        return tokens


def _log_softmax(logits: Rows) -> Rows:
    shifted: Rows = logits - logits.max()
    normalised: Rows = shifted - np.log(np.exp(shifted).sum())
    return normalised
