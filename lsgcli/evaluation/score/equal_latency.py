"""Systems against a curve at equal latency: what one policy gains over another.

Two policies rarely have the same latency. A curve through the systems of one of them, with quality
linearly interpolated between their latencies, estimates its quality at another's latency.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.score.comparing import check_paired
from lsgcli.evaluation.score.measuring import Measurement
from lsgcli.metrics.significance import (
    BOOTSTRAP_TRIALS,
    SEED,
    Interval,
    bootstrap_scores,
    bootstrap_test,
)


@dataclass(frozen=True)
class Gain:
    """One quality of a system, and of the curve at the same latency.

    Attributes:
        system: its name.
        metric: of quality.
        latency: of the system.
        score: of the system.
        curve: the curve's; None beyond its ends, and so are the rest.
        difference: the system's minus the curve's.
        p_value: two-sided.
        interval: 95%, of the difference.

    """

    system: str
    metric: str
    latency: float
    score: float
    curve: float | None = None
    difference: float | None = None
    p_value: float | None = None
    interval: Interval | None = None


def gains(
    systems: Sequence[Measurement],
    curve: Sequence[Measurement],
    latency: str,
    *,
    trials: int = BOOTSTRAP_TRIALS,
    seed: int = SEED,
) -> list[Gain]:
    """Compare every quality of every system with the curve's at the same latency.

    A paired bootstrap: each time the same sentences are drawn for the system and for all that the
    curve goes through; beyond its ends a resampled curve is constant.

    Args:
        systems: what is compared.
        curve: what the curve goes through.
        latency: name of the metric.
        trials: resamples.
        seed: of the random numbers.

    Raises:
        InputError: if they are not all of the same sentences and references, or one has no score.
        UsageError: if fewer than two systems make the curve.

    """
    if len(curve) < 2:
        raise UsageError(f"a curve goes through at least two systems, not {len(curve)}")
    for each in (*curve, *systems):
        check_paired(curve[0], each)
    qualities = list(curve[0].signatures)

    def resampled(system: Measurement) -> dict[str, list[float]]:
        return {name: _resampled(system, name, trials, seed) for name in (latency, *qualities)}

    points = [resampled(each) for each in curve]
    lags = list(zip(*(point[latency] for point in points), strict=True))
    found = []
    for system in systems:
        own = resampled(system)
        for metric in qualities:
            heights = list(zip(*(point[metric] for point in points), strict=True))
            gain = Gain(system.name, metric, own[latency][0], own[metric][0])
            if (expected := on_curve(gain.latency, lags[0], heights[0])) is not None:
                trials_of = zip(own[metric], own[latency], lags, heights, strict=True)
                difference, *others = [
                    score - _interpolated(lag, xs, ys) for score, lag, xs, ys in trials_of
                ]
                test = bootstrap_test(difference, others)
                gain = replace(gain, curve=expected, **vars(test))
            found.append(gain)
    return found


def on_curve(
    latency: float, latencies: Sequence[float], qualities: Sequence[float]
) -> float | None:
    """The quality of a curve at a latency; None beyond its ends.

    >>> on_curve(2.0, [3.0, 1.0], [24.0, 20.0])
    22.0
    >>> on_curve(0.5, [3.0, 1.0], [24.0, 20.0]) is None
    True
    """
    if not min(latencies) <= latency <= max(latencies):
        return None
    return _interpolated(latency, latencies, qualities)


def _interpolated(latency: float, latencies: Sequence[float], qualities: Sequence[float]) -> float:
    import numpy as np

    xs, ys = zip(*sorted(zip(latencies, qualities, strict=True)), strict=True)
    return float(np.interp(latency, xs, ys))


def _resampled(system: Measurement, metric: str, trials: int, seed: int) -> list[float]:
    """The score of all sentences, then those of the resamples."""
    statistics = system.statistics.get(metric)
    if statistics is None or not math.isfinite(score := statistics.score()):
        raise InputError(f"{system.name}: it has no {metric}")
    return [score, *bootstrap_scores(statistics, trials=trials, seed=seed)]
