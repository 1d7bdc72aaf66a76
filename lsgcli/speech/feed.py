"""The audio as the recognition loop reads it: utterances, cut into segments, as they arrive."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.core.audio import RATE, SpeechSegment
from lsgcli.errors import LsgError
from lsgcli.speech.detector import FRAME

if TYPE_CHECKING:
    from lsgcli.speech.chunks import AudioReader, Samples
    from lsgcli.speech.detector import Detector

SPEECH, SILENCE = 0.5, 0.35  # probabilities above and below which a frame is one or the other
ONSET = 3  # frames of speech that begin an utterance: a click is shorter
SHORT, SURE = 0.4, 1.0  # seconds of silence after which audio is handed out at once
BEFORE, AFTER = 0.3, 0.2  # seconds before and after an utterance that belong to it


@dataclass(frozen=True, slots=True)
class Frame:
    """Samples with their probability of speech."""

    samples: Samples  # shape [FRAME], the last one of a stream may be shorter
    probability: float
    time: float  # when it arrived


class SpeechFeed:
    """Pulls chunks, finds utterances, hands out their segments.

    An utterance begins with speech and ends with a pause, or where the audio ends or stops coming.
    What is between utterances is dropped. ``live``: hand out all segments that have come;
    otherwise the clock is simulated, and segments are handed out one by one, each when its last
    sample has been heard.
    """

    def __init__(
        self,
        reader: AudioReader,
        detector: Detector,
        *,
        segment: float = 0.64,
        pause: float = 0.7,
        idle: float | None = None,
        live: bool = False,
    ) -> None:
        """Cut into segments of ``segment`` seconds; ``pause`` seconds of silence end an utterance.

        So do ``idle`` seconds in which no audio comes.
        """
        self.started: float | None = None  # when the first chunk arrived
        self.arrived = 0.0  # when the newest sample arrived that was handed out
        self.position = 0  # samples that have been heard
        self.speech = 0  # samples of utterances
        self._reader = reader
        self._detector = detector
        self._segment = round(segment * RATE)
        self._pause = round(pause * RATE)
        self._short = min(round(SHORT * RATE), self._pause)
        self._idle = idle
        self._live = live
        self._rest = np.zeros(0, np.float32)  # samples that do not fill a frame yet
        self._frames: deque[Frame] = deque()
        self._held = np.zeros(0, np.float32)  # heard and not handed out
        self._start = 0  # where that begins in the stream
        self._speaking = False
        self._onset = 0  # frames of speech in a row
        self._last = 0  # where the last frame of speech ends
        self._ended = False
        self._error: LsgError | None = None
        self._arrival = 0.0  # of the newest chunk

    def waiting(self) -> bool:
        """Wait until an utterance begins; false at the end of the input.

        Raises the error that has ended the input, after all that came before it was handed out.
        """
        while not self._speaking:
            if not self._hear(None):
                if self._error:
                    raise self._error
                return False
        return True

    @property
    def start(self) -> int:
        """Where audio begins that has not been handed out, in samples of the stream."""
        return self._start

    def units(self, most: float, *, wait: bool) -> tuple[list[SpeechSegment], bool]:
        """Hand out the next segments of the utterance, and whether it ends with them.

        At least one, and about ``most`` seconds at once. Without ``wait`` what has come already, if
        ``live``, else nothing.
        """
        if not (wait or self._live):
            return [], False
        found: list[SpeechSegment] = []
        most = max(1, int(most * RATE) // self._segment) if self._live else 1
        more = True
        while self._speaking and more and len(found) < most:
            more = self._hear(0 if found or not wait else self._idle)
            if (quiet := self._quiet()) is not None:
                if self._start < quiet:
                    found.append(self._take(min(len(self._held), self._segment)))
            elif len(self._held) >= self._segment:
                found.append(self._take(self._segment))
            if self._paused() or not (more or found or not wait):  # or no audio arrives any more
                self._speaking = False
        if self._speaking:
            return found, False
        return found + self._end_utterance(), True

    def _quiet(self) -> int | None:
        """Return the position up to which audio is handed out in a silence; None during speech.

        What was said need not wait for a whole segment.
        """
        silence = self.position - self._last
        if silence < self._short:
            return None
        return self._last + (round(SURE * RATE) if silence >= SURE * RATE else 0)

    def _paused(self) -> bool:
        return self.position - self._last >= self._pause

    def _end_utterance(self) -> list[SpeechSegment]:
        """Return the rest of the utterance; keep what may belong to the next one."""
        self._onset = 0
        left = min(self._last + round(AFTER * RATE) - self._start, len(self._held))
        segments = []
        while left > 0:
            segments.append(self._take(min(left, self._segment)))
            left -= len(segments[-1].samples)
        return segments

    def _take(self, count: int) -> SpeechSegment:
        taken = SpeechSegment(self._held[:count], self._start, self._last)
        self._drop(count)
        self.speech += count
        return taken

    def _drop(self, count: int) -> None:
        self._held = self._held[count:]
        self._start += count

    def _hear(self, timeout: float | None) -> bool:
        """Take one frame more; false if there is none in time, or no more at all."""
        if not self._frames and not self._pull(timeout):
            return False
        frame = self._frames.popleft()
        self.position += len(frame.samples)
        self.arrived = frame.time
        self._held = np.concatenate([self._held, frame.samples])
        if frame.probability >= (SILENCE if self._speaking else SPEECH):
            self._last = self.position
            self._onset += 1
        else:
            self._onset = 0
        if not self._speaking:
            self._speaking = self._onset >= ONSET
            self._drop(max(0, len(self._held) - round(BEFORE * RATE) - ONSET * FRAME))
        return True

    def _pull(self, timeout: float | None) -> bool:
        """Get a chunk and classify its frames; false if none arrived."""
        while not self._frames:
            if self._ended:
                return False
            try:
                chunk = self._reader.get(timeout)
            except LsgError as error:
                chunk, self._error = None, error
            if chunk is None:
                if not self._reader.ended:
                    return False
                self._ended = True
                self._judge(np.pad(self._rest, (0, -len(self._rest) % FRAME)), len(self._rest))
                continue
            if self.started is None:
                self.started = chunk.time
            samples = np.concatenate([self._rest, chunk.samples])
            whole = len(samples) // FRAME * FRAME
            self._rest = samples[whole:]
            self._arrival = chunk.time
            self._judge(samples[:whole], whole)
        return True

    def _judge(self, samples: Samples, length: int) -> None:
        """Queue frames, of which ``length`` samples are real."""
        if not length:
            return
        frames = samples.reshape(-1, FRAME)
        for n, (frame, probability) in enumerate(zip(frames, self._detector(frames), strict=True)):
            real = frame[: length - n * FRAME]
            self._frames.append(Frame(real, float(probability), self._arrival))
