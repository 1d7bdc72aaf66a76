"""``lsg eval plot``: pictures of runs and logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.evaluation.curves import Measured
    from lsgcli.evaluation.logs import Instance
    from lsgcli.evaluation.selection import NamedLog

MOST_PANELS = 6


def plot(
    logs: e.Logs,
    output: Annotated[
        Path | None,
        o.OUTPUT(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to draw: .png, .svg or .pdf. (default: here, in characters)",
        ),
    ] = None,
    latency: Annotated[
        str,
        e.SCORE(
            "--latency-metric",
            metavar="NAME",
            help="AL, LAAL, DAL, …; with _CA or _CA_queue computation-aware.",
        ),
    ] = "AL",
    quality: Annotated[
        str,
        e.SCORE("--quality-metric", metavar="NAME", help="BLEU, chrF, TER, WER, …"),
    ] = "BLEU",
    unit: e.LatencyUnit = None,
    tokenize: e.Tokenize = None,
    confidence: e.Confidence = False,
    title: Annotated[str, o.OUTPUT("--title", metavar="TEXT", help="A title.")] = "",
    example: Annotated[
        int | None,
        e.DATA(
            "--example",
            min=0,
            metavar="N",
            help="When sentence N, from 0, was read and written, instead of scores.",
        ),
    ] = None,
) -> None:
    """Plot quality against latency, a curve for every policy, or --example N: one sentence.

    The directories of lsg eval run give a curve for each of their policies, other logs a point
    each. Without --output the plot is made of characters.
    """
    from lsgcli.evaluation import plot as drawn
    from lsgcli.evaluation.selection import select_logs

    if output:
        drawn.check_output(output)
    selected = select_logs(logs)
    if example is not None:
        sentences = _examples(selected, example, unit)
        if output:
            drawn.draw_staircases(sentences, output)
        else:
            _print_staircases(sentences)
        return

    from lsgcli.errors import InputError
    from lsgcli.evaluation.curves import figures

    scoring = e.Metrics(
        quality, latency.removesuffix("_queue").removesuffix("_CA"), unit, tokenize=tokenize
    )
    found = figures(_measure(selected, scoring, confidence), latency, quality)
    if not found.curves:
        raise InputError(f"nothing to plot: no system has both {latency} and {quality}")
    if output:
        drawn.draw_curves(found, output, title=title)
    else:
        from lsgcli.evaluation.textplot import curves

        print("\n".join(filter(None, [title])), end="\n" if title else "")
        print("\n".join(curves(found)))


def _measure(logs: Sequence[NamedLog], scoring: e.Metrics, confidence: bool) -> list[Measured]:
    from lsgcli.evaluation.curves import Measured
    from lsgcli.evaluation.score import measure_log, summarise
    from lsgcli.evaluation.segments import load_segments

    runs = {log.run for log in logs if log.run}
    systems = []
    for log in logs:
        segments = load_segments(log.segments) if log.segments else None
        measured = measure_log(log.path, scoring.options(log.unit, log.target), segments=segments)
        measured.name = log.name
        group = log.run.name if log.run and len(runs) > 1 else ""
        systems.append(Measured(summarise(measured, intervals=confidence), log.settings, group))
    return systems


def _examples(
    logs: Sequence[NamedLog], index: int, unit: e.Unit | None
) -> list[tuple[str, Instance]]:
    """Find a sentence in every log."""
    from lsgcli.errors import InputError, UsageError
    from lsgcli.evaluation.logs import read_log

    if len(logs) > MOST_PANELS:
        raise UsageError(
            f"--example shows up to {MOST_PANELS} systems, not {len(logs)}; name their logs"
        )
    found: list[tuple[str, Instance]] = []
    for log in logs:
        instance = next(
            (each for each in read_log(log.path, unit=unit or log.unit) if each.index == index),
            None,
        )
        if instance is None:
            raise InputError(f"{log.path}: no sentence {index}; they are numbered from 0")
        found.append((log.name, instance))
    return found


def _print_staircases(sentences: Sequence[tuple[str, Instance]]) -> None:
    from lsgcli.evaluation.textplot import staircase

    for number, (name, instance) in enumerate(sentences):
        if number:
            print()
        print(f"{name}: sentence {instance.index}")
        print("\n".join(staircase(instance)))
