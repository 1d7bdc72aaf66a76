"""Lines with times, and where a window is cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.backends.loops import loop_start
from lsgcli.output.base import SpokenLine, SpokenWord
from lsgcli.output.descriptor import Output
from lsgcli.output.subtitles import (
    CUE_CHARACTERS,
    CUE_SECONDS,
    SrtWriter,
    TsvWriter,
    VttWriter,
    cues,
)
from lsgcli.speech import boundaries

if TYPE_CHECKING:
    from pathlib import Path


def word(text: str, start: float, end: float, spaced: bool = True) -> SpokenWord:
    return SpokenWord(text, spaced, (1,), 1000 * end + 300, end + 0.4, start, end)


def written(kind: type, tmp_path: Path, *lines: SpokenLine) -> str:
    descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    writer = kind(Output(descriptor))
    for line in lines:
        writer.line(line, 0.0)
    writer.close()
    os.close(descriptor)
    return (tmp_path / "out").read_text()


def test_srt(tmp_path) -> None:
    short = SpokenLine(1, [word("One", 0, 0.5), word("two.", 0.5, 1)])
    late = SpokenLine(2, [word("Three", 3661.5, 3662)])
    assert written(SrtWriter, tmp_path, short, late) == (
        "1\n00:00:00,000 --> 00:00:01,000\nOne two.\n\n2\n01:01:01,500 --> 01:01:02,000\nThree\n\n"
    )


def test_vtt_escapes_and_gives_the_time_of_each_word(tmp_path) -> None:
    line = SpokenLine(1, [word("A&B", 1, 2), word("<c>", 2.5, 3), word("!", 3, 3, False)])
    assert written(VttWriter, tmp_path, line) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n"
        "A&amp;B <00:00:02.500>&lt;c&gt;<00:00:03.000>!\n\n"
    )


def test_vtt_of_nothing_is_a_header(tmp_path) -> None:
    assert written(VttWriter, tmp_path) == "WEBVTT\n\n"


def test_tsv(tmp_path) -> None:
    assert written(TsvWriter, tmp_path, SpokenLine(7, [word("Yes", 0.5, 0.75)])) == (
        "start\tend\tdelay\tsegment\tword\n500\t750\t1050\t7\tYes\n"
    )


@given(
    st.lists(
        st.tuples(st.text("ab", min_size=1, max_size=30), st.floats(0.05, 3)),
        min_size=1,
        max_size=60,
    )
)
def test_cues_are_short_and_hold_every_word_once(parts) -> None:
    now, words = 0.0, []
    for text, length in parts:
        words.append(word(text, now, now + length))
        now += length
    found = list(cues(words))
    assert [each for cue in found for each in cue] == words
    for cue in found:
        if len(cue) > 1:
            assert len(SpokenLine(1, cue).text) <= CUE_CHARACTERS
            assert cue[-1].end - cue[0].start <= CUE_SECONDS


def test_a_window_is_left_at_a_sentence_or_else_at_the_longest_pause() -> None:
    words = [word("One.", 0, 1), word("Two", 1, 2), word("three.", 2, 3), word("four", 3, 4)]
    assert boundaries(words) == [3, 1, 2]
    words = [word(text, n, n + 0.9) for n, text in enumerate("abcdef")]
    words[4].start = 4.5  # a pause after the fourth
    assert boundaries(words)[0] == 4
    words[1].start = 1.9  # a longer one, but it leaves too little behind
    assert sorted(boundaries(words)) == [3, 4, 5]
    assert boundaries(words)[0] == 4
    assert boundaries([word("One.", 0, 1), word("Two.", 1, 2)]) == [1]  # a word stays


@pytest.mark.parametrize(
    ("tokens", "kept"),
    [
        ([], None),
        ([1, 2, 3, 4, 5, 6, 7], None),
        ([7, 7, 7, 7, 7], None),  # a telephone number
        ([9, *[5] * 16], 2),
        ([1, 2, *[3, 4, 5] * 5], 5),
        ([1, 2, *[3, 4, 5] * 4], None),
        ([*[3, 4, 5] * 5, 6], None),  # it has ended
        ([0, *range(1, 13)] + [*range(1, 13)] * 4, 13),
    ],
)
def test_loops(tokens, kept) -> None:
    assert loop_start(tokens) == kept


@given(st.lists(st.integers(0, 3), max_size=40))
def test_what_is_kept_of_a_loop_is_one_round_of_it(tokens) -> None:
    kept = loop_start(tokens)
    if kept is not None:
        rest = tokens[kept:]
        assert rest
        assert any(
            all(token == tokens[kept - period + n % period] for n, token in enumerate(rest))
            for period in range(1, 13)
            if kept >= period
        )
