"""Whether one system is better than another, or only by chance: paired tests.

Every test works alike for BLEU and for a mean latency: it resamples or swaps the rows of
`SentenceStatistics` and scores the sums. All are seeded: the same input gives the same result.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.metrics.aggregate import SentenceStatistics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SEED = 12345
BOOTSTRAP_TRIALS = 1000
RANDOMIZATION_TRIALS = 10_000
_BATCH_CELLS = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a score or of a difference of scores."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedResult:
    """What a paired test found.

    Attributes:
        difference: score of B minus score of A, over the whole corpus.
        p_value: the probability of a difference at least as large (two-sided) if both were equal.
        interval: 95% confidence interval of the difference; bootstrap only.

    """

    difference: float
    p_value: float
    interval: Interval | None = None


def bootstrap_interval(
    statistics: SentenceStatistics, *, trials: int = BOOTSTRAP_TRIALS, seed: int = SEED
) -> Interval:
    """Return the 95% percentile interval of a corpus score (Koehn 2004, W04-3250).

    Raises:
        ValueError: if there are no sentences, or no resample has a score.

    """
    return _interval(_finite(bootstrap_scores(statistics, trials=trials, seed=seed)))


def bootstrap_scores(
    statistics: SentenceStatistics, *, trials: int = BOOTSTRAP_TRIALS, seed: int = SEED
) -> list[float]:
    """Score resamples of the sentences; one seed gives the same ones for every system.

    Raises:
        ValueError: if there are no sentences.

    """
    rows = _rows(statistics)
    return [
        statistics.value(totals.tolist())
        for weights in _resamples(len(rows), trials, seed)
        for totals in weights @ rows
    ]


def paired_bootstrap(
    a: SentenceStatistics,
    b: SentenceStatistics,
    *,
    trials: int = BOOTSTRAP_TRIALS,
    seed: int = SEED,
) -> PairedResult:
    """Resample the same sentences of both systems (Koehn 2004, W04-3250).

    The p-value is two-sided, of the differences shifted to a mean of zero (Noreen 1989; Riezler
    and Maxwell 2005, W05-0908), counted as (c + 1) / (trials + 1).

    Args:
        a: statistics of the first system, the baseline.
        b: statistics of the second system, the same sentences in the same order.
        trials: how many resamples.
        seed: of the random numbers.

    Raises:
        ValueError: if the systems differ in sentences, or one has no score.

    """
    _check_paired(a, b)
    scores = [bootstrap_scores(each, trials=trials, seed=seed) for each in (a, b)]
    return bootstrap_test(_difference(a, b), [y - x for x, y in zip(*scores, strict=True)])


def bootstrap_test(difference: float, resampled: Sequence[float]) -> PairedResult:
    """Test a difference against those of the resamples; see `paired_bootstrap`.

    Raises:
        ValueError: if no resample has a score.

    """
    differences = _finite(resampled)
    mean = math.fsum(differences) / len(differences)
    p_value = _p_value([value - mean for value in differences], difference)
    return PairedResult(difference, p_value, _interval(differences))


def approximate_randomization(
    a: SentenceStatistics,
    b: SentenceStatistics,
    *,
    trials: int = RANDOMIZATION_TRIALS,
    seed: int = SEED,
) -> PairedResult:
    """Swap the outputs of random sentences between the systems (Riezler and Maxwell 2005).

    Arguments and errors as in `paired_bootstrap`; two-sided, (c + 1) / (trials + 1).
    """
    _check_paired(a, b)
    rows_a, rows_b = _rows(a), _rows(b)
    totals_a, totals_b = rows_a.sum(axis=0), rows_b.sum(axis=0)
    differences = _finite(
        [
            b.value((totals_b - moved).tolist()) - a.value((totals_a + moved).tolist())
            for swaps in _swaps(len(rows_a), trials, seed)
            for moved in swaps @ (rows_b - rows_a)
        ]
    )
    difference = _difference(a, b)
    return PairedResult(difference, _p_value(differences, difference))


PairedTest = Callable[..., PairedResult]
PAIRED_TESTS: dict[str, PairedTest] = {
    "bootstrap": paired_bootstrap,
    "randomization": approximate_randomization,
}


def _rows(statistics: SentenceStatistics) -> "Array":
    import numpy as np

    if not len(statistics):
        raise ValueError("no sentences to resample")
    return np.asarray(statistics.flat, dtype=np.float64).reshape(-1, statistics.width)


def _check_paired(a: SentenceStatistics, b: SentenceStatistics) -> None:
    if len(a) != len(b):
        raise ValueError(f"unpaired systems: {len(a)} and {len(b)} sentences")


def _difference(a: SentenceStatistics, b: SentenceStatistics) -> float:
    difference = b.score() - a.score()
    if not math.isfinite(difference):
        raise ValueError("a system without a score: every sentence is left out")
    return difference


def _batches(sentences: int, trials: int) -> Iterator[int]:
    """Yield sizes of batches of trials that keep the matrix of weights small."""
    size = max(1, _BATCH_CELLS // sentences)
    for start in range(0, trials, size):
        yield min(size, trials - start)


def _resamples(sentences: int, trials: int, seed: int) -> Iterator["Array"]:
    """How often each sentence is drawn: batches of shape (trials, sentences)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    for size in _batches(sentences, trials):
        draws = rng.integers(sentences, size=(size, sentences))
        counts = [np.bincount(draw, minlength=sentences) for draw in draws]
        yield np.asarray(counts, dtype=np.float64)


def _swaps(sentences: int, trials: int, seed: int) -> Iterator["Array"]:
    """Which sentences are swapped, 0 or 1: batches of shape (trials, sentences)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    for size in _batches(sentences, trials):
        yield rng.integers(2, size=(size, sentences)).astype(np.float64)


def _finite(values: Sequence[float]) -> list[float]:
    """Leave out trials without a score, such as a mean over no sentence."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        raise ValueError("no resample has a score: every sentence is left out")
    return finite


def _p_value(differences: list[float], observed: float) -> float:
    # A tolerance: swapping equal rows must count as equal in floating point.
    threshold = abs(observed) - 1e-9
    extreme = sum(abs(value) >= threshold for value in differences)
    return (extreme + 1) / (len(differences) + 1)


def _interval(scores: list[float]) -> Interval:
    import numpy as np

    low, high = np.percentile(scores, [2.5, 97.5])
    return Interval(float(low), float(high))
