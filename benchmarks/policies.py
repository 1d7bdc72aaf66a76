"""The policies against each other on the embedded model: quality and latency.

From the root of the repository (needs ../shared; half an hour on two cores):

    python -m benchmarks.policies [--direction en-de] [--output DIR]

On the development sentences of Tatoeba, for [2, 3] and the paper's four ranges, delta and alpha are
chosen from a small grid: those with which LSG is farthest above wait-k at equal AL; and alpha
alone, without the divergence (delta infinite). On the test sentences all policies are reported,
over all sentences and over those of at least 7 words, with 95% bootstrap intervals. "Above wait-k"
is BLEU less that of wait-k at the same AL, between its points linearly interpolated, its interval
from the same resamples of sentences for both.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.backends.base import Placement
from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.catalog import find
from lsgcli.evaluation.corpus import Sentence, load_corpus
from lsgcli.evaluation.curves import Curve, Figures, Point
from lsgcli.evaluation.plot import draw_curves
from lsgcli.evaluation.runner import evaluate
from lsgcli.evaluation.score import Measurement, ScoreOptions, measure, summarise
from lsgcli.evaluation.sharing import SharingBackend
from lsgcli.metrics.significance import SEED
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.evaluation.logs import Instance
    from lsgcli.policy.base import Policy

ROOT = Path(__file__).parent
DATA = ROOT.parents[1] / "shared" / "data"
RANGES = ((1, 4), (2, 3), (3, 4), (5, 6), (7, 6))
DELTAS = (1.0, 4.0)
ALPHAS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WAITS = [WaitK(k) for k in range(1, 11)]
UNBOUNDED = 1000  # words; no sentence is longer
LONG = 7  # words from which a sentence tells policies apart
GROUP = 8  # sentences whose distributions are kept at a time
TRIALS = 1000
OPTIONS = ScoreOptions(quality=("BLEU", "chrF"), latency=("AL", "LAAL"))

Logs = dict["Policy", list["Instance"]]


@dataclass(frozen=True)
class Gain:
    """BLEU above wait-k at equal AL; the interval is of 95%; None beyond wait-k's AL."""

    value: float
    low: float
    high: float


def main() -> None:
    """Tune, report, plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "results")
    parser.add_argument("--direction", default="en-de", choices=("en-de", "de-en"))
    options = parser.parse_args()
    source, target = options.direction.split("-")
    backend = DecoderOnlyBackend(find(None, source, target), Placement())
    grid = [Lsg(d, a, *r) for r, d, a in product(RANGES, DELTAS, ALPHAS)]
    sure = [Lsg(math.inf, a, *r) for r, a in product(RANGES, ALPHAS)]
    sentences = corpus("dev", source, target)
    dev = translate(backend, sentences, [*grid, *sure, *WAITS])
    tuned, without = choose(dev, grid), choose(dev, sure)
    lines = [f"{source} to {target}. Thresholds, by BLEU above wait-k on dev/tatoeba.en-de, "
             f"{len(sentences)} sentences:"]  # fmt: skip
    for setting, gain in tuned.items():
        default = gains(dev, Lsg(1.0, 0.6, setting.lower, setting.upper))
        lines.append(
            f"  [{setting.lower},{setting.upper}]  delta {setting.delta:g}, alpha "
            f"{setting.alpha:g}: {gain.value:+.2f}; delta 1, alpha 0.6: {default.value:+.2f}"
        )
    print("\n".join(lines), flush=True)
    families = systems(list(tuned), list(without))
    every = [policy for family in families.values() for policy in family]
    logs = translate(backend, corpus("test", source, target), every)
    for title, least in (("all", 1), (f"of at least {LONG} words", LONG)):
        chosen = {
            policy: [each for each in found if each.source_length >= least]
            for policy, found in logs.items()
        }
        count = len(next(iter(chosen.values())))
        lines += ["", f"test/tatoeba.en-de, {count} sentences, {title}:", *table(chosen, families)]
        name = f"policies-{options.direction}{'-long' if least > 1 else ''}.png"
        draw(chosen, families, options.output / name,
             f"{options.direction}, test/tatoeba.en-de, {count} sentences, {title}")  # fmt: skip
    print("\n".join(lines))
    (options.output / f"policies-{options.direction}.txt").write_text(
        "\n".join(lines) + "\n", encoding="utf-8"
    )
    sys.stdout.flush()
    os._exit(0)


def corpus(part: str, *languages: str) -> list[Sentence]:
    """Load a part of Tatoeba: the source's language, the target's."""
    return load_corpus(*(DATA / part / f"tatoeba.en-de.{language}" for language in languages))


def translate(
    backend: DecoderOnlyBackend, sentences: Sequence[Sentence], policies: Sequence[Policy]
) -> Logs:
    """Run all policies; what they ask of the model in common is computed once."""
    shared = SharingBackend(backend)
    logs: Logs = {policy: [] for policy in policies}
    for start in range(0, len(sentences), GROUP):
        for policy in logs:
            group = sentences[start : start + GROUP]
            evaluate(shared, policy, group, logs[policy].append, batch_size=GROUP)
        shared.forget()
        if sys.stderr.isatty():
            print(f"\r{start}/{len(sentences)}", end="", file=sys.stderr)
    for found in logs.values():
        found.sort(key=lambda instance: instance.index)
    return logs


def systems(tuned: Sequence[Lsg], without: Sequence[Lsg]) -> dict[str, list[Policy]]:
    """What is reported, by family."""
    pairs = dict.fromkeys((each.delta, each.alpha) for each in tuned)
    return {
        "LSG": list(tuned),
        "LSG, not tuned": [Lsg(1.0, 0.6, *r) for r in RANGES],
        "LSG, no confidence": [Lsg(t.delta, 1.0, t.lower, t.upper) for t in tuned],
        "LSG, no divergence": list(without),
        "LSG, no range": [Lsg(delta, alpha, 1, UNBOUNDED) for delta, alpha in pairs],
        "wait-k": list(WAITS),
        "LA-n": [LocalAgreement(n) for n in (2, 3, 4)],
        "hold-n": [HoldN(n) for n in (1, 2, 3, 4, 6)],
        "offline": [Offline()],
    }


def choose(dev: Logs, grid: Sequence[Lsg]) -> dict[Lsg, Gain]:
    """The setting of each range with the most BLEU above wait-k."""
    chosen = {}
    curve = wait_curve(dev)
    for bounds in RANGES:
        members = [each for each in grid if (each.lower, each.upper) == bounds]
        best = max(members, key=lambda each: above(point(dev[each]), curve))
        chosen[best] = gains(dev, best)
    return chosen


def point(instances: Sequence[Instance]) -> tuple[float, float]:
    """AL and BLEU."""
    statistics = measure(instances, OPTIONS).statistics
    return statistics["AL"].score(), statistics["BLEU"].score()


def wait_curve(logs: Logs) -> list[tuple[float, float]]:
    """wait-k's points in the order of AL."""
    return sorted(point(logs[policy]) for policy in WAITS)


def above(at: tuple[float, float], curve: Sequence[tuple[float, float]]) -> float:
    """BLEU above the curve at the same AL; at its ends the curve goes on flat."""
    lagging, quality = zip(*curve, strict=True)
    return at[1] - float(np.interp(at[0], lagging, quality))


def gains(logs: Logs, policy: Policy) -> Gain:
    """BLEU above wait-k at equal AL, and its interval by paired bootstrap."""
    policies = [policy, *WAITS]
    parts = []
    for each in policies:
        statistics = measure(logs[each], OPTIONS).statistics
        parts.append([(statistics[m], rows(statistics[m].flat, statistics[m].width))
                      for m in ("AL", "BLEU")])  # fmt: skip
    count = len(logs[policy])
    rng = np.random.default_rng(SEED)
    found = []
    for trial in range(TRIALS + 1):
        weights = np.ones(count)
        if trial:
            weights = np.bincount(rng.integers(count, size=count), minlength=count).astype(float)
        points = [
            tuple(stat.value((weights @ matrix).tolist()) for stat, matrix in pair)
            for pair in parts
        ]
        found.append(above(points[0], sorted(points[1:])))
    low, high = np.percentile(found[1:], [2.5, 97.5])
    return Gain(found[0], float(low), float(high))


def rows(flat: Sequence[float], width: int) -> np.ndarray:
    """Sentence statistics as a matrix."""
    return np.asarray(flat, dtype=np.float64).reshape(-1, width)


def table(logs: Logs, families: dict[str, list[Policy]]) -> list[str]:
    """One row a system."""
    lines = [
        f"  {'':42} {'AL':>5} {'LAAL':>5} {'empty':>5}  {'BLEU':>5} {'':14} {'chrF':>5} {'':14} "
        "above wait-k"
    ]
    for family, policies in families.items():
        for policy in policies:
            measured = measure(logs[policy], OPTIONS)
            lines.append(f"  {family:<20} {settings(policy):<21} {cells(measured)}"
                         f" {relative(logs, policy, family)}".rstrip())  # fmt: skip
    return lines


def settings(policy: Policy) -> str:
    """What tells a system from others of its family."""
    if isinstance(policy, Lsg):
        upper = "∞" if policy.upper == UNBOUNDED else policy.upper
        delta = "∞" if policy.delta == math.inf else f"{policy.delta:g}"
        return f"[{policy.lower},{upper}] δ={delta} α={policy.alpha:g}"
    return str(getattr(policy, "k", getattr(policy, "n", "")))


def cells(measured: Measurement) -> str:
    """The scores of a system."""
    score = summarise(measured, intervals=True)
    text = f"{score.scores['AL'].value:5.2f} {score.scores['LAAL'].value:5.2f} {score.empty:5}"
    for metric in ("BLEU", "chrF"):
        found = score.scores[metric]
        interval = found.interval
        bounds = f"[{interval.low:.2f}, {interval.high:.2f}]" if interval else ""
        text += f"  {found.value:5.2f} {bounds:14}"
    return text


def relative(logs: Logs, policy: Policy, family: str) -> str:
    """How far a system is above wait-k at equal AL; nothing beyond the points of wait-k."""
    if family in ("wait-k", "offline"):
        return ""
    if point(logs[policy])[0] > wait_curve(logs)[-1][0]:
        return "(beyond wait-10)"
    gain = gains(logs, policy)
    return f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]"


def draw(logs: Logs, families: dict[str, list[Policy]], file: Path, title: str) -> None:
    """Plot BLEU against AL with intervals of BLEU; not what ran ahead of its source."""
    curves = {}
    for family, policies in families.items():
        points = []
        for policy in policies:
            score = summarise(measure(logs[policy], OPTIONS), intervals=family == "LSG").scores
            mark = settings(policy).split(" ")[0]
            points.append(
                Point(score["AL"].value, score["BLEU"].value, mark, None, score["BLEU"].interval)
            )
        if min(point.latency for point in points) >= 0:
            curves[family] = Curve(family, tuple(sorted(points, key=lambda p: p.latency)))
    offline = curves.pop("offline")
    found = Figures(tuple(curves.values()), (offline,), "AL (source words)", "BLEU")
    draw_curves(found, file, title=title)


if __name__ == "__main__":
    main()
