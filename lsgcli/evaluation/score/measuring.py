"""A log read once: a few numbers per sentence are kept."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsgcli.errors import InputError
from lsgcli.evaluation.logs import (
    Instance,
    LogFormat,
    SourceType,
    read_log,
    with_references,
    with_transcripts,
)
from lsgcli.evaluation.resegment import Method, resegmented
from lsgcli.evaluation.score.options import ScoreOptions
from lsgcli.evaluation.score.timelines import CLOCKS, LATENCY_METRICS, timelines
from lsgcli.evaluation.segments import Segment
from lsgcli.metrics import alignment
from lsgcli.metrics.aggregate import SentenceStatistics, mean_row, mean_statistics
from lsgcli.metrics.neural import COMET, Comet, Judged
from lsgcli.metrics.quality import QualityMetric, quality_metric

_BATCH = 256


@dataclass
class Measurement:
    """What is kept of a log: a few numbers per sentence.

    Attributes:
        name: of the system.
        options: what was asked for.
        statistics: terms of each metric's sum, by its name.
        signatures: of the metrics, by their names.
        indices: of the sentences, in order.
        references: digest of the references, to check whether two logs have the same.
        empty: see `LogScore`.
        late: see `LogScore`.
        early: see `LogScore`.
        erased: units retracted.
        units: units that were not retracted.
        clocks: suffixes of the clocks that the log has.
        source_type: text or speech.
        machines: on how many unlike ones the computation was measured.
        segments: how recordings were cut into the sentences, as a signature names it; empty if
            the sentences are the log's own.

    """

    name: str
    options: ScoreOptions
    statistics: dict[str, SentenceStatistics] = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)
    indices: "array[int]" = field(default_factory=lambda: array("q"))
    references: bytes = b""
    empty: int = 0
    late: int = 0
    early: int = 0
    erased: int = 0
    units: int = 0
    clocks: set[str] = field(default_factory=set)
    source_type: SourceType = "text"
    machines: int = 1
    segments: str = ""

    def count(self, instance: Instance) -> None:
        """Count a sentence."""
        self.indices.append(instance.index)
        self.source_type = instance.source_type
        self.empty += not instance.delays
        self.late += bool(instance.delays) and instance.delays[-1] > instance.source_length
        if instance.source_type == "text" and instance.delays:
            self.early += instance.delays[-1] < instance.source_length
        self.erased += instance.erased
        self.units += len(instance.delays)


def measure(
    instances: Iterable[Instance], options: ScoreOptions | None = None, *, name: str = ""
) -> Measurement:
    """Measure every sentence once, holding a batch of text at a time.

    Raises:
        InputError: if some sentences have a reference and others none, or if none has one and
            quality is asked for.
        UsageError: if a metric is unknown or its library is not installed.

    """
    options = options or ScoreOptions()
    quality = [
        quality_metric(metric, tokenize=options.tokenize)
        for metric in options.quality
        if metric != COMET
    ]
    result = Measurement(
        name,
        options,
        statistics={metric.name: metric.empty() for metric in quality}
        | ({COMET: mean_statistics()} if options.comet else {})
        | {metric + clock: mean_statistics() for clock in CLOCKS for metric in options.latency},
        signatures={metric.name: metric.signature for metric in quality},
    )
    digest = hashlib.blake2b()
    batch: list[Instance] = []
    judged: list[Judged] = []
    has_reference: bool | None = None
    for instance in instances:
        has_reference = _has_reference(instance, has_reference, bool(options.quality), name)
        digest.update((instance.reference or "").strip().encode() + b"\n")
        result.count(instance)
        _measure_latency(result, instance)
        if options.comet:
            judged.append(_judged(instance, name))
        batch.append(instance)
        if len(batch) == _BATCH:
            _measure_quality(result, quality, batch)
            batch.clear()
    _measure_quality(result, quality, batch)
    if options.comet and judged:
        _measure_comet(result, options.comet, judged)
    result.references = digest.digest()
    _drop_absent_clocks(result)
    return result


def measure_log(
    path: Path,
    options: ScoreOptions | None = None,
    *,
    references: Path | None = None,
    log_format: LogFormat | None = None,
    source_type: SourceType | None = None,
    ignore: Sequence[str] = (),
    segments: Sequence[Segment] | None = None,
    resegment: Method = "soft",
    transcripts: Path | None = None,
) -> Measurement:
    """Measure a log of SimulEval, OmniSTEval or simulstream.

    Args:
        path: the log or its directory.
        options: what to score.
        references: a file of references, one line per sentence, in place of the log's own.
        log_format: by default inferred from the log.
        source_type: by default inferred from the log.
        ignore: unknown fields to skip.
        segments: of the recordings that the log is of; they are scored, by their references.
        resegment: how words are given to segments.
        transcripts: a file of what is said, one line per sentence or segment.

    Raises:
        InputError: if the log or the references are broken; the message has file and line.
        UsageError: if a file does not exist or a metric is unknown.

    """
    options = options or ScoreOptions()
    instances = read_log(
        path,
        unit=options.unit,
        log_format=log_format,
        source_type=source_type,
        needs_reference=bool(options.quality) and references is None and segments is None,
        ignore=ignore,
    )
    if segments is not None:
        instances = resegmented(
            instances, segments, method=resegment, unit=options.unit, name=str(path)
        )
    elif references is not None:
        instances = with_references(instances, references)
    if transcripts is not None:
        instances = with_transcripts(instances, transcripts)
    found = measure(instances, options, name=str(path))
    if segments is not None:
        found.segments = resegment if resegment == "none" else alignment.signature(resegment)
    return found


def _has_reference(instance: Instance, before: bool | None, needed: bool, name: str) -> bool:
    """Return whether the sentences have references: all or none."""
    present = bool((instance.reference or "").strip())
    if (needed and not present) or (before is not None and present != before):
        raise InputError(
            f"{name}: sentence {instance.index}: {'a' if present else 'no'} reference; "
            "give one to every sentence, or to none and score latency only"
        )
    return present


def _measure_latency(result: Measurement, instance: Instance) -> None:
    lines = timelines(instance, result.options.target_length(instance))
    for clock, line in zip(CLOCKS, lines, strict=True):
        if line is not None:
            result.clocks.add(clock)
        for metric in result.options.latency:
            value = None if line is None else LATENCY_METRICS[metric](line)
            result.statistics[metric + clock].extend([mean_row(value)])


def _measure_quality(
    result: Measurement, metrics: Sequence[QualityMetric], batch: Sequence[Instance]
) -> None:
    if not batch:
        return
    hypotheses = [instance.prediction for instance in batch]
    references = [instance.reference or "" for instance in batch]
    for metric in metrics:
        result.statistics[metric.name].extend(metric.rows(hypotheses, references))


def _judged(instance: Instance, name: str) -> Judged:
    source: str | Sequence[str] | None = instance.transcript
    if source is None and instance.source_type == "text":
        source = instance.source
    if source is None:
        raise InputError(
            f"{name}: sentence {instance.index}: COMET reads the source; give --transcript FILE, "
            "what is said, one line a sentence"
        )
    text = source if isinstance(source, str) else "".join(source)
    return Judged(text, instance.prediction, instance.reference or "")


def _measure_comet(result: Measurement, comet: Comet, judged: list[Judged]) -> None:
    scores, result.signatures[COMET] = comet.score(judged)
    result.statistics[COMET].extend(map(mean_row, scores))


def _drop_absent_clocks(result: Measurement) -> None:
    """Drop the computation-aware metrics of a log without a clock."""
    for clock in {"_CA", "_CA_queue"} - result.clocks:
        for metric in result.options.latency:
            result.statistics.pop(metric + clock, None)
