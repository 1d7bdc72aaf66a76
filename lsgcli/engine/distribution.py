"""A next-token distribution."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

KlDirection: TypeAlias = Literal["forward", "reverse"]
LogProbs: TypeAlias = "npt.NDArray[np.float32]"
Tokens: TypeAlias = "npt.NDArray[np.bool_]"  # a set of tokens


class Distribution:
    """The model's distribution over the next token: softmax, no temperature, no penalties."""

    def __init__(self, logp: LogProbs, allowed: Tokens | None = None) -> None:
        """Wrap log-probabilities of shape ``[V]``, in nats.

        ``allowed``, of shape ``[V]`` or shorter, tells which tokens may be written.
        """
        self.logp = logp
        self._allowed = allowed

    @cached_property
    def token(self) -> int:
        """The most probable token that is allowed."""
        if self._allowed is None:
            return int(self.logp.argmax())
        return int(np.where(self._allowed, self.logp[: len(self._allowed)], -np.inf).argmax())

    @cached_property
    def top(self) -> float:
        """The probability of that token."""
        return math.exp(self.logp[self.token])

    def only(self, allowed: Tokens) -> Distribution:
        """The same distribution, of which fewer tokens may be written."""
        return Distribution(self.logp, allowed)

    def copy(self) -> Distribution:
        """The same distribution by itself, not as a part of all that its pass has returned."""
        return Distribution(self.logp.copy(), self._allowed)

    def divergence(self, baseline: Distribution, direction: KlDirection = "forward") -> float:
        """KL divergence in nats between this distribution ``p`` and the baseline's ``q``.

        ``forward`` is ``KL(p || q)``, eq. 3 of arXiv 2501.00868; ``reverse`` is ``KL(q || p)``,
        which the authors' published code computes.
        """
        p, q = self.logp, baseline.logp
        if direction == "reverse":
            p, q = q, p
        return float(np.dot(np.exp(p), p - q))
