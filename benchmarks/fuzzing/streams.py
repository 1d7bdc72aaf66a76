"""Inputs of streams: lines, bytes, recordings of sound."""

from __future__ import annotations

import os
import struct
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fuzzing import mutated
from lsgcli.core.audio import RATE
from lsgcli.speech.sources.decode import decode
from lsgcli.speech.sources.raw import WIDTHS, Pcm, read_raw
from lsgcli.text.chunks import Chunk
from lsgcli.text.encoding import wide
from lsgcli.text.feed import Feed
from lsgcli.text.items import Finder
from lsgcli.text.line.reader import Reader
from lsgcli.text.line.sentences import Cutter
from lsgcli.text.memory import Memory, of_direction
from lsgcli.text.protect import Protector
from lsgcli.text.segmenter import EndLine, Limits, Line, Piece, Segmenter
from lsgcli.text.structure.planner import Planner
from lsgcli.text.words import ESCAPE

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from benchmarks.fuzzing import Target
    from lsgcli.text.structure.kinds import Kind

UNITS = (
    *(")", "]", "}", "(", "[", "{", '"', "'", "`", "\\", "<", "<b>", "</b>", "<a ", "<!--", "-->"),
    *("[a](b", "*a ", "_", "12 7 ", "1,", "1.", "a1", "a:", ": ", "a/", "a-", "a=", 'a="b c" '),
    *("{0} ", "%s ", "${", "->", ",", '"a b c",', "\t", "   ", "| a b ", "The house is small. "),
    *(
        "THE ",
        "Dr. ",
        "!",
        "é",
        "e\u0301",
        "日本。",
        "😀 ",
        "\x1b[1m",
        "\x1b",
        "\x1b]0;",
        "\0",
        "\r",
    ),
    *('{"a":', '"\\', "2026-11-28 ", "12:", "f(x); ", "C:\\", "--a=", "a@b ", "@@ -1,9 +1,9 @@ "),
    *("\n", "\n", "\n", "ERROR ", "[main] ", "permission denied: ", "\u2028", "\ufeff", "\ud7ff"),
)
KINDS: tuple[Kind, ...] = ("auto", "prose", "log", "csv", "tsv", "md", "html", "srt", "json")
LIMITS = Limits(96, lambda word: 1 + len(word) // 4, "en")


@cache
def _memory() -> Memory:
    return of_direction("en", "de")


def _text(rng: random.Random) -> str:
    """Units of several kinds, few or many of each."""
    kinds = rng.sample(UNITS, rng.randint(1, 8))
    counts = (1, 1, 1, 2, 3, 9, 300)
    return "".join(rng.choice(kinds) * rng.choice(counts) for _ in range(rng.randint(1, 40)))


def lines(rng: random.Random, folder: Path) -> None:
    """What is told apart in a line is the line again, and items are inside their sentence."""
    text = mutated(rng, _text(rng).encode()).decode("utf-8", "replace")
    read = Reader(
        Planner(Finder(), rng.choice(KINDS), ("a", "b.c")), {"": Cutter(Finder(), LIMITS)}
    )
    source = text.split("\n")
    written = ""
    for part in read(map(Line, source)):
        written += getattr(part, "before", "") + part.text
        for item in getattr(part, "items", ()):
            assert 0 <= item.start < item.end <= len(part.text), (item, part)
        if hasattr(part, "items"):
            _memory().split(part.text)
    if not any(sign in text for sign in ('"', "\\")):  # which a format writes in other ways
        expected = "".join(f"{line}\n" for line in source)
        same = sorted(written) == sorted(expected) if ESCAPE in text else written == expected
        assert same, (written, source)  # colours inside a sentence go behind it


class _Cut:
    """Bytes in pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self.ended = False

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Give the next piece."""
        data = next(self._pieces, None)
        self.ended = data is None
        return None if data is None else Chunk(data, 0.0)


def pieces(rng: random.Random, folder: Path) -> None:
    """Bytes that are cut anywhere, valid or not: as many lines come out as went in."""
    data = mutated(rng, _text(rng).encode("utf-8", "replace"))
    if wide(data[:64]):
        data = b"a" + data
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(0, 30)))
    cut = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]
    by_line = rng.random() < 0.5
    segmenter = Segmenter(LIMITS, "line", Protector())
    feed = Feed(_Cut(cut), segmenter, lines=by_line, idle=None, strict=rng.random() < 0.8)
    found: list[Piece] = []
    while feed.waiting():
        found += feed.complete(16)
        if feed.beginning():
            found += feed.units(wait=True)[0]
    ends = sum(isinstance(piece, EndLine | Line) for piece in found)
    text = data.decode("utf-8", "replace")
    assert ends - text.count("\n") in (0, 1), (ends, text)


HEADER = struct.pack(
    "<4sI4s4sIHHIIHH4sI",
    *(b"RIFF", 36 + 3200, b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16, b"data", 3200),
)
FIELDS = ((4, "I"), (16, "I"), (20, "H"), (22, "H"), (24, "I"), (28, "I"), (32, "H"), (34, "H"))
NUMBERS = (0, 1, 2, 3, 7, 8, 127, 255, 999, 1000, 65534, 65535, 768_000, 768_001, 2**31, 2**32 - 1)
MOST = 16 * RATE  # samples that may come of 3,200 bytes: one byte each, at 1,000 Hz


def wav(rng: random.Random, folder: Path) -> None:
    """Headers with other numbers, and with chunks between."""
    data = bytearray(HEADER + np.arange(1600, dtype="<i2").tobytes())
    for _ in range(rng.randint(0, 3)):
        at, kind = rng.choice((*FIELDS, (40, "I")))
        number = rng.choice(NUMBERS) & (0xFFFF if kind == "H" else 0xFFFFFFFF)
        struct.pack_into(f"<{kind}", data, at, number)
    if rng.random() < 0.3:
        name = rng.choice((b"LIST", b"fact", b"junk", b"id3 ", b"data"))
        at = rng.choice((12, 36))
        data[at:at] = name + struct.pack("<I", rng.choice(NUMBERS)) + bytes(rng.choice((0, 4, 17)))
    if rng.random() < 0.3:
        data = bytearray(mutated(rng, bytes(data), 2))
    _hear(rng, folder, bytes(data), decode)


def raw(rng: random.Random, folder: Path) -> None:
    """PCM of any kind and length, with options that are possible or not."""
    rate = rng.choice((999, 1000, 8000, 11025, RATE, 44100, 767_999, 768_000, 768_001))
    pcm = Pcm(rng.choice(sorted(WIDTHS)), rate, rng.choice((1, 2, 3, 64, 64, 65)))
    data = rng.randbytes(rng.randint(0, 3200))
    _hear(rng, folder, data, lambda source: read_raw(source, pcm))


def _hear(
    rng: random.Random, folder: Path, data: bytes, read: Callable[[int], Iterable[np.ndarray]]
) -> None:
    """Read from a file or a pipe: numbers within [-1, 1], and not too many."""
    if piped := rng.random() < 0.5:
        source, write = os.pipe()
        os.write(write, data)
        os.close(write)
    else:
        file = folder / "sound"
        file.write_bytes(data)
        source = os.open(file, os.O_RDONLY)
    try:
        samples = np.concatenate([np.zeros(0, np.float32), *read(source)])
    finally:
        os.close(source)
    assert len(samples) <= MOST, (len(samples), piped)
    assert np.all(np.abs(samples) <= 1)


TARGETS: dict[str, Target] = {"lines": lines, "bytes": pieces, "wav": wav, "raw": raw}
