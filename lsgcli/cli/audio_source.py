"""Where ``lsg asr`` and ``lsg st`` get their sound from."""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from lsgcli.cli.options import INPUT
from lsgcli.errors import InputError, UsageError
from lsgcli.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lsgcli.speech.chunks import Samples
    from lsgcli.speech.sources.microphone import Microphone

STDIN = Path("-")
RawFormat: TypeAlias = Literal["s16le", "s16be", "s24le", "s32le", "f32le", "u8"]


@dataclass(frozen=True)
class Recording:
    """Something to be heard, by name; ``open`` raises InputError if it cannot be."""

    name: str
    open: Callable[[], Iterable[Samples]]
    microphone: Microphone | None = None


@dataclass(frozen=True)
class Source:
    """What was asked to be heard."""

    files: Sequence[Path]  # none: the microphone, or those that are listed
    listed: Path | None = None  # a file with recordings, one a line
    device: str | int | None = None
    raw: RawFormat | None = None
    rate: int | None = None
    channels: int | None = None
    realtime: bool = False

    @property
    def live(self) -> bool:
        """Whether it comes in its own time; a recording can be had as fast as wanted."""
        if self.realtime or self.mic:
            return True
        return STDIN in self.files and not stat.S_ISREG(os.fstat(0).st_mode)

    @property
    def mic(self) -> bool:
        """Whether it is the microphone."""
        return not self.files and self.listed is None

    @property
    def several(self) -> bool:
        """Whether there may be more recordings than one."""
        return len(self.files) > 1 or self.listed is not None

    @property
    def inputs(self) -> list[int | Path]:
        """What is read, but for what a list names."""
        files = [*self.files, *([self.listed] if self.listed else ())]
        return [0 if file == STDIN else file for file in files]

    def check(self) -> None:
        """Tell of what is not there, before anything is loaded. Raises UsageError, InputError."""
        if STDIN in self.files and os.isatty(0):
            raise UsageError("no audio: name a recording, pipe one in, or give --mic")
        for file in (*self.files, *([self.listed] if self.listed else ())):
            if file != STDIN:
                _readable(file)

    def open(self) -> Iterator[Recording]:
        """Open the microphone, or give recordings that are opened when their turn comes.

        Raises UsageError, InputError.
        """
        if self.mic:
            from lsgcli.speech.sources.microphone import Microphone

            microphone = Microphone(self.device)
            return iter([Recording(microphone.device.name, lambda: microphone, microphone)])
        return map(self._recording, self._listed() if self.listed else self.files)

    def _recording(self, file: Path) -> Recording:
        from lsgcli.speech.sources.files import title

        source = 0 if file == STDIN else file
        return Recording(title(source), partial(self._source, source))

    def _listed(self) -> Iterator[Path]:
        """Read a list as it comes, so that it may be written by a process that waits."""
        assert self.listed
        with open(0 if self.listed == STDIN else self.listed, "rb") as lines:
            for line in iter(lines.readline, b""):
                if name := line.rstrip(b"\r\n"):
                    yield Path(os.fsdecode(name))

    def _source(self, source: Path | int) -> Iterable[Samples]:
        if self.raw is None:
            from lsgcli.speech.sources.decode import decode

            return decode(source)
        from lsgcli.core.audio import RATE
        from lsgcli.speech.sources.raw import Pcm, read_raw

        return read_raw(source, Pcm(self.raw, self.rate or RATE, self.channels or 1))


def _readable(file: Path) -> None:
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(file, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from error


@dataclass(frozen=True)
class AudioOptions:
    """What is to be heard."""

    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Recordings, whatever FFmpeg decodes; - for standard input. (default: -)",
            show_default=False,
        ),
    ] = None
    files_from: Annotated[
        Path | None,
        INPUT(
            "--files-from",
            metavar="FILE",
            help="Recordings listed in a file, one a line; - for standard input, which may wait.",
        ),
    ] = None
    mic: Annotated[bool, INPUT("--mic", help="Listen to the microphone.")] = False
    device_name: Annotated[
        str | None,
        INPUT("--device-name", metavar="NAME", help="The microphone with that in its name."),
    ] = None
    device_index: Annotated[
        int | None,
        INPUT("--device-index", min=0, metavar="N", help="The microphone of that number."),
    ] = None
    list_devices: Annotated[
        bool,
        INPUT("--list-devices", help="List microphones and exit."),
    ] = False
    raw: Annotated[
        RawFormat | None,
        INPUT("--raw", help="The input is PCM without a header."),
    ] = None
    rate: Annotated[
        int | None,
        INPUT("--rate", min=1000, max=768_000, metavar="HZ", help="Of --raw. (default: 16000)"),
    ] = None
    channels: Annotated[
        int | None,
        INPUT("--channels", min=1, max=64, metavar="N", help="Of --raw. (default: 1)"),
    ] = None
    realtime: Annotated[
        bool,
        INPUT("--realtime", help="Play recordings as if they were spoken now."),
    ] = False

    def source(self) -> Source:
        """Check them. Raises UsageError for those that exclude each other."""
        files, listed = self.files, self.files_from
        if self.mic and (files or self.raw or self.realtime):
            other = "a recording" if files else "--raw" if self.raw else "--realtime"
            raise UsageError(f"--mic and {other} exclude each other")
        named = (self.device_name is not None, self.device_index is not None)
        if not self.mic and any(named):
            raise UsageError("--device-name and --device-index belong to --mic")
        if all(named):
            raise UsageError("--device-name and --device-index name the same; give one of them")
        if self.raw is None and (self.rate or self.channels):
            raise UsageError("--rate and --channels belong to --raw; other audio says so itself")
        if listed is not None and (self.mic or files):
            other = "--mic" if self.mic else "recordings on the command line"
            raise UsageError(f"--files-from and {other} exclude each other")
        device = self.device_name if self.device_index is None else self.device_index
        heard = [] if self.mic or listed else files or [STDIN]
        return Source(heard, listed, device, self.raw, self.rate, self.channels, self.realtime)


def list_devices() -> None:
    """Print the microphones, tab-separated: number, name, system, channels, rate, default."""
    from lsgcli.speech.sources.microphone import list_devices as devices

    found = devices()
    if not found:
        logger.info("there is no microphone: PortAudio finds no device to capture from")
    for each in found:
        mark = "default" if each.default else ""
        row = (each.index, each.name, each.api, each.channels, each.rate, mark)
        print("\t".join(map(str, row)).rstrip())
    sys.stdout.flush()
