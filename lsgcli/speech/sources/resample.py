"""Any rate, layout and sample format -> float32, mono, ``RATE``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lsgcli.core.audio import LEAST_RATE, MOST_RATE, RATE
from lsgcli.errors import InputError
from lsgcli.log import logger

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler
    from numpy.typing import NDArray

    from lsgcli.speech.chunks import Samples

# swresample scales a downmix to integers, but not one to float: that is as loud as all channels
# together, and a voice on two of them would be clipped.
MIXED = "s32"


class Converter:
    """Converts a stream piece by piece; the resampler keeps its state between them.

    Samples that are not finite become 0, with one warning; those beyond [-1, 1] are clipped.
    """

    def __init__(self, name: str) -> None:
        """Name the stream in warnings."""
        self._name = name
        self._warned = False
        self._resampler: AudioResampler | None = None
        self._layout: tuple[str, str, int] | None = None  # format, layout, rate of the input

    def array(self, samples: NDArray[np.float32], rate: int) -> Samples:
        """Convert float32 samples of shape [n] or [n, channels], ``rate`` a second.

        Channels have equal weight. Returns what is ready, which may be nothing. Raises InputError
        for a rate that no recording of speech has.
        """
        samples = self._finite(samples)
        if samples.ndim == 2:  # numbers as large as float32 has them must not overflow
            samples = samples.mean(axis=1, dtype=np.float64)
        samples = np.clip(samples, -1, 1).astype(np.float32, copy=False)
        if rate == RATE or not len(samples):  # FFmpeg takes no frame without samples
            return samples
        from av import AudioFrame

        row = np.ascontiguousarray(samples[np.newaxis])
        frame = AudioFrame.from_ndarray(row, format="flt", layout="mono")
        frame.sample_rate = rate
        return self._resample(frame)

    def frame(self, frame: AudioFrame) -> Samples:
        """Convert a frame of any kind. Returns what is ready, which may be nothing.

        Raises InputError as ``array`` does.
        """
        if frame.format.name.startswith(("flt", "dbl")):
            samples = frame.to_ndarray()
            finite = self._finite(samples)
            if finite is not samples:
                clean = frame.from_ndarray(finite, frame.format.name, frame.layout.name)
                clean.sample_rate, frame = frame.sample_rate, clean
        frame.pts = None  # gaps in the time stamps are not filled
        return self._resample(frame)

    def flush(self) -> Samples:
        """Return what the resampler still holds; to be called at the end."""
        resampler, self._resampler = self._resampler, None
        return _joined(resampler.resample(None)) if resampler else _joined([])

    def _finite(self, samples: NDArray[Any]) -> NDArray[Any]:
        if np.isfinite(samples).all():
            return samples
        if not self._warned:
            self._warned = True
            logger.warning(f"{self._name}: some samples are not numbers; they are taken as silence")
        return np.where(np.isfinite(samples), samples, 0).astype(samples.dtype)

    def _resample(self, frame: AudioFrame) -> Samples:
        layout = (frame.format.name, frame.layout.name, frame.sample_rate)
        if layout != self._layout:
            check_rate(self._name, frame.sample_rate)
        rest = self.flush() if layout != self._layout else None
        if self._resampler is None:
            from av import AudioResampler

            self._layout = layout
            self._resampler = AudioResampler(MIXED, "mono", RATE)
        ready = _joined(self._resampler.resample(frame))
        return ready if rest is None else np.concatenate((rest, ready))


def check_rate(name: str, rate: int) -> None:
    """Raise InputError for a rate of which a little would be hours, or which FFmpeg cannot take."""
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise InputError(f"{name}: {rate} Hz; rates from {LEAST_RATE} to {MOST_RATE} Hz are read")


def _joined(frames: list[AudioFrame]) -> Samples:
    """Join mixed frames; a resampler that had nothing to do ends with None."""
    parts = [frame.to_ndarray()[0] for frame in frames if frame is not None]
    samples: Samples = np.concatenate([np.zeros(0, np.int32), *parts]).astype(np.float32)
    samples /= 2**31
    return samples
