"""The scores of a log."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lsgcli import __version__
from lsgcli.evaluation.logs import SourceType
from lsgcli.evaluation.score.measuring import Measurement
from lsgcli.metrics.neural import COMET
from lsgcli.metrics.significance import Interval, bootstrap_interval


@dataclass(frozen=True)
class Score:
    """One metric of one log.

    Attributes:
        value: None if every sentence is left out.
        n: sentences scored.
        skipped: sentences left out.
        measure: ``%``, ``words``, ``ms``, or empty for a ratio.
        quality: whether it is of quality, not of latency.
        signature: what was computed, exactly.
        interval: 95% bootstrap confidence interval, if asked for.

    """

    value: float | None
    n: int
    skipped: int
    measure: str
    signature: str
    interval: Interval | None = None
    quality: bool = False


@dataclass(frozen=True)
class LogScore:
    """All scores of a log.

    Attributes:
        name: of the system.
        sentences: how many the log has.
        empty: sentences without hypothesis: they count in the quality, not in the latency.
        late: sentences with units written after the end of their source (speech only).
        early: sentences whose hypothesis ended before their source did (text only): a model that
            writes the end of a sentence too soon has nothing to add when the rest comes.
        erasure: units retracted per unit that was not; 0 for an append-only system.
        source_type: text or speech.
        segments: see `Measurement`.
        scores: by the name of the metric, with the suffix of the clock.
        machines: on how many unlike ones the computation was measured.

    """

    name: str
    sentences: int
    empty: int
    late: int
    early: int
    erasure: float
    source_type: SourceType
    scores: Mapping[str, Score]
    machines: int = 1
    segments: str = ""


def summarise(measurement: Measurement, *, intervals: bool = False) -> LogScore:
    """Score what was measured.

    Args:
        measurement: of one log.
        intervals: bootstrap a confidence interval for every score.

    """
    return LogScore(
        name=measurement.name,
        sentences=len(measurement.indices),
        empty=measurement.empty,
        late=measurement.late,
        early=measurement.early,
        erasure=measurement.erased / measurement.units if measurement.units else 0.0,
        source_type=measurement.source_type,
        scores={
            metric: _score(measurement, metric, intervals) for metric in measurement.statistics
        },
        machines=measurement.machines,
        segments=measurement.segments,
    )


def _score(measurement: Measurement, metric: str, intervals: bool) -> Score:
    statistics = measurement.statistics[metric]
    value = statistics.score()
    n, skipped = len(statistics), 0
    if metric not in measurement.signatures:
        n = round(statistics.totals()[1])
        skipped = len(statistics) - n
    defined = math.isfinite(value)
    return Score(
        value=value if defined else None,
        n=n,
        skipped=skipped,
        measure=_measure_of(measurement, metric),
        signature=_signature(measurement, metric),
        interval=bootstrap_interval(statistics) if intervals and defined else None,
        quality=metric in measurement.signatures,
    )


def _measure_of(measurement: Measurement, metric: str) -> str:
    if metric == COMET or metric.startswith("AP"):
        return ""
    if metric in measurement.signatures:
        return "%"
    return "words" if measurement.source_type == "text" else "ms"


def _signature(measurement: Measurement, metric: str) -> str:
    found = measurement.signatures.get(metric) or _latency_signature(measurement, metric)
    return f"{found}|segments:{measurement.segments}" if measurement.segments else found


def _latency_signature(measurement: Measurement, metric: str) -> str:
    options = measurement.options
    length = "reference" if options.use_reference_length else "hypothesis"
    clock = "delays"
    if metric.endswith("_CA"):
        clock = "elapsed"
    elif metric.endswith("_CA_queue"):
        clock = "queue"
    if clock != "delays" and measurement.machines > 1:
        clock += f"|machines:{measurement.machines}"
    return f"{metric}|unit:{options.unit}|length:{length}|clock:{clock}|lsg:{__version__}"
