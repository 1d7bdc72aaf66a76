"""The policies against each other on the embedded model: quality and latency.

From the root of the repository (needs ../shared; half an hour on two cores):

    python -m benchmarks.policies [--direction en-de] [--output DIR]

On the development sentences of Tatoeba, for [2, 3] and the paper's four ranges, delta and alpha are
chosen from a small grid: those with which LSG is farthest above wait-k at equal AL; and alpha
alone, without the divergence (delta infinite). Not tuned are the thresholds of the paper. On the
test sentences all policies are reported, over all sentences and over those of at least 7 words,
with 95% bootstrap intervals. "Above wait-k" is as in ``lsg eval compare --curve 'wait-*'``.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from benchmarks.embedded import open_decoder_only
from lsgcli.evaluation.caching import CachingBackend
from lsgcli.evaluation.corpus import Sentence, load_corpus
from lsgcli.evaluation.curves import Curve, Figures, Point
from lsgcli.evaluation.plot import draw_curves
from lsgcli.evaluation.runner import evaluate
from lsgcli.evaluation.score import (
    Gain,
    Measurement,
    ScoreOptions,
    gains,
    measure,
    on_curve,
    summarise,
)
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.backends.decoder_only import DecoderOnlyBackend
    from lsgcli.evaluation.logs import Instance
    from lsgcli.policy.base import Policy

ROOT = Path(__file__).parent
DATA = ROOT.parents[1] / "shared" / "data"
RANGES = ((1, 4), (2, 3), (3, 4), (5, 6), (7, 6))
DELTAS = (1.0, 8.0)
PAPER = {"en-de": (7.5, 0.6), "de-en": (9.0, 0.6)}  # delta and alpha that it reports for Llama 2
ALPHAS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WAITS = [WaitK(k) for k in range(1, 11)]
UNBOUNDED = 1000  # words; no sentence is longer
LONG = 7  # words from which a sentence tells policies apart
GROUP = 8  # sentences whose distributions are kept at a time
OPTIONS = ScoreOptions(quality=("BLEU", "chrF"), latency=("AL", "LAAL"))

Logs = dict["Policy", list["Instance"]]
Measurements = dict["Policy", Measurement]
Chosen = TypeVar("Chosen", bound="Policy")


def main() -> None:
    """Tune, report, plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "results")
    parser.add_argument("--direction", default="en-de", choices=("en-de", "de-en"))
    options = parser.parse_args()
    source, target = options.direction.split("-")
    backend = open_decoder_only(target, source)
    grid = [Lsg(d, a, *r) for r, d, a in product(RANGES, DELTAS, ALPHAS)]
    sure = [Lsg(math.inf, a, *r) for r, a in product(RANGES, ALPHAS)]
    reported = [Lsg(*PAPER[options.direction], *r) for r in RANGES]
    sentences = corpus("dev", source, target)
    dev = measured(translate(backend, sentences, [*grid, *sure, *reported, *WAITS]))
    tuned, without = choose(dev, grid), choose(dev, sure)
    lines = [f"{source} to {target}. Thresholds, by BLEU above wait-k on dev/tatoeba.en-de, "
             f"{len(sentences)} sentences:"]  # fmt: skip
    papers = compare(dev, reported)
    for (setting, best), (paper, as_it_is) in zip(tuned.items(), papers.items(), strict=True):
        lines.append(
            f"  [{setting.lower},{setting.upper}]  delta {setting.delta:g}, alpha "
            f"{setting.alpha:g}: {difference(best)}; delta {paper.delta:g}, alpha "
            f"{paper.alpha:g}: {difference(as_it_is)}"
        )
    print("\n".join(lines), flush=True)
    families = systems(list(tuned), list(without), reported)
    every = [policy for family in families.values() for policy in family]
    logs = translate(backend, corpus("test", source, target), every)
    for title, least in (("all", 1), (f"of at least {LONG} words", LONG)):
        long_enough = {
            policy: [each for each in found if each.source_length >= least]
            for policy, found in logs.items()
        }
        chosen = measured(long_enough)
        count = len(long_enough[WAITS[0]])
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
    shared = CachingBackend(backend)
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


def measured(logs: Logs) -> Measurements:
    """Measure all policies."""
    return {policy: measure(found, OPTIONS, name=str(policy)) for policy, found in logs.items()}


def systems(
    tuned: Sequence[Lsg], without: Sequence[Lsg], reported: Sequence[Lsg]
) -> dict[str, list[Policy]]:
    """What is reported, by family."""
    pairs = dict.fromkeys((each.delta, each.alpha) for each in tuned)
    return {
        "LSG": list(tuned),
        "LSG, not tuned": list(reported),
        "LSG, no confidence": [Lsg(t.delta, 1.0, t.lower, t.upper) for t in tuned],
        "LSG, no divergence": list(without),
        "LSG, no range": [Lsg(delta, alpha, 1, UNBOUNDED) for delta, alpha in pairs],
        "wait-k": list(WAITS),
        "LA-n": [LocalAgreement(n) for n in (2, 3, 4)],
        "hold-n": [HoldN(n) for n in (1, 2, 3, 4, 6)],
        "offline": [Offline()],
    }


def choose(dev: Measurements, grid: Sequence[Lsg]) -> dict[Lsg, Gain]:
    """The setting of each range with the most BLEU above wait-k."""
    best = [
        max(
            (each for each in grid if (each.lower, each.upper) == bounds),
            key=lambda each: above(dev, each),
        )
        for bounds in RANGES
    ]
    return compare(dev, best)


def above(found: Measurements, policy: Policy) -> float:
    """BLEU above wait-k at equal AL; minus infinity beyond its ends."""
    places = [
        [found[each].statistics[metric].score() for metric in ("AL", "BLEU")]
        for each in (policy, *WAITS)
    ]
    (latency, quality), *curve = places
    expected = on_curve(latency, *zip(*curve, strict=True))
    return -math.inf if expected is None else quality - expected


def compare(found: Measurements, policies: Sequence[Chosen]) -> dict[Chosen, Gain]:
    """The same of all, with intervals by paired bootstrap."""
    compared = gains([found[each] for each in policies], [found[each] for each in WAITS], "AL")
    return dict(zip(policies, (each for each in compared if each.metric == "BLEU"), strict=True))


def difference(found: Gain) -> str:
    """How far above wait-k."""
    return "-" if found.difference is None else f"{found.difference:+.2f}"


def table(found: Measurements, families: dict[str, list[Policy]]) -> list[str]:
    """One row a system."""
    lines = [
        f"  {'':42} {'AL':>5} {'LAAL':>5} {'empty':>5}  {'BLEU':>5} {'':14} {'chrF':>5} {'':14} "
        "above wait-k"
    ]
    compared = compare(found, [p for family in families.values() for p in family])
    for family, policies in families.items():
        for policy in policies:
            relative = "" if family in ("wait-k", "offline") else gained(compared[policy])
            lines.append(f"  {family:<20} {settings(policy):<21} {cells(found[policy])}"
                         f" {relative}".rstrip())  # fmt: skip
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


def gained(found: Gain) -> str:
    """How far a system is above wait-k at equal AL; nothing beyond the points of wait-k."""
    if found.interval is None:
        return "(beyond wait-k)"
    return f"{difference(found)} [{found.interval.low:+.2f}, {found.interval.high:+.2f}]"


def draw(found: Measurements, families: dict[str, list[Policy]], file: Path, title: str) -> None:
    """Plot BLEU against AL with intervals of BLEU; not what ran ahead of its source."""
    curves = {}
    for family, policies in families.items():
        points = []
        for policy in policies:
            score = summarise(found[policy], intervals=family == "LSG").scores
            mark = settings(policy).split(" ")[0]
            latency, bleu = score["AL"].value, score["BLEU"]
            assert latency is not None
            assert bleu.value is not None
            points.append(Point(latency, bleu.value, mark, None, bleu.interval))
        if min(point.latency for point in points) >= 0:
            curves[family] = Curve(family, tuple(sorted(points, key=lambda p: p.latency)))
    offline = curves.pop("offline")
    figures = Figures(tuple(curves.values()), (offline,), "AL (source words)", "BLEU")
    draw_curves(figures, file, title=title)


if __name__ == "__main__":
    main()
