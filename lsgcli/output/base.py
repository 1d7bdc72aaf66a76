"""What the pipelines ask of a writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.core.steps import Event


@dataclass(slots=True)
class SpokenWord:
    """A committed word of what was said, or of its translation."""

    text: str
    spaced: bool  # a space stands before it
    tokens: tuple[int, ...]
    delay: float  # milliseconds of the stream that had been heard when it was committed
    elapsed: float  # seconds from the first input until then
    start: float = 0.0  # when it was spoken, seconds of the stream; for writers that are timed
    end: float = 0.0
    probability: float | None = None  # of its tokens, given the words before and all its audio


@dataclass(slots=True)
class SpokenLine:
    """A sentence, or what was said up to a pause."""

    number: int  # from 1
    words: list[SpokenWord] = field(default_factory=list)
    no_speech: float | None = None  # the model's probability that nothing was said

    @property
    def text(self) -> str:
        """The words as they are written."""
        return joined(self.words)


def joined(words: Sequence[SpokenWord]) -> str:
    """Words as they are written, without a space before the first."""
    return "".join((" " if word.spaced and n else "") + word.text for n, word in enumerate(words))


def percentage(probability: float | None) -> str:
    """A probability as people read it.

    >>> percentage(0.934), percentage(None)
    ('93%', '?')
    """
    known = probability is not None and probability == probability
    return f"{probability:.0%}" if known else "?"


class Writer(Protocol):
    """Takes what a pipeline produces, in order."""

    def begin(self, segment: int, before: str, language: str = "") -> None:
        """A segment begins; ``before`` is the whitespace before its first word.

        ``language`` is that of the source, if it was detected.
        """
        ...

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Something happened in the segment, ``elapsed`` seconds after the first input.

        ``read``: how much of the source had been read; see ``session.Observer``.
        """
        ...

    def close(self) -> None:
        """End the output as a text file should end, also after an interruption."""
        ...

    def flush(self) -> None:
        """Hand over what has been committed."""
        ...


class TranslationWriter(Writer, Protocol):
    """Takes a translation of text, whose whitespace, line ends and copied passages stay."""

    def end(self, elapsed: float) -> None:
        """The segment is finished."""
        ...

    def verbatim(self, text: str, elapsed: float) -> None:
        """A passage is copied, with its whitespace."""
        ...

    def end_line(self, text: str) -> None:
        """A line ends with ``text``."""
        ...


class SpeechWriter(Writer, Protocol):
    """Takes what was said, line by line."""

    @property
    def timed(self) -> bool:
        """Whether it needs to know when words were spoken."""
        ...

    @property
    def confident(self) -> bool:
        """Whether it also needs to know how probable they are; it must be timed then."""
        ...

    def recording(self, name: str) -> None:
        """A recording begins; its times start at 0."""
        ...

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """A line is complete; its words have been given as events before."""
        ...
