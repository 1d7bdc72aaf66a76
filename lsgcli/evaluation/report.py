"""Scores and comparisons as tables for people, and as records for programs. Nothing is printed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lsgcli.evaluation.score.timelines import CLOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.evaluation.score import Comparison, Gain, LogScore, Score
    from lsgcli.metrics.significance import Interval

CLOCK_NAMES = {"": "read", "_CA": "elapsed", "_CA_queue": "queue"}
LEFT_OUT = (
    "(-k): k sentences left out of that mean: they have no hypothesis, or no word of it before "
    "the end of the source (YAAL)"
)

LONG_FORM = {  # by the beginning of the alignment's name
    "soft": "n: segments, cut from whole recordings by SoftSegmenter; YAAL is LongYAAL",
    "mwer": "n: segments, cut from whole recordings by mweralign; LAAL is StreamLAAL",
    "none": "n: whole recordings",
}


@dataclass(frozen=True)
class Table:
    """Cells of text; the first ``labels`` columns are words, the others numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    labels: int = 1
    notes: Sequence[str] = ()


def score_table(scores: Sequence[LogScore], *, intervals: bool = True) -> Table:
    """One row a system; with computation-aware clocks one row a clock."""
    clocks = [clock for clock in CLOCKS if any(_has(score, clock) for score in scores)]
    metrics = _metrics(scores)
    rows = []
    for score in scores:
        for clock in clocks:
            name = [score.name, CLOCK_NAMES[clock]] if len(clocks) > 1 else [score.name]
            cells = [_cell(score.scores.get(metric + clock), intervals) for metric in metrics]
            rows.append([*name, str(score.sentences), str(score.empty), *cells])
    name = ["system", "clock"] if len(clocks) > 1 else ["system"]
    return Table([*name, "n", "empty", *metrics], rows, labels=len(name), notes=_notes(scores))


def log_table(score: LogScore) -> Table:
    """One row a metric, for a single system."""
    rows = [
        [
            metric,
            each.measure,
            _number(each.value),
            _interval(each),
            str(each.n),
            str(each.skipped),
        ]
        for metric, each in score.scores.items()
    ]
    counts = f"{score.sentences} sentences, {score.empty} empty hypotheses"
    columns = ["metric", "unit", "score", "95% interval", "n", "left out"]
    if not any(each.interval for each in score.scores.values()):
        columns.pop(3)
        rows = [[*row[:3], *row[4:]] for row in rows]
    return Table(columns, rows, f"{score.name}: {counts}", labels=2, notes=_notes([score]))


def comparison_table(a: str, b: str, comparisons: Sequence[Comparison]) -> Table:
    """One row a metric: the difference of B and A, and how likely it is by chance."""
    rows = [
        [
            each.metric,
            _number(each.a),
            _number(each.b),
            f"{each.difference:+.3f}",
            _signed(each.interval),
            _p_value(each.p_value),
        ]
        for each in comparisons
    ]
    columns = ["metric", "A", "B", "B - A", "95% interval", "p"]
    if not any(each.interval for each in comparisons):
        columns.pop(4)
        rows = [[*row[:4], row[5]] for row in rows]
    test = {each.test for each in comparisons}
    names = {"bootstrap": "paired bootstrap", "randomization": "approximate randomization"}
    notes = [f"p: two-sided, {names[name]}" for name in test]
    return Table(columns, rows, f"A: {a}\nB: {b}", notes=notes)


def score_record(score: LogScore) -> dict[str, Any]:
    """A system's scores for JSON."""
    return {
        "system": score.name,
        "source_type": score.source_type,
        "segments": score.segments or None,
        "sentences": score.sentences,
        "empty": score.empty,
        "late": score.late,
        "early": score.early,
        "erasure": score.erasure,
        "scores": {metric: _record(each) for metric, each in score.scores.items()},
    }


def score_lines(scores: Sequence[LogScore]) -> Iterator[str]:
    """TSV: one row a system, three decimals, with what a mean leaves out, and intervals if any."""
    qualities = {name: each.quality for score in scores for name, each in score.scores.items()}
    bounds = ("_low", "_high") if _any_interval(scores) else ()
    columns = {
        name: ("", *(() if quality else ("_left_out",)), *bounds)
        for name, quality in qualities.items()
    }
    header = ["system", "sentences", "empty", "late", "early", "erasure"]
    yield "\t".join([*header, *(name + part for name in columns for part in columns[name])])
    for score in scores:
        counts = (score.sentences, score.empty, score.late, score.early)
        cells = [score.name, *map(str, counts), _number(score.erasure)]
        for name, parts in columns.items():
            found = _tsv_cells(score.scores.get(name))
            cells += [found[part] for part in parts]
        yield "\t".join(cells)


def comparison_record(a: str, b: str, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """A comparison for JSON."""
    tests = {
        each.metric: {
            "a": each.a,
            "b": each.b,
            "difference": each.difference,
            "p_value": each.p_value,
            "test": each.test,
            "interval": [each.interval.low, each.interval.high] if each.interval else None,
        }
        for each in comparisons
    }
    return {"a": a, "b": b, "metrics": tests}


def comparison_lines(
    pairs: Sequence[tuple[str, str, Sequence[Comparison]]],
) -> Iterator[str]:
    """TSV: one row a pair of systems and metric."""
    yield "a\tb\tmetric\tscore_a\tscore_b\tdifference\tlow\thigh\tp_value\ttest"
    for a, b, comparisons in pairs:
        for each in comparisons:
            numbers = [each.a, each.b, each.difference, *_bounds(each.interval)]
            cells = [a, b, each.metric, *map(_number, numbers), f"{each.p_value:.4f}", each.test]
            yield "\t".join(cells)


def gain_table(gains: Sequence[Gain], latency: str, curve: Sequence[str]) -> Table:
    """One row a system and quality: its difference from the curve at its latency."""
    rows = [
        [
            each.system,
            each.metric,
            _number(each.latency),
            _number(each.score),
            _number(each.curve),
            "-" if each.difference is None else f"{each.difference:+.3f}",
            _signed(each.interval),
            "" if each.p_value is None else _p_value(each.p_value),
        ]
        for each in gains
    ]
    columns = ["system", "metric", latency, "score", "curve", "score - curve", "95% interval", "p"]
    notes = ["p: two-sided, paired bootstrap"]
    if any(each.curve is None for each in gains):
        notes.append(f"-: beyond the curve's {latency}")
    if len(gains) > 1:
        notes.append(f"{len(gains)} comparisons; p is not corrected for that")
    return Table(columns, rows, f"curve: {', '.join(curve)}", labels=2, notes=notes)


def gain_record(gains: Sequence[Gain], latency: str, curve: Sequence[str]) -> dict[str, Any]:
    """Comparisons at equal latency for JSON."""
    return {"latency": latency, "curve": list(curve), "gains": [asdict(each) for each in gains]}


def gain_lines(gains: Sequence[Gain], latency: str) -> Iterator[str]:
    """TSV: one row a system and quality."""
    yield f"system\tmetric\t{latency}\tscore\tcurve\tdifference\tlow\thigh\tp_value"
    for each in gains:
        numbers = [each.latency, each.score, each.curve, each.difference, *_bounds(each.interval)]
        p_value = "-" if each.p_value is None else f"{each.p_value:.4f}"
        yield "\t".join([each.system, each.metric, *map(_number, numbers), p_value])


def json_lines(record: Any) -> list[str]:
    """Indented JSON."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False).splitlines()


def _metrics(scores: Sequence[LogScore]) -> list[str]:
    """Names without the clocks' suffixes."""
    names = (name for score in scores for name in score.scores)
    return list(dict.fromkeys(name.removesuffix("_queue").removesuffix("_CA") for name in names))


def _has(score: LogScore, clock: str) -> bool:
    return not clock or any(name.endswith(clock) for name in score.scores)


def _notes(scores: Sequence[LogScore]) -> list[str]:
    notes = []
    if any(each.skipped for score in scores for each in score.scores.values()):
        notes.append(LEFT_OUT)
    notes += [
        f"{score.name}: {score.late} sentences with words after the end of their source"
        for score in scores
        if score.late
    ]
    early = [f"{each.name} {each.early}" for each in scores if each.early]
    if early:
        notes.append(f"hypotheses that ended before their source: {', '.join(early)}")
    erasing = [score for score in scores if score.erasure]
    notes += [f"{score.name}: erasure {score.erasure:.3f}" for score in erasing]
    if not erasing:
        notes.append("erasure 0: all systems are append-only, so it is zero by construction")
    notes += dict.fromkeys(LONG_FORM[each.segments[:4]] for each in scores if each.segments)
    if any(_has(score, "_CA") for score in scores):
        notes.append(
            "clocks: read = the source read when a word was written; elapsed = SimulEval's sum of "
            "all computation; queue = computation begins when its source has come"
        )
    notes += [
        f"{score.name}: the computation was measured on {score.machines} unlike machines"
        for score in scores
        if score.machines > 1 and _has(score, "_CA")
    ]
    signatures = {
        each.signature: None for score in scores for each in score.scores.values() if each.quality
    }
    return [*notes, *signatures]


def _cell(score: Score | None, intervals: bool) -> str:
    if score is None:
        return ""
    value = _number(score.value)
    if score.interval and intervals:
        value += f" {_interval(score)}"
    return f"{value} (-{score.skipped})" if score.skipped else value


def _interval(score: Score) -> str:
    return f"[{score.interval.low:.3f}, {score.interval.high:.3f}]" if score.interval else ""


def _signed(interval: Interval | None) -> str:
    """The interval of a difference."""
    return f"[{interval.low:+.3f}, {interval.high:+.3f}]" if interval else ""


def _bounds(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _p_value(p_value: float) -> str:
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _any_interval(scores: Sequence[LogScore]) -> bool:
    return any(each.interval for score in scores for each in score.scores.values())


def _tsv_cells(score: Score | None) -> dict[str, str]:
    """What a metric's columns may hold, by the suffix of their names."""
    if score is None:
        return dict.fromkeys(("", "_left_out", "_low", "_high"), "")
    low, high = _bounds(score.interval)
    return {
        "": _number(score.value),
        "_left_out": str(score.skipped),
        "_low": _number(low),
        "_high": _number(high),
    }


def _record(score: Score) -> dict[str, Any]:
    return {
        "value": score.value,
        "unit": score.measure,
        "n": score.n,
        "left_out": score.skipped,
        "interval": [score.interval.low, score.interval.high] if score.interval else None,
        "signature": score.signature,
    }
