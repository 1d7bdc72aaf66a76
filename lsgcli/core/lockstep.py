"""Runs many segments at once and batches what they ask of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lsgcli.core.steps import Arrival, Event, Forward, Generate, Locate, Receive, SourceUnit, Steps

if TYPE_CHECKING:
    from lsgcli.core.backend import Backend

Observe = Callable[[int, Event], None]


class Track:
    """A segment under a simulated clock: every READ gives one unit, the last one the end too."""

    def __init__(self, index: int, source: tuple[SourceUnit, ...], steps: Steps[None]) -> None:
        """Begin at the first step."""
        self.index = index
        self._source = source
        self._read = 0
        self._steps = steps
        self.request: Forward | Generate | None = None

    def advance(self, reply: Any, observe: Observe) -> bool:
        """Go on to the next request to the model; false at the end of the segment."""
        try:
            step = self._steps.send(reply)
            while not isinstance(step, Forward | Generate):
                if isinstance(step, Locate):
                    raise NotImplementedError("words of a text have no place in time")
                if isinstance(step, Receive):
                    step = self._steps.send(self._receive(step))
                else:
                    observe(self.index, step)
                    step = self._steps.send(None)
        except StopIteration:
            return False
        self.request = step
        return True

    def _receive(self, request: Receive) -> Arrival:
        if not request.wait:
            return Arrival(finished=not self._source)
        self._read += 1
        unit = self._source[self._read - 1 : self._read]
        return Arrival(unit, finished=self._read >= len(self._source))


def run(
    backend: Backend,
    segments: Iterable[tuple[tuple[SourceUnit, ...], Steps[None]]],
    observe: Observe,
    batch_size: int = 32,
) -> None:
    """Drive segments, given as (source, steps), ``batch_size`` requests of a kind at a time.

    Segments that ask for a generation wait until there is a batch of them. ``observe`` gets each
    event with the number of its segment; those of one segment do not depend on the others, since
    ``Forward``'s replies do not depend on the batch they are made in, and only those decide.
    """
    waiting = (Track(n, source, steps) for n, (source, steps) in enumerate(segments))
    deciding: list[Track] = []
    drafting: list[Track] = []
    while True:
        started = list(_start(waiting, batch_size - len(deciding), observe))
        deciding += [track for track in started if isinstance(track.request, Forward)]
        drafting += [track for track in started if isinstance(track.request, Generate)]
        if not deciding and not drafting:
            return
        moved = _advance(_decide(backend, deciding), observe)
        deciding = [track for track in moved if isinstance(track.request, Forward)]
        drafting += [track for track in moved if isinstance(track.request, Generate)]
        if len(drafting) >= batch_size or not deciding:
            moved = _advance(_draft(backend, drafting), observe)
            deciding += [track for track in moved if isinstance(track.request, Forward)]
            drafting = [track for track in moved if isinstance(track.request, Generate)]


def _start(waiting: Iterator[Track], room: int, observe: Observe) -> Iterator[Track]:
    while room > 0 and (track := next(waiting, None)):
        if track.advance(None, observe):
            room -= 1
            yield track


def _advance(answers: Iterable[tuple[Track, Any]], observe: Observe) -> list[Track]:
    """Give each track its reply; give those that have gone on to another request."""
    return [track for track, reply in list(answers) if track.advance(reply, observe)]


def _decide(backend: Backend, tracks: list[Track]) -> Iterator[tuple[Track, Any]]:
    requests = [track.request for track in tracks if isinstance(track.request, Forward)]
    replies = iter(backend.forward([query for each in requests for query in each.queries]))
    for track, request in zip(tracks, requests, strict=True):
        yield track, [next(replies) for _ in request.queries]


def _draft(backend: Backend, tracks: list[Track]) -> Iterator[tuple[Track, Any]]:
    requests = [track.request for track in tracks if isinstance(track.request, Generate)]
    yield from zip(tracks, backend.generate(requests), strict=True)
