"""Runs a policy over sentences: the loop of the live command under a simulated clock.

A sentence is a segment, its words are the source units. Many sentences run in lock step and share
the model's batches; what is written, and when, does not depend on it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.core.steps import Commit, Event, Steps, Units
from lsgcli.evaluation.logs import Instance
from lsgcli.metrics.clocks import queue_clock, simuleval_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lsgcli.core.backend import Backend
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import SourceType
    from lsgcli.metrics.units import LatencyUnit
    from lsgcli.policy.base import Policy

UNITS = {"word": re.compile(r"\S+"), "char": re.compile(r"\S")}
DIGITS = 6  # of a time in words of speaking: a microsecond, more or less


@dataclass
class Stopwatch:
    """Measures what a sentence's computation takes, for the computation-aware clocks.

    Every lap of computation is a job in one worker's queue; it arrives with the source that was
    read last. Times are in the source's measure: words of speaking time, or milliseconds.
    """

    per_second: float
    clock: Callable[[], float] = time.perf_counter
    arrivals: list[float] = field(default_factory=list)
    computes: list[float] = field(default_factory=list)
    _mark: float = 0.0

    def start(self) -> None:
        """Begin a sentence."""
        self.arrivals, self.computes = [], []
        self._mark = self.clock()

    def lap(self, read: float) -> None:
        """Record the computation since the last lap, with so much of the source read."""
        now = self.clock()
        self.arrivals.append(read)
        self.computes.append((now - self._mark) * self.per_second)
        self._mark = now


@dataclass
class Transcript:
    """The output for one sentence: its committed text, and when each part was written."""

    text: str = ""
    delays: list[float] = field(default_factory=list)  # of each commit
    owners: list[int] = field(default_factory=list)  # of each character of text: its commit
    laps: list[int] = field(default_factory=list)  # of each commit: how many laps were done
    read: float = 0

    def note(self, event: Event, read: float, stopwatch: Stopwatch | None) -> None:
        """Record an event of the engine, with so much of the source read."""
        if stopwatch:
            stopwatch.lap(self.read)
        self.read = read
        if isinstance(event, Commit):
            piece = (" " if event.spaced and self.text else "") + event.text
            self.owners += [len(self.delays)] * len(piece)
            self.text += piece
            self.delays.append(read)
            self.laps.append(len(stopwatch.computes) if stopwatch else 0)

    def instance(
        self,
        sentence: Sentence,
        stopwatch: Stopwatch | None,
        source_type: SourceType,
        source_length: float,
        unit: LatencyUnit = "word",
    ) -> Instance:
        """Return the sentence as it is logged: a delay for each word between whitespace.

        A word that was committed in parts was written with its last part.
        """
        written = [self.owners[match.end() - 1] for match in UNITS[unit].finditer(self.text)]
        delays = [self.delays[n] for n in written]
        elapsed = queue = None
        if stopwatch:
            elapsed, queue = _clocks(delays, [self.laps[n] for n in written], stopwatch)
        return Instance(
            index=sentence.index,
            prediction=self.text,
            delays=tuple(delays),
            source_length=source_length,
            source_type=source_type,
            reference=sentence.reference,
            source=sentence.logged,
            elapsed=elapsed,
            elapsed_queue=queue,
        )


def evaluate(
    backend: Backend,
    policy: Policy,
    sentences: Sequence[Sentence],
    done: Callable[[Instance], None],
    *,
    batch_size: int = 32,
    unit: LatencyUnit = "word",
) -> None:
    """Translate sentences in lock step, at most ``batch_size`` at a time.

    ``unit``: what of the target has a delay of its own, words or characters.
    ``done`` is called with each sentence as soon as it is finished, in any order.
    """
    _run(backend, policy, sentences, done, batch_size, None, unit)


def evaluate_timed(
    backend: Backend,
    policy: Policy,
    sentences: Sequence[Sentence],
    done: Callable[[Instance], None],
    *,
    words_per_second: float,
    clock: Callable[[], float] = time.perf_counter,
    unit: LatencyUnit = "word",
) -> None:
    """Translate sentences one at a time and measure the computation.

    Instances get ``elapsed`` (SimulEval's accumulation) and ``elapsed_queue`` (one worker that
    begins a decision when its source has arrived and the work before it is done), both in words
    of a speaker who says ``words_per_second``. The first sentence is translated once in advance,
    so that the model's start is not measured.
    """
    if sentences:
        _run(backend, policy, sentences[:1], lambda _: None, 1, None, unit)
    _run(backend, policy, sentences, done, 1, Stopwatch(words_per_second, clock), unit)


def _run(
    backend: Backend,
    policy: Policy,
    sentences: Sequence[Sentence],
    done: Callable[[Instance], None],
    batch_size: int,
    stopwatch: Stopwatch | None,
    unit: LatencyUnit,
) -> None:
    transcripts: dict[int, Transcript] = {}

    def steps(n: int, sentence: Sentence) -> Steps[None]:
        transcripts[n] = Transcript()
        if stopwatch:
            stopwatch.start()
        yield from translate(policy, backend.lexicon)
        transcript = transcripts.pop(n)
        length = sentence.read(len(sentence.units))
        done(transcript.instance(sentence, stopwatch, "text", length, unit))

    def segments() -> Iterator[tuple[tuple[str, ...], Steps[None]]]:
        for n, sentence in enumerate(sentences):
            yield sentence.units, steps(n, sentence)

    def observe(n: int, event: Event) -> None:
        transcript = transcripts[n]
        read = sentences[n].read(event.j) if isinstance(event, Units) else transcript.read
        transcript.note(event, read, stopwatch)

    run(backend, segments(), observe, batch_size)


def _clocks(
    delays: Sequence[float], laps: Sequence[int], stopwatch: Stopwatch
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """When each word was written: by SimulEval's clock and by the queue's.

    ``laps`` says how many laps were done when a word was written.
    """
    totals = [sum(stopwatch.computes[:n]) for n in laps]
    computes = [now - before for before, now in zip([0.0, *totals], totals, strict=False)]
    finished = queue_clock(stopwatch.arrivals, stopwatch.computes)
    return (
        tuple(round(e, DIGITS) for e in simuleval_clock(delays, computes)),
        tuple(round(max(d, finished[n - 1]), DIGITS) for d, n in zip(delays, laps, strict=True)),
    )
