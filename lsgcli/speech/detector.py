"""Voice activity detection: Silero's model, run on a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from lsgcli.speech.chunks import Samples

FRAME = 512  # samples, 32 ms: the detector's unit
DITHER = 1.5 / 2**15  # amplitude of what is silence in 16 bits
OVERLAP = 64  # samples of the previous frame that it is shown again


class Detector(Protocol):
    """Classifies frames as speech or not, with a state from frame to frame."""

    def __call__(self, frames: Samples, /) -> npt.NDArray[np.float32]:
        """Return the probability of speech, ``[n]``, of consecutive frames, ``[n, FRAME]``."""
        ...


class Silero:
    """Silero VAD as faster-whisper ships it, with its state kept from call to call."""

    def __init__(self) -> None:
        """Load the network, 2 MB that come with faster-whisper."""
        from faster_whisper.vad import get_vad_model

        self._session = get_vad_model().session
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._overlap = np.zeros(OVERLAP, np.float32)

    def __call__(self, frames: Samples) -> npt.NDArray[np.float32]:
        """Return the probability of speech, ``[n]``, of the next frames of the stream."""
        seen = np.empty((len(frames), OVERLAP + FRAME), np.float32)
        seen[:, OVERLAP:] = frames
        seen[0, :OVERLAP] = self._overlap
        seen[1:, :OVERLAP] = frames[:-1, -OVERLAP:]
        self._overlap = frames[-1, -OVERLAP:]
        inputs = {"input": seen, "h": self._hidden, "c": self._cell}
        found, self._hidden, self._cell = self._session.run(None, inputs)
        probabilities: npt.NDArray[np.float32] = found.reshape(-1)
        return probabilities


def everything(frames: Samples) -> npt.NDArray[np.float32]:
    """Classify everything as speech but digital silence, in which a model may hear words."""
    loudest: npt.NDArray[np.float32] = np.abs(frames).max(axis=1)
    return (loudest > DITHER).astype(np.float32)
