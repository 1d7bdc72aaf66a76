"""Bytes as they arrive."""

from __future__ import annotations

import os
import queue
import re
import time
from dataclasses import dataclass
from functools import partial
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING

from lsgcli.arrivals import Arrivals
from lsgcli.text.encoding import UTF_8, is_utf8, transcoded
from lsgcli.text.words import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHUNK = 1 << 16  # bytes asked for at once
QUEUED = 64  # chunks in the queue; beyond that the writer of the pipe waits


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes and the time at which they arrived (``time.monotonic``)."""

    data: bytes
    time: float


class ChunkReader(Arrivals[Chunk]):
    """Reads file descriptors one after the other in a thread, so arrival times are accurate."""

    def __init__(
        self, descriptors: Iterable[int], pace: float | None = None, encoding: str = UTF_8
    ) -> None:
        """Start reading; with ``pace`` deliver so many words a second, instead of all at once.

        Other encodings are converted to UTF-8.
        """
        pieces = _read(descriptors, encoding)
        if pace is not None:
            pieces = _paced(pieces, pace)
        chunks = (Chunk(data, time.monotonic()) for data in pieces)
        super().__init__(chunks, queue.Queue(QUEUED), "the input")


def _read(descriptors: Iterable[int], encoding: str) -> Iterator[bytes]:
    """Read each to its end; a last line without a newline gets one."""
    for descriptor in descriptors:
        pieces = iter(partial(os.read, descriptor, CHUNK), b"")
        last = b""
        for data in pieces if is_utf8(encoding) else transcoded(pieces, encoding):
            yield data
            last = data
        if last and not last.endswith(b"\n"):
            yield b"\n"


def _paced(
    pieces: Iterable[bytes], pace: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[bytes]:
    """Yield one word at a time, with the whitespace after it; without pauses if ``pace`` is 0.

    What is ``LONGEST`` or more without whitespace is no word and is not waited for.
    """
    held = b""
    for data in pieces:
        *words, held = re.findall(rb"\s*\S+\s*|\s+", held + data) or [b""]
        for word in words:
            yield word
            if pace:
                sleep(min(1 / pace, TIMEOUT_MAX))
        if len(held) >= LONGEST:
            yield held
            held = b""
    if held:
        yield held
