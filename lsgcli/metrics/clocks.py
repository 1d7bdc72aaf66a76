"""Computation-aware clocks: when a target unit was written, computation included.

Three sequences describe a sentence, one number per target unit, all in one time unit (ms for
speech; for text, words of speaking time):

- *arrival* ``a_i``: when the source read so far had arrived; the delay ``d_i``.
- *compute* ``c_i``: the computation spent between writing unit ``i-1`` and unit ``i``.
- *elapsed* ``e_i``: when unit ``i`` was written.

Tools disagree on ``e_i``. SimulEval adds up all computation, as if the system could never
compute while it waits for audio. A queue counts that time once.
"""

from collections.abc import Sequence
from itertools import accumulate


def simuleval_clock(arrivals: Sequence[float], computes: Sequence[float]) -> list[float]:
    """Accumulate computation as SimulEval does: ``e_i = a_i + c_1 + ... + c_i``.

    Raises:
        ValueError: if the two sequences differ in length.

    """
    return [a + total for a, total in zip(arrivals, accumulate(computes), strict=True)]


def compute_times(delays: Sequence[float], elapsed: Sequence[float]) -> list[float]:
    """Recover ``c_i`` from a log that accumulates; the inverse of `simuleval_clock`.

    A negative value means that the log does not accumulate.

    Raises:
        ValueError: if the two sequences differ in length.

    """
    overheads = [e - d for d, e in zip(delays, elapsed, strict=True)]
    return [now - before for before, now in zip([0.0, *overheads], overheads, strict=False)]


def queue_clock(arrivals: Sequence[float], computes: Sequence[float]) -> list[float]:
    """Serve units in order by one worker: ``e_i = max(a_i, e_{i-1}) + c_i``, ``e_0 = 0``.

    Work starts when its input has arrived and the work before it is finished, so computation
    done while waiting for audio costs nothing, and backlog is carried along.

    Raises:
        ValueError: if a compute time is negative or the two sequences differ in length.

    """
    finished = 0.0
    elapsed = []
    for arrival, compute in zip(arrivals, computes, strict=True):
        if compute < 0:
            raise ValueError(f"compute time {compute} is negative")
        finished = max(arrival, finished) + compute
        elapsed.append(finished)
    return elapsed


def service_times(arrivals: Sequence[float], elapsed: Sequence[float]) -> list[float]:
    """Recover ``c_i`` from a queue's clock; the inverse of `queue_clock`.

    Raises:
        ValueError: if the two sequences differ in length.

    """
    finished = [0.0, *elapsed][: len(elapsed)]
    return [e - max(a, f) for a, e, f in zip(arrivals, elapsed, finished, strict=True)]
