"""``lsg eval score`` and ``lsg eval compare``: numbers from logs, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lsgcli.evaluation.score import LogScore, Measurement, ScoreOptions

QUALITY = "BLEU,chrF"
LATENCY = "AL,LAAL,AP,DAL,ATD,YAAL,StartOffset"


def score(
    logs: e.Logs,
    quality: e.Quality = QUALITY,
    latency: e.LatencyMetrics = LATENCY,
    unit: e.LatencyUnit = e.Unit.WORD,
    spm_model: e.SpmModel = None,
    tokenize: e.Tokenize = "13a",
    use_ref_len: e.ReferenceLength = True,
    confidence: e.Confidence = False,
    reference: e.References = None,
    source_type: e.SourceType = None,
    log_format: e.LogFormat = None,
    ignore: e.Ignore = None,
    output_format: e.Format = e.TableFormat.TABLE,
    color: o.ColourOption = o.Colour.AUTO,
    debug: o.Debug = False,
) -> None:
    """Score logs of simultaneous systems, ours or others'.

    Reads SimulEval's instances.log, OmniSTEval's and simulstream's JSON lines. Latency comes in
    source words (speech: ms), by up to three clocks: what was read, and where the log kept a clock,
    SimulEval's accumulation (_CA) and a queue's (_CA_queue).
    """
    from lsgcli.evaluation.score import summarise

    options = _options(quality, latency, unit, spm_model, tokenize, use_ref_len)
    measured = _measure(logs, options, reference, source_type, log_format, ignore)
    scores = [summarise(each, intervals=confidence) for each in measured]
    show_scores(scores, output_format, color.value)


def compare(
    logs: e.Logs,
    quality: e.Quality = QUALITY,
    latency: e.LatencyMetrics = LATENCY,
    unit: e.LatencyUnit = e.Unit.WORD,
    spm_model: e.SpmModel = None,
    tokenize: e.Tokenize = "13a",
    use_ref_len: e.ReferenceLength = True,
    test: e.PairedTest = e.Test.BOOTSTRAP,
    trials: e.Trials = None,
    curve: e.CurveOf = None,
    reference: e.References = None,
    source_type: e.SourceType = None,
    log_format: e.LogFormat = None,
    ignore: e.Ignore = None,
    output_format: e.Format = e.TableFormat.TABLE,
    color: o.ColourOption = o.Colour.AUTO,
    debug: o.Debug = False,
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

    options = _options(quality, latency, unit, spm_model, tokenize, use_ref_len)
    measured = _measure(logs, options, reference, source_type, log_format, ignore)
    if len(measured) < 2:
        raise UsageError("one system cannot be compared; name two logs or more")
    if curve is not None:
        if test is not e.Test.BOOTSTRAP:
            raise UsageError("--curve is tested by bootstrap")
        _show_gains(measured, curve, options, trials, output_format, color.value)
        return
    a, *others = measured
    pairs = [(a.name, b.name, paired(a, b, test=test.value, trials=trials)) for b in others]
    if output_format is e.TableFormat.JSON:
        record = {
            "systems": [report.score_record(summarise(each)) for each in measured],
            "comparisons": [report.comparison_record(*pair) for pair in pairs],
        }
        print("\n".join(report.json_lines(record)))
    elif output_format is e.TableFormat.TSV:
        print("\n".join(report.comparison_lines(pairs)))
    else:
        show_scores([summarise(each) for each in measured], output_format, color.value)
        for pair in pairs:
            print()
            show(report.comparison_table(*pair), color.value)
        if len(pairs) > 1:
            print(f"{len(pairs)} comparisons; p is not corrected for that")


def _show_gains(
    measured: Sequence[Measurement],
    curve: str,
    options: ScoreOptions,
    trials: int | None,
    output_format: e.TableFormat,
    colour: str,
) -> None:
    from fnmatch import fnmatchcase

    from lsgcli.cli.tables import show
    from lsgcli.errors import UsageError
    from lsgcli.evaluation import report
    from lsgcli.evaluation.score import gains

    for kind, chosen in (("latency", options.latency), ("quality", options.quality)):
        if not chosen:
            raise UsageError(f"--curve needs a {kind}; --{kind} names it")
    members = [each for each in measured if fnmatchcase(each.name, curve)]
    others = [each for each in measured if each not in members]
    if len(members) < 2 or not others:
        names = ", ".join(each.name for each in measured)
        raise UsageError(
            f"--curve {curve} matches {len(members)} of {len(measured)} systems; at least two must "
            f"match and one must not: {names}"
        )
    settings = {} if trials is None else {"trials": trials}
    found = gains(others, members, options.latency[0], **settings)
    if output_format is e.TableFormat.JSON:
        record = report.gain_record(found, options.latency[0], [each.name for each in members])
        print("\n".join(report.json_lines(record)))
    elif output_format is e.TableFormat.TSV:
        print("\n".join(report.gain_lines(found, options.latency[0])))
    else:
        show(report.gain_table(found, options.latency[0], [each.name for each in members]), colour)


def show_scores(
    scores: Sequence[LogScore],
    output_format: e.TableFormat,
    colour: str,
    *,
    intervals: bool = True,
) -> None:
    """Print scores, of several systems in one table."""
    from lsgcli.cli.tables import show
    from lsgcli.evaluation import report

    if output_format is e.TableFormat.JSON:
        record = [report.score_record(each) for each in scores]
        print("\n".join(report.json_lines(record)))
    elif output_format is e.TableFormat.TSV:
        print("\n".join(report.score_lines(scores)))
    elif len(scores) == 1:
        show(report.log_table(scores[0]), colour)
    else:
        show(report.score_table(scores, intervals=intervals), colour)


def names(listed: str, every: Sequence[str] = ()) -> tuple[str, ...]:
    """Split ``"AL,LAAL"``; ``all`` is every one, ``none`` is none of them."""
    if listed == "none":
        return ()
    if listed == "all" and every:
        return tuple(every)
    return tuple(dict.fromkeys(name.strip() for name in listed.split(",")))


def _options(
    quality: str,
    latency: str,
    unit: e.Unit,
    spm_model: Path | None,
    tokenize: str,
    use_ref_len: bool,
) -> ScoreOptions:
    from lsgcli.errors import UsageError
    from lsgcli.evaluation.score import LATENCY_METRICS, ScoreOptions

    encode = None
    if spm_model is not None:
        if unit is not e.Unit.SPM:
            raise UsageError("--spm-model belongs to --unit spm")
        from lsgcli.backends.vocabulary import SentencePieceVocabulary

        encode = SentencePieceVocabulary(spm_model).encode
    return ScoreOptions(
        quality=names(quality),
        latency=names(latency, tuple(LATENCY_METRICS)),
        unit=unit.value,
        tokenize=tokenize,
        use_reference_length=use_ref_len,
        spm_encode=encode,
    )


def _measure(
    logs: Sequence[Path],
    options: ScoreOptions,
    reference: Path | None,
    source_type: e.SourceKind | None,
    log_format: e.LogKind | None,
    ignore: Sequence[str] | None,
) -> list[Measurement]:
    from lsgcli.evaluation.score import measure_log
    from lsgcli.evaluation.selection import select_logs

    measured = []
    for log in select_logs(logs):
        found = measure_log(
            log.path,
            options,
            references=reference,
            source_type=source_type.value if source_type else None,
            log_format=log_format.value if log_format else None,
            ignore=ignore or (),
        )
        found.name = log.name
        measured.append(found)
    return measured
