"""Protected words inside a sentence that is complete: shown to the model as placeholders.

Cut at every protected word, a sentence becomes fragments that translate badly. Where the manifest
names placeholders that the model copies, the sentence is translated as one, and the protected
words take their placeholders' places, if each has come through exactly once. If not, the sentence
is cut. So what is protected survives whatever the model does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsgcli.text.segmenter import TERMINAL, EndSegment, Piece, Unit, Verbatim
from lsgcli.text.words import ESCAPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PUNCTUATION = ".,;:!?…"
PAIRS = {"(": ")", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“"}


@dataclass(frozen=True)
class Masked:
    """A sentence with placeholders; ``pieces`` are what it was."""

    pieces: tuple[Piece, ...]
    units: tuple[Unit, ...]
    hidden: dict[str, str]  # protected text by placeholder
    unused: tuple[str, ...]  # placeholders

    def survives(self, translation: str) -> bool:
        """Whether every placeholder has come through exactly once, and none was invented."""
        return all(translation.count(placeholder) == 1 for placeholder in self.hidden) and not any(
            placeholder in translation for placeholder in self.unused
        )

    def restore(self, text: str) -> str:
        """Put the protected text back."""
        placeholder = re.compile("|".join(map(re.escape, self.hidden)))
        return placeholder.sub(lambda match: self.hidden[match[0]], text)


def mask(pieces: Iterable[Piece], placeholders: Sequence[str]) -> Iterator[Piece | Masked]:
    """Replace every sentence that a protected word has cut, if there are placeholders enough.

    Give all other pieces as they are, colours inside a sentence behind it.
    """
    run: list[Piece] = []
    for piece in pieces:
        inside = isinstance(piece, Unit) or (run and isinstance(piece, EndSegment | Verbatim))
        if inside:
            run.append(piece)
            if not _ends_sentence(piece):
                continue
        yield from _sentence(run, placeholders)
        if not inside:
            yield piece
        run = []
    yield from _sentence(run, placeholders)


def _sentence(run: list[Piece], placeholders: Sequence[str]) -> Iterator[Piece | Masked]:
    """Give a sentence, and behind it the colours inside it: whole, and no colour leaks."""
    rest: list[Piece] = []
    colours = blanks = ""
    for piece in run:
        if isinstance(piece, Verbatim) and (colour := piece.text.lstrip()).startswith(ESCAPE):
            colours += colour
            blanks += piece.text[: -len(colour)]
            continue
        if isinstance(piece, Unit) and rest and isinstance(rest[-1], EndSegment):
            rest.pop()  # a colour has cut it
        if isinstance(piece, Unit):
            piece, blanks = replace(piece, before=blanks + piece.before), ""
        elif isinstance(piece, Verbatim):
            piece, blanks = Verbatim(blanks + piece.text), ""
        rest.append(piece)
    yield from _masked(rest, placeholders)
    if colours:
        yield Verbatim(blanks + colours)


def _ends_sentence(piece: Piece) -> bool:
    if isinstance(piece, Verbatim):
        return piece.text.endswith(tuple(TERMINAL)) or _is_sign(piece.text)
    return isinstance(piece, EndSegment) and not piece.cut


def _is_sign(text: str) -> bool:
    """Whether a sentence hardly goes on behind it: emoji, the line between columns."""
    return not any(map(str.isalnum, text)) and any(c == "|" or not c.isascii() for c in text)


def _masked(run: list[Piece], placeholders: Sequence[str]) -> Iterator[Piece | Masked]:
    passages = list(_passages(run))
    language = next((piece.language for piece in run if isinstance(piece, Unit)), "")
    if not 0 < sum(isinstance(p, Verbatim) for p in passages) <= len(placeholders):
        yield from run
        return
    left, hidden, units = list(placeholders), dict[str, str](), list[Unit]()
    for passage in passages:
        if isinstance(passage, Verbatim):
            before, opening, core, closing = _parts(passage.text)
            placeholder = left.pop(0)
            hidden[placeholder] = core
            passage = Unit(opening + placeholder + closing, before, language)
        units.append(passage)
    yield Masked(tuple(run), tuple(units), hidden, tuple(left))


def _passages(run: list[Piece]) -> Iterator[Unit | Verbatim]:
    """Give units, and what is copied between them in one piece."""
    copied = ""
    for piece in run:
        if isinstance(piece, Verbatim):
            copied += piece.text
        elif isinstance(piece, Unit):
            if copied:
                yield Verbatim(copied)
            copied = ""
            yield piece
    if copied:
        yield Verbatim(copied)


def _parts(text: str) -> tuple[str, str, str, str]:
    """Give blanks, opening mark, what is hidden, and what closes.

    >>> _parts(" (30 ms),"), _parts(" {0}."), _parts(" f()!")
    ((' ', '(', '30 ms', '),'), (' ', '', '{0}', '.'), (' ', '', 'f()', '!'))
    """
    passage = text.lstrip()
    before, core = text[: len(text) - len(passage)], passage.rstrip(PUNCTUATION)
    if not core:
        return before, "", passage, ""
    closing = passage[len(core) :]
    if len(core) > 2 and PAIRS.get(core[0]) == core[-1]:
        return before, core[0], core[1:-1], core[-1] + closing
    return before, "", core, closing
