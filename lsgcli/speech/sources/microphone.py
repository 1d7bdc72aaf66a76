"""Microphones, by PortAudio."""

from __future__ import annotations

import atexit
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from lsgcli.core.audio import RATE
from lsgcli.errors import InputError, UsageError
from lsgcli.log import logger
from lsgcli.speech.sources.resample import Converter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    from lsgcli.speech.chunks import Samples

    Block = NDArray[np.float32]  # shape [frames, channels]

BLOCK = 0.02  # seconds of a block of PortAudio's
QUEUED = 10.0  # seconds in the queue, beyond which audio is lost
SILENT = 5.0  # seconds without a block, after which a microphone has stopped
LOOK = 0.5  # seconds between checks
QUIET = 10.0  # seconds between warnings


@dataclass(frozen=True, slots=True)
class Device:
    """An input device; ``rate`` is its own, in Hz."""

    index: int
    name: str
    api: str
    channels: int
    rate: int
    default: bool


def list_devices() -> list[Device]:
    """Return the input devices.

    Raises InputError if there is no PortAudio, or it does not answer.
    """
    return _devices(_portaudio())


class Microphone:
    """A device that has been opened; iterating over it starts capturing, and ends it.

    ``lost`` and ``overflows`` may be read, and ``stop`` called, at any time, also by a signal
    handler: audio captured by then is still delivered.
    """

    def __init__(self, device: str | int | None = None) -> None:
        """Open the device of that number, or with that in its name, or the default one.

        Raises UsageError if there is no such device or more than one, InputError if there is none
        at all, it cannot be opened, or PortAudio is not installed.
        """
        sd = _portaudio()
        self.device = _find(_devices(sd), device)
        self.overflows = 0  # input lost by PortAudio itself, in times
        self._dropped = 0  # frames
        self._blocks: SimpleQueue[Block | None] = SimpleQueue()
        self._heard = 0.0  # when the last block arrived
        try:
            self.rate, channels = _settings(sd, self.device)
            self._stream = sd.InputStream(
                samplerate=self.rate,
                blocksize=round(self.rate * BLOCK),
                device=self.device.index,
                channels=channels,
                dtype="float32",
                callback=self._take,
            )
        except sd.PortAudioError as error:
            raise InputError(f"cannot open the microphone {self.device.name}: {error}") from error

    @property
    def lost(self) -> float:
        """Seconds of audio that were lost because the queue was full."""
        return self._dropped / self.rate

    def stop(self) -> None:
        """End the iteration, after the audio that has arrived."""
        self._blocks.put(None)

    def __iter__(self) -> Iterator[Samples]:
        """Capture until ``stop``, and close the device.

        Raises InputError if the device stops by itself, after all its audio.
        """
        converter = Converter(self.device.name)
        warned = -QUIET
        reported = (0, 0)
        try:
            self._start()
            for block in self._arriving():
                yield converter.array(block, self.rate)
                losses = (self._dropped, self.overflows)
                if losses != reported and time.monotonic() - warned > QUIET:
                    warned, reported = time.monotonic(), losses
                    logger.warning(
                        f"{self.lost:.1f} s from the microphone came too fast and are lost"
                        f" (and PortAudio has lost input {self.overflows} times)"
                    )
            yield converter.flush()
        finally:
            self._close()

    def _start(self) -> None:
        self._heard = time.monotonic()
        try:
            self._stream.start()
        except _portaudio().PortAudioError as error:
            raise InputError(f"cannot start the microphone {self.device.name}: {error}") from error

    def _take(self, block: Block, frames: int, _: object, status: Any) -> None:
        """Take a block from PortAudio, in its thread, without waiting."""
        self._heard = time.monotonic()
        self.overflows += bool(status.input_overflow)
        if self._blocks.qsize() < QUEUED / BLOCK:
            self._blocks.put(block.copy())
        else:
            self._dropped += frames

    def _arriving(self) -> Iterator[Block]:
        while True:
            try:
                block = self._blocks.get(timeout=LOOK)
            except Empty:
                if not self._stream.active or self._stuck():
                    raise InputError(
                        f"the microphone {self.device.name} has stopped; is it still plugged in?"
                    ) from None
                continue
            if block is None:
                return
            yield block

    def _stuck(self) -> bool:
        return time.monotonic() - self._heard > SILENT

    def _close(self) -> None:
        """Close the device, unless it no longer answers: closing it would block."""
        if not self._stuck():
            self._stream.close()
        elif at_exit := getattr(_portaudio(), "_exit_handler", None):
            atexit.unregister(at_exit)


def _portaudio() -> ModuleType:
    """Import sounddevice, which starts PortAudio. Raises InputError if it is not installed."""
    try:
        import sounddevice
    except OSError as error:
        raise InputError(
            "a microphone needs the PortAudio library; install the package libportaudio2 (Debian, "
            "Ubuntu), portaudio (Fedora), or brew install portaudio (macOS)"
        ) from error
    module: ModuleType = sounddevice
    return module


def _devices(sd: ModuleType) -> list[Device]:
    try:
        devices = [each for each in sd.query_devices() if each["max_input_channels"] > 0]
        default = sd.query_devices(kind="input")["index"] if devices else None
        return [
            Device(
                index=each["index"],
                name=each["name"],
                api=sd.query_hostapis(each["hostapi"])["name"],
                channels=each["max_input_channels"],
                rate=round(each["default_samplerate"]),
                default=each["index"] == default,
            )
            for each in devices
        ]
    except sd.PortAudioError as error:
        raise InputError(f"PortAudio does not list its devices: {error}") from error


def _find(devices: list[Device], wanted: str | int | None) -> Device:
    """Return the device of that number or name; a whole name is preferred to a part."""
    if not devices:
        raise InputError("there is no microphone: PortAudio finds no device to capture from")
    if wanted is None:
        return next((each for each in devices if each.default), devices[0])
    if isinstance(wanted, int):
        found = [each for each in devices if each.index == wanted]
    else:
        key = wanted.casefold()
        found = [each for each in devices if each.name.casefold() == key]
        found = found or [each for each in devices if key in each.name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"more than one microphone is {wanted!r}; say which: {_names(found)}")
    raise UsageError(f"no microphone is {wanted!r}; there are: {_names(devices)}")


def _names(devices: list[Device]) -> str:
    return ", ".join(f"{each.index} ({each.name}, {each.api})" for each in devices)


def _settings(sd: ModuleType, device: Device) -> tuple[int, int]:
    """Choose a rate and a number of channels that the device accepts: ours, or else its own.

    Raises PortAudioError if it accepts neither.
    """
    own = (device.rate, device.channels)
    for rate, channels in ((RATE, 1), (device.rate, 1), (RATE, device.channels)):
        try:
            sd.check_input_settings(device.index, channels, "float32", samplerate=rate)
        except sd.PortAudioError:
            continue
        return rate, channels
    return own
