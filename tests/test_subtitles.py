"""Lines with times, and where a window is cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.backends.repetition import loop_start
from lsgcli.output.base import SpokenLine, SpokenWord
from lsgcli.output.captions import Layout, captions
from lsgcli.output.descriptor import Output
from lsgcli.output.subtitles import SrtWriter, TsvWriter, VttWriter
from lsgcli.speech.pipeline import boundaries

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
        "1\n00:00:00,000 --> 00:00:01,000\nOne two.\n\n2\n01:01:01,500 --> 01:01:02,500\nThree\n\n"
    )


def test_vtt_escapes_and_gives_the_time_of_each_word(tmp_path) -> None:
    line = SpokenLine(1, [word("A&B", 1, 2), word("<c>", 2.5, 3), word("!", 3, 3, False)])
    assert written(VttWriter, tmp_path, line) == (
        "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nA&amp;B <00:00:02.500>&lt;c&gt;!\n\n"
    )


def test_vtt_of_nothing_is_a_header(tmp_path) -> None:
    assert written(VttWriter, tmp_path) == "WEBVTT\n\n"


def test_tsv(tmp_path) -> None:
    assert written(TsvWriter, tmp_path, SpokenLine(7, [word("Yes", 0.5, 0.75)])) == (
        "start\tend\tdelay\tsegment\tword\n500\t750\t1050\t7\tYes\n"
    )


def spoken(text: str, rate: float = 15.0, at: float = 0.0) -> list[SpokenWord]:
    """Words said at so many characters a second."""
    words = []
    for each in text.split():
        words.append(word(each, at, at := at + (len(each) + 1) / rate))
    return words


LAYOUTS = st.builds(
    Layout,
    characters=st.integers(8, 60),
    lines=st.integers(1, 3),
    least=st.floats(0, 2),
    most=st.floats(2, 8),
    speed=st.floats(5, 30),
)


@given(
    st.lists(
        st.tuples(st.text("ab,.", min_size=1, max_size=30), st.floats(0.05, 3), st.floats(0, 1)),
        min_size=1,
        max_size=40,
    ),
    LAYOUTS,
    st.floats(0, 2),
)
def test_captions_keep_to_their_layout(parts, layout, after) -> None:
    now, words = 0.0, []
    for text, length, gap in parts:
        words.append(word(text, now, now + length))
        now += length + gap
    cues = captions(words, layout, after)
    assert [each for cue in cues for line in cue.lines for each in line] == words
    for cue in cues:
        assert len(cue.lines) <= layout.lines
        assert after <= cue.start < cue.end <= cue.start + layout.most + 0.002
        after = cue.end
        for line in cue.lines:
            assert len(line) == 1 or len(SpokenLine(1, list(line)).text) <= layout.characters


@given(
    st.lists(st.text("ab", min_size=1, max_size=12), min_size=1, max_size=60),
    st.floats(5, 19),
)
def test_what_is_said_slowly_enough_can_be_read(texts, rate) -> None:
    for cue in captions(spoken(" ".join(texts), rate), Layout()):
        shown = cue.end - cue.start
        assert shown >= 1.0 - 1e-9
        assert sum(len(line) for line in cue.text.split("\n")) / shown <= 20 + 1e-9


def test_captions_break_where_clauses_end() -> None:
    text = (
        "And so, my fellow Americans, ask not what your country can do for you, ask what you can "
        "do for your country."
    )
    assert [cue.text for cue in captions(spoken(text), Layout())] == [
        "And so, my fellow Americans,",
        "ask not what your country can do for you,\nask what you can do for your country.",
    ]


def test_captions_break_at_a_pause_and_not_behind_an_article() -> None:
    words = spoken("we have come to the edge of a") + spoken("forest with no way around it", at=5)
    assert captions(words, Layout())[0].text == "we have come to the edge of a"
    text = "nobody who has ever been there would call it the beautiful city of his dreams today"
    for line in captions(spoken(text), Layout(characters=48))[0].text.split("\n"):
        assert line.split()[-1] not in ("the", "of", "his")


def test_captions_of_a_language_without_spaces() -> None:
    words = [word(each, n / 5, (n + 1) / 5, spaced=False) for n, each in enumerate("月球" * 40)]
    cues = captions(words, Layout())
    assert all(len(line) <= 21 for cue in cues for line in cue.text.split("\n"))
    assert "".join(cue.text for cue in cues).replace("\n", "") == "月球" * 40


def test_what_was_said_together_stands_one_after_the_other(tmp_path) -> None:
    """A short word stands a second, and what follows appears when it has gone."""
    lines = [SpokenLine(1, [word("Yes.", 1, 1.2)]), SpokenLine(2, [word("No.", 1.3, 1.5)])]
    assert written(SrtWriter, tmp_path, *lines) == (
        "1\n00:00:01,000 --> 00:00:02,000\nYes.\n\n2\n00:00:02,000 --> 00:00:03,000\nNo.\n\n"
    )


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
