"""Finds thresholds: many settings of LSG over a development set, and which are worth it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lsgcli.errors import UsageError
from lsgcli.evaluation.runner import evaluate
from lsgcli.evaluation.sharing import SharingBackend
from lsgcli.evaluation.sweep import parse_sweep
from lsgcli.metrics.latency import average_lagging
from lsgcli.metrics.quality import quality_metric
from lsgcli.metrics.units import LatencyUnit, hypothesis_units
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lsgcli.backends.base import Backend
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import Instance

DELTAS = (0.25, 0.5, 1.0, 2.0, 4.0)
ALPHAS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
RANGES: tuple[tuple[int, int], ...] = ((1, 4), (3, 4), (5, 6), (7, 6))  # the paper's four
GROUP = 16  # sentences whose distributions are kept at a time


@dataclass(frozen=True)
class Point:
    """A setting and what it comes to: corpus quality, and mean AL in source words."""

    setting: Lsg
    quality: float
    lagging: float


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
    instances: dict[Lsg, list[Instance]] = {setting: [] for setting in settings}
    for start in range(0, len(sentences), GROUP):
        group = sentences[start : start + GROUP]
        for setting in settings:
            done = instances[setting].append
            evaluate(shared, setting, group, done, batch_size=GROUP, unit=unit)
        shared.forget()
        progress(len(group))
    score = quality_metric(metric).score
    return [
        Point(setting, _quality(score, each), _lagging(each, unit))
        for setting, each in instances.items()
    ]


def front(points: Iterable[Point]) -> list[Point]:
    """Pareto-optimal points, by lagging: none other is as fast and better, or faster and as good.

    >>> slow, fast, bad = (Point(Lsg(1, 1, 1, n), q, al) for n, (q, al) in
    ...                    enumerate([(20.0, 5.0), (15.0, 2.0), (14.0, 3.0)]))
    >>> front([slow, bad, fast]) == [fast, slow]
    True
    """
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.lagging, -p.quality)):
        if not best or point.quality > best[-1].quality:
            best.append(point)
    return best


def within(points: Iterable[Point], budget: float) -> Point | None:
    """The best of the points whose lagging is at most ``budget`` words; None if there is none."""
    return max(
        (point for point in points if point.lagging <= budget),
        key=lambda point: (point.quality, -point.lagging),
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
