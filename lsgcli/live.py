"""The live pipeline: pieces of input in, committed output out, one model.

What is complete when it is read has nothing to wait for and is translated whole, in batches. What
is still arriving goes through the READ/WRITE loop, word by word.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lsgcli.engine.segment import commit_whole, request_whole, translate
from lsgcli.engine.steps import Arrival, Commit, Event, Forward, Generate, Receive, Request, Units
from lsgcli.text.mask import Masked, mask
from lsgcli.text.segmenter import EndSegment, Piece, Unit, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lsgcli.backends.base import Backend
    from lsgcli.engine.steps import Steps
    from lsgcli.policy.base import Policy
    from lsgcli.text.feed import Feed
    from lsgcli.writer import Writer

T = TypeVar("T")

BULK = 1024  # segments translated together, at most


class Observer(Protocol):
    """Watches the pipeline, for statistics and explanations."""

    def begin(self, streamed: bool) -> None:
        """A segment begins; it is translated word by word if ``streamed``."""
        ...

    def event(self, event: Event, now: float) -> None:
        """Something happened in the segment."""
        ...

    def end(self) -> None:
        """The segment is finished."""
        ...

    def verbatim(self, text: str) -> None:
        """A passage was copied."""
        ...

    def waited(self, seconds: float, behind: float) -> None:
        """The pipeline waited for input, having been ``behind`` the newest input by so much."""
        ...


@dataclass(frozen=True)
class Copied:
    """A sentence whose placeholders have come through, and its translation."""

    masked: Masked
    tokens: tuple[int, ...]


class Pipeline:
    """Feed → segments → policy loop ↔ backend → writer, with observers beside it."""

    def __init__(
        self,
        feed: Feed,
        policy: Policy,
        backend: Backend,
        writer: Writer,
        observers: tuple[Observer, ...] = (),
        *,
        placeholders: Sequence[str] = (),
        preview: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect the parts.

        ``placeholders`` are words that the model copies; ``preview`` asks for hypotheses while
        waiting.
        """
        self._feed = feed
        self._policy = policy
        self._backend = backend
        self._writer = writer
        self._observers = observers
        self._placeholders = placeholders
        self._preview = preview
        self._clock = clock
        self._segments = 0

    def run(self) -> None:
        """Run until the input ends."""
        while True:
            if pieces := self._feed.complete(BULK):
                self._bulk(pieces)
            elif unit := self._feed.beginning():
                self._stream(unit)
            elif not self._wait(self._feed.waiting):
                return

    def _bulk(self, pieces: list[Piece]) -> None:
        """Translate whole segments as one batch; write them, and what is between, in order."""
        sentences = self._masked(pieces)
        segments = [_texts(units) for units in _segments(sentences)]
        replies = self._generate(segments)
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

    def _masked(self, pieces: list[Piece]) -> list[Piece | Copied]:
        """Translate the sentences that protected words have cut, where placeholders survive."""
        sentences = list(mask(pieces, self._placeholders))
        tries = (each for each in sentences if isinstance(each, Masked))
        replies = self._generate([_texts(each.units) for each in tries])
        result: list[Piece | Copied] = []
        for each in sentences:
            if not isinstance(each, Masked):
                result.append(each)
            elif each.survives(self._backend.lexicon.text(tokens := next(replies))):
                result.append(Copied(each, tokens))
            else:
                result += each.pieces
        return result

    def _generate(self, sources: list[tuple[str, ...]]) -> Iterator[tuple[int, ...]]:
        lexicon = self._backend.lexicon
        return self._backend.generate([request_whole(source, lexicon) for source in sources])

    def _commit(
        self,
        units: Sequence[Unit],
        tokens: tuple[int, ...],
        restore: Callable[[str], str] | None = None,
    ) -> None:
        """Commit the translation of a whole segment."""
        self._begin(units[0], streamed=False)
        for event in commit_whole(_texts(units), tokens, self._backend.lexicon):
            if restore and isinstance(event, Commit):
                event = replace(event, text=restore(event.text))
            elif restore and isinstance(event, Units):
                event = replace(event, units=tuple(map(restore, event.units)))
            self._answer(event)
        self._end()

    def _stream(self, unit: Unit) -> None:
        """Translate the segment that is arriving, of which ``unit`` is the first."""
        self._begin(unit, streamed=True)
        steps = translate(self._policy, self._backend.lexicon, preview=self._preview)
        reply: Any = None
        while (step := _resume(steps, reply)) is not None:
            reply = self._answer(step)
            if isinstance(step, Commit):
                self._writer.flush()
        self._end()

    def _answer(self, step: Request | Event) -> Any:
        if isinstance(step, Receive):
            return self._receive(step.wait)
        if isinstance(step, Forward):
            return self._backend.forward(step.queries)
        if isinstance(step, Generate):
            return next(self._backend.generate([step]))
        now = self._clock()
        self._writer.event(step, self._elapsed(now))
        for observer in self._observers:
            observer.event(step, now)
        return None

    def _receive(self, wait: bool) -> Arrival:
        if wait:
            units, finished = self._wait(lambda: self._feed.units(wait=True))
        else:
            units, finished = self._feed.units(wait=False)
        return Arrival(_texts(units), finished)

    def _wait(self, get: Callable[[], T]) -> T:
        """Wait for input, and tell the observers how long, and how late we were before."""
        self._writer.flush()
        since = self._clock()
        result = get()
        for observer in self._observers:
            observer.waited(self._clock() - since, since - self._feed.arrived)
        return result

    def _begin(self, unit: Unit, *, streamed: bool) -> None:
        self._segments += 1
        self._writer.begin(self._segments, unit.before)
        for observer in self._observers:
            observer.begin(streamed)

    def _end(self) -> None:
        self._writer.end(self._elapsed(self._clock()))
        for observer in self._observers:
            observer.end()

    def _verbatim(self, piece: Verbatim) -> None:
        self._writer.verbatim(piece.text, self._elapsed(self._clock()))
        for observer in self._observers:
            observer.verbatim(piece.text)

    def _elapsed(self, now: float) -> float:
        return now - (self._feed.started or now)


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


def _resume(steps: Steps[None], reply: Any) -> Request | Event | None:
    try:
        return steps.send(reply)
    except StopIteration:
        return None
