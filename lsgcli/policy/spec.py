"""From options to a policy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from lsgcli.errors import UsageError
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.speech import AlignAtt, SpokenLsg

if TYPE_CHECKING:
    from lsgcli.core.distribution import KlDirection
    from lsgcli.models.manifest import Level, Thresholds
    from lsgcli.policy.base import Policy
    from lsgcli.policy.profiles import Profile

T = TypeVar("T")

TAKES = {
    "lsg": {"latency", "lower", "upper", "delta", "alpha", "margin", "direction"},
    "lsg-words": {"latency", "lower", "upper", "delta", "alpha", "direction"},
    "alignatt": {"margin"},
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
    "margin": "--margin",
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
    margin: float | None = None
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

    def with_profile(self, profile: Profile) -> PolicySettings:
        """Take from a profile what was not asked for. Raises UsageError if it is not LSG's."""
        if self.name != "lsg":
            raise UsageError(f"--profile belongs to --policy lsg, not {self.name}")
        if self.latency is not None:
            raise UsageError("--latency and --profile both give a range; choose one")
        missing: dict[str, Any] = {
            n: v for n, v in profile.settings().items() if getattr(self, n) is None
        }
        return replace(self, **missing)

    def policy(self, defaults: Thresholds, *, speech: bool = False) -> Policy:
        """Make the policy; ``defaults`` are the model's, which hears ``speech`` or reads text.

        Raises UsageError for what only speech has.
        """
        if not speech and (self.name == "alignatt" or self.margin is not None):
            asked = "--margin" if self.margin is not None else f"--policy {self.name}"
            raise UsageError(f"{asked} belongs to speech: the words of a text have no time")
        if self.name == "alignatt":
            return AlignAtt(_first(self.margin, 0.5))
        if self.name == "wait-k":
            return WaitK(self.k or 3)
        if self.name == "local-agreement":
            return LocalAgreement(self.n or 2)
        if self.name == "hold-n":
            return HoldN(self.n or 2)
        if self.name == "offline":
            return Offline()
        level: Level = getattr(defaults.levels, self.latency or "medium")
        delta = _first(self.delta, level.delta, defaults.delta)
        alpha = _first(self.alpha, level.alpha, defaults.alpha)
        lower, upper = _first(self.lower, level.lower), _first(self.upper, level.upper)
        direction = self.direction or "forward"
        margin = self.margin if level.margin is None else _first(self.margin, level.margin)
        if margin is None or self.name == "lsg-words":
            return Lsg(delta, alpha, lower, upper, direction)
        return SpokenLsg(delta, alpha, lower, upper, margin, level.agree, direction)


def _first(*values: T | None) -> T:
    return next(value for value in values if value is not None)
