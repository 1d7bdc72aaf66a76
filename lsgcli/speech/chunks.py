"""Samples as they arrive."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from lsgcli.arrivals import Arrivals
from lsgcli.core.audio import RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float32]

QUEUED = 30.0  # seconds of audio in the queue; the source waits beyond that
LONGEST = 0.5  # seconds in a chunk
STEP = 0.1  # seconds in a chunk that is delivered at the pace of the audio


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Samples and the time at which the last of them arrived.

    ``samples``: float32, mono, ``RATE`` a second, shape [n] with n > 0, within [-1, 1].
    ``time``: seconds of ``time.monotonic``.
    """

    samples: Samples
    time: float


class AudioReader(Arrivals[AudioChunk]):
    """Runs a source in a thread, so that arrival times are accurate."""

    def __init__(self, source: Iterable[Samples], *, pace: bool = False) -> None:
        """Start reading; with ``pace`` as if the audio were being spoken now."""
        pieces = _cut(source, round((STEP if pace else LONGEST) * RATE))
        if pace:
            pieces = _paced(pieces)
        chunks = (AudioChunk(samples, time.monotonic()) for samples in pieces)
        super().__init__(chunks, _Backlog(round(QUEUED * RATE)), "the audio")


class _Backlog(queue.Queue[Any]):
    """A queue of chunks, or errors; its size is counted in samples."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._held = 0

    def _qsize(self) -> int:
        return self._held

    def _put(self, item: tuple[AudioChunk | None, Exception | None]) -> None:
        super()._put(item)
        self._held += _weight(item[0])

    def _get(self) -> tuple[AudioChunk | None, Exception | None]:
        item: tuple[AudioChunk | None, Exception | None] = super()._get()
        self._held -= _weight(item[0])
        return item


def _weight(chunk: AudioChunk | None) -> int:
    return len(chunk.samples) if chunk else 1


def _cut(source: Iterable[Samples], most: int) -> Iterator[Samples]:
    """Cut into pieces of at most ``most`` samples; drop empty ones."""
    for samples in source:
        for start in range(0, len(samples), most):
            yield samples[start : start + most]


def _paced(
    pieces: Iterable[Samples],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Samples]:
    """Yield each piece when its last sample is due, counted from the first piece."""
    start: float | None = None
    spoken = 0
    for samples in pieces:
        start = clock() if start is None else start
        spoken += len(samples)
        sleep(max(0.0, start + spoken / RATE - clock()))
        yield samples
