"""Find the four levels' thresholds for every direction of a model, and write its manifest.

    python tune.py --model MODEL --data DIR [--sentences 250]

``DIR`` is that of the data; ``dev/tatoeba.*`` is used. For each of the paper's ranges [L, U] the
thresholds are taken that have the most BLEU above wait-k at equal AL.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.backends import open_backend
from lsgcli.backends.base import Placement
from lsgcli.catalog import find
from lsgcli.evaluation.corpus import load_corpus
from lsgcli.evaluation.tuning import measure
from lsgcli.manifest import Level, load, save_level
from lsgcli.policy.baselines import WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.evaluation.tuning import Point

LEVELS = {"low": (1, 4), "medium": (3, 4), "high": (5, 6), "highest": (7, 6)}
DELTAS = (0.5, 1.0, 2.0, 4.0)
ALPHAS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WAITS = (1, 2, 3, 5, 7, 10)


def sources(data: Path, direction: str, part: str, name: str = "tatoeba") -> tuple[Path, Path]:
    """The files of a test set that is named after the pair, English first."""
    source, target = direction.split("-")
    pair = f"en-{target if source == 'en' else source}"
    folder = data / part
    return folder / f"{name}.{pair}.{source}", folder / f"{name}.{pair}.{target}"


def above(point: Point, waits: Sequence[Point]) -> float:
    """BLEU above wait-k at the same AL."""
    curve = sorted((each.lagging, each.quality) for each in waits)
    return point.quality - float(np.interp(point.lagging, *zip(*curve, strict=True)))


def main() -> None:
    """Tune all directions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=250)
    args = parser.parse_args()
    for direction in load(args.model).directions:
        source, target = direction.split("-")
        backend = open_backend(find(str(args.model), source, target), Placement())
        backend.ready()
        files = sources(args.data, direction, "dev")
        sentences = load_corpus(*files)[: args.sentences]
        settings = [Lsg(d, a, *r) for r, d, a in product(LEVELS.values(), DELTAS, ALPHAS)]
        points = measure(backend, sentences, [*settings, *map(WaitK, WAITS)])
        found, waits = points[: len(settings)], points[len(settings) :]
        for level, bounds in LEVELS.items():
            members = [p for p in found if (p.setting.lower, p.setting.upper) == bounds]
            best = max(members, key=lambda point: above(point, waits))
            s = best.setting
            chosen = Level(lower=s.lower, upper=s.upper, delta=s.delta, alpha=s.alpha)
            save_level(args.model, direction, level, chosen)
            print(
                f"{direction} {level}: delta {s.delta:g}, alpha {s.alpha:g}, "
                f"AL {best.lagging:.2f}, BLEU {best.quality:.2f}, "
                f"{above(best, waits):+.2f} above wait-k",
                flush=True,
            )


if __name__ == "__main__":
    main()
