"""The settings of LSG that belong to a model: its thresholds, and its levels of latency."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]

LevelName: TypeAlias = Literal["low", "medium", "high", "highest"]


class Level(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level of latency: the range [L, U] (eq. 5), and thresholds where it has its own."""

    lower: Positive  # L: units read before the first word
    upper: Whole  # U: units the policy may wait beyond that
    delta: NonNegative | None = None  # nats
    alpha: Probability | None = None
    margin: NonNegative | None = None  # of speech: counted in time, see ``policy.speech``
    agree: bool = True  # of speech that is counted in time

    def settings(self) -> dict[str, Any]:
        """The settings it has, by name."""
        given = {name: getattr(self, name) for name in Level.__struct_fields__}
        return {name: value for name, value in given.items() if value is not None}


class Levels(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The four levels of latency; the paper's ranges by default."""

    low: Level = Level(lower=1, upper=4)
    medium: Level = Level(lower=3, upper=4)
    high: Level = Level(lower=5, upper=6)
    highest: Level = Level(lower=7, upper=6)

    def ranges(self) -> dict[str, Level]:
        """The levels by name."""
        return {name: getattr(self, name) for name in Levels.__struct_fields__}


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of LSG for a model, or for one of its directions."""

    delta: NonNegative  # nats (eq. 3)
    alpha: Probability  # (eq. 4)
    levels: Levels = Levels()
    found: Annotated[str, msgspec.Meta(max_length=200)] | None = None  # where they come from
    # Mean log-probability of a token, below which a sentence is left as it is; none: no sentence.
    floor: Annotated[float, msgspec.Meta(le=0)] | None = None

    def stated(self) -> dict[str, Any]:
        """The thresholds that are the model's, and where they come from."""
        return self.chosen() | ({"found": self.found} if self.found else {})

    def chosen(self) -> dict[str, Any]:
        """The thresholds that are the model's, by name."""
        return {"delta": self.delta, "alpha": self.alpha}

    def settings(self, level: str) -> dict[str, Any]:
        """The settings at a level, by name."""
        own: Level = getattr(self.levels, level)
        return self.chosen() | own.settings()


# Where nobody has tried a model.
LLAMA = Thresholds(
    delta=7.5, alpha=0.6, found="the paper's for Llama 2; lsg tune finds this model's own"
)
