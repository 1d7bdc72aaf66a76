"""Samples as they arrive."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from threading import TIMEOUT_MAX, Thread
from typing import TYPE_CHECKING, Any, TypeAlias

from lsgcli.core.audio import RATE
from lsgcli.errors import InputError

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


class AudioReader:
    """Runs a source in a thread, so that arrival times are accurate."""

    def __init__(self, source: Iterable[Samples], *, pace: bool = False) -> None:
        """Start reading; with ``pace`` as if the audio were being spoken now."""
        self._queue = _Backlog(round(QUEUED * RATE))
        pieces = _cut(source, round((STEP if pace else LONGEST) * RATE))
        if pace:
            pieces = _paced(pieces)
        Thread(target=self._run, args=(pieces,), daemon=True).start()
        self.ended = False

    def get(self, timeout: float | None = None) -> AudioChunk | None:
        """Return the next chunk; None at the end, or when ``timeout`` seconds have passed.

        ``ended`` says which. Raises what the source has raised, after all that came before it:
        InputError or another LsgError, InputError for an OSError.
        """
        if self.ended:
            return None
        try:
            item = self._queue.get(timeout != 0, min(timeout, TIMEOUT_MAX) if timeout else None)
        except queue.Empty:
            return None
        if isinstance(item, AudioChunk):
            return item
        self.ended = True
        if isinstance(item, OSError):
            raise InputError(f"cannot read the audio: {item.strerror or item}") from item
        if item is not None:
            raise item
        return None

    def _run(self, pieces: Iterator[Samples]) -> None:
        try:
            for samples in pieces:
                self._queue.put(AudioChunk(samples, time.monotonic()))
        except Exception as error:  # whatever it is, the reader must get it
            self._queue.put(error)
        else:
            self._queue.put(None)


class _Backlog(queue.Queue[Any]):
    """A queue of chunks, errors, and None at the end; its size is counted in samples."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._held = 0

    def _qsize(self) -> int:
        return self._held

    def _put(self, item: AudioChunk | Exception | None) -> None:
        super()._put(item)
        self._held += _weight(item)

    def _get(self) -> AudioChunk | Exception | None:
        item: AudioChunk | Exception | None = super()._get()
        self._held -= _weight(item)
        return item


def _weight(item: AudioChunk | Exception | None) -> int:
    return len(item.samples) if isinstance(item, AudioChunk) else 1


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
