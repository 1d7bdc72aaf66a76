"""From options to a policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.errors import UsageError
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from lsgcli.engine.distribution import KlDirection
    from lsgcli.manifest import Thresholds
    from lsgcli.policy.base import Policy

TAKES = {
    "lsg": {"latency", "lower", "upper", "delta", "alpha", "direction"},
    "wait-k": {"k"},
    "local-agreement": {"n"},
    "hold-n": {"n"},
    "offline": set[str](),
}
OPTIONS = {
    "latency": "--latency",
    "lower": "--lower",
    "upper": "--upper",
    "delta": "--delta",
    "alpha": "--alpha",
    "direction": "--kl-direction",
    "k": "-k",
    "n": "-n",
}


@dataclass(frozen=True)
class PolicySettings:
    """What was asked for; None is the default of the model or of the policy."""

    name: str = "lsg"
    latency: str | None = None
    lower: int | None = None
    upper: int | None = None
    delta: float | None = None
    alpha: float | None = None
    direction: KlDirection | None = None
    k: int | None = None
    n: int | None = None

    def check(self) -> None:
        """Raise UsageError for an option that the policy does not have."""
        for field, option in OPTIONS.items():
            value = getattr(self, field)
            if value is not None and field not in TAKES[self.name]:
                owners = " and ".join(name for name, takes in TAKES.items() if field in takes)
                raise UsageError(f"{option} belongs to --policy {owners}, not {self.name}")
            if isinstance(value, float) and math.isnan(value):
                raise UsageError(f"{option} must be a number")

    def policy(self, defaults: Thresholds) -> Policy:
        """Make the policy; ``defaults`` are the model's."""
        if self.name == "wait-k":
            return WaitK(self.k or 3)
        if self.name == "local-agreement":
            return LocalAgreement(self.n or 2)
        if self.name == "hold-n":
            return HoldN(self.n or 2)
        if self.name == "offline":
            return Offline()
        lower, upper = getattr(defaults.levels, self.latency or "medium")
        return Lsg(
            defaults.delta if self.delta is None else self.delta,
            defaults.alpha if self.alpha is None else self.alpha,
            lower if self.lower is None else self.lower,
            upper if self.upper is None else self.upper,
            self.direction or "forward",
        )
