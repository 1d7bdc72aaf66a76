"""The Python API: words of a translation or a transcript, as they are committed.

>>> from lsgcli import translate
>>> words = translate("Good morning, my friend.".split(), to="de")
>>> "".join(map(str, words)).strip()
'Guten Morgen, mein Freund.'

Errors are those of ``lsgcli.errors``: ``UsageError`` for what cannot be asked for,
``ModelNotFoundError``, ``ModelError``, ``InputError``. Notes and warnings go to
``logging.getLogger("lsgcli")``.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lsgcli.backends import open_backends, open_speech
from lsgcli.core.backend import Placement
from lsgcli.core.steps import Commit
from lsgcli.errors import InputError, UsageError
from lsgcli.languages import UNSPACED
from lsgcli.models import recogniser
from lsgcli.models.catalog import is_text
from lsgcli.models.directions import Directions
from lsgcli.policy.spec import PolicySettings
from lsgcli.speech import build as speech
from lsgcli.text import build as text
from lsgcli.text.chunks import Chunk
from lsgcli.text.options import TextOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lsgcli.backends.whisper import WhisperBackend
    from lsgcli.core.backend import TextBackend
    from lsgcli.core.steps import Event
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import SpeechManifest
    from lsgcli.output.base import SpokenLine
    from lsgcli.speech.chunks import Samples


@dataclass(frozen=True, slots=True)
class Word:
    """A committed word, which never changes; or a passage that was copied, or a line end.

    ``str(word)`` is its text with the whitespace before it: joined, the words are the output.
    """

    text: str
    before: str  # whitespace
    delay: float  # source read when it was committed: words of the segment, or ms of the stream
    elapsed: float  # seconds since the first input
    segment: int  # from 1

    def __str__(self) -> str:
        return self.before + self.text


class Translator:
    """A text model that is loaded, for any number of streams, one at a time."""

    def __init__(
        self,
        to: str,
        from_: str | None = None,
        model: str | None = None,
        *,
        device: str = "auto",
        compute_type: str = "auto",
        threads: int = 0,
    ) -> None:
        """Load it; the arguments are those of ``lsg translate``.

        Raises ModelNotFoundError, ManifestError, ModelError, UsageError.
        """
        self._directions = Directions(model, from_, to)
        self._backends: Mapping[str, TextBackend] = open_backends(
            self._directions.models, Placement(device, compute_type, threads)
        )

    def __call__(
        self,
        words: Iterable[str],
        policy: str = "lsg",
        *,
        options: TextOptions | None = None,
        **settings: Any,
    ) -> Iterator[Word]:
        """Translate words while they arrive: each is taken when nothing more can be written.

        Args:
            words: of the source; a space is put behind each that ends with no whitespace. A line
                end in one ends the line.
            policy: when to READ and when to WRITE, by its name on the command line.
            options: how text is treated.
            settings: the policy's (``latency="low"``, ``k=3``).

        Raises UsageError.

        """
        if isinstance(words, str | bytes):
            raise UsageError("words are wanted, one by one, not a text: text.split()")
        asked = options or TextOptions()
        asked.check()
        asked.check_characters(self._directions)
        writer = _Collector()
        pipeline = text.build(
            self._directions,
            self._backends,
            PolicySettings(policy, **settings),
            asked,
            _Words(words, "" if self._directions.first.source in UNSPACED else " "),
            writer,
        )
        return _drained(pipeline.steps(), writer)


class Recogniser:
    """A speech model that is loaded, for any number of streams, one at a time."""

    def __init__(
        self,
        language: str | None = None,
        model: str | None = None,
        *,
        to: str | None = None,
        device: str = "auto",
        compute_type: str = "auto",
        threads: int = 0,
        prompt: str = "",
        offline: bool = True,
    ) -> None:
        """Load it; the arguments are those of ``lsg asr`` and, with ``to``, of ``lsg st``.

        Raises ModelNotFoundError, ManifestError, ModelError, PullError, UsageError.
        """
        self._model: Model[SpeechManifest] = recogniser.choose(model, language, to, offline=offline)
        placement = Placement(device, compute_type, threads)
        self._backend: WhisperBackend = open_speech(self._model, placement, prompt=prompt)
        self._backend.ready()

    def __call__(
        self,
        frames: Iterable[Samples],
        policy: str = "lsg",
        *,
        segment: float = 0.64,
        pause: float | None = None,
        vad: bool = True,
        live: bool = False,
        **settings: Any,
    ) -> Iterator[Word]:
        """Recognise or translate speech while it arrives.

        Args:
            frames: samples of 16 kHz, mono, float32 in [-1, 1], in arrays of shape [n]. They are
                taken by a thread of their own.
            policy: when to READ and when to WRITE, by its name on the command line.
            segment: seconds of a source unit.
            pause: seconds of silence that end an utterance; None is the model's.
            vad: whether what is no speech is skipped.
            live: whether the frames come in their own time, as a microphone's: then several
                segments are read together where recognition is late.
            settings: the policy's (``latency="low"``, ``margin=0.5``).

        Raises UsageError.

        """
        feed = speech.feed(
            self._model, map(_checked, frames), segment=segment, pause=pause, vad=vad, live=live
        )
        writer = _Collector()
        pipeline = speech.pipeline(
            self._model, self._backend, feed, PolicySettings(policy, **settings), writer
        )
        return _drained(pipeline.steps(), writer)


def load_model(
    name: str, *, to: str, from_: str | None = None, **placed: Any
) -> Translator | Recogniser:
    """Load a model by its name or directory, to be used again and again.

    Of a speech model ``to`` is the language that is written, ``from_`` the one that is spoken.
    ``placed``: ``device``, ``compute_type``, ``threads``. Raises as the classes do.
    """
    if is_text(name):
        return Translator(to, from_, name, **placed)
    return Recogniser(from_, name, to=None if to == from_ else to, **placed)


def translate(
    words: Iterable[str],
    to: str,
    *,
    from_: str | None = None,
    model: str | None = None,
    policy: str = "lsg",
    **settings: Any,
) -> Iterator[Word]:
    """Translate words while they arrive; see ``Translator``, which loads the model only once."""
    return Translator(to, from_, model)(words, policy, **settings)


def transcribe(
    frames: Iterable[Samples],
    *,
    language: str | None = None,
    model: str | None = None,
    policy: str = "lsg",
    **settings: Any,
) -> Iterator[Word]:
    """Recognise speech while it arrives; see ``Recogniser``, which loads the model only once."""
    return Recogniser(language, model)(frames, policy, **settings)


def _checked(frame: Samples) -> Samples:
    """Pass samples on. Raises InputError for what is no sound of that form."""
    if frame.ndim == 1 and frame.dtype == np.float32:
        return frame
    raise InputError(
        f"samples must be float32 of shape [n], not {frame.dtype} of shape {list(frame.shape)}; "
        "int16: samples / np.float32(32768)"
    )


class _Words:
    """Words as chunks of input, one by one, with a space behind each that has no whitespace."""

    def __init__(self, words: Iterable[str], space: str) -> None:
        self.ended = False
        self._space = space
        self._words = iter(words)

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Take the next word if there is no time-out; else none has come in that time."""
        if timeout is not None:
            return None
        word = next(self._words, None)
        if word is None:
            self.ended = True
            return None
        spaced = word if word[-1:].isspace() else word + self._space
        return Chunk(spaced.encode("utf-8", "surrogatepass"), time.monotonic())


class _Collector:
    """A writer that keeps what is committed until it is asked for."""

    timed = confident = False

    def __init__(self) -> None:
        self.words: deque[Word] = deque()
        self._before: str | None = None
        self._segment = 0

    def begin(self, segment: int, before: str, language: str = "") -> None:
        self._segment, self._before = segment, before

    def event(self, event: Event, elapsed: float, read: float) -> None:
        if isinstance(event, Commit):
            blank = " " if event.spaced else ""
            before = blank if self._before is None else self._before
            self._before = None
            self._put(event.text, before, read, elapsed)

    def end(self, elapsed: float) -> None:
        pass

    def verbatim(self, text: str, elapsed: float) -> None:
        self._put(text, "", 0.0, elapsed)

    def end_line(self, text: str) -> None:
        self._put(text, "", 0.0, 0.0)

    def recording(self, name: str) -> None:
        pass

    def line(self, line: SpokenLine, elapsed: float) -> None:
        self._put("\n", "", 0.0, elapsed)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _put(self, text: str, before: str, read: float, elapsed: float) -> None:
        if text:
            self.words.append(Word(text, before, read, elapsed, self._segment))


def _drained(steps: Iterator[None], writer: _Collector) -> Iterator[Word]:
    """Give what is written, as soon as it is."""
    for _ in steps:
        while writer.words:
            yield writer.words.popleft()
    yield from writer.words
