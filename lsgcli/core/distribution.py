"""A next-token distribution."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from lsgcli.core.steps import KlDirection

LogProbs: TypeAlias = "npt.NDArray[np.float32]"
Tokens: TypeAlias = "npt.NDArray[np.bool_]"  # a set of tokens


class Distribution:
    """The model's distribution over the next token: softmax, no temperature, no penalties."""

    def __init__(
        self, scores: LogProbs, allowed: Tokens | None = None, *, normalised: bool = True
    ) -> None:
        """Wrap log-probabilities of shape ``[V]``, in nats, or logits that are not ``normalised``.

        ``allowed``, of shape ``[V]`` or shorter, tells which tokens may be written.
        """
        self._scores = scores
        self._allowed = allowed
        self._normalised = normalised

    @cached_property
    def logp(self) -> LogProbs:
        """The log-probabilities, of shape ``[V]``."""
        if self._normalised:
            return self._scores
        shifted = self._scores - self._scores.max()
        logp: LogProbs = shifted - np.log(np.exp(shifted).sum(dtype=np.float32))
        return logp

    @cached_property
    def likeliest(self) -> int:
        """The most probable token, whether it is allowed or not."""
        return int(self._scores.argmax())

    @cached_property
    def token(self) -> int:
        """The most probable token that is allowed."""
        likeliest = self.likeliest
        if self._allowed is None or (likeliest < len(self._allowed) and self._allowed[likeliest]):
            return likeliest
        scores = self._scores[: len(self._allowed)]
        return int(np.where(self._allowed[: len(scores)], scores, -np.inf).argmax())

    @cached_property
    def top(self) -> float:
        """The probability of that token."""
        return math.exp(self.logp[self.token])

    def only(self, allowed: Tokens) -> Distribution:
        """The same distribution, of which fewer tokens may be written."""
        if self._allowed is not None:
            size = min(len(self._allowed), len(allowed))
            allowed = self._allowed[:size] & allowed[:size]
        return Distribution(self._scores, allowed, normalised=self._normalised)

    def copy(self) -> Distribution:
        """The same distribution by itself, not as a part of all that its pass has returned."""
        return Distribution(self._scores.copy(), self._allowed, normalised=self._normalised)

    def divergence(self, baseline: Distribution, direction: KlDirection = "forward") -> float:
        """KL divergence in nats between this distribution ``p`` and the baseline's ``q``.

        ``forward`` is ``KL(p || q)``, eq. 3 of arXiv 2501.00868; ``reverse`` is ``KL(q || p)``,
        which the authors' published code computes.
        """
        p, q = self.logp, baseline.logp
        if direction == "reverse":
            p, q = q, p
        return float(np.dot(np.exp(p), p - q))
