"""What LSG's two signals know about a word, on the embedded model.

One command, from the root of the repository (needs ../shared):

    python -m benchmarks.policy_signals [--output FILE]

The target prefix is the model's own translation of the whole sentence, y_<i. A word is *settled*
with j source words read if the most probable token after x_<=j, y_<i is the first one of y_i: if
it were written now, it would be what the whole source makes it. For each signal: the area under
the ROC curve (0.5: knows nothing, 1: everything) of telling the settled words from the others,
over all i < j < J, and at equal waiting j - i, which is what wait-k goes by. *Unsure* are the words
with max p <= 0.6, the only ones for which the policy asks for the divergence.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.embedded import open_decoder_only
from lsgcli.core.decoder import split_words
from lsgcli.core.steps import Generate, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lsgcli.backends.decoder_only import DecoderOnlyBackend

ROOT = Path(__file__).parent
SETS = {"tatoeba.en-de": 150, "newstest2013.en-de": 60}
LEAST = 7  # words of a sentence
ALPHA = 0.6  # the divergence is asked only where max p is not above
MOST = 7  # words waited for, j - i


@dataclass(frozen=True)
class Case:
    """A word i with j source words read."""

    waited: int  # j - i
    confidence: float  # max p
    divergence: float  # KL(p || q) in nats, q at wait-1
    settled: bool


def main() -> None:
    """Print and save a table a test set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "policy_signals.txt")
    options = parser.parse_args()
    backend = open_decoder_only("de", "en")
    lines = []
    for name, count in SETS.items():
        file = ROOT.parents[1] / "shared" / "data" / "dev" / f"{name}.en"
        sources = [tuple(line.split()) for line in file.read_text(encoding="utf-8").splitlines()]
        chosen = [source for source in sources if len(source) >= LEAST][:count]
        found = [case for source in chosen for case in cases(backend, source)]
        lines += [f"dev/{name}, {len(chosen)} sentences, {len(found)} cases", *table(found), ""]
        print("\n".join(lines), flush=True)
    options.output.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)


def cases(backend: DecoderOnlyBackend, source: tuple[str, ...]) -> Iterator[Case]:
    """All words of a sentence with the source words read."""
    (tokens,) = backend.generate([Generate(Query(source, ()), backend.lexicon.limit(source))])
    target: tuple[int, ...] = ()
    for i, word in enumerate(split_words(tokens, backend.lexicon), 1):
        reads = range(i, min(i + MOST + 1, len(source)))
        queries = [Query(source[:j], target) for j in reads]
        rows = [row[0] for row in backend.forward(queries)] if queries else []
        for j, p in zip(reads, rows, strict=True):
            if j > i:
                yield Case(j - i, p.top, p.divergence(rows[0]), p.token == word[0])
        target += word


def table(found: Sequence[Case]) -> list[str]:
    """Shares of settled words, and the areas under the curves."""
    lines = [f"  {'waited':>8} {'cases':>6} {'settled':>8} {'AUC max p':>10} {'AUC KL':>7} "
             f"{'of unsure: settled':>19} {'AUC KL':>7}"]  # fmt: skip
    for waited in range(1, MOST + 1):
        group = [case for case in found if case.waited == waited]
        lines.append(f"  {waited:>8} {row(group)}")
    lines.append(f"  {'all':>8} {row(found)}   AUC j-i {auc(found, lambda c: c.waited):.3f}")
    return lines


def row(group: Sequence[Case]) -> str:
    """One line of the table."""
    settled = sum(case.settled for case in group) / len(group)
    top, kl = auc(group, lambda c: c.confidence), auc(group, lambda c: c.divergence)
    unsure = [case for case in group if case.confidence <= ALPHA]
    rest = sum(case.settled for case in unsure) / len(unsure)
    text = f"{len(group):>6} {settled:>8.3f} {top:>10.3f} {kl:>7.3f}"
    return f"{text} {rest:>19.3f} {auc(unsure, lambda c: c.divergence):>7.3f}"


def auc(group: Sequence[Case], signal: Callable[[Case], float]) -> float:
    """The chance that a settled case has the greater signal of two; ties count half."""
    yes = np.array([signal(case) for case in group if case.settled])
    no = np.sort([signal(case) for case in group if not case.settled])
    less = np.searchsorted(no, yes, "left") + np.searchsorted(no, yes, "right")
    return float(less.mean() / (2 * len(no)))


if __name__ == "__main__":
    main()
