"""Policies in the time of speech: the paper's as a special case, and the real recogniser."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import jiwer
import numpy as np
import pytest
from conftest import run_lsg
from sentences import SENTENCES
from test_speech import write_wav

from lsgcli.backends.whisper import believed
from lsgcli.core.segment import translate
from lsgcli.core.steps import Arrival, Decision, Forward, Generate, Locate, Place, Receive
from lsgcli.evaluation.caching import CachingBackend
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.speech import SpokenLsg
from lsgcli.speech.sources.decode import decode

if TYPE_CHECKING:
    from lsgcli.core.backend import Backend, Lexicon
    from lsgcli.policy.base import Policy

CLIPS = Path(__file__).parent / "data" / "speech"
JFK = CLIPS / "en_jfk.flac"
SAID = {
    "en_jfk": "and so my fellow americans ask not what your country can do for you "
    "ask what you can do for your country",
    "en_ss_0870": "and mr john dashwood had then leisure to consider how much there might be "
    "prudently in his power to do for them",
    "en_lj_001_0005": "the invention of movable metal letters in the middle of the fifteenth "
    "century may justly be considered as the invention of the art of printing",
}
POLICIES = {
    **{level: ("--latency", level) for level in ("low", "medium", "high", "highest")},
    "alignatt": ("--policy", "alignatt", "--margin", "0.4"),
}


class Located:
    """A text model's words, as if one were spoken in every unit."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    located = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._lexicon, name)


def decisions(backend: Backend, source: tuple[str, ...], policy: Policy) -> list[Decision]:
    """The decisions over a text whose i-th target word is spoken in the i-th unit."""
    steps = translate(policy, cast("Lexicon", Located(backend.lexicon)))
    read = written = 0
    found: list[Decision] = []
    reply: Any = None
    while True:
        try:
            step = steps.send(reply)
        except StopIteration:
            return found
        reply = None
        if isinstance(step, Receive):
            begin, read = read, read + step.wait
            reply = Arrival(source[begin:read], finished=read >= len(source))
        elif isinstance(step, Forward):
            reply = backend.forward(step.queries)
        elif isinstance(step, Generate):
            reply = next(backend.generate([step]))
        elif isinstance(step, Locate):
            reply = [Place(written + n, 9.0) for n in range(1, len(step.words) + 1)]
        elif isinstance(step, Decision):
            found.append(step)
            written += step.action.value == "write"


@pytest.mark.parametrize(("delta", "lower", "upper"), [(1.0, 1, 4), (4.0, 3, 4), (0.5, 2, 1)])
def test_with_a_word_a_segment_it_is_the_papers(unrounded, delta, lower, upper) -> None:
    spoken = SpokenLsg(delta, 1.0, lower, upper, margin=0.5, agree=False)
    paper = Lsg(delta, 1.0, lower, upper)
    for sentence in SENTENCES:
        source, backend = tuple(sentence.split()), CachingBackend(unrounded)
        ours = [(d.action, d.i, d.j) for d in decisions(backend, source, spoken)]
        theirs = [(d.action, d.i, d.j) for d in decisions(backend, source, paper)]
        assert [each for each in ours if each[0].value == "write"] == [
            each for each in theirs if each[0].value == "write"
        ]


@pytest.mark.parametrize(
    ("times", "spoken", "count"),
    [
        ([(0.0, 0.4), (0.4, 0.9)], 1.0, 2),
        ([(0.0, 0.4), (1.3, 1.4)], 1.0, 1),  # behind the speech
        ([(0.0, 0.4), (0.9, 0.93), (0.93, 0.97), (0.97, 1.0)], 1.0, 1),  # squeezed
        ([(0.0, 0.4), (0.4, 0.44), (0.44, 0.9), (0.9, 0.95)], 1.0, 4),  # short words are words
        ([], 1.0, 0),
    ],
)
def test_what_has_no_place_in_the_speech_is_not_believed(times, spoken, count) -> None:
    assert believed(times, spoken) == count


def plain(text: str) -> list[str]:
    kept = "".join(c if c.isalnum() or c.isspace() else "" for c in text.lower())
    return kept.replace("15th", "fifteenth").split()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_recogniser_in_the_box_hears_what_is_said(policy) -> None:
    clips = (CLIPS / f"{clip}.flac" for clip in SAID)
    result = run_lsg("asr", *POLICIES[policy], "--format", "jsonl", *clips)
    assert (result.code, result.stderr) == (0, "")
    heard: list[str] = []
    for record in map(json.loads, result.lines):
        if record["type"] == "recording":
            heard.append("")
        elif record["type"] == "segment":
            heard[-1] += " " + record["prediction"]
    for said, each in zip(SAID.values(), heard, strict=True):
        assert jiwer.wer(said, " ".join(plain(each))) <= 0.1


def test_words_come_soon_after_they_are_said() -> None:
    """In heard audio, so that it does not matter how fast the machine is."""
    result = run_lsg("asr", "--latency", "low", "--format", "tsv", JFK)
    words = list(csv.DictReader(io.StringIO(result.text), delimiter="\t"))
    lags = sorted((float(word["delay"]) - float(word["end"])) / 1000 for word in words)
    assert len(words) >= 20
    assert lags[len(lags) // 2] < 1.3
    assert lags[-1] < 3.0


def speech(*parts: str | float) -> np.ndarray:
    """Recordings by name and silences by seconds, as int16."""
    pieces = []
    for part in parts:
        if isinstance(part, str):
            pieces += list(decode(CLIPS / f"{part}.flac"))
        else:
            pieces.append(np.zeros(round(16000 * part), np.float32))
    return (np.concatenate(pieces) * 32767).astype("<i2")


def test_pauses_duplicate_nothing_and_lose_nothing(tmp_path) -> None:
    file = write_wav(tmp_path / "a.wav", speech("en_jfk", 1.0, "en_ss_0870", 12.0, "en_jfk", 0.5))
    result = run_lsg("asr", file)
    said = " ".join([SAID["en_jfk"], SAID["en_ss_0870"], SAID["en_jfk"]])
    assert jiwer.wer(said, " ".join(plain(result.text))) <= 0.1


def test_times_are_right_behind_silence(tmp_path) -> None:
    """As sox's ``pad 3 10`` makes it."""
    file = write_wav(tmp_path / "a.wav", speech(3.0, "en_ss_0870", 10.0))
    result = run_lsg("asr", "--format", "jsonl", file)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    words = [word for line in lines for word in line.get("words", ())]
    assert 2.9 <= words[0]["start"] < words[-1]["end"] <= 10.4
    assert all(a["end"] <= b["end"] for a, b in itertools.pairwise(words))


@pytest.mark.parametrize("length", [0.01, 0.2, 1.0])
def test_short_recordings(tmp_path, length) -> None:
    samples = speech("en_jfk")[: round(16000 * length)]
    result = run_lsg("asr", write_wav(tmp_path / "a.wav", samples))
    assert (result.code, result.stderr) == (0, "")
    assert len(plain(result.text)) <= 3


def test_a_file_that_ends_inside_a_word_writes_its_tail_once(tmp_path) -> None:
    samples = speech("en_jfk")[: round(16000 * 9.9)]
    result = run_lsg("asr", write_wav(tmp_path / "a.wav", samples))
    words = plain(result.text)
    assert words[-3:-1] != words[-2:]
    assert jiwer.wer(" ".join(SAID["en_jfk"].split()[:21]), " ".join(words)) <= 0.15
    assert 20 <= len(words) <= 22


def test_silence_noise_and_tones_give_no_words(tmp_path) -> None:
    rng = np.random.default_rng(3)
    sounds = {
        "silence": np.zeros(16000 * 8),
        "noise": rng.normal(size=16000 * 8) * 2500,
        "tone": np.sin(np.arange(16000 * 8) * 2 * math.pi * 1000 / 16000) * 9000,
    }
    files = [write_wav(tmp_path / f"{name}.wav", each) for name, each in sounds.items()]
    result = run_lsg("asr", *files)
    assert (result.code, result.text, result.stderr) == (0, "", "")


@pytest.mark.parametrize("asked", ["--policy alignatt", "--margin 1"])
def test_text_has_no_time(asked, tmp_path) -> None:
    for name in ("en", "de"):
        (tmp_path / name).write_text("a\n")
    files = ("--source", tmp_path / "en", "--target", tmp_path / "de", "--to", "de")
    result = run_lsg("eval", "run", *files, *asked.split(), "--output", tmp_path / "run")
    message = f"lsg: error: {asked.removesuffix(' 1')} belongs to speech"
    assert (result.code, result.stderr.startswith(message)) == (2, True), result.stderr
