"""The feed hands out pieces that do not depend on how the bytes came, in real pipes."""

from __future__ import annotations

import os
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from messages import logged

from lsgcli.errors import InputError
from lsgcli.text.chunks import ChunkReader
from lsgcli.text.feed import LONGEST_LINE, Feed
from lsgcli.text.protect import Protector
from lsgcli.text.segmenter import EndLine, EndSegment, Limits, Line, Piece, Segmenter, Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LIMITS = Limits(20, len, "en")


def drain(feed: Feed, pieces: list[Piece] | None = None) -> list[Piece]:
    """Take everything, as the pipeline does; ``pieces`` grows by it."""
    pieces = [] if pieces is None else pieces
    while True:
        if taken := feed.complete(3):
            pieces += taken
        elif feed.beginning():
            finished = False
            while not finished:
                units, finished = feed.units(wait=True)
                assert units or finished
                pieces += units
            pieces.append(EndSegment())
        elif not feed.waiting():
            return pieces


def through_pipe(
    chunks: Iterable[bytes], pause: float = 0.0, pieces: list[Piece] | None = None, **options
) -> list[Piece]:
    """Take everything that comes through a pipe; ``pieces`` grows by it while more is written."""
    pace = options.pop("pace", None)
    out, into = os.pipe()

    def write() -> None:
        for chunk in chunks:
            os.write(into, chunk)
            time.sleep(pause)
        os.close(into)

    writer = threading.Thread(target=write)
    writer.start()
    reader = ChunkReader([out], pace)
    try:
        return drain(Feed(reader, Segmenter(LIMITS, "line", Protector()), **options), pieces)
    finally:
        writer.join()
        close(out, reader)


def close(descriptor: int, reader: ChunkReader) -> None:
    """Close what has been read to its end, so that its thread reads nothing of that number more."""
    while not reader.ended:
        reader.get(1)
    os.close(descriptor)


def plain(pieces: list[Piece]) -> list[Piece]:
    """Without why a segment ended, which one that was arriving does not tell."""
    return [EndSegment() if isinstance(piece, EndSegment) else piece for piece in pieces]


LINES = ["The house is 30 ms old.\n", "\n", "  a=1 Grüße!  \r\n", "x 😀 y\n", "5 6\n", "No end"]
TEXTS = st.lists(st.sampled_from(LINES), min_size=1, max_size=5).map(lambda s: "".join(s).encode())


@settings(max_examples=40)
@given(TEXTS, st.lists(st.integers(0, 80), max_size=8), st.booleans())
def test_pieces_do_not_depend_on_the_chunks(data, ends, bulk):
    places = [0, *sorted(min(end, len(data)) for end in ends), len(data)]
    chunks = [data[a:b] for a, b in pairwise(places)]
    whole = plain(through_pipe([data]))
    assert plain(through_pipe([c for c in chunks if c], bulk=bulk)) == whole
    assert plain(through_pipe([data], pace=0, bulk=False)) == whole


def test_units_come_one_by_one_under_a_simulated_clock():
    out, into = os.pipe()
    os.write(into, b"one two three x=1 four\n")
    os.close(into)
    reader = ChunkReader([out], 0)
    feed = Feed(reader, Segmenter(LIMITS, "line", Protector()), bulk=False)
    assert feed.waiting()
    assert feed.complete(9) == []
    taken = [feed.units(wait=True) for _ in range(3)]
    assert [([u.text for u in units], end) for units, end in taken] == [
        (["one"], False),
        (["two"], False),
        (["three"], True),
    ]
    close(out, reader)


def test_a_line_that_has_only_begun_is_left_for_the_next_time():
    """Else a batch would cut its sentence where the batch happens to end."""
    out, into = os.pipe()
    os.write(into, b"The house x=1 is. A man.\n" * 40 + b"The house x=1 is ")
    reader = ChunkReader([out])
    feed = Feed(reader, Segmenter(LIMITS, "line", Protector()))
    assert feed.waiting()
    taken = feed.complete(121)  # of which the last has only begun
    assert getattr(taken[-1], "text", "") == "\n"
    assert written(taken).count("x=1") == 40
    assert written(feed.complete(1000)).count("x=1") == 1
    os.close(into)
    close(out, reader)


def written(pieces: list[Piece]) -> str:
    return "".join(getattr(piece, "text", "") for piece in pieces)


def test_invalid_input_is_an_error_if_strict_and_a_warning_if_not():
    with logged() as warnings:
        through_pipe([b"a\xff b\xff\n", b"\xff\n"], pause=0.01)
    assert len(warnings) == 1
    with pytest.raises(InputError, match="UTF-8"):
        through_pipe([b"a\xff\n"], strict=True)


def test_what_cannot_be_read_is_an_error():
    descriptor = os.open("/", os.O_RDONLY)
    reader = ChunkReader([descriptor])
    with pytest.raises(InputError, match="directory"):
        drain(Feed(reader, Segmenter(LIMITS)))
    os.close(descriptor)


# ---------------------------------------------------------------- whole lines


def test_a_line_that_is_complete_is_one_piece():
    data = "".join(LINES).encode()
    expected = [Line(line.rstrip("\n")) for line in LINES]
    assert through_pipe([data], lines=True) == expected
    assert through_pipe([data[:30], data[30:]], pause=0.05, lines=True, hold=True) == expected


def test_a_line_that_is_arriving_is_words_and_the_next_one_is_whole_again():
    pieces: list[Piece] = []

    def arriving() -> Iterator[bytes]:
        yield b"The house "
        while not pieces:
            time.sleep(0.001)
        yield b"is old.\nIt is.\n"

    through_pipe(arriving(), pieces=pieces, lines=True)
    assert written(pieces[:5]) == "Thehouseisold."
    assert pieces[-2:] == [EndLine("\n"), Line("It is.")]


def test_a_line_without_an_end_does_not_fill_the_memory():
    pieces = through_pipe([b"a=1 " * (LONGEST_LINE // 4), b"a=2\nIt is.\n"], lines=True, hold=True)
    assert pieces[0] == Verbatim("a=1")
    assert pieces[-1] == Line("It is.")
