"""PCM without a header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.core.audio import LEAST_RATE, MOST_CHANNELS, MOST_RATE, RATE
from lsgcli.errors import UsageError
from lsgcli.log import logger
from lsgcli.speech.sources.files import title, unbuffered
from lsgcli.speech.sources.resample import Converter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import FileIO

    from lsgcli.speech.chunks import Samples
    from lsgcli.speech.sources.files import Source

READ = 1 << 15  # bytes asked for at once
WIDTHS = {"u8": 1, "s16le": 2, "s16be": 2, "s24le": 3, "s32le": 4, "f32le": 4}  # bytes a sample
DTYPES = {"u8": "u1", "s16le": "<i2", "s16be": ">i2", "s32le": "<i4", "f32le": "<f4"}


@dataclass(frozen=True, slots=True)
class Pcm:
    """A format of PCM: one of ``WIDTHS``, frames a second, interleaved channels.

    Raises UsageError for what cannot be.
    """

    sample_format: str = "s16le"
    rate: int = RATE
    channels: int = 1

    def __post_init__(self) -> None:
        if self.sample_format not in WIDTHS:
            formats = ", ".join(WIDTHS)
            raise UsageError(f"no raw format {self.sample_format!r}; there are {formats}")
        if not (LEAST_RATE <= self.rate <= MOST_RATE and 1 <= self.channels <= MOST_CHANNELS):
            raise UsageError(
                f"raw audio of {self.rate} Hz and {self.channels} channels is not read: "
                f"{LEAST_RATE} to {MOST_RATE} Hz and up to {MOST_CHANNELS} channels are"
            )

    @property
    def frame(self) -> int:
        """Bytes of one sample of every channel."""
        return WIDTHS[self.sample_format] * self.channels


def read_raw(source: Source, pcm: Pcm) -> Iterator[Samples]:
    """Open a path or descriptor now, and read it later; a read returns what has arrived.

    Raises InputError if it cannot be opened, OSError later if it cannot be read.
    """
    return convert(_reads(unbuffered(source)), pcm, title(source))


def convert(pieces: Iterable[bytes], pcm: Pcm, name: str) -> Iterator[Samples]:
    """Convert bytes however they are divided; an incomplete frame at the end is left out."""
    converter = Converter(name)
    held = b""
    for piece in pieces:
        data = held + piece
        whole = len(data) - len(data) % pcm.frame
        held = data[whole:]
        samples = _numbers(data[:whole], pcm.sample_format).reshape(-1, pcm.channels)
        yield converter.array(samples, pcm.rate)
    yield converter.flush()
    if held:
        logger.warning(f"{name} ends within a sample; its last {len(held)} bytes are left out")


def _reads(file: FileIO) -> Iterator[bytes]:
    with file:
        while data := file.read(READ):
            yield data


def _numbers(data: bytes, sample_format: str) -> Samples:
    """Return samples as float32: integers in [-1, 1), floats as they are."""
    if sample_format == "s24le":  # becomes the upper bytes of 32 bits
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        data, sample_format = wide.tobytes(), "s32le"
    samples: Samples = np.frombuffer(data, DTYPES[sample_format]).astype(np.float32)
    if sample_format == "u8":
        samples -= 128
    if sample_format != "f32le":
        samples /= 2 ** (8 * WIDTHS[sample_format] - 1)
    return samples
