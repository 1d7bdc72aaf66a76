"""Latency metrics of one sentence: pure functions of its delays.

Shapes and units, the same for all functions:

- ``delays``: one number per target unit, never decreasing: the source read (text: words,
  speech: ms) when the unit was written. Give the times of a computation-aware clock
  (`lsgcli.metrics.clocks`) instead, and the metric is computation-aware.
- ``source_length`` ``X``: the length of the whole source, in the unit of the delays.
- ``target_length`` ``Y``: target units: those of the reference, or of the hypothesis where there
  is no reference. Always positive.

Every function raises ValueError if ``delays`` is empty or a length is not positive: a sentence
without output has no latency, and the caller leaves it out and counts it. All
values agree with SimulEval 1.1.4 and, where it has them, OmniSTEval 0.1.10
(``benchmarks/cross_scorers.py``). A corpus scores the unweighted mean over its sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat


def average_lagging(delays: Sequence[float], source_length: float, target_length: float) -> float:
    """Average Lagging (AL), in the unit of the delays.

    ``(1/tau) sum_{i<=tau} d_i - (i-1) X/Y`` with ``tau`` the first ``i`` with ``d_i >= X``, or the
    last; hence ``d_1`` if ``d_1 > X``. It rewards hypotheses longer than the reference; see LAAL.

    Source: Ma et al. 2019, STACL, https://arxiv.org/abs/1810.08398.
    """
    _check(delays, source_length, target_length)
    rate = source_length / target_length
    total = 0.0
    for index, delay in enumerate(delays):
        total += delay - index * rate
        if delay >= source_length:
            return total / (index + 1)
    return total / len(delays)


def length_adaptive_average_lagging(
    delays: Sequence[float], source_length: float, target_length: float
) -> float:
    """Length-Adaptive Average Lagging (LAAL): AL with ``Y = max(hypothesis, Y)``.

    Source: Polák et al. 2022, https://arxiv.org/abs/2204.06028; Papi et al. 2022,
    https://arxiv.org/abs/2206.05807.
    """
    return average_lagging(delays, source_length, max(len(delays), target_length))


def average_proportion(
    delays: Sequence[float], source_length: float, target_length: float
) -> float:
    """Average Proportion (AP): ``sum_i d_i / (X Y)``, a ratio without unit.

    Source: Cho and Esipova 2016, https://arxiv.org/abs/1606.02012 (there ``Y`` is the
    hypothesis; SimulEval takes the reference).
    """
    _check(delays, source_length, target_length)
    return sum(delays) / (source_length * target_length)


def differentiable_average_lagging(delays: Sequence[float], source_length: float) -> float:
    """Differentiable Average Lagging (DAL), in the unit of the delays.

    ``mean_i g'_i - (i-1) r`` with ``r = X / |hypothesis|``, ``g'_1 = d_1`` and
    ``g'_i = max(d_i, g'_{i-1} + r)``.

    Source: Arivazhagan et al. 2019, MILk, https://arxiv.org/abs/1906.05218; Cherry and Foster
    2019, https://arxiv.org/abs/1906.00048.
    """
    _check(delays, source_length, 1)
    rate = source_length / len(delays)
    total = written = 0.0
    for index, delay in enumerate(delays):
        written = max(delay, written + rate) if index else delay
        total += written - index * rate
    return total / len(delays)


def yaal(
    delays: Sequence[float],
    source_length: float,
    target_length: float,
    *,
    horizon: float | None = None,
) -> float | None:
    """Yet Another Average Lagging (YAAL), in the unit of the delays.

    LAAL over the units written strictly before ``horizon``: what is written after the end of the
    source says nothing about a simultaneous policy.

    Args:
        delays: see the module.
        source_length: see the module.
        target_length: see the module.
        horizon: the end of the source; ``source_length`` by default. In long-form evaluation
            (LongYAAL), the end of the recording, counted from the segment's start.

    Returns:
        None if no unit was written before the horizon: the sentence is dropped.

    Source: Polák et al. 2025, Better Late Than Never, https://arxiv.org/abs/2509.17349.

    """
    _check(delays, source_length, target_length)
    end = source_length if horizon is None else horizon
    early = [delay for delay in delays if delay < end]
    if not early:
        return None
    rate = source_length / max(len(delays), target_length)
    return sum(delay - index * rate for index, delay in enumerate(early)) / len(early)


@dataclass(frozen=True)
class TokenDurations:
    """How long a source and a target token last, for ATD, in the unit of the delays."""

    source: float
    target: float


TEXT_TO_TEXT = TokenDurations(source=1, target=1)
SPEECH_TO_TEXT = TokenDurations(source=300, target=0)


def average_token_delay(
    delays: Sequence[float],
    durations: TokenDurations,
    computes: Sequence[float] | None = None,
) -> float:
    """Average Token Delay (ATD), in the unit of the delays.

    ``mean_t T(y_t) - T(x_s)``: the end of target token ``t`` minus the end of the source token it
    is taken to translate, ``s = min(t - max(0, AccY - AccX), AccX')``, where ``AccX`` and ``AccY``
    count the tokens read and written before the chunk of ``t`` and ``AccX'`` those read with it.

    Args:
        delays: see the module; not negative.
        durations: `TEXT_TO_TEXT` or `SPEECH_TO_TEXT`, the conventions of SimulEval.
        computes: the computation before each target token, for the computation-aware ATD.

    Source: Kano, Sudoh and Nakamura 2022, https://arxiv.org/abs/2211.13173; token durations as in
    SimulEval.

    """
    if not delays:
        raise ValueError("no delays: an empty hypothesis has no latency")
    if delays[0] < 0:
        raise ValueError("ATD is not defined for negative delays")
    ends, read = _source_tokens(delays, durations.source)
    total = finished = 0.0
    chunk_start = 0
    for index, (delay, compute) in enumerate(zip(delays, computes or repeat(0.0), strict=False)):
        if index and delay != delays[index - 1]:
            chunk_start = index
        read_before = read[chunk_start - 1] if chunk_start else 0
        source = min(index + 1 - max(0, chunk_start - read_before), read[index])
        finished = max(delay, finished) + durations.target + compute
        total += finished - ends[source]
    return total / len(delays)


def first_word_delay(delays: Sequence[float]) -> float:
    """First-word delay, in the unit of the delays; SimulEval's StartOffset: ``d_1``."""
    if not delays:
        raise ValueError("no delays: an empty hypothesis has no latency")
    return delays[0]


def end_offset(delays: Sequence[float], source_length: float) -> float:
    """Time from the end of the source to the last unit, SimulEval's EndOffset: ``d_n - X``."""
    return delays[-1] - source_length if delays else first_word_delay(delays)


def _check(delays: Sequence[float], source_length: float, target_length: float) -> None:
    if not delays:
        raise ValueError("no delays: an empty hypothesis has no latency")
    if not (source_length > 0 and target_length > 0):
        raise ValueError(f"lengths must be positive: X={source_length}, Y={target_length}")


def _source_tokens(delays: Sequence[float], duration: float) -> tuple[list[float], list[int]]:
    """Cut the source into tokens, starting anew at every pause in reading.

    Returns:
        The end of each source token, after a token 0 that ends at 0; and, for each delay, how
        many tokens had been read.

    """
    ends = [0.0]
    read = []
    previous = 0.0
    for delay in delays:
        if delay != previous:
            whole, rest = divmod(delay - previous, duration)
            for _ in range(int(whole)):
                ends.append(ends[-1] + duration)
            if rest:
                ends.append(ends[-1] + rest)
            previous = delay
        read.append(len(ends) - 1)
    return ends, read
