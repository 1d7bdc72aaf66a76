"""Plots as text, for a terminal or a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.evaluation.curves import Figures
    from lsgcli.evaluation.logs import Instance

WIDTH, HEIGHT = 64, 18  # of the plot itself, in characters
BAR = 60  # the longest bar of a staircase
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SEVERAL = "*"


def curves(figures: Figures) -> Iterator[str]:
    """Plot quality against latency: a letter for every system of a curve."""
    points = [point for curve in figures.curves for point in curve.points]
    levels = [point.quality for curve in figures.offline for point in curve.points]
    x = _Scale([point.latency for point in points], WIDTH)
    y = _Scale([point.quality for point in points] + levels, HEIGHT)
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for level in levels:
        grid[y.cell(level)] = ["╌"] * WIDTH
    for letter, curve in zip(LETTERS, figures.curves, strict=False):
        for point in curve.points:
            row, column = y.cell(point.quality), x.cell(point.latency)
            taken = grid[row][column] not in (" ", "╌", letter)
            grid[row][column] = SEVERAL if taken else letter
    yield figures.quality
    for row in reversed(range(HEIGHT)):
        label = f"{y.value(row):7.2f}" if row % 4 == 0 or row == HEIGHT - 1 else " " * 7
        yield f"{label} ┤{''.join(grid[row])}".rstrip()
    yield " " * 8 + "└" + "─" * WIDTH
    first, middle, last = (f"{x.value(cell):.2f}" for cell in (0, WIDTH // 2, WIDTH - 1))
    yield " " * 9 + first.ljust(WIDTH // 2) + middle.ljust(WIDTH // 2 - len(last)) + last
    yield figures.latency.rjust(WIDTH + 9)
    yield ""
    for letter, curve in zip(LETTERS, figures.curves, strict=False):
        yield f"{letter}  {curve.label}"
    for curve in figures.offline:
        yield f"╌  {curve.label}, {curve.points[0].quality:.2f}"
    if any(SEVERAL in row for row in grid):
        yield f"{SEVERAL}  several"


def staircase(instance: Instance) -> Iterator[str]:
    """Plot a sentence: for each target word the source that was read, and its last unit."""
    from rich.cells import cell_len

    source = instance.source.split() if isinstance(instance.source, str) else []
    speech = instance.source_type == "speech"
    length = max(instance.source_length, *instance.delays, 1)
    width = min(BAR, int(length)) if not speech else BAR
    words = instance.prediction.split()
    pad = max(map(cell_len, words), default=0)
    read = 0.0
    for word, delay in zip(words, instance.delays, strict=True):
        filled = round(width * delay / length)
        bar = "█" * filled + "·" * (width - filled)
        shown = f"{delay / 1000:6.2f} s" if speech else f"{delay:3g}"
        news = "" if speech else " ".join(source[int(read) : int(delay)])
        gap = " " * (pad - cell_len(word))
        yield f"{shown} {bar}  {word}{gap}  {'← ' if news else ''}{news}".rstrip()
        read = delay
    if not words:
        yield "(no hypothesis)"


class _Scale:
    """Maps numbers to cells of a row or column."""

    def __init__(self, values: Sequence[float], cells: int) -> None:
        self._low, high = min(values), max(values)
        self._step = (high - self._low) / (cells - 1) or 1.0

    def cell(self, value: float) -> int:
        return round((value - self._low) / self._step)

    def value(self, cell: int) -> float:
        return self._low + cell * self._step
