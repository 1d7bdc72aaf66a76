"""Runs a policy over recordings: the pipeline of the live command under a simulated clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from lsgcli.core.audio import RATE
from lsgcli.core.steps import Commit, Event
from lsgcli.evaluation.runner import Stopwatch, Transcript
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.detector import Silero, everything
from lsgcli.speech.feed import SpeechFeed
from lsgcli.speech.pipeline import SpeechPipeline
from lsgcli.speech.sources.decode import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import Instance
    from lsgcli.models.manifest import SpeechManifest
    from lsgcli.output.base import SpokenLine
    from lsgcli.policy.base import Policy
    from lsgcli.speech.pipeline import SpeechBackend


@dataclass(frozen=True)
class Hearing:
    """How recordings are heard; see ``SpeechFeed``, and ``SpeechPipeline`` for the model's part."""

    segment: float = 0.64
    pause: float = 0.7
    vad: bool = True
    scroll: float = 8.0
    context: int = 64

    @classmethod
    def of(
        cls, manifest: SpeechManifest, *, segment: float, pause: float | None, vad: bool
    ) -> Hearing:
        """Return the settings of a model, with another ``pause`` if one is given."""
        pause = manifest.pause if pause is None else pause
        return cls(segment, pause, vad, manifest.scroll, manifest.context)

    def settings(self) -> dict[str, Any]:
        """The settings, by their names in a run's record."""
        return {
            "segment_s": self.segment,
            "pause_s": self.pause,
            "vad": self.vad,
            "scroll_s": self.scroll,
            "context": self.context,
        }


@dataclass
class Listener:
    """Collects what a pipeline commits, instead of writing it."""

    stopwatch: Stopwatch | None
    transcript: Transcript = field(default_factory=Transcript)
    _first: bool = True  # word of a segment
    timed = False
    confident = False

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Record it."""
        if isinstance(event, Commit) and self._first:
            event, self._first = replace(event, spaced=True), False
        self.transcript.note(event, read, self.stopwatch)

    def begin(self, segment: int, before: str, language: str = "") -> None:
        """Join segments with a space."""
        self._first = True

    def recording(self, name: str) -> None:
        """Do nothing: there is only one."""

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Do nothing: lines are joined."""

    def close(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""


def evaluate_speech(
    backend: SpeechBackend,
    policy: Policy,
    recordings: Sequence[Sentence],
    done: Callable[[Instance], None],
    hearing: Hearing,
    *,
    timed: bool = False,
) -> None:
    """Recognise recordings in turn; ``done`` is called with each. Delays are in milliseconds.

    ``timed``: measure the computation too, as ``evaluate_timed`` does.
    """
    for recording in recordings:
        listener = Listener(Stopwatch(1000.0) if timed else None)
        feed = SpeechFeed(
            AudioReader(decode(recording.source)),
            Silero() if hearing.vad else everything,
            segment=hearing.segment,
            pause=hearing.pause,
        )
        if listener.stopwatch:
            listener.stopwatch.start()
        SpeechPipeline(
            feed, policy, backend, listener, scroll=hearing.scroll, context=hearing.context
        ).run()
        length = feed.position / RATE * 1000
        done(listener.transcript.instance(recording, listener.stopwatch, "speech", length))
