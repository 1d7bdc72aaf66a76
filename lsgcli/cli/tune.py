"""``lsg tune``: thresholds of the policy for a model and a language pair."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsgcli import terminal
from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o

if TYPE_CHECKING:
    from lsgcli.evaluation.tuning import Point
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest

GRID = "Grid"
Source = Annotated[
    Path,
    typer.Option(
        "--source",
        metavar="FILE",
        help="Development set: sentences, one a line; for a speech model paths of recordings.",
    ),
]
Target = Annotated[Path, typer.Option("--target", metavar="FILE", help="Its references.")]
Budget = Annotated[
    float | None,
    typer.Option(
        "--latency",
        "-l",
        min=0,
        metavar="AL",
        help="What may be spent: source words, or milliseconds of speech.",
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME",
        help="Quality to look for: BLEU, chrF, TER, WER, CER. (default: BLEU; WER of recognition)",
    ),
]
Grid = Annotated[
    str | None,
    typer.Option(
        "--grid",
        metavar="GRID",
        help='Values to try, as in "delta=0.5,1 alpha=0.6 L=1,3 U=4". What is left out has values '
        "of its own; L and U are the paper's four ranges unless one of them is given.",
    ),
]
Save = Annotated[
    str | None,
    typer.Option("--save", metavar="NAME", help="Save the best as a profile, for --profile."),
]
SaveDefault = Annotated[
    o.Latency | None,
    typer.Option("--save-default", help="Write the best into the manifest, as this level."),
]


def tune(
    source: Source,
    target: Target,
    to: o.To,
    from_: o.From = None,
    latency: Budget = None,
    metric: Metric = None,
    grid: Grid = None,
    save: Save = None,
    save_default: SaveDefault = None,
    model: o.Model = None,
    device: o.DeviceOption = "auto",
    compute_type: o.ComputeType = "auto",
    threads: o.Threads = 0,
    batch_size: o.BatchSize = 32,
    segment_ms: o.SegmentMs = 640,
    pause: o.Pause = None,
    vad: o.Vad = True,
    output_format: e.Format = e.TableFormat.TABLE,
    color: o.ColourOption = o.Colour.AUTO,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Find delta, alpha, L and U on a development set.

    Prints the settings that are worth it (no other is as fast and better) and, with --latency, the
    best that keeps to it. What settings have in common is computed once.

    Recordings are run once for every setting, so give a small --grid.

    Example: lsg tune --source dev.en --target dev.de --to de --latency 3 --save quick
    """
    from lsgcli.cli.eval_run import bar
    from lsgcli.core.backend import Placement
    from lsgcli.errors import LsgError, UsageError
    from lsgcli.evaluation import tuning
    from lsgcli.evaluation.speech_runner import Hearing
    from lsgcli.evaluation.tasks import choose
    from lsgcli.metrics.quality import quality_metric

    if latency is None and (save or save_default):
        raise UsageError("--save and --save-default need --latency: the AL that may be spent")
    if metric:
        quality_metric(metric)
    settings = tuning.grid(grid)
    hearing = partial(Hearing.of, segment=segment_ms / 1000, pause=pause, vad=vad)
    task = choose(model, from_, to, hearing, terminal.note)
    chosen = task.model
    metric = metric or ("WER" if chosen.source == chosen.target else "BLEU")
    sentences = task.load(source, target)
    placement = Placement(device, compute_type, threads, batch_size)
    with bar(len(sentences), color.value, show=not quiet) as advance:
        points = task.tune(
            placement,
            sentences,
            settings,
            metric,
            lambda n: advance(f"{len(settings)} settings", n),
        )
    best = tuning.within(points, latency) if latency is not None else None
    _show(tuning.front(points), best, metric, output_format, color.value)
    if latency is not None and best is None:
        least = min(point.lagging for point in points)
        raise LsgError(f"no setting keeps to AL {latency:g}; the fastest has {least:.2f}")
    if best and save:
        _save(best, save, chosen, metric, quiet)
    if best and save_default:
        _save_default(best, save_default.value, chosen, quiet)


def _show(
    front: list[Point], best: Point | None, metric: str, form: e.TableFormat, colour: str
) -> None:
    from lsgcli.cli.tables import show
    from lsgcli.evaluation.report import Table, json_lines

    columns = ["L", "U", "delta", "alpha", "AL", metric]
    chosen = [] if best is None or best in front else [best]
    rows = [_row(point) for point in front + chosen]
    if form is e.TableFormat.TABLE:
        marked = [[*row, "best" if best and row == _row(best) else ""] for row in rows]
        show(Table([*columns, ""], marked, labels=0), colour)
    else:
        values = [dict(zip(columns, map(float, row), strict=True)) for row in rows]
        as_json = form is e.TableFormat.JSON
        lines = json_lines(values) if as_json else ["\t".join(row) for row in [columns, *rows]]
        print("\n".join(lines))


def _row(point: Point) -> list[str]:
    s = point.setting
    numbers = (s.lower, s.upper, s.delta, s.alpha)
    return [f"{n:g}" for n in numbers] + [f"{point.lagging:.2f}", f"{point.quality:.2f}"]


def _save(best: Point, name: str, model: Model[Manifest], metric: str, quiet: bool) -> None:
    from lsgcli.policy import profiles

    setting = best.setting
    profile = profiles.Profile(
        delta=setting.delta,
        alpha=setting.alpha,
        lower=setting.lower,
        upper=setting.upper,
        model=model.directory.name,
        direction=model.direction,
        found=f"AL {best.lagging:.2f}, {metric} {best.quality:.2f}",
    )
    file = profiles.save(name, profile)
    if not quiet:
        terminal.note(f"saved as {file}; use it with --profile {name}")


def _save_default(best: Point, level: str, model: Model[Manifest], quiet: bool) -> None:
    from lsgcli.models.manifest import FILE_NAME, Level, save_level

    s = best.setting
    found = Level(lower=s.lower, upper=s.upper, delta=s.delta, alpha=s.alpha)
    save_level(model.directory, model.direction, level, found)
    if not quiet:
        terminal.note(f"{level} in {model.directory / FILE_NAME} is now this setting")
