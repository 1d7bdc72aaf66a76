"""One log against another."""

import math
from dataclasses import dataclass

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.score.measuring import Measurement
from lsgcli.metrics.significance import PAIRED_TESTS, SEED, Interval


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems on the same sentences.

    Attributes:
        metric: its name.
        a: score of the first system, the baseline.
        b: score of the second system.
        difference: b minus a.
        p_value: two-sided.
        test: name of the paired test.
        interval: of the difference; bootstrap only.

    """

    metric: str
    a: float
    b: float
    difference: float
    p_value: float
    test: str
    interval: Interval | None


def compare(
    a: Measurement,
    b: Measurement,
    *,
    test: str = "bootstrap",
    trials: int | None = None,
    seed: int = SEED,
) -> list[Comparison]:
    """Test every metric that both systems have for a difference.

    Args:
        a: the baseline.
        b: the other system.
        test: ``bootstrap`` or ``randomization``.
        trials: by default 1,000 resamples or 10,000 swaps.
        seed: of the random numbers.

    Raises:
        InputError: if the logs are not of the same sentences and references.
        UsageError: if the test is not known.

    """
    if test not in PAIRED_TESTS:
        raise UsageError(f"no test `{test}`; choose from {', '.join(PAIRED_TESTS)}")
    check_paired(a, b)
    settings = {"seed": seed} if trials is None else {"seed": seed, "trials": trials}
    comparisons = []
    for metric, statistics in a.statistics.items():
        if metric not in b.statistics:
            continue
        other = b.statistics[metric]
        scores = statistics.score(), other.score()
        if not all(map(math.isfinite, scores)):
            continue
        found = PAIRED_TESTS[test](statistics, other, **settings)
        comparisons.append(
            Comparison(metric, *scores, found.difference, found.p_value, test, found.interval)
        )
    return comparisons


def check_paired(a: Measurement, b: Measurement) -> None:
    """Raise InputError if the logs are not of the same sentences and references."""
    if a.indices != b.indices:
        raise InputError(
            f"{a.name} and {b.name}: not the same sentences in the same order "
            f"({len(a.indices)} and {len(b.indices)}); score both on one test set"
        )
    if a.references != b.references:
        raise InputError(
            f"{a.name} and {b.name}: not the same references; score both on one test set"
        )
    if a.options.unit != b.options.unit or a.source_type != b.source_type:
        raise InputError(f"{a.name} and {b.name}: not of one latency unit and source type")
