"""The limits of streams that docs/security.md lists: each at the limit, and behind it."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from conftest import run_lsg

from lsgcli.core.audio import LEAST_RATE, MOST_CHANNELS, MOST_RATE
from lsgcli.errors import InputError, UsageError
from lsgcli.speech.sources.decode import decode
from lsgcli.speech.sources.raw import Pcm
from lsgcli.speech.sources.wav import LONGEST as LONGEST_HEADER
from lsgcli.speech.sources.wav import Recorded, read_header
from lsgcli.text.chunks import _paced
from lsgcli.text.feed import LONGEST_LINE
from lsgcli.text.words import LONGEST, LONGEST_PROSE, Word, WordSplitter

TO = ("translate", "--to", "de")
PAGE = Path(__file__).parents[1] / "docs" / "security.md"


@pytest.mark.parametrize(
    ("option", "limit", "kind"),
    [("--rate", 768_000, "most"), ("--rate", 1000, "least"), ("--channels", 64, "most")],
)
def test_raw_audio(option, limit, kind):
    beyond = limit + (1 if kind == "most" else -1)
    asr = ("asr", "--raw", "s16le", option)
    silence = bytes(2 * MOST_CHANNELS * 10)
    taken = run_lsg(*asr, str(limit), stdin=silence)
    assert (taken.code, taken.stdout, taken.stderr) == (0, b"", "")
    refused = run_lsg(*asr, str(beyond), stdin=silence)
    assert refused.code == 2
    assert f"'{option}': {beyond} is not in the range" in refused.stderr


def test_threads():
    assert run_lsg(*TO, "--threads", "1024", stdin=b"a=1\n").stdout == b"a=1\n"
    assert run_lsg(*TO, "--threads", "1025", stdin=b"a=1\n").code == 2


def wav(rate: int, before: int = 0) -> bytes:
    """A recording of some samples, behind a chunk of ``before`` bytes."""
    note = b"LIST" + struct.pack("<I", before) + bytes(before) if before else b""
    head = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF\xff\xff\xff\xffWAVE" + note + head + b"data" + struct.pack("<I", 64) + bytes(64)


@pytest.mark.parametrize("rate", [LEAST_RATE, MOST_RATE])
def test_rates_of_recordings(rate, tmp_path):
    (tmp_path / "x.wav").write_bytes(wav(rate))
    assert all(np.abs(samples).max(initial=0) == 0 for samples in decode(tmp_path / "x.wav"))
    (tmp_path / "x.wav").write_bytes(wav(rate + (1 if rate == MOST_RATE else -1)))
    with pytest.raises(InputError, match=rf"rates from {LEAST_RATE} to {MOST_RATE} Hz are read"):
        list(decode(tmp_path / "x.wav"))
    with pytest.raises(UsageError):
        Pcm("s16le", rate + (1 if rate == MOST_RATE else -1))


def test_headers(tmp_path):
    """What is before the samples is read up to a limit, and then it is no header for us."""
    room = LONGEST_HEADER - len(wav(16000, 2)) + 64 + 2
    for size, known in ((room - room % 2, True), (room - room % 2 + 2, False)):
        (tmp_path / "x.wav").write_bytes(wav(16000, size))
        with io.FileIO(tmp_path / "x.wav") as file:
            start = Recorded(file)
            assert (read_header(start, "x") is not None) is known
            assert len(start.data) <= LONGEST_HEADER


def test_words():
    """A word of more characters than prose has is copied; a longer one still is cut."""
    for length, pieces in ((LONGEST - 1, 1), (LONGEST, 1), (LONGEST + 1, 2)):
        words = [w for w in WordSplitter().feed("a" * length + " b\n") if isinstance(w, Word)]
        assert [len(word.text) for word in words[:-1]][:1] == [min(length, LONGEST)]
        assert len(words) - 1 == pieces
    word = "a" * (LONGEST_PROSE + 1)
    assert run_lsg(*TO, stdin=f"The {word} house\n".encode()).text.count(word) == 1


@pytest.mark.parametrize("length", [LONGEST - 1, LONGEST, LONGEST + 1])
def test_paced_words(length):
    """What has no blank is waited for up to a limit."""
    data = b"a" * length
    assert b"".join(_paced([data, b"b c\n"], 0)) == data + b"b c\n"
    first = next(_paced(iter([data, b"b c\n"]), 0))
    assert len(first) == (length if length >= LONGEST else length + 2)


@pytest.mark.parametrize("beyond", [0, 1])
def test_lines_that_are_looked_at_whole(beyond):
    """A row of CSV is one as a whole; from the limit on words are what is copied or not."""
    row = '"a=1","The house is small.",' + "1" * 90
    line = row + ",1" * ((LONGEST_LINE - len(row)) // 2)
    line += "1" * (LONGEST_LINE - len(line) + beyond)
    (written,) = run_lsg(*TO, stdin=line.encode() + b"\n").lines
    assert ('"Das Haus ist klein."' in written) is (beyond == 0)


def test_each_limit_has_its_place():
    page = PAGE.read_text()
    numbers = (MOST_RATE, LEAST_RATE, LONGEST_LINE, LONGEST)
    for number in (*map("{:,}".format, numbers), "`--threads`", "`--channels`", "1 MiB"):
        assert number in page
    assert os.path.exists(PAGE)


def test_digital_silence_is_no_speech_without_a_detector_either():
    """A model that is made to listen to nothing writes "you"."""
    silence = np.zeros(16000 * 12, "<i2")
    silence[::7] = 1  # dither
    result = run_lsg("asr", "--raw", "s16le", "--no-vad", stdin=silence.tobytes())
    assert (result.code, result.stdout, result.stderr) == (0, b"", "")
