"""Builds the pipeline for speech from a model and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.languages import NAMES
from lsgcli.models.catalog import AUTO
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.detector import Silero, everything
from lsgcli.speech.feed import SpeechFeed
from lsgcli.speech.pipeline import SpeechPipeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lsgcli.backends.whisper import WhisperBackend
    from lsgcli.core.session import Observer
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import SpeechManifest
    from lsgcli.output.base import SpeechWriter
    from lsgcli.policy.spec import PolicySettings
    from lsgcli.speech.chunks import Samples


def spoken(model: Model[SpeechManifest]) -> str | None:
    """Return the name of the language that is spoken; None if it is detected from the audio."""
    return None if model.source == AUTO else NAMES.get(model.source, model.source)


def feed(
    model: Model[SpeechManifest],
    samples: Iterable[Samples],
    *,
    segment: float = 0.64,
    pause: float | None = None,
    vad: bool = True,
    stall: float | None = None,
    live: bool = False,
    pace: bool = False,
) -> SpeechFeed:
    """Return a feed of utterances, cut into segments.

    Args:
        model: has the length of a pause, unless ``pause`` is given.
        samples: 16 kHz, mono, float32, in arrays of shape [n].
        segment: seconds of a source unit.
        pause: seconds of silence that end an utterance.
        vad: whether audio without speech is skipped.
        stall: seconds without any audio that end an utterance, if it comes ``live``.
        live: whether the audio arrives in real time.
        pace: whether it is delivered at the pace of speech.

    """
    return SpeechFeed(
        AudioReader(samples, pace=pace),
        Silero() if vad else everything,
        segment=segment,
        pause=model.manifest.pause if pause is None else pause,
        idle=stall if live else None,
        live=live,
    )


def pipeline(
    model: Model[SpeechManifest],
    backend: WhisperBackend,
    feed: SpeechFeed,
    policy: PolicySettings,
    writer: SpeechWriter,
    observers: tuple[Observer, ...] = (),
    *,
    preview: bool = False,
    first: int = 1,
) -> SpeechPipeline:
    """Connect the parts; lines are counted from ``first``. Raises UsageError."""
    return SpeechPipeline(
        feed,
        policy.policy(model.policy, speech=True),
        backend,
        writer,
        observers,
        language=None if model.target == AUTO else model.target,
        preview=preview,
        first=first,
        scroll=model.manifest.scroll,
        context=model.manifest.context,
    )
