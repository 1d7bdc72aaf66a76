"""The live pipeline for text: pieces of input in, committed output out.

What is complete when it is read has nothing to wait for and is translated whole, in batches. What
is still arriving goes through the READ/WRITE loop, word by word.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

from lsgcli.core.pool import Pool
from lsgcli.core.segment import commit_given, commit_whole, request_whole, translate
from lsgcli.core.session import Session
from lsgcli.core.steps import Arrival, Commit
from lsgcli.text.joints import Joints
from lsgcli.text.line.reader import unread
from lsgcli.text.line.translate import Given, Translated, Translator
from lsgcli.text.segmenter import EndLine
from lsgcli.text.spans import Copy

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from lsgcli.core.session import Observer
    from lsgcli.core.steps import Event, Scored
    from lsgcli.output.base import TranslationWriter
    from lsgcli.text.feed import Feed
    from lsgcli.text.line.reader import Reader
    from lsgcli.text.line.translate import Ask, Output, Route, Steps
    from lsgcli.text.segmenter import Piece, Unit

ADDED = 128  # segments that are read before a batch, at most
WINDOW = 4096  # segments that wait for their translation, or for that of one before them
HELD = 1 << 21  # characters in them


class Models:
    """Answers requests for translations, each with the model of its language."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        """Use a route for each language."""
        self._backends = {language: route.backend for language, route in routes.items()}

    @property
    def side_by_side(self) -> int:
        """How many batches the models run at the same time."""
        return max(backend.replicas for backend in self._backends.values())

    def alike(self, question: Ask) -> Hashable:
        """Return what the questions of a batch have in common: language, length, and so on."""
        backend = self._backends[question.language]
        return question.language, backend.alike(request_whole(question.words, backend.lexicon))

    def most(self, question: Ask) -> int:
        """Return the size of a batch."""
        return self._backends[question.language].batch_size

    def ask(self, questions: Sequence[Ask]) -> Iterator[Scored]:
        """Ask the model of the questions' language."""
        backend = self._backends[questions[0].language]
        return backend.scored([request_whole(each.words, backend.lexicon) for each in questions])


class Pipeline:
    """Feed → segments → policy loop ↔ backend → writer, with observers beside it.

    ``routes`` has one for each language that is detected, or a single one, for ``""``.
    """

    def __init__(
        self,
        feed: Feed,
        routes: Mapping[str, Route],
        writer: TranslationWriter,
        observers: tuple[Observer, ...] = (),
        *,
        target: str = "",
        reader: Reader | None = None,
        preview: bool = False,
    ) -> None:
        """Connect the parts. ``preview`` asks for hypotheses while waiting.

        ``target`` is the language that is written. ``reader`` finds the prose in complete lines;
        without one all is prose.
        """
        self._feed = feed
        self._routes = routes
        self._writer = writer
        self._session = Session(feed, next(iter(routes.values())).backend, writer, observers)
        self._joints = Joints(target)
        self._source = next(iter(routes.values())).source  # language of what was translated last
        self._reader = reader
        self._translator = Translator(routes, reader.cutters if reader else {})
        self._pool: Pool[Ask, EndLine | list[Output]] = Pool(Models(routes))
        self._lengths: deque[int] = deque()  # in characters, of what is in the pool
        self._held = 0  # characters of all of it
        self._preview = preview
        self._segments = 0

    def run(self) -> None:
        """Run until the input ends."""
        deque(self.steps(), maxlen=0)

    def steps(self) -> Iterator[None]:
        """Do the same step by step: each step calls the writer."""
        while self._session.wait(self._feed.waiting):
            yield from self._translate()

    def _translate(self) -> Iterator[None]:
        """Translate all that has arrived; batches run while more is read."""
        while True:
            pieces: list[Piece] = []
            if len(self._pool) < WINDOW and self._held < HELD:
                pieces = self._feed.complete(ADDED, wait=not self._pool)
                self._add(pieces)
            self._pool.work()
            self._write()
            yield
            if pieces or self._pool:
                continue
            unit = self._feed.beginning()
            if not unit:
                return
            yield from self._stream(unit)

    def _add(self, pieces: list[Piece]) -> None:
        """Add what is complete to the pool."""
        for part in self._reader(pieces) if self._reader else unread(pieces):
            self._lengths.append(len(part.text))
            self._held += len(part.text)
            self._pool.add(_line_end(part) if isinstance(part, EndLine) else self._translator(part))

    def _write(self) -> None:
        """Write finished sentences, and the copies between them, in order."""
        for outputs in self._pool.finished():
            self._held -= self._lengths.popleft()
            if isinstance(outputs, EndLine):
                self._joints.end_line()
                self._writer.end_line(outputs.text)
                self._writer.flush()
                continue
            for output in outputs:
                if isinstance(output, Copy):
                    self._copy(output.text)
                else:
                    self._commit(output)
        self._writer.flush()

    def _commit(self, done: Translated | Given) -> None:
        """Commit the translation of a whole sentence."""
        sentence = done.sentence
        source = sentence.units or self._routes[sentence.language].units(sentence.text)
        guarded = done.guard is not None if isinstance(done, Translated) else sentence.guard
        self._begin(sentence.before, sentence.language, streamed=False, fixed=bool(guarded))
        self._session.read = len(source)
        for event in self._events(done, source):
            self._observe(event)
        self._end()

    def _events(self, done: Translated | Given, source: tuple[str, ...]) -> Iterator[Event]:
        if isinstance(done, Given):
            yield from commit_given(source, done.text, done.reason, done.logp)
            return
        lexicon = self._routes[done.sentence.language].backend.lexicon
        for event in commit_whole(source, done.written.tokens, lexicon, done.written.logp):
            if isinstance(event, Commit):
                event = replace(event, text=done.text(event.text))
            yield event

    def _stream(self, unit: Unit) -> Iterator[None]:
        """Translate the segment that is arriving, of which ``unit`` is the first."""
        self._begin(unit.before, unit.language, streamed=True)
        route = self._routes[unit.language]
        self._session.backend = route.backend
        steps = translate(
            route.policy, route.backend.lexicon, preview=self._preview, floor=route.floor
        )
        for event in self._session.run(steps, self._receive):
            if isinstance(event, Commit):
                self._joints.wrote(event.text, own=True)
                self._writer.flush()
                yield
        self._end()

    def _observe(self, event: Event) -> None:
        if isinstance(event, Commit):
            self._joints.wrote(event.text, own=True)
        self._session.observe(event)

    def _receive(self, wait: bool) -> Arrival:
        if wait:
            units, finished = self._session.wait(lambda: self._feed.units(wait=True))
        else:
            units, finished = self._feed.units(wait=False)
        self._session.read += len(units)
        return Arrival(_texts(units), finished)

    def _begin(self, before: str, language: str, *, streamed: bool, fixed: bool = False) -> None:
        self._segments += 1
        self._source = self._routes[language].source
        before = self._joints.before(before, self._source, fixed=fixed)
        self._writer.begin(self._segments, before, language)
        self._session.begin(0, streamed=streamed)

    def _end(self) -> None:
        self._writer.end(self._session.end(self._session.read))

    def _copy(self, text: str) -> None:
        text = self._joints.copy(text, self._source)
        self._writer.verbatim(text, self._session.copied(text))


def _line_end(end: EndLine) -> Steps[EndLine]:
    """Ask nothing: a line end only waits for its turn."""
    yield from ()
    return end


def _texts(units: Iterable[Unit]) -> tuple[str, ...]:
    return tuple(unit.source for unit in units)
