"""Complete lines as the translator sees them: sentences, what is copied, and line ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from lsgcli.text.line.colours import put_back, without
from lsgcli.text.line.sentences import Part, Sentence
from lsgcli.text.segmenter import EndLine, EndSegment, Line, Piece, Unit, Verbatim
from lsgcli.text.spans import Copy, Guard, Prose, Span
from lsgcli.text.words import SPACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lsgcli.text.line.sentences import Cutter


class Structure(Protocol):
    """Divides lines into spans; see ``structure.planner``."""

    def __call__(self, line: str) -> Iterable[Span]:
        """Return the spans of a line that is not blank; joined they are the line."""
        ...

    def blank(self) -> None:
        """Note a blank line."""
        ...


class Reader:
    """Turns pieces of input into parts: whole lines by their kind, others as prose."""

    def __init__(self, structure: Structure, cutters: Mapping[str, Cutter]) -> None:
        """Use a structure, and a cutter for each language."""
        self.cutters = cutters
        self._structure = structure

    def __call__(self, pieces: Iterable[Piece]) -> Iterator[Part | EndLine]:
        """Read pieces, in order."""
        line: list[Piece] = []
        for piece in pieces:
            if isinstance(piece, Line):
                yield from self._line(piece)
            elif isinstance(piece, EndLine):
                yield from _joined(self._words(line))
                yield piece
                line = []
            else:
                line.append(piece)
        yield from _joined(self._words(line))

    def _line(self, line: Line) -> Iterator[Part | EndLine]:
        body = line.text.rstrip(SPACE)
        if body:
            yield from _joined(self._parts(body, line.language))
        else:
            self._structure.blank()
        yield EndLine(line.text[len(body) :] + "\n")

    def _parts(self, text: str, language: str) -> Iterator[Part]:
        plain, colours = without(text)
        cutter = self.cutters.get(language)
        spans = list(self._structure(plain)) if cutter else [Copy(plain)]
        if colours and any(isinstance(span, Prose) and span.guard for span in spans):
            spans = [Copy(plain)]  # the text differs from what it is written as
        yield from put_back(self._cut(spans, cutter), colours)

    def _cut(self, spans: Iterable[Span], cutter: Cutter | None) -> Iterator[Part]:
        for span in spans:
            if isinstance(span, Copy) or not cutter:
                yield Copy(span.text)
            elif span.guard is None:
                yield from cutter(span.text)
            else:
                yield from _guarded(cutter(span.text), span.guard)

    def _words(self, line: list[Piece]) -> Iterator[Part]:
        """Read the complete part of a line that is arriving; the copies before its words stay."""
        first = next((n for n, piece in enumerate(line) if isinstance(piece, Unit)), len(line))
        for piece in line[:first]:
            if isinstance(piece, Verbatim):
                yield Copy(piece.text)
        language = next((piece.language for piece in line[first:] if isinstance(piece, Unit)), "")
        text = "".join(map(_text, line[first:]))
        if text:
            plain, colours = without(text)
            yield from put_back(self.cutters[language](plain), colours)


def unread(pieces: Iterable[Piece]) -> Iterator[Part | EndLine]:
    """Turn segments into parts without a structure: all is prose but what the segmenter copies."""
    units: list[Unit] = []
    for piece in pieces:
        if isinstance(piece, Unit):
            units.append(piece)
        elif isinstance(piece, EndSegment):
            text = "".join(unit.before + unit.text for unit in units).lstrip(SPACE)
            source = tuple(unit.source for unit in units)
            yield Sentence(text, units[0].before, (), units[0].language, units=source)
            units = []
        elif isinstance(piece, EndLine):
            yield piece
        else:
            yield Copy(piece.text)


def _guarded(parts: Iterable[Part], guard: Guard) -> Iterator[Part]:
    for part in parts:
        yield Copy(guard(part.text)) if isinstance(part, Copy) else replace(part, guard=guard)


def _text(piece: Piece) -> str:
    if isinstance(piece, Unit):
        return piece.before + piece.text
    return piece.text if isinstance(piece, Verbatim) else ""


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Join neighbouring copies."""
    copied = ""
    for part in parts:
        if isinstance(part, Copy):
            copied += part.text
            continue
        if copied:
            yield Copy(copied)
        copied = ""
        yield part
    if copied:
        yield Copy(copied)
