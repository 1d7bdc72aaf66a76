"""Where there is speech: Silero's detector, run on a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from lsgcli.speech.chunks import Samples

FRAME = 512  # samples, 32 ms: what the detector judges at a time
OVERLAP = 64  # samples of the frame before that it wants to see again


class Detector(Protocol):
    """Tells speech from what is not, frame by frame, with a memory of what it has heard."""

    def __call__(self, frames: Samples, /) -> npt.NDArray[np.float32]:
        """Give the probability of speech for each of consecutive frames, shape ``[n, FRAME]``."""
        ...


class Silero:
    """Silero VAD as faster-whisper ships it, keeping its state from call to call."""

    def __init__(self) -> None:
        """Load the network, 2 MB that come with faster-whisper."""
        from faster_whisper.vad import get_vad_model

        self._session = get_vad_model().session
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._overlap = np.zeros(OVERLAP, np.float32)

    def __call__(self, frames: Samples) -> npt.NDArray[np.float32]:
        """Judge the next frames of the stream."""
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
    """Take all there is for speech."""
    return np.ones(len(frames), np.float32)
