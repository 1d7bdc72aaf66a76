"""One stream's pass through the engine: the model answers, the writer writes, observers watch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lsgcli.core.steps import Arrival, Event, Forward, Generate, Locate, Receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lsgcli.core.backend import Backend
    from lsgcli.core.steps import Place, Steps

T = TypeVar("T")


def _nowhere(request: Locate) -> list[Place]:
    raise NotImplementedError("this model does not know where words are")


class Observer(Protocol):
    """Watches a stream, for statistics and explanations.

    ``now`` is the session's clock, in seconds; ``read`` is how much of the source had been read:
    words of the segment, or milliseconds of the stream.
    """

    def begin(self, streamed: bool, now: float, read: float) -> None:
        """A segment begins at ``read``; it is translated while it arrives if ``streamed``."""
        ...

    def event(self, event: Event, now: float, read: float) -> None:
        """Something happened in the segment."""
        ...

    def end(self, now: float, read: float) -> None:
        """The segment is finished, and ends at ``read``."""
        ...

    def verbatim(self, text: str, now: float) -> None:
        """A passage was copied."""
        ...

    def waited(self, seconds: float, behind: float, now: float) -> None:
        """The pipeline waited for input, having been ``behind`` the newest input by so much."""
        ...


class Feed(Protocol):
    """Where the source comes from; its clock."""

    @property
    def started(self) -> float | None:
        """When the first input came (``time.monotonic``)."""
        ...

    @property
    def arrived(self) -> float:
        """When the newest input came that was handed out."""
        ...


class Sink(Protocol):
    """What a session needs of a writer."""

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Something happened in the segment, ``elapsed`` seconds after the first input."""
        ...

    def flush(self) -> None:
        """Hand over what has been committed."""
        ...


class Session:
    """Answers the engine's requests and passes its events on."""

    def __init__(
        self,
        feed: Feed,
        backend: Backend,
        sink: Sink,
        observers: tuple[Observer, ...] = (),
        clock: Callable[[], float] = time.monotonic,
        locate: Callable[[Locate], list[Place]] = _nowhere,
    ) -> None:
        """Connect the parts; ``locate`` answers for a model that knows where words are."""
        self.read = 0.0  # how much of the source has been read, as observers want it
        self._observers = observers
        self._feed = feed
        self.backend = backend  # the model that answers
        self._sink = sink
        self._clock = clock
        self._locate = locate

    def run(self, steps: Steps[None], receive: Callable[[bool], Arrival]) -> Iterator[Event]:
        """Run a segment; give each event when everybody has seen it.

        ``receive`` gives source units, and keeps ``read`` true.
        """
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration:
                return
            reply = None
            if isinstance(step, Receive):
                reply = receive(step.wait)
            elif isinstance(step, Forward):
                reply = self.backend.forward(step.queries)
            elif isinstance(step, Generate):
                reply = next(self.backend.generate([step]))
            elif isinstance(step, Locate):
                reply = self._locate(step)
            else:
                self.observe(step)
                yield step

    def begin(self, read: float, *, streamed: bool) -> None:
        """Tell the observers that a segment begins, with so much of the source read."""
        self.read = read
        now = self._clock()
        for observer in self._observers:
            observer.begin(streamed, now, read)

    def observe(self, event: Event) -> None:
        """Show an event to the writer and the observers."""
        now = self._clock()
        self._sink.event(event, self.elapsed(now), self.read)
        for observer in self._observers:
            observer.event(event, now, self.read)

    def end(self, read: float) -> float:
        """Tell the observers that the segment is finished, and where; return ``elapsed``."""
        now = self._clock()
        for observer in self._observers:
            observer.end(now, read)
        return self.elapsed(now)

    def copied(self, text: str) -> float:
        """Tell the observers of a passage that was copied; return ``elapsed``."""
        now = self._clock()
        for observer in self._observers:
            observer.verbatim(text, now)
        return self.elapsed(now)

    def wait(self, get: Callable[[], T]) -> T:
        """Wait for input, and tell the observers how long, and how late we were before."""
        self._sink.flush()
        since = self._clock()
        result = get()
        now = self._clock()
        for observer in self._observers:
            observer.waited(now - since, since - self._feed.arrived, now)
        return result

    def elapsed(self, now: float | None = None) -> float:
        """Seconds since the first input."""
        now = self._clock() if now is None else now
        return now - (self._feed.started or now)
