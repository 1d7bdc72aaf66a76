"""Every format becomes the same samples; what is broken is told; a pipe gives what is there."""

from __future__ import annotations

import os
import struct
import threading
import time
import wave
from functools import partial
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from conftest import DEADLINE
from messages import logged

from lsgcli.core.audio import RATE
from lsgcli.errors import InputError
from lsgcli.speech.chunks import AudioChunk, AudioReader
from lsgcli.speech.sources.decode import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SECONDS = 2.0
INVALID = "not audio that can be read"


def chirp(rate: int = RATE) -> np.ndarray:
    """From 200 to 1800 Hz, half as loud as can be: every part of it is unlike the others."""
    t = np.arange(round(rate * SECONDS)) / rate
    return (0.5 * np.sin(2 * np.pi * (200 * t + 400 * t * t))).astype(np.float32)


def encode(path: Path, codec: str, rate: int, layout: str, samples=None) -> Path:
    """Write the chirp, or other samples, alike on all channels."""
    samples = chirp(rate) if samples is None else samples
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        rows = np.tile(samples, (stream.layout.nb_channels, 1))
        frame = av.AudioFrame.from_ndarray(rows, "fltp", layout)
        frame.sample_rate, frame.pts = rate, 0
        size = stream.codec_context.frame_size or 4096
        resampler = av.AudioResampler(stream.format.name, layout, rate, frame_size=size)
        for each in resampler.resample(frame) + resampler.resample(None):
            if each:
                container.mux(stream.encode(each))
        container.mux(stream.encode(None))
    return path


def wav_header(rate: int, channels: int, size: int) -> bytes:
    """The header of 16-bit WAV that claims to have ``size`` bytes of samples."""
    riff = min(size + 36, 0xFFFFFFFF)
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + form
    return head + b"data" + struct.pack("<I", size)


def pcm16(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


def read(source, warnings: list[str] | None = None) -> np.ndarray:
    """Decode to the end; without ``warnings`` there must be none."""
    with logged() as told:
        parts = list(decode(source))
    if warnings is not None:
        warnings += told
    assert all(part.dtype == np.float32 and part.ndim == 1 for part in parts)
    assert warnings is not None or not told
    return np.concatenate([*parts, np.zeros(0, np.float32)])


def assert_chirp(samples: np.ndarray, *, alike: float = 0.99, start: int = 0) -> None:
    """The samples are the chirp from sample ``start`` on, as loud, within 0.1 s of their place."""
    expected = chirp()[start:]
    assert len(samples) > 0.2 * RATE
    size = 1 << 17
    spectrum = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(expected, size))
    correlation = np.fft.irfft(spectrum)
    lag = (int(np.argmax(correlation)) + size // 2) % size - size // 2
    assert abs(lag) <= 0.1 * RATE
    shifted = samples[max(lag, 0) :]
    wanted = expected[max(-lag, 0) :]
    n = min(len(shifted), len(wanted))
    shifted, wanted = shifted[:n], wanted[:n]
    assert shifted @ wanted / np.sqrt((shifted @ shifted) * (wanted @ wanted)) > alike
    assert (shifted @ shifted) / (wanted @ wanted) == pytest.approx(1, abs=0.25)


FORMATS = [
    ("u8.wav", "pcm_u8", 8000, "mono"),
    ("s16.wav", "pcm_s16le", 16000, "mono"),
    ("stereo.wav", "pcm_s16le", 44100, "stereo"),
    ("s24.wav", "pcm_s24le", 96000, "stereo"),
    ("s32.wav", "pcm_s32le", 44100, "5.1"),
    ("f32.wav", "pcm_f32le", 16000, "mono"),
    ("f64.wav", "pcm_f64le", 22050, "stereo"),
    ("law.au", "pcm_mulaw", 8000, "mono"),
    ("a.aiff", "pcm_s16be", 11025, "mono"),
    ("a.flac", "flac", 44100, "stereo"),
    ("a.mp3", "libmp3lame", 44100, "stereo"),
    ("low.mp3", "libmp3lame", 16000, "mono"),
    ("a.opus", "libopus", 48000, "mono"),
    ("a.webm", "libopus", 48000, "stereo"),
    ("a.m4a", "aac", 44100, "stereo"),
    ("round.m4a", "aac", 48000, "5.1"),
    ("a.ts", "aac", 48000, "stereo"),
]


@pytest.mark.parametrize(("name", "codec", "rate", "layout"), FORMATS)
def test_formats(tmp_path, name, codec, rate, layout):
    samples = read(encode(tmp_path / name, codec, rate, layout))
    assert len(samples) / RATE == pytest.approx(SECONDS, abs=0.05)
    assert_chirp(samples, alike=0.98)


@pytest.mark.parametrize(("rate", "layout"), [(8000, "mono"), (48000, "stereo"), (48000, "5.1")])
def test_nothing_is_lost_at_the_end(tmp_path, rate, layout):
    samples = read(encode(tmp_path / "a.flac", "flac", rate, layout))
    assert len(samples) == pytest.approx(SECONDS * RATE, abs=2)


@pytest.mark.parametrize("channels", [3, 16])
def test_channels_that_have_no_names(tmp_path, channels):
    with wave.open(str(tmp_path / "many.wav"), "wb") as wav:
        wav.setnchannels(channels)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(np.repeat(np.frombuffer(pcm16(chirp()), "<i2"), channels).tobytes())
    assert_chirp(read(tmp_path / "many.wav"))


def video(path: Path, *, audio: bool) -> Path:
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=10)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE, layout="mono") if audio else None
        for _ in range(round(10 * SECONDS)):
            container.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(pictures.encode())
        if sound:
            frame = av.AudioFrame.from_ndarray(chirp()[np.newaxis], "fltp", "mono")
            frame.sample_rate = RATE
            resampler = av.AudioResampler("fltp", "mono", RATE, frame_size=1024)
            for each in resampler.resample(frame):
                container.mux(sound.encode(each))
            container.mux(sound.encode())
    return path


def test_the_sound_of_a_video(tmp_path):
    assert_chirp(read(video(tmp_path / "a.mp4", audio=True)))


# ---------------------------------------------------------------- broken


def test_what_is_not_a_number_is_silence_and_what_is_too_loud_is_clipped(tmp_path):
    for name, rate, layout in (("a.wav", 16000, "mono"), ("b.wav", 44100, "stereo")):
        samples = chirp(rate)
        samples[1000:1100] = np.nan
        samples[2000] = np.inf
        samples[3000] = 7
        warnings: list[str] = []
        decoded = read(encode(tmp_path / name, "pcm_f32le", rate, layout, samples), warnings)
        assert np.isfinite(decoded).all()
        assert np.abs(decoded).max() <= 1
        assert_chirp(decoded)
        assert len(warnings) == 1
        assert name in warnings[0]


def broken(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    def put(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    yield tmp_path / "missing.wav", "No such file"
    yield tmp_path, "Is a directory"
    yield put("empty.mp3", b""), "is empty"
    yield put("notes.txt", b"Buy milk.\n" * 500), "no audio in it"
    yield put("notes.md", b"Hi."), INVALID
    yield put("header.wav", wav_header(RATE, 1, 32000)[:30]), INVALID
    yield put("noise.bin", np.random.default_rng(1).bytes(100_000)), INVALID
    yield video(tmp_path / "silent.mp4", audio=False), "no audio in it"
    m4a = encode(tmp_path / "whole.m4a", "aac", 44100, "mono").read_bytes()
    yield put("half.m4a", m4a[: len(m4a) // 2]), INVALID
    ts = encode(tmp_path / "other.ts", "aac", 48000, "mono")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{ts}\n#EXT-X-ENDLIST\n"
    yield put("list.m3u8", playlist.encode()), INVALID
    yield put("list.ffconcat", f"ffconcat version 1.0\nfile {ts.name}\n".encode()), INVALID


def test_broken_files_are_named(tmp_path):
    for path, message in broken(tmp_path):
        with pytest.raises(InputError) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_standard_input_is_called_so(tmp_path):
    out, into = os.pipe()
    os.close(into)
    saved = os.dup(0)
    os.dup2(out, 0)
    try:
        with pytest.raises(InputError, match=r"^standard input is empty$"):
            read(0)
        os.fstat(0)  # still open
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(out)


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.wav", "pcm_s16le", 16000),
        ("f.wav", "pcm_f32le", 16000),
        ("a.mp3", "libmp3lame", 44100),
        ("a.flac", "flac", 44100),
    ],
)
def test_what_is_cut_off_is_used_up_to_there(tmp_path, name, codec, rate):
    whole = encode(tmp_path / name, codec, rate, "mono").read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2 + 1])
    warnings: list[str] = []
    samples = read(tmp_path / name, warnings)
    assert 0.6 < len(samples) / RATE < 1.4
    assert_chirp(samples, alike=0.98)
    assert "cut off" in " ".join(warnings)
    assert all(name in warning for warning in warnings)


def test_opus_that_is_cut_off(tmp_path):
    """Ogg does not say how long it is."""
    path = encode(tmp_path / "a.opus", "libopus", 48000, "mono")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    samples = read(path, [])
    assert 0.5 < len(samples) / RATE < 1.6
    assert_chirp(samples)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac")])
def test_what_is_damaged_is_left_out(tmp_path, name, codec):
    path = encode(tmp_path / name, codec, 44100, "stereo")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = np.random.default_rng(3).bytes(2000)
    path.write_bytes(data)
    warnings: list[str] = []
    samples = read(path, warnings)
    assert len(samples) / RATE > 1.5
    assert_chirp(samples[: round(0.9 * RATE)])
    assert [f"{path} is damaged" in warning for warning in warnings] == [True]


def test_a_header_and_nothing_else(tmp_path):
    """A recorder that was stopped at once: no error, no samples."""
    (tmp_path / "a.wav").write_bytes(wav_header(RATE, 1, 0))
    assert len(read(tmp_path / "a.wav")) == 0


def test_notes_after_the_samples_are_not_heard(tmp_path):
    (tmp_path / "a.wav").write_bytes(
        wav_header(RATE, 1, 2 * len(chirp())) + pcm16(chirp()) + b"LIST\x10\0\0\0" + b"\x7f" * 16
    )
    assert len(read(tmp_path / "a.wav")) == len(chirp())


# ---------------------------------------------------------------- pipes


def through_pipe(pieces: Iterable[bytes], chunks: list[AudioChunk]) -> list[str]:
    """Decode what is written, into ``chunks``, which grows meanwhile; give the warnings."""
    out, into = os.pipe()

    def write() -> None:
        try:
            for piece in pieces:
                os.write(into, piece)
        finally:
            os.close(into)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with logged() as warnings:
            reader = AudioReader(decode(out))
            while chunk := reader.get(DEADLINE):
                chunks.append(chunk)
            assert reader.ended
    finally:
        writer.join()
        os.close(out)
    return warnings


def heard(chunks: list[AudioChunk], share: float) -> bool:
    """Whether so much of the chirp has come."""
    return sum(len(chunk.samples) for chunk in chunks) >= share * SECONDS * RATE


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.001)


@pytest.mark.parametrize(
    ("rate", "channels", "size"),
    [
        (16000, 1, 0),
        (16000, 1, 0x80000000),
        (16000, 1, 0xFFFFFFFF),
        (16000, 1, 4 * RATE),  # the truth
        (44100, 2, 0xFFFFFFFF),
    ],
)
def test_a_live_wav_gives_samples_at_once(rate, channels, size):
    """As arecord, sox and ffmpeg send it, which do not know how long it will be."""
    data = [pcm16(piece) for piece in np.array_split(np.repeat(chirp(rate), channels), 20)]
    data[0] = wav_header(rate, channels, size) + data[0]
    chunks: list[AudioChunk] = []

    def live() -> Iterator[bytes]:
        for n, piece in enumerate(data):
            yield piece
            until(partial(heard, chunks, (n - 1) / len(data)))  # a piece later at most

    warnings = through_pipe(live(), chunks)
    assert_chirp(np.concatenate([chunk.samples for chunk in chunks]))
    assert not warnings


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("f.wav", "pcm_f32le", 16000),
        ("a.flac", "flac", 44100),
        ("a.mp3", "libmp3lame", 44100),
        ("a.opus", "libopus", 48000),
        ("a.webm", "libopus", 48000),
        ("a.ts", "aac", 48000),
    ],
)
def test_other_formats_through_a_pipe(tmp_path, name, codec, rate):
    data = encode(tmp_path / name, codec, rate, "mono").read_bytes()
    step = -(-len(data) // 20)
    pieces = [data[n : n + step] for n in range(0, len(data), step)]
    chunks: list[AudioChunk] = []

    def live() -> Iterator[bytes]:
        yield from pieces[:-1]
        until(lambda: bool(chunks))  # before the end
        yield pieces[-1]

    warnings = through_pipe(live(), chunks)
    samples = np.concatenate([chunk.samples for chunk in chunks])
    assert len(samples) / RATE == pytest.approx(SECONDS, abs=0.05)
    assert_chirp(samples, alike=0.98)
    assert not warnings


def test_a_wav_of_another_kind_that_does_not_know_its_length(tmp_path):
    """As sox sends 24 bits: with an extended header, which FFmpeg reads."""
    data = bytearray(encode(tmp_path / "a.wav", "pcm_f32le", 48000, "stereo").read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", 0x7FFFFFB0)
    for fact in (n for n in [data.find(b"fact")] if n > 0):
        data[fact : fact + 4] = b"JUNK"
    chunks: list[AudioChunk] = []
    warnings = through_pipe([bytes(data)], chunks)
    assert_chirp(np.concatenate([chunk.samples for chunk in chunks]))
    (tmp_path / "a.wav").write_bytes(data)
    assert_chirp(read(tmp_path / "a.wav"))
    assert not warnings


def test_a_wav_on_a_pipe_that_breaks_off():
    chunks: list[AudioChunk] = []
    data = wav_header(RATE, 1, 4 * RATE) + pcm16(chirp()[:RATE])
    warnings = through_pipe([data], chunks)
    assert sum(len(chunk.samples) for chunk in chunks) == RATE
    assert len(warnings) == 1
    assert "1.0 s are missing" in warnings[0]


def test_mp4_that_needs_a_file_says_so(tmp_path):
    samples = np.tile(chirp(44100), 20)
    data = encode(tmp_path / "a.m4a", "aac", 44100, "mono", samples).read_bytes()
    with pytest.raises(InputError, match="not a pipe"):
        through_pipe([data], [])


def test_a_file_is_decoded_as_it_is_used(tmp_path):
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(wav_header(RATE, 1, 2 * 3600 * RATE))
        file.truncate(44 + 2 * 3600 * RATE)  # an hour of silence
    with path.open("rb") as file:
        reader = AudioReader(decode(file.fileno()))
        assert reader.get(30)
        time.sleep(0.2)
        assert 0 < os.lseek(file.fileno(), 0, os.SEEK_CUR) < 2 * 60 * RATE
