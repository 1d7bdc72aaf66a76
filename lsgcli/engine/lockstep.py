"""Runs many segments at once and batches what they ask of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lsgcli.engine.steps import Arrival, Event, Forward, Generate, Receive, Steps

if TYPE_CHECKING:
    from lsgcli.backends.base import Backend

Observe = Callable[[int, Event], None]


class Track:
    """A segment under a simulated clock: every READ gives one unit, the last one the end too."""

    def __init__(self, index: int, source: tuple[str, ...], steps: Steps[None]) -> None:
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
    segments: Iterable[tuple[tuple[str, ...], Steps[None]]],
    observe: Observe,
    batch_size: int = 32,
) -> None:
    """Drive segments, given as (source, steps), at most ``batch_size`` at a time.

    ``observe`` gets each event with the number of its segment. The events of one segment do not
    depend on the others, since a backend's reply does not depend on the batch it is made in.
    """
    waiting = (Track(n, source, steps) for n, (source, steps) in enumerate(segments))
    running = list(_start(waiting, batch_size, observe))
    while running:
        going = []
        for track, reply in _answers(backend, running):
            if track.advance(reply, observe):
                going.append(track)
        running = going + list(_start(waiting, batch_size - len(going), observe))


def _start(waiting: Iterator[Track], room: int, observe: Observe) -> Iterator[Track]:
    while room > 0 and (track := next(waiting, None)):
        if track.advance(None, observe):
            room -= 1
            yield track


def _answers(backend: Backend, tracks: list[Track]) -> Iterator[tuple[Track, Any]]:
    forwards = [(t, t.request) for t in tracks if isinstance(t.request, Forward)]
    drafts = [(t, t.request) for t in tracks if isinstance(t.request, Generate)]
    replies = iter(backend.forward([q for _, request in forwards for q in request.queries]))
    for track, request in forwards:
        yield track, [next(replies) for _ in request.queries]
    tokens = backend.generate([request for _, request in drafts])
    for (track, _), reply in zip(drafts, tokens, strict=True):
        yield track, reply
