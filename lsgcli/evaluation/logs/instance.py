"""One sentence of a log, whatever tool wrote it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lsgcli.metrics.clocks import compute_times, queue_clock

SourceType = Literal["text", "speech"]

_AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a"})
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Instance:
    """One sentence of a log; names as in SimulEval's ``instances.log``.

    All times of a sentence are in one unit: source words if the source is text, ms if speech.

    Attributes:
        index: the sentence's number in the corpus, from 0.
        prediction: the hypothesis.
        delays: for each target unit, the source read when it was written.
        source_length: the whole source.
        source_type: text or speech.
        reference: the reference, without newline; None if the log has none.
        source: the text, or what is known of the audio: its path or SimulEval's lines.
        elapsed: for each target unit, when it was written by the logging tool's own clock; None
            if it logged none.
        elapsed_queue: the same by the queue clock (`lsgcli.metrics.clocks`), if the log has it.
        prediction_spm: the hypothesis in SentencePiece pieces, if delays are per piece.
        transcript: what is said, if the source is speech and the log was scored with it.
        recording_end: the end of the recording, if the sentence is a part of it, cut out
            afterwards; times count from its start then, and may be negative.
        erased: target units that were shown and retracted; 0 for an append-only system.

    """

    index: int
    prediction: str
    delays: tuple[float, ...]
    source_length: float
    source_type: SourceType
    reference: str | None = None
    source: str | tuple[str, ...] | None = None
    elapsed: tuple[float, ...] | None = None
    elapsed_queue: tuple[float, ...] | None = None
    prediction_spm: tuple[str, ...] | None = None
    transcript: str | None = None
    recording_end: float | None = None
    erased: int = 0


def queue_times(instance: Instance) -> tuple[float, ...] | None:
    """When each unit was written by the queue clock: as logged, or from SimulEval's clock.

    None if the log has no clock, or one that does not accumulate computation: the queue's times
    cannot be derived from it.
    """
    if instance.elapsed_queue is not None:
        return instance.elapsed_queue
    if instance.elapsed is None or instance.recording_end is not None:
        return None
    computes = compute_times(instance.delays, instance.elapsed)
    if min(computes, default=0.0) < -_ROUNDING:
        return None
    return tuple(queue_clock(instance.delays, [max(0.0, compute) for compute in computes]))


def infer_source_type(
    source: str | Sequence[str] | None, source_length: float, default: SourceType = "text"
) -> SourceType:
    """Infer text or speech from a log's ``source``.

    A list, or a path of an audio file, is speech; so is a single word, such as the name of a
    recording, that is not of length 1. Everything else is text.
    """
    if source is None:
        return default
    if not isinstance(source, str) or Path(source).suffix.lower() in _AUDIO_SUFFIXES:
        return "speech"
    if len(source.split()) == 1 and source_length != 1:
        return "speech"
    return "text"


def clock_or_none(elapsed: Sequence[float] | None) -> tuple[float, ...] | None:
    """Return ``elapsed`` as a tuple; None if it is all 0, which means that no clock was logged."""
    return tuple(elapsed) if elapsed is not None and any(elapsed) else None
