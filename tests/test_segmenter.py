"""Words to segments: nothing lost, bounded, one line out for one line in; sentences on request."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.text.protect import Protector
from lsgcli.text.segmenter import (
    EndLine,
    EndSegment,
    Limits,
    Piece,
    Segmenter,
    Unit,
    Verbatim,
    ends_sentence,
)
from lsgcli.text.words import LONGEST_PROSE, WordSplitter

TOKENS = 12


def cut(
    text: str,
    mode: Literal["line", "sentence"] = "line",
    *,
    protect: bool = True,
    sentences: bool = True,
):
    """Segment a text; a token is five characters."""
    limits = Limits(TOKENS, lambda word: -(-len(word) // 5), "en", sentences)
    segmenter = Segmenter(limits, mode, Protector() if protect else None)
    splitter = WordSplitter()
    items = [*splitter.feed(text), *splitter.flush()]
    return [p for item in items for p in segmenter.feed(item)] + list(segmenter.end())


def written(pieces: list[Piece]) -> str:
    """What comes out if the translation of every word is the word."""
    text = ""
    for piece in pieces:
        text += piece.before + piece.text if isinstance(piece, Unit) else getattr(piece, "text", "")
    return text


def segments(pieces: list[Piece]) -> list[str]:
    result, words = [], []
    for piece in pieces:
        if isinstance(piece, Unit):
            words.append(piece.text)
        elif isinstance(piece, EndSegment):
            result.append(" ".join(words))
            words = []
    assert not words
    return result


PLAIN = "The house is small. Hello! Dr. Smith? 5 12 300 - … it's 10.0.0.1 key=value %s `a b` 30 ms"
ODD = ["\n", "\n\n", "\r\n", "   ", "\t", "x" * 70, "y" * 300, "日本語" * 8, "\0", "12 " * 20]
WORDS = st.sampled_from([*PLAIN.split(), *ODD])
TEXTS = st.lists(WORDS, max_size=40).map(" ".join)
MODES = st.sampled_from(["line", "sentence"])


@given(TEXTS, st.booleans(), st.booleans())
def test_nothing_is_lost(text, protect, sentences):
    text += "\n"
    assert written(cut(text, protect=protect, sentences=sentences)) == text


@given(TEXTS, st.booleans())
def test_one_line_in_one_line_out(text, protect):
    ends = [p.text for p in cut(text + "\n", protect=protect) if isinstance(p, EndLine)]
    assert len(ends) == text.count("\n") + 1
    assert all(end.endswith("\n") for end in ends)


@given(TEXTS)
def test_sentence_mode_loses_nothing_but_blanks(text):
    out = written(cut(text, "sentence"))
    assert out.split() == text.split()
    assert out == "" or out.endswith("\n")


@given(TEXTS, MODES, st.booleans())
def test_segments_are_bounded_and_properly_ended(text, mode, protect):
    inside, tokens = False, 0
    for piece in cut(text, mode, protect=protect):
        if isinstance(piece, Unit):
            assert len(piece.text) <= LONGEST_PROSE
            tokens += -(-len(piece.text) // 5)
            assert tokens <= TOKENS
            inside = True
        else:
            assert inside == isinstance(piece, EndSegment)
            inside, tokens = False, 0
    assert not inside


@given(TEXTS, MODES)
def test_protected_words_are_copied_in_order(text, mode):
    copied = " ".join(p.text for p in cut(text, mode) if isinstance(p, Verbatim)).split()
    always = ("10.0.0.1", "key=value", "%s")
    assert [w for w in copied if w in always] == [w for w in text.split() if w in always]


def test_a_line_with_a_log_header():
    pieces = cut("  2026-11-23 INFO The house %s is here\t \r\n")
    assert pieces[:2] == [Verbatim("  2026-11-23"), Verbatim(" INFO")]
    assert segments(pieces) == ["The house", "is here"]
    assert pieces[-1] == EndLine("\t \r\n")


def test_numbers_go_with_the_words_behind_them():
    assert segments(cut("3 of 12 men\n5 7\n", protect=False)) == ["3 of 12 men"]


def test_endless_numbers_are_copied_bit_by_bit():
    limits = Limits(TOKENS, len, "en")
    segmenter, splitter = Segmenter(limits), WordSplitter()
    held = [list(segmenter.feed(item)) for item in splitter.feed("12 " * 100)]
    assert any(held)


def test_a_sentence_ends_a_segment_if_the_model_wants_that():
    assert segments(cut("Yes. It is.\n")) == ["Yes.", "It is."]
    assert segments(cut("Yes. It is.\n", sentences=False)) == ["Yes. It is."]


def test_the_rest_of_a_word_is_not_translated():
    """Whether it was cut because it is long, or by a pause."""
    pieces = cut("a" * 4096 + "bc is it\n", protect=False)
    assert pieces[:2] == [Verbatim("a" * 4096), Verbatim("bc")]
    assert segments(pieces) == ["is it"]


def test_sentence_mode_joins_lines_and_keeps_paragraphs():
    pieces = cut("One is\nhere. Two\n\n\nThree four\n five. Six", "sentence")
    assert segments(pieces) == ["One is here.", "Two", "Three four five.", "Six"]
    assert written(pieces) == "One is here.\nTwo\n\n\nThree four five.\nSix\n"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("I saw it.", True),
        ("I saw it!", True),
        ('He said "no."', True),
        ("Is it?", True),
        ("I saw", False),
        ("Hello Dr.", False),
        ("Hello Mr.", False),
        ("He lives in the U.S.", False),
        ("It was 3.5", False),
    ],
)
def test_where_sentences_end(text, ends):
    assert ends_sentence(text.split(), "en") is ends
