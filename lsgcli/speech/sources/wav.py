"""Plain PCM in WAV, from a file or as it comes through a pipe.

FFmpeg's demuxer has two faults here: it reads 64 KiB of a pipe before it returns any (to look for
S/PDIF), which is two seconds of ``arecord`` at 16 kHz, and it does not report a missing
end. WAV of other kinds is left to it.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from lsgcli.log import logger
from lsgcli.speech.sources.raw import READ, Pcm
from lsgcli.speech.sources.resample import check_rate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

FORMATS = {1: "u8", 2: "s16le", 3: "s24le", 4: "s32le"}  # by bytes a sample
LONGEST = 1 << 20  # bytes of a header, notes and pictures before the samples included
ENDLESS = 0x7FFF0000  # bytes; a stream of unknown length claims at least that, or nothing


@dataclass(frozen=True, slots=True)
class Header:
    """The format of the samples, and their number of bytes; None if it is not known."""

    pcm: Pcm
    length: int | None


class Recorded:
    """Reads and keeps what has been read, up to ``LONGEST``; from there on there is nothing."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self.data = bytearray()

    def read(self, size: int) -> bytes:
        """Read just so many bytes, fewer only at the end."""
        start = len(self.data)
        end = min(start + size, LONGEST)
        while len(self.data) < end and (more := self._file.read(end - len(self.data))):
            self.data += more
        return bytes(self.data[start:])


class Replayed:
    """Returns what was kept, then what is read."""

    def __init__(self, data: bytes, file: FileIO) -> None:
        self._data = data
        self._file = file

    def read(self, size: int) -> bytes:
        """Read what has arrived, at most so many bytes."""
        piece, self._data = self._data[:size], self._data[size:]
        return piece or self._file.read(size) or b""


def read_header(file: Recorded, name: str) -> Header | None:
    """Read up to the first sample; None if this is not WAV, or not of one or two channels.

    Raises InputError for a rate that is none of speech.
    """
    try:
        with wave.open(cast("IO[bytes]", file), "rb") as wav:
            width, channels, rate = wav.getsampwidth(), wav.getnchannels(), wav.getframerate()
            length = wav.getnframes() * width * channels
    except (wave.Error, EOFError):
        return None
    if width not in FORMATS or channels > 2:
        return None
    check_rate(name, rate)
    return Header(Pcm(FORMATS[width], rate, channels), length if 0 < length < ENDLESS else None)


def read_samples(file: FileIO, header: Header, name: str) -> Iterator[bytes]:
    """Read what follows the header, as it arrives; notes and titles may follow the samples."""
    missing = header.length
    while data := file.read(READ if missing is None else min(READ, missing)):
        yield data
        missing = None if missing is None else missing - len(data)
    if missing:
        seconds = missing / header.pcm.frame / header.pcm.rate
        logger.warning(f"{name} is cut off: {seconds:.1f} s are missing at the end")
