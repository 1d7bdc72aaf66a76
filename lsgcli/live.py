"""The live pipeline: pieces of input in, committed output out, one model.

What is complete when it is read has nothing to wait for and is translated whole, in batches. What
is still arriving goes through the READ/WRITE loop, word by word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsgcli.engine.segment import commit_whole, request_whole, translate
from lsgcli.engine.steps import Arrival, Commit, Units
from lsgcli.session import Session
from lsgcli.text.capitals import in_capitals, in_small_letters
from lsgcli.text.code import copy_code
from lsgcli.text.mask import Masked, mask
from lsgcli.text.segmenter import EndSegment, Piece, Unit, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lsgcli.backends.base import Backend
    from lsgcli.output.base import TranslationWriter
    from lsgcli.policy.base import Policy
    from lsgcli.session import Observer
    from lsgcli.text.feed import Feed

FIRST, BULK = 4, 1024  # segments translated together, at first and at most
FASTER = 4  # times as many in the next batch
LONG = 4.0  # seconds; a batch that takes longer is followed by none that is larger


@dataclass(frozen=True)
class Way:
    """How one language is translated.

    ``placeholders`` are words that the model copies, ``capitals``: it can read whole sentences of.
    """

    policy: Policy
    backend: Backend
    placeholders: Sequence[str] = ()
    capitals: bool = True

    def turns(self, units: Sequence[Unit]) -> bool:
        """Whether a complete sentence is shown in small letters, its translation in capitals."""
        return not self.capitals and in_capitals(_texts(units))

    def shown(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """What the model is shown of a complete sentence."""
        return in_small_letters(_texts(units)) if self.turns(units) else _texts(units)


@dataclass
class Batches:
    """How many segments to translate together: few, so that the first come soon, then more.

    The more there are, the less each costs.
    """

    size: int = FIRST

    def done(self, seconds: float) -> None:
        """Note that a batch has taken so long."""
        if seconds < LONG:
            self.size = min(FASTER * self.size, BULK)


@dataclass(frozen=True)
class Copied:
    """A sentence whose placeholders have come through, and its translation."""

    masked: Masked
    tokens: tuple[int, ...]


class Pipeline:
    """Feed → segments → policy loop ↔ backend → writer, with observers beside it.

    ``ways`` has one for each language that the feed tells, or a single one, for ``""``.
    """

    def __init__(
        self,
        feed: Feed,
        ways: Mapping[str, Way],
        writer: TranslationWriter,
        observers: tuple[Observer, ...] = (),
        *,
        code: bool = True,
        preview: bool = False,
    ) -> None:
        """Connect the parts. ``preview`` asks for hypotheses while waiting.

        Lines of program ``code`` that are complete are translated too, or else copied.
        """
        self._feed = feed
        self._ways = ways
        self._writer = writer
        self._session = Session(feed, next(iter(ways.values())).backend, writer, observers)
        self._placeholders = min((way.placeholders for way in ways.values()), key=len)
        self._code = code
        self._preview = preview
        self._segments = 0

    def run(self) -> None:
        """Run until the input ends."""
        while self._session.wait(self._feed.waiting):
            self._translate()

    def _translate(self) -> None:
        """Translate all that is there."""
        batches = Batches()
        while True:
            if pieces := self._feed.complete(batches.size):
                since = self._session.elapsed()
                self._bulk(pieces)
                batches.done(self._session.elapsed() - since)
            elif unit := self._feed.beginning():
                self._stream(unit)
            else:
                return

    def _bulk(self, pieces: list[Piece]) -> None:
        """Translate whole segments as one batch; write them, and what is between, in order."""
        sentences = self._masked(pieces)
        replies = self._generate(list(_segments(sentences)))
        units: list[Unit] = []
        for piece in sentences:
            if isinstance(piece, Unit):
                units.append(piece)
            elif isinstance(piece, EndSegment):
                self._commit(units, next(replies))
                units = []
            elif isinstance(piece, Copied):
                self._commit(piece.masked.units, piece.tokens, piece.masked.restore)
            elif isinstance(piece, Verbatim):
                self._verbatim(piece)
            else:
                self._writer.end_line(piece.text)
                self._writer.flush()
        self._writer.flush()

    def _masked(self, pieces: list[Piece]) -> list[Piece | Copied]:
        """Translate the sentences that protected words have cut, where placeholders survive."""
        sentences = list(mask(pieces if self._code else copy_code(pieces), self._placeholders))
        tries = (each for each in sentences if isinstance(each, Masked))
        replies = self._generate([each.units for each in tries])
        result: list[Piece | Copied] = []
        for each in sentences:
            if not isinstance(each, Masked):
                result.append(each)
                continue
            tokens, lexicon = next(replies), self._way(each.units[0]).backend.lexicon
            if each.survives(lexicon.text(tokens)):
                result.append(Copied(each, tokens))
            else:
                result += each.pieces
        return result

    def _generate(self, segments: Sequence[Sequence[Unit]]) -> Iterator[tuple[int, ...]]:
        """Translate segments, those of a language as one batch; give them in their order."""
        replies: dict[str, Iterator[tuple[int, ...]]] = {}
        for language in {units[0].language: None for units in segments}:
            way = self._ways[language]
            replies[language] = way.backend.generate(
                [
                    request_whole(way.shown(units), way.backend.lexicon)
                    for units in segments
                    if units[0].language == language
                ]
            )
        return (next(replies[units[0].language]) for units in segments)

    def _way(self, unit: Unit) -> Way:
        return self._ways[unit.language]

    def _commit(
        self,
        units: Sequence[Unit],
        tokens: tuple[int, ...],
        restore: Callable[[str], str] | None = None,
    ) -> None:
        """Commit the translation of a whole segment."""
        self._begin(units[0], streamed=False)
        self._session.read = len(units)
        way = self._way(units[0])
        turned = way.turns(units)
        for event in commit_whole(_texts(units), tokens, way.backend.lexicon):
            if turned and isinstance(event, Commit):
                event = replace(event, text=event.text.upper())
            if restore and isinstance(event, Commit):
                event = replace(event, text=restore(event.text))
            elif restore and isinstance(event, Units):
                event = replace(event, units=tuple(map(restore, map(str, event.units))))
            self._session.observe(event)
        self._end()

    def _stream(self, unit: Unit) -> None:
        """Translate the segment that is arriving, of which ``unit`` is the first."""
        self._begin(unit, streamed=True)
        way = self._way(unit)
        self._session.backend = way.backend
        steps = translate(way.policy, way.backend.lexicon, preview=self._preview)
        for event in self._session.run(steps, self._receive):
            if isinstance(event, Commit):
                self._writer.flush()
        self._end()

    def _receive(self, wait: bool) -> Arrival:
        if wait:
            units, finished = self._session.wait(lambda: self._feed.units(wait=True))
        else:
            units, finished = self._feed.units(wait=False)
        self._session.read += len(units)
        return Arrival(_texts(units), finished)

    def _begin(self, unit: Unit, *, streamed: bool) -> None:
        self._segments += 1
        self._session.read = 0
        self._writer.begin(self._segments, unit.before, unit.language)
        for observer in self._session.observers:
            observer.begin(streamed, 0)

    def _end(self) -> None:
        self._writer.end(self._session.elapsed())
        for observer in self._session.observers:
            observer.end(self._session.read)

    def _verbatim(self, piece: Verbatim) -> None:
        self._writer.verbatim(piece.text, self._session.elapsed())
        for observer in self._session.observers:
            observer.verbatim(piece.text)


def _segments(pieces: Iterable[Piece | Copied]) -> Iterator[list[Unit]]:
    units: list[Unit] = []
    for piece in pieces:
        if isinstance(piece, Unit):
            units.append(piece)
        elif isinstance(piece, EndSegment):
            yield units
            units = []


def _texts(units: Iterable[Unit]) -> tuple[str, ...]:
    return tuple(unit.text for unit in units)
