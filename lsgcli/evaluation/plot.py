"""Plots as files (PNG, SVG, PDF), by matplotlib, which is imported when one is drawn.

Curves differ in line style and marker as well as in colour, whose lightness differs too, so that
they can be distinguished in print.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

from lsgcli.atomic import replacing
from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lsgcli.evaluation.curves import Curve, Figures, Point
    from lsgcli.evaluation.logs import Instance

SUFFIXES = (".png", ".svg", ".pdf")
# Okabe and Ito's colours for the colour-blind, from dark to light so that greys differ.
COLOURS = (
    "#000000", "#D55E00", "#0072B2", "#CC79A7", "#009E73", "#E69F00", "#56B4E9", "#888888"
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = (
    "-",
    "--",
    "-.",
    (0, (1, 1)),
    (0, (5, 1, 1, 1)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (8, 2)),
    (0, (2, 3)),
)
MARKED = 24  # points up to which each is named
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "lsg",  # the same plot gives the same file
    "svg.fonttype": "none",
}


def check_output(file: Path) -> None:
    """Raise UsageError unless a plot can be drawn in the format that the file's name says."""
    if file.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{file}: a plot's name must end in {', '.join(SUFFIXES)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "a plot in a file needs matplotlib: pip install 'lsg[plot]'; "
            "without --output it is drawn here"
        ) from error


def draw_curves(figures: Figures, file: Path, *, title: str = "") -> None:
    """Draw quality against latency. Raises OutputError if the file cannot be written."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.8), layout="constrained")
        axes = figure.subplots()
        named = sum(len(curve.points) for curve in figures.curves) <= MARKED
        styles = cycle(zip(COLOURS, MARKERS, LINES, strict=True))
        for curve, (colour, marker, line) in zip(figures.curves, styles, strict=False):
            _curve(axes, curve, {"color": colour, "marker": marker, "linestyle": line})
            for point in curve.points if named else ():
                _name(axes, point, colour)
        for curve in figures.offline:
            level = curve.points[0].quality
            axes.axhline(level, color="0.45", linewidth=1, linestyle=":", zorder=1)
            where: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
            text = f"{curve.label} {level:.1f}"
            axes.annotate(
                text, (1, level), xytext=(0, 3), ha="right", color="0.35", fontsize=8, **where
            )
        axes.set_xlabel(figures.latency)
        axes.set_ylabel(figures.quality + (", 95% intervals" if _with_intervals(figures) else ""))
        axes.grid(color="0.9", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.margins(0.07, 0.1)
        if title:
            axes.set_title(title, loc="left", fontsize=10)
        columns = min(3, max(1, len(figures.curves)))
        figure.legend(loc="outside lower center", ncols=columns, frameon=False, handlelength=3.5)
        _save(figure, file)


def draw_staircases(named: Sequence[tuple[str, Instance]], file: Path) -> None:
    """Draw when a sentence's words were read and written, one panel for each system.

    Raises OutputError if the file cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = [max(1, len(instance.delays)) for _, instance in named]
    speech = any(instance.source_type == "speech" for _, instance in named)
    words = 24 if speech else max(int(instance.source_length) for _, instance in named)
    with matplotlib.rc_context(STYLE):
        height = 0.26 * sum(rows) + 0.45 * len(rows) + 1.0
        figure = Figure(figsize=(min(14, 2.2 + 0.42 * max(words, 8)), height), layout="constrained")
        panels = figure.subplots(len(named), 1, squeeze=False, sharex=True,
                                 height_ratios=rows)[:, 0]  # fmt: skip
        for axes, (name, instance) in zip(panels, named, strict=True):
            _staircase(axes, name, instance)
        _source_axis(panels[-1], named[-1][1])
        _save(figure, file)


def _with_intervals(figures: Figures) -> bool:
    return any(point.quality_interval for curve in figures.curves for point in curve.points)


def _curve(axes: Axes, curve: Curve, style: dict[str, Any]) -> None:
    x = [point.latency for point in curve.points]
    y = [point.quality for point in curve.points]
    across = [_half(point.latency, point.latency_interval) for point in curve.points]
    along = [_half(point.quality, point.quality_interval) for point in curve.points]
    axes.errorbar(
        x,
        y,
        xerr=list(zip(*across, strict=True)),
        yerr=list(zip(*along, strict=True)),
        label=curve.label,
        linewidth=1.4,
        markersize=5,
        elinewidth=0.5,
        capsize=2 if any(map(any, along)) else 0,
        **style,
    )


def _half(value: float, interval: Any) -> tuple[float, float]:
    """Return how far an interval extends below and above its value."""
    if interval is None:
        return 0.0, 0.0
    return max(0.0, value - interval.low), max(0.0, interval.high - value)


def _name(axes: Axes, point: Point, colour: str) -> None:
    axes.annotate(point.mark, (point.latency, point.quality), xytext=(4, -10),
                  textcoords="offset points", fontsize=7, color=colour)  # fmt: skip


def _staircase(axes: Axes, name: str, instance: Instance) -> None:
    scale = 1000 if instance.source_type == "speech" else 1
    delays = [delay / scale for delay in instance.delays]
    length = instance.source_length / scale
    for row, delay in enumerate(delays):
        axes.barh(row, delay, height=1, color="0.88", zorder=1)
        axes.barh(row, length - delay, left=delay, height=1, color="0.98", zorder=1)
    x, y = [0.0], [-0.5]
    for row, delay in enumerate(delays):
        x += [delay, delay]
        y += [row - 0.5, row + 0.5]
    axes.plot(x, y, color=COLOURS[2], linewidth=2, solid_joinstyle="miter", zorder=3, clip_on=False)
    axes.set_yticks(range(len(delays)), instance.prediction.split(), fontsize=9)
    axes.set_ylim(max(len(delays), 1) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.set_title(name, loc="left", fontsize=9)
    axes.spines[:].set_visible(False)
    if not delays:
        axes.text(0.5, 0, "no hypothesis", va="center", fontsize=9)


def _source_axis(axes: Axes, instance: Instance) -> None:
    if instance.source_type == "speech" or not isinstance(instance.source, str):
        axes.set_xlabel("source read (s)" if instance.source_type == "speech" else "source words")
        return
    words = instance.source.split()
    axes.set_xticks([n + 0.5 for n in range(len(words))], words, rotation=40, ha="right",
                    rotation_mode="anchor", fontsize=9)  # fmt: skip
    axes.set_xticks(range(len(words) + 1), minor=True)
    axes.set_xlim(0, len(words))
    axes.set_xlabel("source: across is READ, down is WRITE")


def _save(figure: Figure, file: Path) -> None:
    """Write the file whole or not at all."""
    suffix = file.suffix.lower()
    metadata = {".png": None, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[suffix]
    with replacing(file) as out:
        figure.savefig(out, format=suffix[1:], dpi=200, metadata=metadata)
