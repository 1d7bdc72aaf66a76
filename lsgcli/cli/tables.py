"""Tables on standard output: laid out on a terminal, plain aligned text in a pipe."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from lsgcli import terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table as RichTable

    from lsgcli.evaluation.report import Table

GAP = "  "


def show(table: Table, colour: str) -> None:
    """Print a table."""
    if sys.stdout.isatty():
        _lay_out(table, console(colour))
    else:
        print("\n".join([*filter(None, [table.title]), *aligned(table), *table.notes]))


def split(table: Table, room: int) -> list[Table]:
    """Break the columns of numbers into tables that fit into so many characters, each labelled.

    >>> from lsgcli.evaluation.report import Table
    >>> [part.columns for part in split(Table(["system", "AL", "LAAL"], [["a", "1", "2"]]), 12)]
    [['system', 'AL'], ['system', 'LAAL']]
    """
    widths = _widths(table)
    labels = list(range(table.labels))
    taken = sum(widths[: table.labels])
    parts: list[list[int]] = []
    left = 0
    for n in range(table.labels, len(widths)):
        if not parts or left < widths[n] + len(GAP):
            parts.append([])
            left = room - taken - len(GAP) * (table.labels - 1)
        parts[-1].append(n)
        left -= widths[n] + len(GAP)
    return [_columns(table, labels + part) for part in parts]


def aligned(table: Table) -> list[str]:
    """The rows with their columns padded.

    >>> from lsgcli.evaluation.report import Table
    >>> aligned(Table(["system", "AL"], [["wait-3", "12.5"]]))
    ['system    AL', 'wait-3  12.5']
    """
    widths = _widths(table)
    return [_padded(line, widths, table.labels) for line in (table.columns, *table.rows)]


def _widths(table: Table) -> list[int]:
    return [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]


def _columns(table: Table, numbers: Sequence[int]) -> Table:
    rows = [[row[n] for n in numbers] for row in table.rows]
    return replace(table, columns=[table.columns[n] for n in numbers], rows=rows)


def _padded(cells: Sequence[str], widths: Sequence[int], labels: int) -> str:
    padded = (
        cell.ljust(width) if n < labels else cell.rjust(width)
        for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return GAP.join(padded).rstrip()


def console(colour: str, *, stderr: bool = False) -> Console:
    """A Rich console on standard output, or on standard error."""
    from rich.console import Console

    coloured = terminal.coloured(colour, sys.stderr if stderr else sys.stdout)
    return Console(
        stderr=stderr,
        color_system="standard" if coloured else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _lay_out(table: Table, out: Console) -> None:
    if table.title:
        out.print(table.title, style="bold")
    for part in split(table, out.width - len(GAP)):
        out.print(_rich(part))
        out.print()
    for note in table.notes:
        out.print(note, style="dim")


def _rich(table: Table) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable

    found = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for n, column in enumerate(table.columns):
        if n < table.labels:
            found.add_column(column, overflow="fold")
        else:
            found.add_column(column, justify="right", no_wrap=True)
    for row in table.rows:
        found.add_row(*row)
    return found
