"""The live pipeline for speech: segments of audio in, committed words out.

An utterance is recognised in windows. A window is a segment of the engine: it begins and ends with
the utterance. When it grows long it *scrolls*: the audio of committed words is dropped, up to the
end of a sentence if there is one, else to the longest pause, and their text becomes the context of
the next window. So memory and cost are bounded, and what was committed is neither changed nor
repeated.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

from lsgcli.core.audio import RATE, SpeechSegment, quietest, seconds
from lsgcli.core.backend import Backend
from lsgcli.core.segment import translate
from lsgcli.core.session import Session
from lsgcli.core.steps import (
    Action,
    Arrival,
    Commit,
    Decision,
    Generate,
    Locate,
    Place,
    Query,
    Reason,
)
from lsgcli.output.base import SpokenLine, SpokenWord, joined
from lsgcli.text.segmenter import ends_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.core.session import Observer
    from lsgcli.output.base import SpeechWriter
    from lsgcli.policy.base import Policy
    from lsgcli.speech.feed import SpeechFeed

LONGEST = 24.0  # seconds at which a window ends, if it cannot scroll
TRIES, AGAIN = 2, 1.9  # cuts that are tried, and seconds until others are
TOO_LONG = 1.25  # times the limit: then the likeliest cut is made, whatever the model hears
MISSED = 1.5  # seconds of speech after the last word, from which words are missing
FORGOTTEN = 30.0  # seconds of silence after which the context is dropped


class SpeechBackend(Backend, Protocol):
    """A model that recognises speech."""

    @property
    def language(self) -> str | None:
        """The language that is spoken; None if it has not been detected yet."""
        ...

    @property
    def no_speech(self) -> float:
        """The model's probability that nobody speaks in what it heard last."""
        ...

    def begin(self, context: Sequence[int], *, listen: bool) -> None:
        """Begin a window, of which ``context`` is the text before; see ``WhisperBackend``."""
        ...

    def probabilities(
        self, source: tuple[SpeechSegment, ...], words: Sequence[Sequence[int]]
    ) -> list[float]:
        """Return the probability of each word given all of ``source``; NaN if it is not known."""
        ...

    def locate(self, request: Locate) -> list[Place]:
        """Return where words were spoken: see ``steps.Locate``."""
        ...

    def times(
        self, source: tuple[SpeechSegment, ...], words: Sequence[Sequence[int]]
    ) -> list[tuple[float, float]]:
        """Return start and end of each word, in seconds from the start of ``source``."""
        ...


class Window:
    """What the model is shown at a time: audio, and the words of it that are committed."""

    def __init__(
        self, segments: Sequence[SpeechSegment] = (), words: Sequence[SpokenWord] = ()
    ) -> None:
        """Begin with audio that has been heard, and words of it."""
        self.segments = list(segments)
        self.words = list(words)
        self.carried = len(self.segments)  # segments that the engine has not been given
        self.tried = 0.0  # its length in seconds when it last tried to scroll
        self.ends = False  # the model would end the text here

    @property
    def seconds(self) -> float:
        """How long it is."""
        return seconds(self.segments)


class SpeechPipeline:
    """Feed → windows → policy loop ↔ backend → writer, with observers beside it."""

    def __init__(
        self,
        feed: SpeechFeed,
        policy: Policy,
        backend: SpeechBackend,
        writer: SpeechWriter,
        observers: tuple[Observer, ...] = (),
        *,
        language: str | None = None,
        preview: bool = False,
        first: int = 1,
        scroll: float = 8.0,
        context: int = 64,
    ) -> None:
        """Connect the parts.

        ``language`` is what is written, for the ends of its sentences, if it is not what is spoken;
        ``preview`` asks for hypotheses while waiting; lines are counted from ``first``; ``scroll``
        and ``context`` are the model's (``SpeechManifest``).
        """
        self._feed = feed
        self._policy = policy
        self._backend = backend
        self._writer = writer
        self._session = Session(feed, backend, writer, observers, locate=backend.locate)
        self._language = language
        self._preview = preview
        self._long = scroll
        self._shown = context
        self._line = SpokenLine(first)
        self._window = Window()
        self._context: list[int] = []
        self._finished = False  # the utterance has been heard to its end
        self._end = 0  # where the last utterance ended, in samples

    @property
    def lines(self) -> int:
        """The number of the next line."""
        return self._line.number

    def run(self) -> None:
        """Run until the input ends; what has begun is finished before an error is raised."""
        deque(self.steps(), maxlen=0)

    def steps(self) -> Iterator[None]:
        """Do the same step by step: each hands something to the writer."""
        while self._session.wait(self._feed.waiting):
            yield from self._utterance()

    def _utterance(self) -> Iterator[None]:
        """Recognise an utterance, of which not everything has been heard."""
        start = self._feed.start
        if start - self._end > FORGOTTEN * RATE:
            self._context = []
        self._session.begin(start / RATE * 1000, streamed=True)
        self._hear()
        self._writer.begin(self._line.number, "")
        self._finished, listen, self._window = False, True, Window()
        while not self._finished or self._window.carried:
            self._backend.begin(self._context, listen=listen)
            yield from self._recognise()
            listen = False
        self._end = self._feed.start
        self._end_line()
        yield
        self._session.end(self._end / RATE * 1000)

    def _recognise(self) -> Iterator[None]:
        """Run the engine over a window, until the utterance ends or the window scrolls."""
        window = self._window
        written = [word.tokens for word in window.words]
        steps = translate(
            self._policy, self._backend.lexicon, preview=self._preview, written=written
        )
        for event in self._session.run(steps, self._receive):
            if isinstance(event, Commit):
                self._commit(event)
                yield
            elif isinstance(event, Decision):
                window.ends = event.reason is Reason.END_HELD
                if event.action is Action.READ and self._is_long(window) and self._scroll():
                    return
        unheard = self._unheard()
        self._leave(len(window.words))
        self._window = Window(unheard)
        if unheard:
            self._next_line()

    def _receive(self, wait: bool) -> Arrival:
        window = self._window
        if window.carried:
            units, window.carried = window.segments[-window.carried :], 0
            return Arrival(tuple(units), self._finished)
        if window.seconds >= LONGEST:  # it cannot scroll, so it must end
            return Arrival((), finished=True)
        if wait and window.ends and self._unheard():  # the model has finished this window
            return Arrival((), finished=True)
        room = max(self._long - window.seconds, 0.0)
        if wait:
            units, self._finished = self._session.wait(lambda: self._feed.units(room, wait=True))
        else:
            units, self._finished = self._feed.units(room, wait=False)
        self._hear()
        window.segments += units
        return Arrival(tuple(units), self._finished)

    def _hear(self) -> None:
        self._session.read = self._feed.position / RATE * 1000

    def _commit(self, event: Commit) -> None:
        self._writer.flush()
        spaced = event.spaced or not self._line.words
        word = SpokenWord(
            event.text, spaced, event.tokens, self._session.read, self._session.elapsed()
        )
        if event.spaced or not self._joins(event):
            self._window.words.append(word)
            self._line.words.append(word)
        language = self._language or self._backend.language or "en"
        if ends_sentence([each.text for each in self._line.words], language):
            self._next_line()

    def _joins(self, event: Commit) -> bool:
        """Add punctuation to the word before it; false if it is something else."""
        words = self._line.words
        is_mark = not any(map(str.isalnum, event.text))
        if not words or not is_mark or words[-1] not in self._window.words[-1:]:
            return False
        words[-1].text += event.text
        words[-1].tokens += event.tokens
        return True

    def _next_line(self) -> None:
        self._end_line()
        self._writer.begin(self._line.number, "")

    def _end_line(self) -> None:
        if not self._line.words:
            return
        if self._writer.timed:
            self._time(self._line.words)
        self._line.no_speech = self._backend.no_speech
        self._writer.line(self._line, self._session.elapsed())
        self._line = SpokenLine(self._line.number + 1)

    def _is_long(self, window: Window) -> bool:
        return window.seconds >= max(self._long, window.tried + AGAIN)

    def _scroll(self) -> bool:
        """Drop the audio of committed words; false if that is not possible yet.

        Times of words are estimates, so a cut is tried: from there on the model must hear the words
        that are expected.
        """
        window = self._window
        if len(window.words) < 2:
            return False
        window.tried = window.seconds
        self._time(window.words)
        counts = boundaries(window.words)[:TRIES]
        count = next((each for each in counts if self._is_heard(each)), None)
        if count is None and window.seconds >= TOO_LONG * self._long:
            count = counts[0]
        if count is None:
            self._backend.begin(self._context, listen=False)
            return False
        kept = self._after(count)
        self._leave(count)
        self._window = Window(kept, window.words[count:])
        return True

    def _after(self, count: int) -> list[SpeechSegment]:
        """Return the audio after the first words, from the quietest moment before the next."""
        segments = self._window.segments
        before, after = self._window.words[count - 1 : count + 1]
        first, last = (before.start + before.end) / 2, (after.start + after.end) / 2
        cut = quietest(segments, round(first * RATE), round(last * RATE))
        return [each.after(cut) for each in segments if each.end > cut]

    def _unheard(self) -> list[SpeechSegment]:
        """Return the audio after the last word, if its speech is long enough for a missing word.

        Whisper may end after a sentence and never write what follows a pause.
        """
        window = self._window
        if not window.words or not window.segments:
            return []
        self._time(window.words)
        last = round(window.words[-1].end * RATE)
        if window.segments[-1].spoken - last < MISSED * RATE:
            return []
        cut = quietest(window.segments, last, last + RATE)
        return [each.after(cut) for each in window.segments if each.end > cut]

    def _is_heard(self, count: int) -> bool:
        """Return whether the model hears the other words in the audio after the first ones."""
        words, lexicon = self._window.words, self._backend.lexicon
        context = [*self._context, *(token for word in words[:count] for token in word.tokens)]
        self._backend.begin(self._last(context), listen=False)
        limit = sum(len(word.tokens) for word in words[count:]) + 1
        query = Query(tuple(self._after(count)), ())
        tokens = next(iter(self._backend.generate([Generate(query, limit)])))
        heard, expected = _plain(lexicon.text(tokens)), _plain(joined(words[count:]))
        return f"{heard} ".startswith(f"{expected} ")

    def _leave(self, count: int) -> None:
        """Make the window's first words the context of the next one."""
        left = self._window.words[:count]
        if self._writer.timed:
            self._time(left)
        for word in left:
            self._context += word.tokens
        self._context = self._last(self._context)

    def _last(self, tokens: list[int]) -> list[int]:
        """Return the end of a text that fits into a window's context."""
        return tokens[-self._shown :] if self._shown else []

    def _time(self, words: Sequence[SpokenWord]) -> None:
        """Find out when the window's words were spoken; those of earlier windows are known."""
        window = self._window
        if not window.words or not any(word.end == 0 for word in words):
            return
        source = tuple(window.segments)
        found = self._backend.times(source, [word.tokens for word in window.words])
        for word, (start, end) in zip(window.words, found, strict=True):
            offset = source[0].start / RATE
            word.start, word.end = offset + start, offset + end
        if self._writer.confident:
            tokens = [word.tokens for word in window.words]
            probable = self._backend.probabilities(source, tokens)
            for word, probability in zip(window.words, probable, strict=True):
                word.probability = probability


def boundaries(words: Sequence[SpokenWord]) -> list[int]:
    """Return how many of a window's words may be dropped, the best number first.

    Up to the end of a sentence, the latest first, then up to a pause, the longest first. One word
    at least stays, so that the cut is between two words that are known; only those
    pauses count that come after half of the words.
    """
    counts = range(len(words) - 1, 0, -1)
    ends = [n for n in counts if words[n - 1].text.endswith((".", "?", "!", "…", "。", "？", "！"))]
    half = [n for n in counts if n >= len(words) // 2 and n not in ends]
    return ends + sorted(half, key=lambda n: words[n - 1].end - words[n].start)


def _plain(text: str) -> str:
    """Return a text for comparison: without case and punctuation."""
    kept = "".join(c if c.isalnum() else " " if c.isspace() else "" for c in text.casefold())
    return " ".join(kept.split())
