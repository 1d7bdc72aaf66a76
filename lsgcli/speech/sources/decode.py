"""Audio that FFmpeg decodes: a recording, the first audio stream of a video, a stream on a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsgcli.errors import InputError
from lsgcli.log import logger
from lsgcli.speech.sources.files import title, unbuffered
from lsgcli.speech.sources.raw import convert
from lsgcli.speech.sources.resample import Converter
from lsgcli.speech.sources.wav import ENDLESS, Recorded, Replayed, read_header, read_samples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from av import AudioFrame, AudioStream
    from av.container import InputContainer

    from lsgcli.speech.chunks import Samples
    from lsgcli.speech.sources.files import Source

SHORT = 0.5  # seconds that may be missing at the end: padding by the encoder
# A playlist must not make us read other files, or the network.
OPTIONS = {"protocol_whitelist": "none"}
# A live stream should not wait until 5 seconds of it are analysed.
LIVE = OPTIONS | {"probesize": "32768", "analyzeduration": "100000"}


def decode(source: Source) -> Iterator[Samples]:
    """Open a path or descriptor now, and decode it as it is read.

    Damaged and missing parts are left out, with a warning. Raises
    InputError: now if the source cannot be opened; when asked for samples, if it is empty, is not
    audio or has none, or if nothing of it can be decoded; OSError if it cannot be read.
    """
    return _decode(unbuffered(source), title(source))


def _decode(file: FileIO, name: str) -> Iterator[Samples]:
    with file:
        start = Recorded(file)
        header = read_header(start, name)
        if not start.data:
            raise InputError(f"{name} is empty")
        if header:
            pieces = read_samples(file, header, name)
            yield from convert(pieces, header.pcm, name)
        elif file.seekable():
            file.seek(0)
            yield from _convert(file, name, OPTIONS)
        else:
            yield from _convert(Replayed(bytes(start.data), file), name, LIVE)


def _convert(file: Any, name: str, options: dict[str, str]) -> Iterator[Samples]:
    import av

    converter = Converter(name)
    with _open(file, name, options) as container:
        try:
            for frame in _frames(container, name):
                yield converter.frame(frame)
            yield converter.flush()
        except av.FFmpegError as error:
            raise InputError(f"{name}: cannot be made 16 kHz mono: {error.strerror}") from error


def _open(file: Any, name: str, options: dict[str, str]) -> InputContainer:
    import av

    container: InputContainer
    try:
        container = av.open(file, "r", container_options=options, metadata_errors="ignore")
    except av.FFmpegError as error:
        raise InputError(f"{name}: not audio that can be read: {error.strerror}") from error
    if not container.streams.audio:
        container.close()
        raise InputError(f"{name}: there is no audio in it")
    if container.streams.audio[0].codec_context is None:
        container.close()
        raise InputError(f"{name}: FFmpeg does not know how its audio is coded")
    return container


def _frames(container: InputContainer, name: str) -> Iterator[AudioFrame]:
    """Decode the first audio stream; warn of damaged parts and of a missing end."""
    import av

    stream = container.streams.audio[0]
    packets = container.demux(stream)
    seconds = 0.0
    damage = False
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            frames = packet.decode()
        except av.FFmpegError:
            if seconds and not damage:
                logger.warning(
                    f"{name} is damaged at {seconds:.1f} s; what cannot be decoded is left out"
                )
            damage = True
            continue
        for frame in frames:
            seconds += frame.samples / frame.sample_rate
            yield frame
    length = _length(container, stream)
    if not seconds and (damage or length):
        advice = "; give the file itself, not a pipe" if "mp4" in container.format.name else ""
        raise InputError(f"{name}: nothing of it can be decoded{advice}")
    if seconds + SHORT < length:
        logger.warning(f"{name} is cut off: it ends after {seconds:.1f} of {length:.1f} s")


def _length(container: InputContainer, stream: AudioStream) -> float:
    """Return the length of a stream in seconds, by its header; 0 if it has none."""
    if not stream.duration or not stream.time_base:
        return 0
    length = float(stream.duration * stream.time_base)
    size = length * (stream.codec_context.bit_rate or 0) / 8
    return 0 if container.format.name == "wav" and size >= ENDLESS else length
