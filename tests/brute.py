"""The policies as their papers state them: one plain forward pass for every distribution.

Slow and obvious on purpose. It shares nothing with the engine but the backend.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from lsgcli.core.steps import Query
from lsgcli.policy.baselines import LocalAgreement, WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from lsgcli.core.backend import Lexicon
    from lsgcli.core.distribution import Distribution
    from lsgcli.policy.base import Policy

Tokens = tuple[int, ...]
LONGEST_WORD = 64  # tokens, while the source is not finished; what goes on longer is cut


class Passes(Protocol):
    """All that is asked of a backend."""

    @property
    def lexicon(self) -> Lexicon: ...

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]: ...


@lru_cache(maxsize=4096)
def plain_pass(backend: Any, source: tuple[str, ...], target: Tokens) -> npt.NDArray[np.float32]:
    """One distribution from one pass, which policies that are tried one after the other share."""
    row: Distribution = backend.forward([Query(source, target)])[0][0]
    logp: npt.NDArray[np.float32] = row.logp.copy()
    return logp


@dataclass
class Brute:
    """Counts its model calls in ``calls``, READ decisions in ``reads``."""

    backend: Passes
    calls: int = 0
    reads: int = 0

    def logp(self, source: Sequence[str], target: Tokens) -> npt.NDArray[np.float32]:
        self.calls += 1
        backend: Any = self.backend
        logp: npt.NDArray[np.float32] = plain_pass(backend, tuple(source), target)
        return logp

    def word(
        self,
        source: Sequence[str],
        target: Tokens,
        longest: int = LONGEST_WORD,
        *,
        goes_on: bool = False,
    ) -> Tokens:
        """The next greedy word, empty at the end of the translation.

        While the source ``goes_on``, final marks are left out behind which the model would end.
        """
        lexicon = self.backend.lexicon
        word: Tokens = ()
        while len(word) < min(longest, lexicon.limit(source) - len(target)):
            logp = self.logp(source, target + word)
            if target and not word:  # a committed word is never extended
                logp = self._writable(logp, target)
            token = int(logp.argmax())
            if lexicon.ends(token):
                while goes_on and word and lexicon.holds(word[-1]):
                    word = word[:-1]
                break
            if lexicon.text(word).strip() and lexicon.starts_word(token, word):
                break
            word += (token,)
        return word

    def _writable(self, logp: npt.NDArray[np.float32], target: Tokens) -> npt.NDArray[np.float32]:
        """What may follow a word. A model's rows may be more or fewer than its tokens."""
        allowed = self.backend.lexicon.after_word(target)
        size = min(len(allowed), len(logp))
        return np.where(allowed[:size], logp[:size], -np.inf)

    def rest(self, source: Sequence[str], target: Tokens, *, goes_on: bool = False) -> list[Tokens]:
        """All greedy words; without the marks before the end, while the source ``goes_on``."""
        lexicon = self.backend.lexicon
        words: list[Tokens] = []
        limit = lexicon.limit(source)
        while word := self.word(source, target, limit):
            words.append(word)
            target += word
        while goes_on and len(target) < limit and words and lexicon.holds(words[-1][-1]):
            words[-1] = words[-1][:-1]
            words = words if words[-1] else words[:-1]
        return words

    def _diverges(self, p: np.ndarray, q: np.ndarray, policy: Lsg) -> bool:
        if policy.direction == "reverse":
            p, q = q, p
        return bool(np.sum(np.exp(p) * (p - q)) > policy.delta)

    def by(self, policy: Policy, source: Sequence[str]) -> list[tuple[Tokens, int, str]]:
        """What a policy writes of a source: LSG, wait-k or local agreement."""
        if isinstance(policy, Lsg):
            return self.lsg(source, policy)
        if isinstance(policy, WaitK):
            return self.wait_k(source, policy.k)
        assert isinstance(policy, LocalAgreement)
        return self.stable(source, policy.n, 0)

    def lsg(self, source: Sequence[str], policy: Lsg) -> list[tuple[Tokens, int, str]]:
        """Words with delay and reason, by the seven tests of the method in their order."""
        length, j = len(source), 0
        target: Tokens = ()
        out: list[tuple[Tokens, int, str]] = []
        while True:
            i = len(out) + 1
            if j < length and j < policy.lower + i - 1:
                j, self.reads = j + 1, self.reads + 1
                continue
            if j == length:
                rest = self.rest(source, target)
                return out + [(word, length, "finished") for word in rest]
            p = self.logp(source[:j], target)
            writable = self._writable(p, target) if target else p
            if self.backend.lexicon.ends(int(writable.argmax())):
                j, self.reads = j + 1, self.reads + 1
                continue
            reason = ""
            word: Tokens = ()
            if j >= policy.lower + i - 1 + policy.upper:
                reason = "bound"
            elif np.exp(writable.max()) > policy.alpha:
                reason = "confidence"
            elif self._diverges(p, self.logp(source[: min(i, length)], target), policy):
                reason = "divergence"
            if reason:
                word = self.word(source[:j], target, goes_on=True)
            if not word:  # undecided, or the target is as long as this much source allows
                j, self.reads = j + 1, self.reads + 1
                continue
            out.append((word, j, reason))
            target += word

    def wait_k(self, source: Sequence[str], k: int) -> list[tuple[Tokens, int, str]]:
        j = 0
        target: Tokens = ()
        out: list[tuple[Tokens, int, str]] = []
        while True:
            if j == len(source):
                return out + [(word, j, "finished") for word in self.rest(source, target)]
            word = self.word(source[:j], target, goes_on=True) if j >= k + len(out) else ()
            if not word:
                j += 1
                continue
            out.append((word, j, "bound"))
            target += word

    def stable(self, source: Sequence[str], keep: int, hold: int) -> list[tuple[Tokens, int, str]]:
        """Local agreement of ``keep`` hypotheses without their last ``hold`` words."""
        out: list[tuple[Tokens, int, str]] = []
        last: list[list[Tokens]] = []
        for j in range(1, len(source)):
            committed = [word for word, _, _ in out]
            target = tuple(token for word in committed for token in word)
            last = [*last, committed + self.rest(source[:j], target, goes_on=True)][-keep:]
            if len(last) < keep:
                continue
            shared = [words[0] for words in zip(*last, strict=False) if len(set(words)) == 1]
            n = next(
                (n for n, words in enumerate(zip(*last, strict=False)) if len(set(words)) > 1),
                len(shared),
            )
            n = min(n, len(last[-1]) - hold)
            out += [(word, j, "agreement") for word in last[-1][len(out) : max(n, len(out))]]
        target = tuple(token for word, _, _ in out for token in word)
        return out + [(word, len(source), "finished") for word in self.rest(source, target)]
