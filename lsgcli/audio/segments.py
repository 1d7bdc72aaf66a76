"""The source units of speech: short segments of audio, 640 ms by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.audio.chunks import RATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class SpeechSegment:
    """A source unit. Two segments are equal only if they are the same one: hashing is cheap."""

    samples: Samples  # mono, 16 kHz, shape [n]
    start: int  # samples from the beginning of the stream

    @property
    def end(self) -> int:
        """Where the segment ends, in samples from the beginning of the stream."""
        return self.start + len(self.samples)

    def after(self, sample: int) -> SpeechSegment:
        """The part from ``sample`` of the stream on."""
        cut = max(0, sample - self.start)
        return SpeechSegment(self.samples[cut:], self.start + cut)


def joined(segments: Iterable[object]) -> Samples:
    """The samples of consecutive segments, shape ``[n]``."""
    parts = [each.samples for each in segments if isinstance(each, SpeechSegment)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def seconds(segments: Iterable[object]) -> float:
    """How long consecutive segments are."""
    return sum(len(each.samples) for each in segments if isinstance(each, SpeechSegment)) / RATE
