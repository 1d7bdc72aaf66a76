"""The live pipeline: pieces of input in, committed output out, one model.

What is complete when it is read has nothing to wait for and is translated whole, in batches. What
is still arriving goes through the READ/WRITE loop, word by word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsgcli.core.segment import commit_given, commit_whole, request_whole, translate
from lsgcli.core.session import Session
from lsgcli.core.steps import Arrival, Commit
from lsgcli.text.line.reader import unread
from lsgcli.text.line.translate import Given, Translator
from lsgcli.text.segmenter import EndLine
from lsgcli.text.spans import Copy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lsgcli.core.session import Observer
    from lsgcli.core.steps import Event, Scored
    from lsgcli.output.base import TranslationWriter
    from lsgcli.text.feed import Feed
    from lsgcli.text.line.reader import Reader
    from lsgcli.text.line.translate import Ask, Translated, Way
    from lsgcli.text.segmenter import Piece, Unit

FIRST, BULK = 4, 1024  # segments translated together, at first and at most
FASTER = 4  # times as many in the next batch
LONG = 10.0  # seconds; a batch that takes longer is followed by none that is larger


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
        reader: Reader | None = None,
        preview: bool = False,
    ) -> None:
        """Connect the parts. ``preview`` asks for hypotheses while waiting.

        ``reader`` tells what of complete lines is prose; without one all is.
        """
        self._feed = feed
        self._ways = ways
        self._writer = writer
        self._session = Session(feed, next(iter(ways.values())).backend, writer, observers)
        self._reader = reader
        self._translator = Translator(ways, reader.cutters if reader else {})
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
        """Translate what is complete together; write it, and what is between, in order."""
        parts = list(self._reader(pieces) if self._reader else unread(pieces))
        outputs = self._translator((p for p in parts if not isinstance(p, EndLine)), self._generate)
        for part in parts:
            if isinstance(part, EndLine):
                self._writer.end_line(part.text)
                self._writer.flush()
                continue
            for output in next(outputs):
                if isinstance(output, Copy):
                    self._copy(output.text)
                else:
                    self._commit(output)
        self._writer.flush()

    def _generate(self, asks: Sequence[Ask]) -> Iterator[Scored]:
        """Ask the models, those of a language as one batch; give replies in their order."""
        replies: dict[str, Iterator[Scored]] = {}
        for language in {ask.language: None for ask in asks}:
            backend = self._ways[language].backend
            words = [ask.words for ask in asks if ask.language == language]
            replies[language] = backend.scored([request_whole(w, backend.lexicon) for w in words])
        return (next(replies[ask.language]) for ask in asks)

    def _way(self, unit: Unit) -> Way:
        return self._ways[unit.language]

    def _commit(self, done: Translated | Given) -> None:
        """Commit the translation of a whole sentence."""
        source = done.sentence.source
        self._begin(done.sentence.before, done.sentence.language, streamed=False)
        self._session.read = len(source)
        for event in self._events(done, source):
            self._session.observe(event)
        self._end()

    def _events(self, done: Translated | Given, source: tuple[str, ...]) -> Iterator[Event]:
        if isinstance(done, Given):
            yield from commit_given(source, done.text, done.reason, done.logp)
            return
        lexicon = self._ways[done.sentence.language].backend.lexicon
        for event in commit_whole(source, done.written.tokens, lexicon, done.written.logp):
            if isinstance(event, Commit):
                event = replace(event, text=done.text(event.text))
            yield event

    def _stream(self, unit: Unit) -> None:
        """Translate the segment that is arriving, of which ``unit`` is the first."""
        self._begin(unit.before, unit.language, streamed=True)
        way = self._way(unit)
        self._session.backend = way.backend
        steps = translate(way.policy, way.backend.lexicon, preview=self._preview, floor=way.floor)
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

    def _begin(self, before: str, language: str, *, streamed: bool) -> None:
        self._segments += 1
        self._session.read = 0
        self._writer.begin(self._segments, before, language)
        for observer in self._session.observers:
            observer.begin(streamed, 0)

    def _end(self) -> None:
        self._writer.end(self._session.elapsed())
        for observer in self._session.observers:
            observer.end(self._session.read)

    def _copy(self, text: str) -> None:
        self._writer.verbatim(text, self._session.elapsed())
        for observer in self._session.observers:
            observer.verbatim(text)


def _texts(units: Iterable[Unit]) -> tuple[str, ...]:
    return tuple(unit.text for unit in units)
