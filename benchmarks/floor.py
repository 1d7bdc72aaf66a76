"""What the floor leaves and what it writes: coverage, and chrF of what is written.

    python -m benchmarks.floor [--tune]

Whole lines through the embedded models; a line whose mean log-probability is below the level in
the manifest is left. At the end the sentences of ``held/test/business-and-logs``: how
many are left, and a sample of both to read. ``--tune`` prints a level for each
direction instead: the highest one with which, on the development sets of tatoeba and of messages,
``WRITTEN`` of the lines are written in the mean.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sacrebleu.metrics.chrf import CHRF

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.core.segment import request_whole
from lsgcli.models.catalog import find

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parents[2] / "shared" / "data"
OWN = Path(__file__).with_name("held") / "test" / "business-and-logs.en-de.en"
PAIRS = ("en-de", "de-en", "en-fr", "fr-en", "en-es", "es-en")
SETS = {  # of each pair of languages: what the level is tuned on, and other test sets
    "de": (("tatoeba.en-de", "po-messages.en-de"), ("newstest2019.en-de",)),
    "fr": (("tatoeba.en-fr",), ("newstest2014.fr-en",)),
    "es": (("tatoeba.en-es",), ("newstest2013.en-es",)),
}
NEWS = 500  # lines of the news
WRITTEN = 0.83  # of the lines of the development sets
SAMPLE = 12


@dataclass(frozen=True)
class Line:
    """A line, its translation and how much the model believes it."""

    source: str
    hypothesis: str
    logp: float
    reference: str = ""


def translated(direction: str, sources: list[str], references: list[str]) -> list[Line]:
    """Translate lines."""
    source, target = direction.split("-")
    model = find({"de": "en-de"}.get(_other(direction), "en-fr-es"), source, target)
    backend = open_backend(model, Placement())
    backend.ready()
    requests = [request_whole(tuple(line.split()), backend.lexicon) for line in sources]
    replies = backend.scored(requests)
    return [
        Line(s, backend.lexicon.text(reply.tokens).strip(), reply.logp, r)
        for s, reply, r in zip(sources, replies, references, strict=True)
    ]


def read(part: str, name: str, direction: str) -> tuple[list[str], list[str]]:
    """Sources and references of a set."""
    source, target = direction.split("-")
    if name == "newstest2019.en-de" and source == "de":
        name = "newstest2019.de-en"
    texts = [
        (DATA / part / f"{name}.{language}").read_text(encoding="utf-8").splitlines()
        for language in (source, target)
    ]
    most = NEWS if name.startswith("news") else None
    return texts[0][:most], texts[1][:most]


def chrf(lines: list[Line]) -> float:
    """Of a corpus."""
    hypotheses, references = [x.hypothesis for x in lines], [[x.reference for x in lines]]
    return float(CHRF().corpus_score(hypotheses, references).score)


def share(lines: list[Line], level: float) -> float:
    """How many of the lines are written."""
    return sum(line.logp >= level for line in lines) / len(lines)


def _other(direction: str) -> str:
    return next(each for each in direction.split("-") if each != "en")


def tune() -> None:
    """Print a level for each direction."""
    for direction in PAIRS:
        names, _ = SETS[_other(direction)]
        sets = [translated(direction, *read("dev", name, direction)) for name in names]
        level = max(
            level / 100
            for level in range(-200, 0)
            if sum(share(lines, level / 100) for lines in sets) >= WRITTEN * len(sets)
        )
        print(f"{direction} {level:.2f}", flush=True)


def measured(direction: str) -> Iterator[tuple[str, float, float, float]]:
    """The name of each test set, its share that is written, chrF of all and of that."""
    source, target = direction.split("-")
    level = find(None, source, target).policy.floor
    assert level is not None
    for name in (name for names in SETS[_other(direction)] for name in names):
        lines = translated(direction, *read("test", name, direction))
        written = [line for line in lines if line.logp >= level]
        yield name.partition(".")[0], len(written) / len(lines), chrf(lines), chrf(written)


def test() -> None:
    """Print a row for each direction and test set, and the mean of those that are no news."""
    rows = []
    print(f"{'direction':10} {'set':14} {'written':>8} {'chrF all':>9} {'chrF written':>13}")
    for direction in PAIRS:
        for name, written, whole, part in measured(direction):
            rows.append((name, written, whole, part))
            print(f"{direction:10} {name:14} {written:8.1%} {whole:9.1f} {part:13.1f}", flush=True)
    for news in (False, True):
        own = [row for row in rows if row[0].startswith("news") == news]
        written = sum(row[1] for row in own) / len(own)
        gain = sum(row[3] - row[2] for row in own) / len(own)
        print(f"mean of {'the news' if news else 'the others'}: {written:.1%} written, {gain:+.1f}")


def sample() -> None:
    """Print how many of our own sentences are left, and some of both."""
    sources = OWN.read_text(encoding="utf-8").splitlines()
    for target in ("de", "fr", "es"):
        level = find(None, "en", target).policy.floor or 0.0
        lines = translated(f"en-{target}", sources, [""] * len(sources))
        print(f"\n{OWN.name}, en-{target}: {share(lines, level):.1%} written")
        for name, kept in (("written", True), ("left", False)):
            some = [line for line in lines if (line.logp >= level) == kept]
            for line in random.Random(4).sample(some, min(SAMPLE, len(some))):
                print(f"  {name:7} {line.logp:5.2f}  {line.source} → {line.hypothesis}")


if __name__ == "__main__":
    if "--tune" in sys.argv:
        tune()
    else:
        test()
        sample()
