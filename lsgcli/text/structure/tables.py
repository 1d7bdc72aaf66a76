"""Rows of tables: cells of prose are translated one by one, and stay where they are.

Quotation marks, delimiters and whitespace between cells are copied.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from lsgcli.text.spans import Copy, Guard, Prose, Span
from lsgcli.text.structure.words import is_prose

if TYPE_CHECKING:
    from collections.abc import Iterator

GAP = re.compile(r"(?<![.!?:;,\s\[(]) {2,}(?=\S)|(?<=\S)[ ]*\t\s*(?=\S)")
WIDE = re.compile(r"[^\s\[(] {3,}\S|[^\s\[(] {2,}\S.* {2,}\S|\S\t+\S")  # more than a typing error
THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")  # in 1,000,000
BAR = re.compile(r"[|│┃]+")


def columns(line: str, *, inside: bool) -> list[Span] | None:
    """Return the cells of a row with whitespace between columns; None if it is none.

    ``inside``: the line before was one.
    """
    body = line.strip()
    gaps = list(GAP.finditer(body))
    least = 1 if inside or "\t" in body or (WIDE.search(body) and _few(body)) else 2
    if len(gaps) < least:
        return None
    start = line.index(body) if body else 0
    spans: list[Span] = [Copy(line[:start])] if start else []
    end = 0
    for gap in [*gaps, None]:
        last = gap.start() if gap else len(body)
        cell = body[end:last]
        spans.append(Prose(cell) if is_prose(cell) else Copy(cell))
        if gap:
            spans.append(Copy(gap[0]))
            end = gap.end()
    if rest := line[start + len(body) :]:
        spans.append(Copy(rest))
    return spans


def _few(body: str) -> bool:
    """Return whether the first of two cells is a name or a word, so they are no sentence."""
    first = re.split(r" {3,}|\t", body, maxsplit=1)[0]
    return len(first.split()) <= 2


def is_row(line: str) -> bool:
    """Return whether a line has cells between vertical bars."""
    body = line.strip()
    return len(body) > 1 and body[0] in "|│┃" and len(BAR.findall(body)) > 1


def bars(line: str) -> Iterator[Span]:
    """Return the cells between vertical bars."""
    end = 0
    for bar in BAR.finditer(line):
        if line[end : bar.start()]:
            yield _cell(line[end : bar.start()])
        yield Copy(bar[0])
        end = bar.end()
    if end < len(line):
        yield _cell(line[end:])


def _cell(text: str) -> Span:
    return Prose(text) if any(map(str.isalpha, text)) else Copy(text)


def delimiter(line: str, *, before: str = "") -> str:
    """Detect the delimiter of a CSV row; empty if it is probably none.

    ``before``: the delimiter of the row before.
    """
    for sign in ",;":
        fields = split(THOUSANDS.sub("", line), sign)
        if len(fields) < 2 or not _is_valid(THOUSANDS.sub("", line), sign, len(fields)):
            continue
        tight = all(not field[:1].isspace() for field in fields[1:]) and all(map(_closed, fields))
        marked = any(field.startswith('"') for field in fields[1:])
        if tight and (len(fields) > 2 or marked or sign == before):
            return sign
    return ""


def _closed(field: str) -> bool:
    """Return whether each bracket is closed in its field: ``f(a,b,c)`` is no row."""
    return all(field.count(a) == field.count(b) for a, b in ("()", "[]", "{}"))


def split(line: str, sign: str) -> list[str]:
    """Split a row of CSV into its fields, with their quotation marks."""
    fields: list[str] = []
    start = 0
    quoted = False
    for n, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == sign and not quoted:
            fields.append(line[start:n])
            start = n + 1
    return [*fields, line[start:]]


def _is_valid(line: str, sign: str, count: int) -> bool:
    try:
        (row,) = csv.reader([line], delimiter=sign, strict=True)
    except (csv.Error, ValueError):
        return False
    return len(row) == count


def row(line: str, sign: str) -> Iterator[Span]:
    """Return the cells of a row of CSV or TSV."""
    for n, field in enumerate(split(line, sign) if sign != "\t" else line.split(sign)):
        if n:
            yield Copy(sign)
        marked = len(field) > 1 and field[0] == field[-1] == '"'
        text = field[1:-1].replace('""', '"') if marked else field
        if not is_prose(text, 2):
            yield Copy(field)
        elif marked:
            yield Copy('"')
            yield Prose(text, Guard(doubled='"'))
            yield Copy('"')
        else:
            yield Prose(text, Guard(forbidden=sign + '"'))
