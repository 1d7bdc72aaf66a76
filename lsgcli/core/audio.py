"""The source units of speech: short segments of audio, 640 ms by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]


RATE = 16000  # samples a second, of everything that is heard
LEAST_RATE, MOST_RATE = 1000, 768_000  # of what is read
MOST_CHANNELS = 64
QUIET = RATE // 100  # samples of 10 ms


@dataclass(frozen=True, eq=False, slots=True)
class SpeechSegment:
    """A source unit. Two segments are equal only if they are the same one: hashing is cheap."""

    samples: Samples  # mono, 16 kHz, shape [n]
    start: int  # samples from the beginning of the stream
    spoken: int  # where the newest speech heard until then ends, in samples of the stream

    @property
    def end(self) -> int:
        """Where the segment ends, in samples from the beginning of the stream."""
        return self.start + len(self.samples)

    def after(self, sample: int) -> SpeechSegment:
        """The part from ``sample`` of the stream on."""
        cut = max(0, sample - self.start)
        return SpeechSegment(self.samples[cut:], self.start + cut, self.spoken)


def joined(segments: Iterable[object]) -> Samples:
    """The samples of consecutive segments, shape ``[n]``."""
    parts = [each.samples for each in segments if isinstance(each, SpeechSegment)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def quietest(segments: Sequence[SpeechSegment], first: int, last: int) -> int:
    """Where consecutive segments are quietest between two samples of the stream: between words."""
    samples = joined(segments)
    offset = segments[0].start
    part = samples[max(first - offset, 0) : max(last - offset, 0)]
    count = len(part) // QUIET
    if count < 3:
        return (first + last) // 2
    energy = np.square(part[: count * QUIET].reshape(count, QUIET)).sum(axis=1)
    energy = np.convolve(energy, np.ones(3), mode="valid")  # a moment, not a crossing of zero
    return max(first, offset) + (int(energy.argmin()) + 1) * QUIET + QUIET // 2


def seconds(segments: Iterable[object]) -> float:
    """How long consecutive segments are."""
    return sum(len(each.samples) for each in segments if isinstance(each, SpeechSegment)) / RATE
