"""Find the four levels' thresholds for every direction of a model, and write its manifest.

    python tune.py --model MODEL --data DIR [--sentences 250]

``DIR`` is that of the data; ``dev/tatoeba.*`` is used. For each of the paper's ranges [L, U] the
thresholds are taken that have the most BLEU above wait-k at equal AL.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from corpus import lines_of
from msgspec.structs import asdict

from lsgcli.backends import open_backend
from lsgcli.backends.base import Placement
from lsgcli.catalog import find
from lsgcli.evaluation.corpus import load_corpus
from lsgcli.evaluation.tuning import grid, measure
from lsgcli.manifest import Level, Levels, load, save_level
from lsgcli.policy.baselines import WaitK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.tuning import Point

GRID = "delta=0.5,1,2,4"  # with the values of lsg tune for alpha, L and U
WAITS = (1, 2, 3, 5, 7, 10)


def development(data: Path, direction: str, most: int) -> list[Sentence]:
    """The first sentences of Tatoeba's development set. Raises SystemExit if there is none."""
    if not (files := lines_of(data / "dev", "tatoeba", direction)):
        raise SystemExit(f"{data}/dev has no tatoeba for {direction}")
    return load_corpus(*files)[:most]


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
        sentences = development(args.data, direction, args.sentences)
        settings = grid(GRID)
        points = measure(backend, sentences, [*settings, *map(WaitK, WAITS)])
        found, waits = points[: len(settings)], points[len(settings) :]
        for level, bounds in asdict(Levels()).items():
            members = [
                point
                for point in found
                if (point.setting.lower, point.setting.upper) == (bounds.lower, bounds.upper)
            ]
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
