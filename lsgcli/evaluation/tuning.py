"""Finds thresholds: many settings of LSG over a development set, and the best of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lsgcli.evaluation.pareto import pareto_front
from lsgcli.evaluation.sweep import Values, parse_sweep
from lsgcli.metrics.latency import average_lagging
from lsgcli.metrics.quality import ERROR_RATES, quality_metric
from lsgcli.metrics.units import LatencyUnit, hypothesis_units
from lsgcli.policy.spec import PolicySettings, check_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.engine import Engine
    from lsgcli.evaluation.logs import Instance
    from lsgcli.policy.base import Policy
    from lsgcli.policy.levels import Thresholds

GRID: dict[str, Values] = {
    "delta": (0.5, 1.0, 2.0, 4.0, 8.0),
    "alpha": (0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
SPOKEN: dict[str, Values] = {"alpha": (0.3, 0.5, 0.7, 0.9)}  # each setting takes a run of its own
BOUNDS = ("lower", "upper")
GROUP = 16  # sentences whose distributions are cached at a time


@dataclass(frozen=True)
class Point:
    """A policy with its results: corpus quality, and mean AL in the source's unit."""

    policy: Policy
    quality: float
    lagging: float  # source words, or milliseconds of speech
    is_error: bool = False  # whether a lower quality is better

    @property
    def worth(self) -> float:
        """The quality, signed so that higher is better."""
        return -self.quality if self.is_error else self.quality


def grid(
    text: str | None,
    defaults: Thresholds,
    *,
    speech: bool,
    spread: Callable[[], Mapping[str, Values]] = dict,
) -> list[Policy]:
    """Combine settings of LSG: those of ``text``, a sweep, and defaults for the others.

    Ranges are those of the model's levels, unless one of their bounds is given. ``spread`` is
    called for thresholds that are not, and tells of those that are worth trying.

    Raises:
        UsageError: if the text is no sweep, or has a setting that is not LSG's.

    """
    given = parse_sweep(text, "--grid") if text else {}
    for name in given:
        check_owner(name, ["lsg"])
    levels = [level.settings() for level in defaults.levels.ranges().values()]
    spoken = speech and any("margin" in level for level in levels)
    found = {} if spoken or GRID.keys() <= given.keys() else spread()
    values = (SPOKEN if spoken else {**GRID, **found}) | given
    ranges: list[dict[str, Any]] = [{bound: level[bound] for bound in BOUNDS} for level in levels]
    if any(bound in given for bound in BOUNDS):
        values = {b: tuple(sorted({level[b] for level in levels})) for b in BOUNDS} | values
        ranges = [{}]
    combined = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    policies = {
        PolicySettings("lsg", **each, **chosen).policy(defaults, speech=speech): None
        for each in ranges
        for chosen in combined
    }
    return list(policies)


def measure(
    engine: Engine,
    sentences: Sequence[Sentence],
    policies: Sequence[Policy],
    *,
    metric: str = "BLEU",
    unit: LatencyUnit = "word",
    tokenize: str = "13a",
    progress: Callable[[int], None] = lambda _: None,
) -> list[Point]:
    """Run every policy over every sentence, a group at a time.

    ``progress`` is called with how many more sentences a policy has finished.
    """
    quality = quality_metric(metric, tokenize=tokenize)
    found: dict[Policy, list[Instance]] = {policy: [] for policy in policies}

    def done(policy: Policy, instance: Instance) -> None:
        found[policy].append(instance)
        progress(1)

    starts = range(0, len(sentences), GROUP)
    engine([(policies, sentences[start : start + GROUP]) for start in starts], done)
    for instances in found.values():
        instances.sort(key=lambda instance: instance.index)
    return [
        Point(policy, _quality(quality.score, each), _lagging(each, unit), metric in ERROR_RATES)
        for policy, each in found.items()
    ]


def front(points: Iterable[Point]) -> list[Point]:
    """Return the Pareto-optimal points, by lagging."""
    return pareto_front(points, lambda point: point.lagging, lambda point: point.worth)


def within(points: Iterable[Point], budget: float) -> Point | None:
    """Return the best point whose lagging is at most ``budget``; None if there is none."""
    return max(
        (point for point in points if point.lagging <= budget),
        key=lambda point: (point.worth, -point.lagging),
        default=None,
    )


def _quality(
    score: Callable[[Sequence[str], Sequence[str]], float], done: Iterable[Instance]
) -> float:
    pairs = [(each.prediction, each.reference or "") for each in done]
    return score([prediction for prediction, _ in pairs], [reference for _, reference in pairs])


def _lagging(done: Iterable[Instance], unit: LatencyUnit) -> float:
    """Return the mean AL against the reference, over sentences with at least one target unit."""
    lags = [
        average_lagging(
            each.delays, each.source_length, len(hypothesis_units(each.reference or "", unit))
        )
        for each in done
        if each.delays
    ]
    return sum(lags) / len(lags) if lags else math.nan
