"""Time grows with the input, not with its square: every stage, on every kind of hostile line.

Four times the input takes four times as long, sixteen times if a stage is quadratic. What is told
apart here is a third of sixteen, and only where it takes long enough to be measured.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hostile import REPEATED, line

from lsgcli.errors import LsgError
from lsgcli.speech.sources.decode import decode
from lsgcli.text.chunks import _paced
from lsgcli.text.encoding import transcoded
from lsgcli.text.items import Finder
from lsgcli.text.line.mask import form, parts, pieces
from lsgcli.text.line.reader import Reader
from lsgcli.text.line.sentences import Cutter, Sentence
from lsgcli.text.memory import of_direction
from lsgcli.text.protect import Protector
from lsgcli.text.segmenter import Limits, Line, Piece, Segmenter
from lsgcli.text.structure.planner import Planner
from lsgcli.text.words import Utf8, WordSplitter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lsgcli.core.backend import Backend
    from lsgcli.text.structure.kinds import Kind

SIZE, TIMES = 4_000, 4  # characters, and how many times as many
MOST = 9.0  # times as long
MEASURABLE = 0.08  # seconds
TRIES = 3


def consumed(pieces: Iterable[object]) -> None:
    for _ in pieces:
        pass


def grows(stage: Callable[[str], object], kind: str) -> str:
    """Tell how much longer a longer line takes, if that is too much."""
    for _ in range(TRIES):  # a loaded machine may be slow now and then, but not always
        long = took(stage, line(kind, TIMES * SIZE))
        if long < MEASURABLE:
            return ""
        short = took(stage, line(kind, SIZE))
        if long < MOST * short:
            return ""
    return f"{kind}: {short:.3f} s, and {long:.3f} s for {TIMES} times as much"


def took(stage: Callable[[str], object], text: str) -> float:
    since = time.process_time()
    stage(text)
    return time.process_time() - since


@pytest.fixture(scope="module")
def limits(backend: Backend) -> Limits:
    return Limits(96, backend.count, "en")


def reader(limits: Limits, kind: Kind = "auto") -> Reader:
    return Reader(Planner(Finder(), kind, ("a", "b.c")), {"": Cutter(Finder(), limits)})


def sentences(limits: Limits, text: str, kind: Kind = "prose") -> list[Sentence]:
    found = list(reader(limits, kind)([Line(text)]))
    return [part for part in found if isinstance(part, Sentence)]


@pytest.mark.parametrize("kind", ["auto", "md", "html", "json"])
def test_lines(kind, limits):
    slow = [grows(lambda text: sentences(limits, text, kind), each) for each in REPEATED]
    assert not any(slow), "\n".join(filter(None, slow))


def test_sentences_and_their_items(limits):
    placeholders = ("{0}", "{1}", "{2}", "{3}")
    memory = of_direction("en", "de")

    def masked(text: str) -> None:
        for sentence in sentences(limits, text):
            memory.split(sentence.text)
            form(sentence, placeholders, hide_numbers=False)
            form(sentence, placeholders, hide_numbers=True)
            parts(sentence, 4)
            consumed(pieces(sentence))

    slow = [grows(masked, each) for each in REPEATED]
    assert not any(slow), "\n".join(filter(None, slow))


@pytest.mark.parametrize("mode", ["line", "sentence"])
@pytest.mark.parametrize("step", [1, 1 << 16])
def test_words_of_a_line_without_end(step, mode, limits):
    """As they come: in buffers, or character by character."""

    def streamed(text: str) -> None:
        utf8, words = Utf8(), WordSplitter()
        segmenter = Segmenter(limits, mode, Protector())
        found: list[Piece] = []
        data = text.encode()
        for start in range(0, len(data), step):
            for item in words.feed(utf8.feed(data[start : start + step])):
                found += segmenter.feed(item)
        consumed([*words.flush(), *segmenter.end()])
        consumed(reader(limits)(found))

    slow = [grows(streamed, each) for each in REPEATED]
    assert not any(slow), "\n".join(filter(None, slow))


@pytest.mark.parametrize("step", [100, 1 << 16])
def test_bytes(step):
    def read(text: str) -> None:
        data = text.encode() * 20
        cut = [data[start : start + step] for start in range(0, len(data), step)]
        consumed(_paced(cut, 0))
        consumed(transcoded(cut, "utf-16-le"))

    slow = [grows(read, each) for each in REPEATED]
    assert not any(slow), "\n".join(filter(None, slow))


CHUNK = b"LIST" + (1 << 31).to_bytes(4, "little")
HEADS = {
    "a chunk that never ends": b"RIFF\xff\xff\xff\xffWAVE" + CHUNK,
    "nothing but chunks": b"RIFF\xff\xff\xff\xffWAVE" + b"junk\0\0\0\0" * 1000,
    "no audio": b"a" * 4096,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_headers_of_recordings(head, tmp_path: Path):
    def read(text: str) -> None:
        file = tmp_path / "x.wav"
        file.write_bytes(head + head[12:] * (len(text) // 20))
        descriptor = os.open(file, os.O_RDONLY)
        try:
            consumed(decode(file))
        except LsgError:
            pass
        finally:
            os.close(descriptor)

    assert not grows(read, "digits")
