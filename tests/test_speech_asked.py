"""What users of speech ask for: captions to be read, many recordings, both channels, and so on."""

from __future__ import annotations

import re

import pytest
from conftest import run_lsg
from test_cli import check_error
from test_recogniser import SPEECH, plain

JFK = SPEECH / "en_jfk.flac"

# ---------------------------------------------------------------- captions


def seconds(time: str) -> float:
    hours, minutes, rest = time.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def cues(srt: str) -> list[tuple[float, float, list[str]]]:
    """Start, end and lines of each cue."""
    found = re.findall(r"\d+\n(\S+) --> (\S+)\n((?:.+\n)+)\n", srt)
    return [(seconds(start), seconds(end), text.splitlines()) for start, end, text in found]


@pytest.mark.parametrize(
    ("options", "characters", "lines"),
    [((), 42, 2), (("--max-chars", "20", "--max-lines", "1"), 20, 1), (("--max-chars=32",), 32, 2)],
)
def test_captions_can_be_read(options, characters, lines):
    text = run_lsg("asr", JFK).text
    result = run_lsg("asr", "-f", "srt", *options, JFK)
    found = cues(result.text)
    assert plain(" ".join(line for cue in found for line in cue[2])) == plain(text)
    assert found == sorted(found)
    for (start, end, shown), following in zip(found, [*found[1:], (99.0, 0.0, [])], strict=True):
        assert start < end <= min(start + 7, following[0]) + 0.001
        assert len(shown) <= lines
        assert all(len(line) <= characters for line in shown)


def test_captions_stand_as_long_as_asked():
    short = cues(run_lsg("asr", "-f", "srt", "--max-seconds", "2.5", JFK).text)
    assert all(end - start <= 2.501 for start, end, _ in short)
    assert len(short) > len(cues(run_lsg("asr", "-f", "srt", JFK).text))


def test_captions_need_captions():
    check_error(run_lsg("asr", "--max-chars", "30", JFK), 2, "belong to --format srt and vtt")
    arguments = ("--min-seconds", "5", "--max-seconds", "2", "-f", "vtt")
    check_error(run_lsg("asr", *arguments, JFK), 2, "--min-seconds 5 is more than")
