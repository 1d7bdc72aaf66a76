"""Committed output, and nothing else, on standard output."""

from __future__ import annotations

import errno
import os
import select
import shutil
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from lsgcli.engine.steps import Action, Commit, Decision, Event, Hypothesis, Units
from lsgcli.errors import OutputError


class ClosedOutputError(Exception):
    """The reader of standard output has gone: time to stop, not an error."""


@dataclass
class Output:
    """A file descriptor that takes UTF-8, at once and whole."""

    descriptor: int = 1
    _buffer: bytearray = field(default_factory=bytearray)

    def write(self, text: str) -> None:
        """Add to what the next ``flush`` writes."""
        self._buffer += text.encode("utf-8", "replace")

    def flush(self) -> None:
        """Write it. Raises ClosedOutputError, or OutputError if it cannot be written.

        Waits in ``select``, not in ``write``: a signal there could leave a part written twice.
        """
        while self._buffer:
            try:
                select.select([], [self.descriptor], [])
                del self._buffer[: os.write(self.descriptor, self._buffer[: select.PIPE_BUF])]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise ClosedOutputError from None
            except OSError as error:
                reason = errno.errorcode.get(error.errno or 0, "") + ": " + str(error.strerror)
                raise OutputError(f"cannot write to standard output: {reason}") from error


class Writer(Protocol):
    """Takes what the translation loop produces, in order."""

    def begin(self, segment: int, before: str) -> None:
        """A segment begins; ``before`` are the blanks before its first word."""
        ...

    def event(self, event: Event, elapsed: float) -> None:
        """Something happened in the segment, ``elapsed`` seconds after the first input."""
        ...

    def end(self, elapsed: float) -> None:
        """The segment is finished."""
        ...

    def verbatim(self, text: str, elapsed: float) -> None:
        """A passage is copied, blanks and all."""
        ...

    def end_line(self, text: str) -> None:
        """A line ends with ``text``."""
        ...

    def close(self) -> None:
        """Leave the output as a text file should end, also when interrupted."""
        ...

    def flush(self) -> None:
        """Hand over what has been committed."""
        ...


class TextWriter:
    """Plain text: words, blanks, line ends; every committed word is flushed at once.

    With ``preview`` (a terminal) the hypothesis follows dimmed and is wiped before the next word.
    With ``by_line`` a line is flushed when it ends: something else writes to the same terminal.
    """

    def __init__(self, output: Output, *, preview: bool = False, by_line: bool = False) -> None:
        """Write to ``output``."""
        self._output = output
        self._before: str | None = None  # blanks before the segment's first word, not yet written
        self._begun = False  # the line has
        self._line = ""  # the committed part of it, if there is a preview
        self._preview = preview
        self._by_line = by_line
        self._shown = False

    def begin(self, segment: int, before: str) -> None:
        """Remember the blanks that the segment begins with."""
        self._before = before

    def event(self, event: Event, elapsed: float) -> None:
        """Write a committed word, or show a hypothesis."""
        if isinstance(event, Commit):
            blank = " " if event.spaced else ""
            self._put((blank if self._before is None else self._before) + event.text)
            self._before = None
        elif isinstance(event, Hypothesis) and self._preview:
            self._show(event.text)

    def end(self, elapsed: float) -> None:
        """Nothing is written at the end of a segment."""
        self.flush()

    def verbatim(self, text: str, elapsed: float) -> None:
        """Copy a passage."""
        self._put(text)

    def end_line(self, text: str) -> None:
        """End the line."""
        self._wipe()
        self._output.write(text)
        self._begun, self._line = False, ""

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


class JsonWriter:
    """JSON lines: one object for every READ, every committed word, every finished segment.

    ``index`` counts the segment's source words in ``read`` (the last of ``text``), its target words
    in ``write``; ``delay`` is how many source words had been read. Source words that came without
    a READ decision have the reason ``arrived``, passages that are copied have ``protected``.
    """

    def __init__(self, output: Output) -> None:
        """Write to ``output``."""
        self._output = output
        self._encode = msgspec.json.Encoder().encode
        self._segment = -1
        self._source: list[str] = []
        self._text: list[str] = []
        self._delays: list[int] = []
        self._elapsed: list[float] = []
        self._read: Decision | None = None

    def begin(self, segment: int, before: str) -> None:
        """Start collecting a segment."""
        self._segment = segment
        self._source, self._text, self._delays, self._elapsed = [], [], [], []
        self._read = None

    def event(self, event: Event, elapsed: float) -> None:
        """Write a ``read`` or ``write`` object."""
        if isinstance(event, Decision):
            self._read = event if event.action is Action.READ else None
        elif isinstance(event, Units):
            self._source += event.units
            self._object(
                "read",
                elapsed,
                self._read,
                event.j,
                index=event.j,
                text=" ".join(event.units),
                reason=self._read.reason.value if self._read else "arrived",
            )
            self._read = None
        elif isinstance(event, Commit):
            decision = event.decision
            self._text.append((" " if event.spaced and self._text else "") + event.text)
            self._delays.append(decision.j)
            self._elapsed.append(_ms(elapsed))
            self._object(
                "write",
                elapsed,
                decision,
                decision.j,
                index=decision.i,
                text=event.text,
                reason=decision.reason.value,
            )

    def end(self, elapsed: float) -> None:
        """Write the ``segment`` object, with the field names of SimulEval's instances.log."""
        self._put(
            type="segment",
            segment=self._segment,
            source=" ".join(self._source),
            prediction="".join(self._text),
            delays=self._delays,
            elapsed=self._elapsed,
            source_length=len(self._source),
            elapsed_ms=_ms(elapsed),
        )
        self.flush()

    def verbatim(self, text: str, elapsed: float) -> None:
        """Write a copied passage, as a ``write`` that no policy decided."""
        self._put(
            type="write",
            segment=None,
            index=None,
            text=text.strip(),
            delay=None,
            elapsed_ms=_ms(elapsed),
            reason="protected",
        )

    def end_line(self, text: str) -> None:
        """Line ends are no objects."""
        self.flush()

    def close(self) -> None:
        """Every object is a line already."""
        self.flush()

    def flush(self) -> None:
        """Hand over what has been committed."""
        self._output.flush()

    def _object(
        self, kind: str, elapsed: float, decision: Decision | None, delay: int, **more: Any
    ) -> None:
        evidence = {"max_p": decision.top, "kl": decision.kl} if decision else {}
        self._put(
            type=kind,
            segment=self._segment,
            **more,
            delay=delay,
            elapsed_ms=_ms(elapsed),
            **{k: round(v, 4) for k, v in evidence.items() if v is not None},
        )

    def _put(self, **record: Any) -> None:
        self._output.write(self._encode(record).decode() + "\n")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
