"""Input as it came, kept in a file: to run a live stream again.

The file is JSON lines. The first says what made it (``Header``), each other one is a ``Piece``:
bytes in base64, and the seconds from the first of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import msgspec

from lsgcli import __version__
from lsgcli.errors import InputError
from lsgcli.text.chunks import Chunk

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of a recording."""

    arguments: list[str]  # of the command that recorded
    recording: int = 1  # version of the format
    lsg: str = __version__


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chunk of input."""

    at: float  # seconds since the first chunk
    data: bytes


class Chunks(Protocol):
    """Where a feed gets its chunks from; see ``ChunkReader``."""

    @property
    def ended(self) -> bool:
        """Whether the input has ended."""
        ...

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Give the next chunk; None at the end, or when ``timeout`` seconds have passed."""
        ...


class Recorder:
    """Passes chunks on and writes them down, each at once."""

    def __init__(self, chunks: Chunks, file: BinaryIO, arguments: list[str]) -> None:
        """Write the header."""
        self._chunks = chunks
        self._file = file
        self._first: float | None = None
        self._write(Header(arguments))

    @property
    def ended(self) -> bool:
        """Whether the input has ended."""
        return self._chunks.ended

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Give the next chunk, having written it down."""
        chunk = self._chunks.get(timeout)
        if chunk is not None:
            self._first = chunk.time if self._first is None else self._first
            self._write(Piece(round(chunk.time - self._first, 6), chunk.data))
        return chunk

    def _write(self, record: Header | Piece) -> None:
        self._file.write(msgspec.json.encode(record) + b"\n")
        self._file.flush()


class Replay:
    """A recording as input, in virtual time: a model that takes no time, so always the same.

    Every chunk is worked off before the next one comes; a pause that was longer than the time-out
    asked for is a time-out again.
    """

    def __init__(self, file: Path) -> None:
        """Read a recording. Raises InputError, naming the line, if it is none."""
        self.ended = False
        self._now = 0.0
        self._pieces: list[Piece] = []
        lines = file.read_bytes().splitlines()
        kinds = [Header, *[Piece] * (len(lines) - 1)]
        for number, (line, kind) in enumerate(zip(lines, kinds, strict=False), 1):
            try:
                record = msgspec.json.decode(line, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise InputError(f"{file}:{number}: not a recording of lsg's: {error}") from error
            if isinstance(record, Header):
                self.arguments = record.arguments
            else:
                self._pieces.append(record)
        if not lines:
            raise InputError(f"{file}: not a recording of lsg's: it is empty")
        self._pieces.reverse()

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Give the next chunk if its time comes before the time-out."""
        if not self._pieces:
            self.ended = timeout != 0
            return None
        until = self._now if timeout == 0 else self._now + (timeout or float("inf"))
        if self._pieces[-1].at > until:
            self._now = until
            return None
        piece = self._pieces.pop()
        self._now = piece.at
        return Chunk(piece.data, time.monotonic())
