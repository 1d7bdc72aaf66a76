"""Plain text, as it is committed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lsgcli.core.steps import Belief, Commit, Event, Hypothesis, Reason
from lsgcli.output.base import percentage

if TYPE_CHECKING:
    from lsgcli.output.base import SpokenLine
    from lsgcli.output.descriptor import Output


DOUBT = "\x1b[2m (?)\x1b[22m"


class TextWriter:
    """Plain text: words, whitespace, line ends; every committed word is flushed at once.

    With ``preview`` (a terminal) the hypothesis follows dimmed and is wiped before the next word,
    and ``(?)`` stays dimmed after a sentence below the floor. With ``confident`` a line of speech
    ends with a tab and the probabilities of its words. With ``by_line`` a line is flushed when it
    ends, since something else writes to the same terminal.
    """

    def __init__(
        self,
        output: Output,
        *,
        preview: bool = False,
        by_line: bool = False,
        confident: bool = False,
    ) -> None:
        """Write to ``output``."""
        self.timed = self.confident = confident
        self._output = output
        self._before: str | None = None  # whitespace before the first word, not yet written
        self._begun = False  # whether something of the line has been written
        self._line = ""  # the committed part of it, if there is a preview
        self._preview = preview
        self._by_line = by_line
        self._shown = False
        self._left = False  # the segment is left in the source language

    def begin(self, segment: int, before: str, language: str = "") -> None:
        """Remember the whitespace that the segment begins with."""
        self._before = before

    def event(self, event: Event, elapsed: float, read: float) -> None:
        """Write a committed word, or show a hypothesis."""
        if isinstance(event, Commit):
            space = " " if event.spaced else ""
            self._put((space if self._before is None else self._before) + event.text)
            self._before = None
            self._left = event.decision.reason is Reason.LEFT
        elif isinstance(event, Belief) and self._preview and event.doubted and not self._left:
            self._put(DOUBT)
        elif isinstance(event, Hypothesis) and self._preview:
            self._show(event.text)

    def end(self, elapsed: float) -> None:
        """Write nothing at the end of a segment."""
        self.flush()

    def verbatim(self, text: str, elapsed: float) -> None:
        """Copy a passage."""
        self._put(text)

    def end_line(self, text: str) -> None:
        """End the line."""
        self._wipe()
        self._output.write(text)
        self._begun, self._line = False, ""

    def recording(self, name: str) -> None:
        """Write nothing at the beginning of a recording."""

    def line(self, line: SpokenLine, elapsed: float) -> None:
        """End the line."""
        known = " ".join(percentage(word.probability) for word in line.words)
        self.end_line(f"\t{known}\n" if self.confident else "\n")
        self.flush()

    def close(self) -> None:
        """End the line that has begun."""
        self._wipe()
        if self._begun:
            self.end_line("\n")
        self.flush()

    def flush(self) -> None:
        """Hand over what has been committed."""
        if not (self._by_line and self._begun):
            self._output.flush()

    def _put(self, text: str) -> None:
        self._wipe()
        self._output.write(text)
        self._begun = True
        if self._preview:
            self._line += text

    def _show(self, text: str) -> None:
        from rich.cells import cell_len, set_cell_size

        self._wipe()
        width = shutil.get_terminal_size().columns
        room = width - cell_len(self._line.expandtabs()) % width - 2
        if text and room > 0:
            shown = " " + set_cell_size(text, min(room, cell_len(text)))
            self._output.write(f"\x1b[2m{shown}\x1b[22m\x1b[{cell_len(shown)}D")
            self._shown = True
        self.flush()

    def _wipe(self) -> None:
        if self._shown:
            self._output.write("\x1b[K")
            self._shown = False
