"""Raw samples mean the same however they are cut into reads."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import logged
from test_audio_decode import assert_chirp, chirp

from lsgcli.core.audio import RATE
from lsgcli.errors import InputError, UsageError
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.sources.raw import WIDTHS, Pcm, convert, read_raw

# Each format as numpy writes it, from samples in [-1, 1).
WRITERS = {
    "u8": lambda x: (x * 127 + 128).round().astype("u1").tobytes(),
    "s16le": lambda x: (x * 32767).astype("<i2").tobytes(),
    "s16be": lambda x: (x * 32767).astype(">i2").tobytes(),
    "s24le": lambda x: (x * (2**31 - 256)).astype("<i4").view("u1").reshape(-1, 4)[:, 1:].tobytes(),
    "s32le": lambda x: (x.astype(float) * (2**31 - 1)).astype("<i4").tobytes(),
    "f32le": lambda x: x.astype("<f4").tobytes(),
}


def joined(pieces: list[bytes], pcm: Pcm, warnings: list[str] | None = None) -> np.ndarray:
    with logged() as told:
        parts = list(convert(pieces, pcm, "it"))
    if warnings is not None:
        warnings += told
    assert all(part.dtype == np.float32 for part in parts)
    assert warnings is not None or not told
    return np.concatenate(parts)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("sample_format", WIDTHS)
def test_formats(sample_format, rate, channels):
    data = WRITERS[sample_format](np.repeat(chirp(rate), channels))
    samples = joined([data], Pcm(sample_format, rate, channels))
    assert len(samples) == pytest.approx(len(chirp()), abs=2)
    assert_chirp(samples)
    if rate == RATE:
        assert np.abs(samples - chirp()).max() < (0.01 if sample_format == "u8" else 1e-4)


@settings(max_examples=50)
@given(
    st.sampled_from(sorted(WIDTHS)),
    st.integers(1, 3),
    st.lists(st.integers(1, 40), min_size=1, max_size=40),
)
def test_reads_may_end_anywhere(sample_format, channels, sizes):
    data = WRITERS[sample_format](np.repeat(chirp()[: sum(sizes)], channels))
    pieces, rest = [], data
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    pcm = Pcm(sample_format, RATE, channels)
    assert np.array_equal(joined([*pieces, rest], pcm), joined([data], pcm))


def test_half_a_sample_at_the_end_is_left_out_with_a_warning():
    warnings: list[str] = []
    data = WRITERS["s16le"](chirp()) + b"\x01"
    assert len(joined([data[:1001], data[1001:]], Pcm(), warnings)) == len(chirp())
    assert warnings == ["it ends within a sample; its last 1 bytes are left out"]


def test_channels_are_mixed():
    left, right = chirp(), np.zeros_like(chirp())
    samples = joined([WRITERS["f32le"](np.stack([left, right], 1).ravel())], Pcm("f32le", RATE, 2))
    assert np.allclose(samples, left / 2)


def test_what_is_not_a_number_is_silence():
    data = chirp()
    data[5], data[6], data[7] = np.nan, -np.inf, 3
    warnings: list[str] = []
    samples = joined([WRITERS["f32le"](data)] * 2, Pcm("f32le"), warnings)
    assert list(samples[5:8]) == [0, 0, 1]
    assert len(warnings) == 1


@pytest.mark.parametrize("wrong", [{"sample_format": "s12le"}, {"rate": 0}, {"channels": 0}])
def test_what_cannot_be(wrong):
    with pytest.raises(UsageError):
        Pcm(**wrong)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"a\.raw: No such file"):
        read_raw(tmp_path / "a.raw", Pcm())


def test_a_pipe_gives_what_is_there_and_a_stall_is_not_the_end():
    out, into = os.pipe()
    reader = AudioReader(read_raw(out, Pcm()))
    try:
        assert reader.get(0.05) is None
        os.write(into, b"\x00\x40\x00")
        first = reader.get(30)
        assert first is not None
        assert list(first.samples) == [0.5]
        assert reader.get(0.2) is None
        assert reader.get(0) is None
        assert not reader.ended
        os.write(into, b"\xc0")
        second = reader.get(30)
        assert second is not None
        assert list(second.samples) == [-0.5]
        assert second.time - first.time >= 0.2
        os.close(into)
        assert reader.get(30) is None
        assert reader.ended
        assert reader.get() is None
    finally:
        os.close(out)
