"""Where ``lsg asr`` and ``lsg st`` get their sound from."""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli import terminal
from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    from lsgcli.audio.chunks import Samples
    from lsgcli.audio.microphone import Microphone
    from lsgcli.cli import options as o

STDIN = Path("-")


@dataclass(frozen=True)
class Sound:
    """What was asked to be heard."""

    files: Sequence[Path]  # none: the microphone
    device: str | int | None = None
    raw: o.RawFormat | None = None
    rate: int | None = None
    channels: int | None = None
    realtime: bool = False

    @property
    def live(self) -> bool:
        """Whether it comes in its own time; a recording can be had as fast as wanted."""
        if self.realtime or not self.files:
            return True
        return STDIN in self.files and not stat.S_ISREG(os.fstat(0).st_mode)

    def open(self, warn: Callable[[str], None]) -> list[tuple[str, Iterable[Samples]]]:
        """Open everything before anything is heard; give names and sources.

        Raises UsageError, InputError.
        """
        from lsgcli.audio.files import title

        if not self.files:
            from lsgcli.audio.microphone import Microphone

            microphone = Microphone(self.device, warn)
            return [(microphone.device.name, microphone)]
        if STDIN in self.files and os.isatty(0):
            raise UsageError("no audio: name a recording, pipe one in, or give --mic")
        sources = [0 if file == STDIN else file for file in self.files]
        return [(title(source), self._source(source, warn)) for source in sources]

    def _source(self, source: Path | int, warn: Callable[[str], None]) -> Iterable[Samples]:
        if self.raw is None:
            from lsgcli.audio.decode import decode

            return decode(source, warn)
        from lsgcli.audio.chunks import RATE
        from lsgcli.audio.raw import Pcm, read_raw

        return read_raw(source, Pcm(self.raw.value, self.rate or RATE, self.channels or 1), warn)


def sound(
    files: Sequence[Path] | None,
    *,
    mic: bool,
    device_name: str | None,
    device_index: int | None,
    raw: o.RawFormat | None,
    rate: int | None,
    channels: int | None,
    realtime: bool,
) -> Sound:
    """Check the options of the input. Raises UsageError for those that exclude each other."""
    if mic and (files or raw or realtime):
        other = "a recording" if files else "--raw" if raw else "--realtime"
        raise UsageError(f"--mic and {other} exclude each other")
    if not mic and (device_name is not None or device_index is not None):
        raise UsageError("--device-name and --device-index belong to --mic")
    if device_name is not None and device_index is not None:
        raise UsageError("--device-name and --device-index name the same; give one of them")
    if raw is None and (rate or channels):
        raise UsageError("--rate and --channels belong to --raw; other audio says so itself")
    device = device_name if device_index is None else device_index
    return Sound([] if mic else files or [STDIN], device, raw, rate, channels, realtime)


@contextmanager
def ending(microphone: Microphone) -> Iterator[None]:
    """Make the first Ctrl-C the end of the input; the second interrupts."""

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        microphone.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def list_devices() -> None:
    """Print the microphones, tab-separated: number, name, system, channels, rate, default."""
    from lsgcli.audio.microphone import list_devices as devices

    found = devices()
    if not found:
        terminal.note("there is no microphone: PortAudio finds no device to capture from")
    for each in found:
        mark = "default" if each.default else ""
        row = (each.index, each.name, each.api, each.channels, each.rate, mark)
        print("\t".join(map(str, row)).rstrip())
    sys.stdout.flush()
