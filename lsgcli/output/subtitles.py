"""Lines with times: SubRip, WebVTT, tab-separated values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.output.base import percentage
from lsgcli.output.captions import Layout, captions

if TYPE_CHECKING:
    from lsgcli.core.steps import Event
    from lsgcli.output.base import SpokenLine
    from lsgcli.output.captions import Cue
    from lsgcli.output.descriptor import Output


class _TimedWriter:
    """Writes whole lines; what is committed before a line ends is not shown."""

    timed = True
    confident = False

    def __init__(self, output: Output) -> None:
        """Write to ``output``."""
        self._output = output

    def recording(self, name: str) -> None:
        """Do nothing: there is only one."""

    def begin(self, segment: int, before: str, language: str = "") -> None:
        """Write nothing at the beginning of a segment."""

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Write nothing before the line is complete."""

    def close(self) -> None:
        """Hand over what there is."""
        self.flush()

    def flush(self) -> None:
        """Hand over what has been committed."""
        self._output.flush()


class _CaptionWriter(_TimedWriter):
    """Writes cues."""

    def __init__(self, output: Output, layout: Layout | None = None) -> None:
        """Write to ``output``."""
        super().__init__(output)
        self._layout = layout or Layout()
        self._end = 0.0  # of the newest cue

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Write the line's cues."""
        for cue in captions(line.words, self._layout, self._end):
            self._end = cue.end
            self._cue(cue)
        self.flush()

    def _cue(self, cue: Cue) -> None:
        raise NotImplementedError


class SrtWriter(_CaptionWriter):
    """SubRip."""

    _number = 0

    def _cue(self, cue: Cue) -> None:
        self._number += 1
        span = f"{timestamp(cue.start, ',')} --> {timestamp(cue.end, ',')}"
        self._output.write(f"{self._number}\n{span}\n{cue.text}\n\n")


class VttWriter(_CaptionWriter):
    """WebVTT, with the time of each word inside its cue."""

    def __init__(self, output: Output, layout: Layout | None = None) -> None:
        """Write the header."""
        super().__init__(output, layout)
        output.write("WEBVTT\n\n")

    def _cue(self, cue: Cue) -> None:
        text, last = "", cue.start
        for line in cue.lines:
            text += "\n" if text else ""
            for n, word in enumerate(line):
                text += " " if word.spaced and n else ""
                if last < word.start < cue.end:  # times must grow, and lie inside the cue
                    text, last = f"{text}<{timestamp(word.start)}>", word.start
                text += word.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        span = f"{timestamp(cue.start)} --> {timestamp(cue.end)}"
        self._output.write(f"{span}\n{text}\n\n")


class TsvWriter(_TimedWriter):
    """A row for each word: when it was spoken, and when it was written, in milliseconds.

    With ``confident`` also how probable it is.
    """

    def __init__(self, output: Output, *, confident: bool = False) -> None:
        """Write the header."""
        super().__init__(output)
        self.confident = confident
        output.write("start\tend\tdelay\tsegment\tword" + "\tprobability" * confident + "\n")

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """Write the line's words."""
        for word in line.words:
            times = (1000 * word.start, 1000 * word.end, word.delay)
            row = [*(str(round(time)) for time in times), str(line.number), word.text]
            if self.confident:
                row.append(percentage(word.probability))
            self._output.write("\t".join(row) + "\n")
        self.flush()


def timestamp(seconds: float, point: str = ".") -> str:
    """Write a time as subtitles do.

    >>> timestamp(3661.5), timestamp(0.0004, ",")
    ('01:01:01.500', '00:00:00,000')
    """
    milliseconds = round(1000 * seconds)
    whole, part = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{part:03}"
