"""From sentences to a corpus: additive statistics of every sentence.

BLEU, chrF, TER and error rates are functions of sums over sentences, and a mean is too. Keeping
the terms of the sum makes resampling cheap: no text is scored twice.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SentenceStatistics:
    """The terms of a corpus metric, one row of ``width`` numbers per sentence.

    Attributes:
        width: numbers per sentence.
        value: the corpus metric as a function of the sums of the columns; NaN if undefined.
        flat: the rows, one after the other, 8 bytes per number.

    """

    width: int
    value: Callable[[Sequence[float]], float]
    flat: "array[float]" = field(default_factory=lambda: array("d"))

    def __len__(self) -> int:
        return len(self.flat) // self.width

    def extend(self, rows: Iterable[Sequence[float]]) -> None:
        """Append the rows of further sentences, each ``width`` long."""
        for row in rows:
            self.flat.extend(row)

    def totals(self) -> list[float]:
        """Add up each column."""
        return [math.fsum(self.flat[column :: self.width]) for column in range(self.width)]

    def score(self) -> float:
        """Score the corpus."""
        return self.value(self.totals())


def mean_statistics() -> SentenceStatistics:
    """Statistics of an unweighted mean; their rows come from `mean_row`."""
    return SentenceStatistics(2, _ratio)


def mean_row(value: float | None) -> tuple[float, float]:
    """One sentence's row of a mean: its value and 1, or nothing if it is left out."""
    return (0.0, 0.0) if value is None else (value, 1.0)


def percentage_statistics() -> SentenceStatistics:
    """Statistics of a micro-averaged percentage; a row is (part, whole)."""
    return SentenceStatistics(2, lambda totals: 100 * _ratio(totals))


def _ratio(totals: Sequence[float]) -> float:
    part, whole = totals
    return part / whole if whole else math.nan
