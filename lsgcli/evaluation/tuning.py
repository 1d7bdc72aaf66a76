"""Finds thresholds: many settings of LSG over a development set, and which are worth it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lsgcli.errors import UsageError
from lsgcli.evaluation.caching import SharingBackend
from lsgcli.evaluation.pareto import pareto_front
from lsgcli.evaluation.runner import evaluate
from lsgcli.evaluation.sweep import parse_sweep
from lsgcli.metrics.latency import average_lagging
from lsgcli.metrics.quality import ERROR_RATES, quality_metric
from lsgcli.metrics.units import LatencyUnit, hypothesis_units
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lsgcli.core.backend import Backend
    from lsgcli.evaluation.batch import Translate
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import Instance
    from lsgcli.policy.base import Policy

    Done = Callable[[Instance], None]

DELTAS = (0.5, 1.0, 2.0, 4.0, 8.0)
ALPHAS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RANGES: tuple[tuple[int, int], ...] = ((1, 4), (3, 4), (5, 6), (7, 6))  # the paper's four
GROUP = 16  # sentences whose distributions are kept at a time


@dataclass(frozen=True)
class Point:
    """A setting and what it comes to: corpus quality, and mean AL in the source's measure."""

    setting: Lsg
    quality: float
    lagging: float  # source words, or milliseconds of speech
    is_error: bool = False  # the quality: less is better

    @property
    def worth(self) -> float:
        """The more, the better."""
        return -self.quality if self.is_error else self.quality


def grid(text: str | None = None) -> list[Lsg]:
    """Combine thresholds and ranges: those of ``text``, a sweep, and our own for what it lacks.

    Raises:
        UsageError: if the text is no sweep, or sweeps what LSG does not have.

    """
    given: dict[str, Any] = dict(parse_sweep(text)) if text else {}
    if other := set(given) - {"delta", "alpha", "lower", "upper"}:
        raise UsageError(f"--grid: LSG has no {other.pop()}; give delta, alpha, L or U")
    ranges = RANGES
    if "lower" in given or "upper" in given:
        lowers = given.get("lower", sorted({lower for lower, _ in RANGES}))
        ranges = tuple(product(lowers, given.get("upper", sorted({u for _, u in RANGES}))))
    return [
        Lsg(delta, alpha, lower, upper)
        for (lower, upper), delta, alpha in product(
            ranges, given.get("delta", DELTAS), given.get("alpha", ALPHAS)
        )
    ]


def measure(
    backend: Backend,
    sentences: Sequence[Sentence],
    settings: Sequence[Lsg],
    *,
    metric: str = "BLEU",
    unit: LatencyUnit = "word",
    progress: Callable[[int], None] = lambda _: None,
) -> list[Point]:
    """Run every setting over every sentence; what they have in common is computed once.

    ``progress`` gets how many more sentences all settings are done with.
    """
    shared = SharingBackend(backend)

    def translate(policy: Policy, group: Sequence[Sentence], done: Done) -> None:
        evaluate(shared, policy, group, done, batch_size=GROUP, unit=unit)

    def after(count: int) -> None:
        shared.forget()
        progress(count)

    return measure_runs(translate, sentences, settings, metric=metric, unit=unit, progress=after)


def measure_runs(
    translate: Translate,
    sentences: Sequence[Sentence],
    settings: Sequence[Lsg],
    *,
    metric: str = "BLEU",
    unit: LatencyUnit = "word",
    progress: Callable[[int], None] = lambda _: None,
) -> list[Point]:
    """Do so by any means of running a policy; a group of sentences at a time."""
    quality = quality_metric(metric)
    instances: dict[Lsg, list[Instance]] = {setting: [] for setting in settings}
    for start in range(0, len(sentences), GROUP):
        group = sentences[start : start + GROUP]
        for setting in settings:
            translate(setting, group, instances[setting].append)
        progress(len(group))
    return [
        Point(setting, _quality(quality.score, each), _lagging(each, unit), metric in ERROR_RATES)
        for setting, each in instances.items()
    ]


def front(points: Iterable[Point]) -> list[Point]:
    """Pareto-optimal points, by lagging."""
    return pareto_front(points, lambda point: point.lagging, lambda point: point.worth)


def within(points: Iterable[Point], budget: float) -> Point | None:
    """The best of the points whose lagging is at most ``budget``; None if there is none."""
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
    """Mean AL against the reference, over sentences with at least one word, or character."""
    lags = [
        average_lagging(
            each.delays, each.source_length, len(hypothesis_units(each.reference or "", unit))
        )
        for each in done
        if each.delays
    ]
    return sum(lags) / len(lags) if lags else math.nan
