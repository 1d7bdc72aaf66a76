"""Thresholds that conversion has chosen, against wait-k and local agreement at equal latency.

    python -m benchmarks.thresholds --model DIR --from de --to en [--sentences 60]

The model's levels are run with the thresholds of its manifest (or --delta and --alpha), and with
the paper's for Llama 2. What the policies have in common is computed once, a sentence at a time.
"Above" is as in ``lsg eval compare --curve 'wait-*'``: a difference of quality at equal AL, with
its 95% interval of a paired bootstrap; "-" is beyond the ends of the curve.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.evaluation.caching import CachingBackend
from lsgcli.evaluation.corpus import load_corpus
from lsgcli.evaluation.runner import evaluate
from lsgcli.evaluation.score import ScoreOptions, gains, measure, summarise
from lsgcli.models.catalog import find
from lsgcli.policy.baselines import LocalAgreement, Offline, WaitK
from lsgcli.policy.levels import LLAMA
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from lsgcli.evaluation.logs import Instance
    from lsgcli.evaluation.score import Gain, Measurement
    from lsgcli.policy.base import Policy

DATA = Path(__file__).parents[2] / "shared" / "data" / "test"
WAITS = (1, 2, 3, 5, 7)
OPTIONS = ScoreOptions(latency=("AL",))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--delta", type=float)
    parser.add_argument("--alpha", type=float)
    arguments = parser.parse_args()
    model = find(arguments.model, arguments.source, arguments.to)
    delta = model.policy.delta if arguments.delta is None else arguments.delta
    alpha = model.policy.alpha if arguments.alpha is None else arguments.alpha
    ranges = model.policy.levels.ranges().values()
    lsg: list[Policy] = [
        Lsg(d, a, level.lower, level.upper)
        for d, a in dict.fromkeys([(delta, alpha), (LLAMA.delta, LLAMA.alpha)])
        for level in ranges
    ]
    waits: list[Policy] = [WaitK(k) for k in WAITS]
    agreements: list[Policy] = [LocalAgreement(n) for n in (2, 3)]
    policies = [*lsg, *waits, *agreements, Offline()]

    (name,) = {file.stem for file in arguments.data.glob(_pattern(arguments))}
    files = (arguments.data / f"{name}.{code}" for code in (arguments.source, arguments.to))
    sentences = load_corpus(*files)[: arguments.sentences]
    backend = open_backend(model, Placement("cpu", "int8", threads=1))
    backend.ready()
    shared = CachingBackend(backend)
    done: dict[Policy, list[Instance]] = {policy: [] for policy in policies}
    for n, sentence in enumerate(sentences, start=1):
        for policy in policies:
            evaluate(shared, policy, [sentence], done[policy].append)
        shared.forget()
        print(f"{n} of {len(sentences)}", file=sys.stderr)
        if n % 20 == 0 or n == len(sentences):
            found = {
                policy: measure(rows, OPTIONS, name=str(policy)) for policy, rows in done.items()
            }
            print(f"\n{name} {model.direction}, {n} sentences, {Path(arguments.model).name}")
            _show(found, waits, agreements)


def _pattern(arguments: argparse.Namespace) -> str:
    pair = sorted((arguments.source, arguments.to), key=lambda code: (code != "en", code))
    return f"tatoeba.{'-'.join(pair)}.{arguments.source}"


def _show(found: dict[Policy, Measurement], waits: list[Policy], agreements: list[Policy]) -> None:
    measured = list(found.values())
    above = [
        {
            (gain.system, gain.metric): gain
            for gain in gains(measured, [found[policy] for policy in curve], "AL")
        }
        for curve in (waits, agreements)
    ]
    print(
        f"{'':<32}    AL  BLEU  chrF   above wait-k: BLEU       chrF   above LA-n: BLEU       chrF"
    )
    for each in measured:
        scores = summarise(each).scores
        figures = "".join(f"{scores[name].value:6.1f}" for name in ("BLEU", "chrF"))
        cells = (_cell(gains[each.name, m]) for gains in above for m in ("BLEU", "chrF"))
        print(f"{each.name:<32}{scores['AL'].value:6.2f}{figures} {' '.join(cells)}", flush=True)


def _cell(gain: Gain) -> str:
    if gain.difference is None or gain.interval is None:
        return f"{'-':>20}"
    return f"{gain.difference:+6.1f} [{gain.interval.low:+5.1f}, {gain.interval.high:+5.1f}]"


if __name__ == "__main__":
    main()
