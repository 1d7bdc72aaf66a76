"""Statistics of a run, by an observer that changes nothing."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lsgcli.core.steps import Belief, Commit, Decision, Event, Reason, Units
from lsgcli.log import logger
from lsgcli.metrics.latency import average_lagging

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from lsgcli.core.backend import Usage


KEPT = 1 << 16  # of each kind of figure: a stream may never end
LATE, ON_TIME = 2.0, 0.5  # seconds behind the input: falling behind, and keeping up again


def _recent() -> deque[float]:
    return deque(maxlen=KEPT)


@dataclass
class Statistics:
    """Observes a pipeline. Times are seconds of the session's clock.

    Lagging is in source words, over segments that were translated while they arrived and have at
    least one target word. Without a reference the length of the hypothesis is used in its place,
    so AL and LAAL are equal.
    """

    usage: Usage
    live: bool = True  # the input comes in real time, so the output can fall behind
    units_read: int = 0  # words, or segments of speech
    words_written: int = 0
    words_protected: int = 0
    segments: int = 0
    known: int = 0  # segments found in the translation memory
    left: int = 0  # segments left in the source language, below the floor
    doubted: int = 0  # all below the floor, with those of which words had been written
    streamed: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    lagging: deque[float] = field(default_factory=_recent)
    first_word: deque[float] = field(default_factory=_recent)  # computation before a first word
    commit: deque[float] = field(default_factory=_recent)  # computation before each committed word
    behind: deque[float] = field(default_factory=_recent)  # age of the newest input when done
    waited_for: float = 0.0
    _started: float | None = None
    _now: float = 0.0
    _mark: float = 0.0  # since when the word being decided has been computed
    _first: float | None = None  # computation in this segment, until its first word
    _streaming: bool = False
    _late: bool = False
    _begin: float = 0.0  # where the segment begins in the source
    _delays: list[float] = field(default_factory=list)

    def begin(self, streamed: bool, now: float, read: float) -> None:
        """Note that a segment begins."""
        self._tick(now)
        self.segments += 1
        self.streamed += streamed
        self._streaming, self._first, self._delays, self._begin = streamed, 0.0, [], read
        self._mark = self._now

    def event(self, event: Event, now: float, read: float) -> None:
        """Count what happened."""
        if isinstance(event, Units):
            self.units_read += len(event.units)
        elif isinstance(event, Decision):
            self.decisions[f"{event.action.value} {event.reason.value}"] += 1
        elif isinstance(event, Commit) and event.decision.reason is Reason.LEFT:
            self.left += 1
            self.words_protected += len(event.text.split())
        elif isinstance(event, Commit) and event.decision.reason is Reason.KNOWN:
            self.known += 1
            self.words_written += len(event.text.split())
        elif isinstance(event, Belief):
            self.doubted += event.doubted
        elif isinstance(event, Commit):
            self._now = now
            self.words_written += 1
            self._delays.append(read - self._begin)
            if self._streaming:
                self._commit(now)

    def end(self, now: float, read: float) -> None:
        """Compute the segment's lagging."""
        self._tick(now)
        if self._streaming and self._delays:
            self.lagging.append(
                average_lagging(self._delays, read - self._begin, len(self._delays))
            )

    def verbatim(self, text: str, now: float) -> None:
        """Count copied words."""
        self._tick(now)
        self.words_protected += len(text.split())

    def waited(self, seconds: float, behind: float, now: float) -> None:
        """Subtract waiting from the computation times."""
        if self._started is not None:
            self.waited_for += seconds
            if self.live:
                self.behind.append(behind)
        self._mark += seconds
        self._tick(now)
        if self.falling_behind and not self._late:
            logger.warning(f"falling behind the input, by {behind:.1f} s now: the delay grows")
        self._late = self.falling_behind or (self._late and behind > ON_TIME)

    @property
    def elapsed(self) -> float:
        """Seconds from the first input to the last event."""
        return self._now - self._started if self._started is not None else 0.0

    @property
    def busy(self) -> float:
        """Seconds of those that were spent computing."""
        return max(self.elapsed - self.waited_for, 1e-9)

    @property
    def falling_behind(self) -> bool:
        """Whether the input comes faster than it is translated: the delay grows."""
        recent = list(self.behind)[-5:]
        return len(recent) == 5 and recent[-1] > LATE and recent[-1] > 1.2 * recent[0]

    def summary(self) -> dict[str, Any]:
        """All figures, by the names they have in ``--stats-json``."""
        busy = self.busy
        words = self.units_read
        return {
            "words_read": words,
            "words_written": self.words_written,
            "words_protected": self.words_protected,
            "segments": self.segments,
            "segments_streamed": self.streamed,
            "segments_known": self.known,
            "segments_left": self.left,
            "segments_doubted": self.doubted - self.left,
            "al": _mean(self.lagging),
            "laal": _mean(self.lagging),
            "first_word_ms": _spread(self.first_word),
            "commit_ms": _spread(self.commit),
            "decisions": dict(sorted(self.decisions.items())),
            "model_calls": self.usage.calls,
            "model_calls_per_word": _ratio(self.usage.calls, words),
            "tokens": self.usage.tokens,
            "tokens_per_word": _ratio(self.usage.tokens, words),
            "tokens_per_second": round(self.usage.tokens / busy, 1),
            "words_per_second": round(words / busy, 1),
            **self._pace(),
        }

    def _pace(self) -> dict[str, Any]:
        return {
            "elapsed_s": round(self.elapsed, 3),
            "busy_s": round(self.busy, 3),
            "behind_s": {k: v / 1000 for k, v in (_spread(self.behind) or {}).items()} or None,
            "falling_behind": self.falling_behind,
        }

    def _commit(self, now: float) -> None:
        took = now - self._mark
        self.commit.append(took)
        self._mark = now
        if self._first is not None:
            self.first_word.append(self._first + took)
            self._first = None

    def _tick(self, now: float) -> None:
        self._now = now
        if self._started is None:
            self._started = self._now


class Heard(Protocol):
    """What the statistics need of a feed of speech."""

    @property
    def position(self) -> int:
        """Samples that have been heard."""
        ...

    @property
    def speech(self) -> int:
        """Samples that have been recognised."""
        ...


@dataclass
class SpeechStatistics(Statistics):
    """The same for speech: lagging in milliseconds, costs by the second of audio."""

    feeds: list[Heard] = field(default_factory=list)  # one for each recording
    rate: int = 16000
    lost: Callable[[], float] = lambda: 0.0  # seconds of audio that came and were not heard

    def summary(self) -> dict[str, Any]:
        """All figures, by the names they have in ``--stats-json``."""
        audio = sum(feed.position for feed in self.feeds) / self.rate
        return {
            "audio_s": round(audio, 3),
            "speech_s": round(sum(feed.speech for feed in self.feeds) / self.rate, 3),
            "lost_s": round(self.lost(), 3),
            "words_written": self.words_written,
            "utterances": self.segments,
            "segments_read": self.units_read,
            "al_ms": _mean(self.lagging),
            "laal_ms": _mean(self.lagging),
            "first_word_ms": _spread(self.first_word),
            "commit_ms": _spread(self.commit),
            "decisions": dict(sorted(self.decisions.items())),
            "model_calls": self.usage.calls,
            "model_calls_per_second": _ratio(self.usage.calls, audio),
            "tokens": self.usage.tokens,
            "tokens_per_second": _ratio(self.usage.tokens, audio),
            "encoded_s": round(self.usage.encoded, 3),
            "encoded_per_second": _ratio(self.usage.encoded, audio),
            "real_time_factor": _ratio(self.busy, audio),
            **self._pace(),
        }


def _mean(values: Collection[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def _ratio(value: float, of: float) -> float | None:
    return round(value / of, 3) if of else None


def _spread(seconds: Collection[float]) -> dict[str, float] | None:
    """Median, 95th percentile (nearest rank) and maximum, in milliseconds."""
    if not seconds:
        return None
    ordered = sorted(seconds)

    def rank(share: float) -> float:
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"p50": rank(0.5), "p95": rank(0.95), "max": rank(1.0)}
