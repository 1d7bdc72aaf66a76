"""A sentence by each clock, and the latency metrics of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lsgcli.evaluation.logs.instance import Instance, queue_times
from lsgcli.metrics import latency
from lsgcli.metrics.clocks import compute_times, service_times

CLOCKS = ("", "_CA", "_CA_queue")


@dataclass(frozen=True)
class Timeline:
    """A sentence as a latency metric sees it, by one clock.

    Attributes:
        times: when each target unit was written; the delays, or a computation-aware clock.
        delays: the source read when it was written.
        computes: the computation before it; zero for the delays' own clock.
        source_length: the whole source.
        target_length: units of the reference, or of the hypothesis.
        durations: of source and target tokens, for ATD.
        horizon: the end of the recording, for sentences cut out of one.

    """

    times: Sequence[float]
    delays: Sequence[float]
    computes: Sequence[float] | None
    source_length: float
    target_length: float
    durations: latency.TokenDurations
    horizon: float | None


def _atd(line: Timeline) -> float | None:
    if line.delays[0] < 0:
        return None
    return latency.average_token_delay(line.delays, line.durations, line.computes)


LATENCY_METRICS: Mapping[str, Callable[[Timeline], float | None]] = {
    "AL": lambda line: latency.average_lagging(line.times, line.source_length, line.target_length),
    "LAAL": lambda line: latency.length_adaptive_average_lagging(
        line.times, line.source_length, line.target_length
    ),
    "AP": lambda line: latency.average_proportion(
        line.times, line.source_length, line.target_length
    ),
    "DAL": lambda line: latency.differentiable_average_lagging(line.times, line.source_length),
    "ATD": _atd,
    "YAAL": lambda line: latency.yaal(
        line.times, line.source_length, line.target_length, horizon=line.horizon
    ),
    "StartOffset": lambda line: latency.first_word_delay(line.times),
    "EndOffset": lambda line: latency.end_offset(line.times, line.source_length),
}


def timelines(instance: Instance, target_length: float) -> list[Timeline | None]:
    """Return the sentence by each of the `CLOCKS`; None where its latency is undefined."""
    delays = instance.delays
    if not delays or instance.source_length <= 0:
        return [None] * len(CLOCKS)
    text = instance.source_type == "text"
    durations = latency.TEXT_TO_TEXT if text else latency.SPEECH_TO_TEXT

    def line(
        times: Sequence[float] | None, computes: Sequence[float] | None = None
    ) -> Timeline | None:
        if times is None:
            return None
        horizon = instance.recording_end
        length = instance.source_length
        return Timeline(times, delays, computes, length, target_length, durations, horizon)

    elapsed, queue = instance.elapsed, queue_times(instance)
    return [
        line(delays),
        line(elapsed, elapsed and compute_times(delays, elapsed)),
        line(queue, queue and service_times(delays, queue)),
    ]
