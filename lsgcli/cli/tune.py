"""``lsg tune``: thresholds of the policy for a model and a language pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsgcli.cli import options as o
from lsgcli.cli.eval_options import Ray, computing
from lsgcli.log import logger
from lsgcli.policy.levels import LevelName

if TYPE_CHECKING:
    from lsgcli.evaluation.tuning import Point
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest


def tune(
    to: o.To,
    source: Annotated[
        Path,
        typer.Option(
            "--source",
            metavar="FILE",
            help="Development set: sentences, one a line; for a speech model paths of recordings.",
        ),
    ],
    target: Annotated[Path, typer.Option("--target", metavar="FILE", help="Its references.")],
    device: o.Device,
    hearing: o.Hearing,
    from_: o.From = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            "-b",
            min=0,
            metavar="AL",
            help="The latency that may be spent: source words, or milliseconds of speech.",
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="Quality to look for: BLEU, chrF, TER, WER, CER. (default: BLEU; WER of "
            "recognition)",
        ),
    ] = None,
    grid: Annotated[
        str | None,
        typer.Option(
            "--grid",
            metavar="GRID",
            help='Values to try, as in "delta=0.5,1 L=1,3 U=4". What is left out has '
            "values of its own; L and U are those of the model's levels unless one is given.",
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option("--save", metavar="NAME", help="Save the best as a profile, for --profile."),
    ] = None,
    save_default: Annotated[
        LevelName | None,
        typer.Option("--save-default", help="Write the best into the manifest, as this level."),
    ] = None,
    model: o.TextModel = None,
    batch_size: o.BatchSize = 32,
    ray: Ray = None,
    output_format: o.Format = "table",
    color: o.Color = "auto",
) -> None:
    """Find the settings of LSG on a development set.

    Prints the settings that are worth it (no other is as fast and better) and, with --budget, the
    best that keeps to it. What settings have in common is computed once.

    Recordings are run once for every setting, so give a small --grid.

    Example:
      lsg tune --source dev.en --target dev.de --to de --budget 3 --save quick

    """
    from lsgcli.cli.eval_run import bar
    from lsgcli.errors import LsgError, UsageError
    from lsgcli.evaluation import tuning
    from lsgcli.evaluation.sweep import parse_sweep
    from lsgcli.evaluation.tasks import choose
    from lsgcli.metrics.quality import bleu_tokenizer, quality_metric

    if budget is None and (save or save_default):
        raise UsageError("--save and --save-default need --budget: the AL that may be spent")
    if metric:
        quality_metric(metric)
    if grid:
        parse_sweep(grid, "--grid")
    task = choose(model, from_, to, hearing.of)
    hearing.check(task.model, speech=task.source_type == "speech")
    chosen = task.model
    metric = metric or ("WER" if chosen.source == chosen.target else "BLEU")
    sentences = task.load(source, target)
    placement = device.placement(batch_size)
    policies = tuning.grid(
        grid,
        chosen.policy,
        speech=task.source_type == "speech",
        spread=lambda: task.spread(placement, sentences),
    )
    with (
        computing(ray, task, placement, sharing=True) as found,
        bar(len(sentences) * len(policies), color) as advance,
    ):
        points = tuning.measure(
            found.engine,
            sentences,
            policies,
            metric=metric,
            unit=task.unit,
            tokenize=bleu_tokenizer(task.model.target),
            progress=lambda n: advance(f"{len(policies)} settings", n),
        )
    best = tuning.within(points, budget) if budget is not None else None
    _show(tuning.front(points), best, metric, output_format, color)
    if budget is not None and best is None:
        least = min(point.lagging for point in points)
        raise LsgError(f"no setting keeps to AL {budget:g}; the fastest has {least:.2f}")
    if best and save:
        _save(best, save, chosen, metric)
    if best and save_default:
        _save_default(best, save_default, chosen)


def _show(
    front: list[Point], best: Point | None, metric: str, form: o.TableFormat, colour: str
) -> None:
    from lsgcli.cli.tables import show
    from lsgcli.evaluation.report import Table, json_lines
    from lsgcli.policy.spec import KEYS, SETTINGS, values

    has = values(front[0].policy)
    shown = [setting.name for setting in KEYS.values() if setting.name in has]
    columns = [*(SETTINGS[name].key for name in shown), "AL", metric]

    def row(point: Point) -> list[str]:
        given = values(point.policy)
        figures = [f"{point.lagging:.2f}", f"{point.quality:.2f}"]
        return [f"{given[name]:g}" for name in shown] + figures

    chosen = [] if best is None or best in front else [best]
    rows = [row(point) for point in front + chosen]
    if form == "table":
        marked = [[*each, "best" if best and each == row(best) else ""] for each in rows]
        show(Table([*columns, ""], marked, labels=0), colour)
    else:
        records = [dict(zip(columns, map(float, each), strict=True)) for each in rows]
        as_json = form == "json"
        lines = json_lines(records) if as_json else ["\t".join(each) for each in [columns, *rows]]
        print("\n".join(lines))


def _save(best: Point, name: str, model: Model[Manifest], metric: str) -> None:
    from lsgcli.policy import profiles
    from lsgcli.policy.spec import level

    profile = profiles.Profile(
        **level(best.policy).settings(),
        model=model.directory.name,
        direction=model.direction,
        found=f"AL {best.lagging:.2f}, {metric} {best.quality:.2f}",
    )
    file = profiles.save(name, profile)
    logger.info(f"saved as {file}; use it with --profile {name}")


def _save_default(best: Point, name: str, model: Model[Manifest]) -> None:
    from lsgcli.models.manifest import FILE_NAME, save_level
    from lsgcli.policy.spec import level

    save_level(model.directory, model.direction, name, level(best.policy))
    logger.info(f"{name} in {model.directory / FILE_NAME} is now this setting")
