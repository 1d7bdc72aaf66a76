"""Bytes to words: nothing lost, nothing invented, whatever pieces the bytes come in."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.text.words import ESCAPE, LONGEST, Item, Language, Newline, Utf8, Word, WordSplitter

PARTS = [
    b"a",
    b"word",
    " ü ".encode(),
    "日本".encode(),
    "😀".encode(),
    b" ",
    b"  \t",
    b"\n",
    b"\r\n",
    b"\x1b[1;31m",
    b"\x1b]8;;http://x y\x1b\\",
]
NASTY = [
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    "\ufeff".encode(),
    b"\xef\xbb",
    b"\x1b",
    b"\x1b[",
]
LONG = [
    b"\x1b]" + b"x" * (LONGEST - 2) + b"\a",
    b"x" * (LONGEST - 1),
    b"y" * (LONGEST + 5),
    b" " * (LONGEST + 5),
    b" " * LONGEST,
]
DATA = st.lists(st.sampled_from(PARTS + NASTY + LONG) | st.binary(max_size=5), max_size=12).map(
    b"".join
)
CUTS = st.lists(st.integers(0, 3 * LONGEST) | st.integers(0, 40), max_size=12)


def cut(data: bytes, ends: list[int]) -> list[bytes]:
    places = [0, *sorted(end % (len(data) + 1) for end in ends), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def decode(pieces: list[bytes]) -> tuple[str, int]:
    utf8 = Utf8()
    text = "".join(map(utf8.feed, pieces)) + utf8.feed(b"", final=True)
    return text, utf8.invalid


def split(texts: list[str]) -> list[Item]:
    splitter = WordSplitter()
    return [item for text in texts for item in splitter.feed(text)] + list(splitter.flush())


def restored(items: list[Item]) -> str:
    return "".join(
        item.before + (item.text if isinstance(item, Word) else "\n")
        for item in items
        if not isinstance(item, Language)
    )


@given(DATA, CUTS)
def test_decoding_does_not_depend_on_the_cuts(data, ends):
    assert decode(cut(data, ends)) == decode([data])


@given(DATA)
def test_decoding_is_that_of_the_codec(data):
    assert decode([data])[0] == data.decode("utf-8-sig", "replace")


@given(st.lists(st.sampled_from(["a", "ü", "\ufffd", "😀", "\n"])).map("".join), CUTS)
def test_what_is_valid_is_not_counted_as_invalid(text, ends):
    assert decode(cut(text.encode(), ends)) == (text, 0)


@pytest.mark.parametrize(
    "data", [b"\xff", b"a\xc3", b"\xc3a", b"\xe2\x82\n", b"\xed\xa0\x80", b"\xc0\xaf", b"\xef\xbb"]
)
def test_what_is_invalid_is_counted(data):
    text, invalid = decode([data])
    assert invalid == text.count("\ufffd") > 0


@given(DATA, CUTS)
def test_items_do_not_depend_on_the_cuts(data, ends):
    text = data.decode(errors="replace")
    places = [0, *sorted(end % (len(text) + 1) for end in ends), len(text)]
    assert split([text[start:end] for start, end in pairwise(places)]) == split([text])


@given(DATA)
def test_items_hold_the_whole_text(data):
    text = data.decode(errors="replace")
    items = split([text + "\n"])  # so that no blanks are left over
    assert restored(items) == text + "\n"
    assert sum(isinstance(item, Newline) for item in items) == text.count("\n") + 1


def is_prose(text: str) -> bool:
    return bool(text.strip(" \t\r\f\v")) and not text.startswith(ESCAPE)


@given(DATA)
def test_items_are_bounded_words(data):
    items = split([data.decode(errors="replace") + "\n"])
    for before, item in zip([Newline(), *items], items, strict=False):
        assert isinstance(item, Word | Newline)
        assert len(item.before) <= LONGEST
        if isinstance(item, Word):
            assert 0 < len(item.text) <= LONGEST
            assert re.fullmatch(r"[^ \t\r\f\v\n\x1b]+|[ \t\r\f\v]+|\x1b[^\n]*", item.text)
            follows = isinstance(before, Word) and not item.before and is_prose(before.text)
            assert item.continues == (follows and is_prose(item.text))


@pytest.mark.parametrize(
    "sequence",
    ["\x1b[0m", "\x1b[1;38;5;208m", "\x1b[K", "\x1b(B", "\x1bM", "\x1b]0;a title\a"],
)
def test_what_a_terminal_obeys_is_a_word_of_its_own(sequence):
    for text in (f"{sequence}Hello {sequence}you", f"a{sequence}b"):
        words = [word for word in re.split(f"({re.escape(sequence)})| ", text) if word]
        for texts in ([text], [*text]):
            found = split(texts)
            assert restored(found) == text
            assert [(item.text, item.continues) for item in found if isinstance(item, Word)] == [
                (word, False) for word in words
            ]


def test_a_word_waits_for_its_end():
    splitter = WordSplitter()
    assert list(splitter.feed(" Hel")) == []
    assert splitter.pending()
    assert list(splitter.feed("lo ")) == [Word("Hello", " ")]
    assert not splitter.pending()


def test_a_word_that_goes_on_after_a_pause_continues():
    splitter = WordSplitter()
    assert list(splitter.feed("Hel")) == []
    assert list(splitter.flush()) == [Word("Hel")]
    assert list(splitter.feed("lo you\n")) == [Word("lo", "", True), Word("you", " "), Newline()]
    assert list(splitter.feed("x\n")) == [Word("x"), Newline()]


def test_blanks_before_a_pause_are_kept():
    splitter = WordSplitter()
    assert list(splitter.feed("a  ")) == [Word("a")]
    assert list(splitter.flush()) == []
    assert list(splitter.feed("b\n")) == [Word("b", "  "), Newline()]


def test_crlf_is_a_line_end_with_a_blank_before():
    assert split(["a\r\n\r\n"]) == [Word("a"), Newline("\r"), Newline("\r")]
