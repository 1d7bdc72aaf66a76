"""Lines with times: SubRip, WebVTT, tab-separated values.

A cue is at most two lines of a television's subtitles, and stands at most seven seconds, as most
broadcasters ask for; a longer line becomes several cues.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.output.base import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.engine.steps import Event
    from lsgcli.output.base import SpokenLine, SpokenWord
    from lsgcli.output.descriptor import Output

CUE_CHARACTERS, CUE_SECONDS = 84, 7.0


class _TimedWriter:
    """Writes whole lines; what is committed before a line ends is not shown."""

    timed = True

    def __init__(self, output: Output) -> None:
        """Write to ``output``."""
        self._output = output

    def recording(self, name: str) -> None:
        """There is only one."""

    def begin(self, segment: int, before: str, language: str = "") -> None:
        """Nothing is written at the beginning of a segment."""

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Nothing is written before the line is complete."""

    def close(self) -> None:
        """Hand over what there is."""
        self.flush()

    def flush(self) -> None:
        """Hand over what has been committed."""
        self._output.flush()


class SrtWriter(_TimedWriter):
    """SubRip."""

    def __init__(self, output: Output) -> None:
        """Write to ``output``."""
        super().__init__(output)
        self._cues = 0

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Write the line's cues."""
        for words in cues(line.words):
            self._cues += 1
            span = f"{timestamp(words[0].start, ',')} --> {timestamp(words[-1].end, ',')}"
            self._output.write(f"{self._cues}\n{span}\n{joined(words)}\n\n")
        self.flush()


class VttWriter(_TimedWriter):
    """WebVTT, with the time of each word inside its cue."""

    def __init__(self, output: Output) -> None:
        """Write the header."""
        super().__init__(output)
        output.write("WEBVTT\n\n")

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Write the line's cues."""
        for words in cues(line.words):
            text, last = "", words[0].start
            for n, word in enumerate(words):
                text += " " if word.spaced and n else ""
                if word.start > last:  # times must grow, and lie inside the cue
                    text, last = f"{text}<{timestamp(word.start)}>", word.start
                text += word.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            span = f"{timestamp(words[0].start)} --> {timestamp(words[-1].end)}"
            self._output.write(f"{span}\n{text}\n\n")
        self.flush()


class TsvWriter(_TimedWriter):
    """A row for each word: when it was spoken, and when it was written, in milliseconds."""

    def __init__(self, output: Output) -> None:
        """Write the header."""
        super().__init__(output)
        output.write("start\tend\tdelay\tsegment\tword\n")

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Write the line's words."""
        for word in line.words:
            times = (1000 * word.start, 1000 * word.end, word.delay)
            row = "\t".join(str(round(time)) for time in times)
            self._output.write(f"{row}\t{line.number}\t{word.text}\n")
        self.flush()


def cues(words: Sequence[SpokenWord]) -> Iterator[list[SpokenWord]]:
    """Cut a line into cues."""
    cue: list[SpokenWord] = []
    for word in words:
        if cue:
            long = len(joined([*cue, word])) > CUE_CHARACTERS
            if long or word.end - cue[0].start > CUE_SECONDS:
                yield cue
                cue = []
        cue.append(word)
    if cue:
        yield cue


def timestamp(seconds: float, point: str = ".") -> str:
    """Write a time as subtitles do.

    >>> timestamp(3661.5), timestamp(0.0004, ",")
    ('01:01:01.500', '00:00:00,000')
    """
    milliseconds = round(1000 * seconds)
    whole, part = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{part:03}"
