"""LSG: the model is its own READ/WRITE policy (Guo et al., AAAI 2025, arXiv 2501.00868).

The next-token distribution ``p`` on all the source read is compared with ``q`` on the wait-1
prefix. If reading on has changed the model's mind, or it is sure of itself, there was enough
source to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.core.steps import Decision, Reason, Steps
from lsgcli.policy.base import Decide, read, short, write

if TYPE_CHECKING:
    from lsgcli.core.decoder import Decoder
    from lsgcli.core.steps import KlDirection


@dataclass(frozen=True)
class Lsg:
    """The policy's thresholds: ``delta`` in nats (eq. 3), ``alpha`` (eq. 4), the range (eq. 5)."""

    delta: float
    alpha: float
    lower: int  # L: units read before the first word
    upper: int  # U: how many units the policy may wait beyond that
    direction: KlDirection = "forward"

    def __str__(self) -> str:
        """As systems are called.

        >>> str(Lsg(1.0, 0.6, 3, 4))
        'lsg-L3-U4-delta1-alpha0.6'
        """
        name = f"lsg-L{self.lower}-U{self.upper}-delta{short(self.delta)}-alpha{short(self.alpha)}"
        return name + "-reverse" * (self.direction == "reverse")

    def start(self) -> Decide:
        """Begin a segment; the policy keeps no state."""
        return self._decide

    def _decide(self, d: Decoder) -> Steps[Decision]:
        """Decide in the order of cost: what needs no model first, the baseline last."""
        first = self.lower + d.i - 1
        if d.finished:
            return write(d, Reason.FINISHED)
        if d.j < first:
            return read(d, Reason.BOUND)
        in_range = d.j < first + self.upper
        likely = d.expected_top is not None and d.expected_top <= self.alpha
        above = self.alpha if in_range else 0.0
        p = yield from d.distribution(with_baseline=in_range and likely, above=above)
        if d.lexicon.ends(p.token):
            return read(d, Reason.END_HELD, p.top)
        if not in_range:
            return write(d, Reason.BOUND, p.top)
        if p.top > self.alpha:  # eq. 4
            return write(d, Reason.CONFIDENCE, p.top)
        q = yield from d.baseline()
        kl = p.divergence(q, self.direction)
        if kl > self.delta:  # eq. 3
            return write(d, Reason.DIVERGENCE, p.top, kl)
        return read(d, Reason.UNCERTAIN, p.top, kl)
