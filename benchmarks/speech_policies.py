"""The policies on speech: word error rate against lagging, on the strings of spoken digits.

One command, from the root of the repository (needs ../shared; some minutes on two cores):

    python -m benchmarks.speech_policies [--task asr|st] [--output DIR] [--model NAME]

The 70 recordings en_fsdd_* of ../shared/speech, one at a time, in segments of 640 ms under a
simulated clock. Lagging is SimulEval's, in milliseconds, against the length of the reference. LSG
is shown with the levels of the model's manifest, and over a small grid of its thresholds.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.backends import open_speech
from lsgcli.core.backend import Placement
from lsgcli.evaluation.corpus import Sentence
from lsgcli.evaluation.curves import Curve, Figures, Point
from lsgcli.evaluation.plot import draw_curves
from lsgcli.evaluation.score import ScoreOptions, measure, summarise
from lsgcli.evaluation.speech_runner import Hearing, evaluate_speech
from lsgcli.models.catalog import directory, speech
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.spec import PolicySettings

if TYPE_CHECKING:
    from lsgcli.evaluation.logs import Instance
    from lsgcli.policy.base import Policy

SHARED = Path(__file__).parents[2] / "shared" / "speech"
GERMAN = dict(
    zip(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
        ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
        strict=True,
    )
)
OPTIONS = ScoreOptions(quality=("WER",), latency=("AL", "LAAL", "DAL"))
RANGES = ((1, 2), (1, 4), (2, 4), (3, 4))


def corpus(task: str) -> list[Sentence]:
    """The recordings, and what was said or its translation."""
    with (SHARED / "manifest.tsv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if row["id"].startswith("en_fsdd_")
        ]
    found = []
    for index, row in enumerate(rows):
        words = row["transcript"].split()
        words = [GERMAN[word] for word in words] if task == "st" else words
        found.append(Sentence(index, str(SHARED / row["file"]), " ".join(words)))
    return found


def main() -> None:
    """Run every policy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--task", choices=["asr", "st"], default="asr")
    parser.add_argument("--model", default="digits-en")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    recordings = corpus(options.task)
    model = speech(directory(options.model), "en", "de" if options.task == "st" else None)
    backend = open_speech(model, Placement())
    backend.ready()
    hearing = Hearing(scroll=model.manifest.scroll, context=model.manifest.context)
    levels = ("low", "medium", "high", "highest")
    families: dict[str, list[Policy]] = {
        "offline": [Offline()],
        "LSG levels": [
            PolicySettings(latency=level).policy(model.policy, speech=True) for level in levels
        ],
        "LSG grid": [
            Lsg(delta, alpha, lower, upper)
            for (lower, upper), delta, alpha in product(RANGES, (1.0, 4.0), (0.5, 0.7, 0.9))
        ],
        "wait-k": [WaitK(k) for k in (1, 2, 3, 4, 6)],
        "local agreement": [LocalAgreement(n) for n in (2, 3)],
        "hold-n": [HoldN(n) for n in (1, 2, 3)],
    }
    lines = [f"{'':44} {'WER %':>6} {'AL ms':>7} {'LAAL':>7} {'DAL':>7}"]
    print(lines[0], flush=True)
    curves = {}
    for family, policies in families.items():
        points = []
        for policy in dict.fromkeys(policies):
            done: list[Instance] = []
            evaluate_speech(backend, policy, recordings, done.append, hearing)
            scores = summarise(measure(sorted(done, key=lambda i: i.index), OPTIONS)).scores
            wer, al = scores["WER"].value, scores["AL"].value
            assert wer is not None
            assert al is not None
            lines.append(
                f"{family:16} {described(policy):27} {wer:6.2f} {al:7.0f}"
                f" {scores['LAAL'].value:7.0f} {scores['DAL'].value:7.0f}"
            )
            print(lines[-1], flush=True)
            points.append(Point(al, wer, "", None, None))
        curves[family] = Curve(family, tuple(sorted(points, key=lambda point: point.latency)))
    offline = curves.pop("offline")
    grid = curves.pop("LSG grid").points
    best = tuple(p for p in grid if not any(dominates(other, p) for other in grid))
    curves["LSG, best of the grid"] = Curve("LSG, best of the grid", best)
    found = Figures(tuple(curves.values()), (offline,), "AL (ms)", "WER (%)")
    name = f"speech_policies_{options.task}"
    draw_curves(found, options.output / f"{name}.png", title=f"{options.model}, 70 strings")
    (options.output / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)


def dominates(one: Point, other: Point) -> bool:
    """Whether a point is as good in both and better in one."""
    both = (one.latency <= other.latency, one.quality <= other.quality)
    return all(both) and (one.latency, one.quality) != (other.latency, other.quality)


def described(policy: Policy) -> str:
    """What tells a system from others of its family."""
    if isinstance(policy, Lsg):
        return f"[{policy.lower}, {policy.upper}] δ={policy.delta:g} α={policy.alpha:g}"
    return str(getattr(policy, "k", getattr(policy, "n", "")))


if __name__ == "__main__":
    main()
