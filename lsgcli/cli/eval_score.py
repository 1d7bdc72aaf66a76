"""``lsg eval score`` and ``lsg eval compare``: numbers from logs, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.evaluation.score import LogScore, Measurement, ScoreOptions


def score(
    logs: e.Logs,
    metrics: e.Metrics,
    reading: e.LogOptions,
    confidence: e.Confidence = False,
    output_format: o.Format = "table",
    color: o.Color = "auto",
) -> None:
    """Score logs of simultaneous systems, ours or others'.

    Reads SimulEval's instances.log, OmniSTEval's and simulstream's JSON lines. Latency comes in
    source words (speech: ms), by up to three clocks: what was read, and where the log kept a clock,
    SimulEval's accumulation (_CA) and a queue's (_CA_queue).
    """
    from lsgcli.evaluation.score import summarise

    scores = [summarise(each, intervals=confidence) for each in metrics.measure(logs, reading)]
    show_scores(scores, output_format, color)


def compare(
    logs: e.Logs,
    metrics: e.Metrics,
    reading: e.LogOptions,
    test: Annotated[
        Literal["bootstrap", "randomization"],
        e.SCORE("--test", help="The paired test."),
    ] = "bootstrap",
    trials: Annotated[
        int | None,
        e.SCORE(
            "--trials",
            min=1,
            metavar="N",
            help="Resamples. (default: 1000 of the bootstrap, 10000 of the randomization)",
        ),
    ] = None,
    curve: Annotated[
        str | None,
        e.SCORE(
            "--curve",
            metavar="GLOB",
            help="Compare with the curve of the systems so named ('wait-*'), at equal latency: the "
            "first of --latency-metrics.",
        ),
    ] = None,
    output_format: o.Format = "table",
    color: o.Color = "auto",
) -> None:
    """Test whether systems differ from the first one, the baseline, or only by luck.

    All must have translated the same sentences. Every metric that both have is tested, quality and
    latency alike. With --curve quality is compared at equal latency, with what the curve of another
    policy has there, linearly interpolated.
    """
    from lsgcli.cli.tables import show
    from lsgcli.errors import UsageError
    from lsgcli.evaluation import report
    from lsgcli.evaluation.score import compare as paired
    from lsgcli.evaluation.score import summarise

    measured = metrics.measure(logs, reading)
    if len(measured) < 2:
        raise UsageError("one system cannot be compared; name two logs or more")
    if curve is not None:
        if test != "bootstrap":
            raise UsageError("--curve is tested by bootstrap")
        _show_gains(measured, curve, metrics.options(), trials, output_format, color)
        return
    a, *others = measured
    pairs = [(a.name, b.name, paired(a, b, test=test, trials=trials)) for b in others]
    if output_format == "json":
        record = {
            "systems": [report.score_record(summarise(each)) for each in measured],
            "comparisons": [report.comparison_record(*pair) for pair in pairs],
        }
        print("\n".join(report.json_lines(record)))
    elif output_format == "tsv":
        print("\n".join(report.comparison_lines(pairs)))
    else:
        show_scores([summarise(each) for each in measured], output_format, color)
        for pair in pairs:
            print()
            show(report.comparison_table(*pair), color)
        if len(pairs) > 1:
            print(f"{len(pairs)} comparisons; p is not corrected for that")


def _show_gains(
    measured: Sequence[Measurement],
    curve: str,
    options: ScoreOptions,
    trials: int | None,
    output_format: o.TableFormat,
    colour: str,
) -> None:
    from fnmatch import fnmatchcase

    from lsgcli.cli.tables import show
    from lsgcli.errors import UsageError
    from lsgcli.evaluation import report
    from lsgcli.evaluation.score import gains

    for kind, chosen in (("latency", options.latency), ("quality", options.quality)):
        if not chosen:
            raise UsageError(f"--curve needs a {kind}; --{kind}-metrics names it")

    def named(name: str) -> bool:
        """As it is printed, or by the last part of a path."""
        return name == curve or any(fnmatchcase(n, curve) for n in (name, Path(name).name))

    members = [each for each in measured if named(each.name)]
    others = [each for each in measured if each not in members]
    if len(members) < 2 or not others:
        names = ", ".join(each.name for each in measured)
        raise UsageError(
            f"--curve {curve} matches {len(members)} of {len(measured)} systems; at least two must "
            f"match and one must not: {names}"
        )
    settings = {} if trials is None else {"trials": trials}
    found = gains(others, members, options.latency[0], **settings)
    if output_format == "json":
        record = report.gain_record(found, options.latency[0], [each.name for each in members])
        print("\n".join(report.json_lines(record)))
    elif output_format == "tsv":
        print("\n".join(report.gain_lines(found, options.latency[0])))
    else:
        show(report.gain_table(found, options.latency[0], [each.name for each in members]), colour)


def show_scores(
    scores: Sequence[LogScore],
    output_format: o.TableFormat,
    colour: str,
    *,
    intervals: bool = True,
) -> None:
    """Print scores, of several systems in one table."""
    from lsgcli.cli.tables import show
    from lsgcli.evaluation import report

    if output_format == "json":
        record = [report.score_record(each) for each in scores]
        print("\n".join(report.json_lines(record)))
    elif output_format == "tsv":
        print("\n".join(report.score_lines(scores)))
    elif len(scores) == 1:
        show(report.log_table(scores[0]), colour)
    else:
        show(report.score_table(scores, intervals=intervals), colour)
