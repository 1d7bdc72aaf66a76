"""Classifies lines, and finds the prose in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.text.spans import Copy, Prose, Span
from lsgcli.text.structure import fields, tables
from lsgcli.text.structure.code import is_code
from lsgcli.text.structure.headers import header_end, quoted
from lsgcli.text.structure.markup import Fences, Html, Markdown
from lsgcli.text.structure.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lsgcli.text.items import Finder
    from lsgcli.text.structure.kinds import Kind


WHOLE = {"csv", "tsv", "html", "srt", "json"}  # kinds of input whose lines are waited for


class Planner:
    """Divides lines into spans. It knows the lines before, and never looks ahead.

    So the result for a line does not depend on how the input arrived.
    """

    def __init__(self, find: Finder, kind: Kind = "auto", names: Sequence[str] = ()) -> None:
        """Start at the beginning of an input; ``names`` are fields of JSON that are prose."""
        self._find = find
        self._kind = kind
        self._names = names
        self._programs = Programs()
        self._fences = Fences()
        self._markdown = Markdown()
        self._html = Html()
        self._table = False  # the line before was a row of columns
        self._delimiter = ""  # of the row of CSV before
        self._note = False  # inside a note of WebVTT

    def __call__(self, line: str) -> Iterable[Span]:
        """Return the spans of a line that is not blank; joined they are the line."""
        plans: dict[Kind, Callable[[str], Iterable[Span]]] = {
            "auto": self._auto,
            "log": self._log,
            "prose": self._prose,
            "csv": self._csv,
            "tsv": lambda line: tables.row(line, "\t"),
            "md": self._as_markdown,
            "html": self._html,
            "srt": self._subtitle,
            "json": self._json,
        }
        return plans[self._kind](line)

    def blank(self) -> None:
        """Note a blank line."""
        self._table, self._delimiter, self._note = False, "", False
        self._markdown("")
        self._programs("")

    def _auto(self, line: str) -> Iterable[Span]:
        if self._fences(line):
            return [Copy(line)]
        if self._html.inside() or self._html.opens(line):
            return self._html(line)
        return self._log(line)

    def _log(self, line: str) -> Iterable[Span]:
        """Return the spans of a program's output, or of prose."""
        table, self._table = self._table, False
        before, self._delimiter = self._delimiter, ""
        if fields.is_json(line) or (fields.is_fragment(line) and not line.rstrip().endswith(".")):
            return self._json(line)
        if (spans := self._programs(line)) is not None:
            return [each for span in spans for each in self._opened(span)]
        if tables.is_row(line):
            return tables.bars(line)
        if (row := tables.columns(line, inside=table)) is not None:
            self._table = True
            return row
        if self._find_delimiter(line, before):
            return tables.row(line, self._delimiter)
        return self._message(line)

    def _find_delimiter(self, line: str, before: str) -> bool:
        if "," in line or ";" in line:
            self._delimiter = tables.delimiter(line, before=before)
        return bool(self._delimiter)

    def _opened(self, span: Span) -> Iterable[Span]:
        return [span] if isinstance(span, Copy) else self._message(span.text)

    def _message(self, line: str) -> Iterator[Span]:
        """Return the spans of a header and the rest."""
        end = header_end(line, self._find)
        if end:
            yield Copy(line[:end])
        rest = line[end:]
        if not rest:
            return
        if self._names and fields.is_json(rest):
            yield from fields.texts(rest, self._names)
        elif fields.is_json(rest) or is_code(rest):
            yield Copy(rest)
        elif (row := tables.columns(rest, inside=False)) is not None:
            yield from row
        else:
            yield from quoted(rest)

    def _prose(self, line: str) -> Iterable[Span]:
        return [Prose(line)]

    def _csv(self, line: str) -> Iterable[Span]:
        found = tables.delimiter(line, before=self._delimiter)
        self._delimiter = found or self._delimiter or ","
        return tables.row(line, self._delimiter)

    def _as_markdown(self, line: str) -> Iterable[Span]:
        if self._fences(line) or self._markdown(line):
            return [Copy(line)]
        if self._html.inside() or self._html.opens(line):
            return self._html(line)
        return tables.bars(line) if tables.is_row(line) else self._opened(Prose(line))

    def _subtitle(self, line: str) -> Iterable[Span]:
        self._note |= line.startswith(("WEBVTT", "NOTE", "STYLE", "REGION"))
        if self._note or "-->" in line or not any(map(str.isalpha, line)):
            return [Copy(line)]
        return [Prose(line)]

    def _json(self, line: str) -> Iterable[Span]:
        known = self._names and (fields.is_json(line) or fields.is_fragment(line))
        return fields.texts(line, self._names) if known else [Copy(line)]
