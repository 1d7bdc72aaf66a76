"""Compare models by what they write at equal lagging.

    python compare.py --models A B --data DIR [--directions en-de de-en] [--sentences 300]

``DIR`` is that of the data; ``dev/tatoeba.*`` is used. For each AL, in words, the BLEU of LSG with
the best of 24 settings, and of wait-k, both interpolated along their curves; then that of the whole
sentences. Settings are chosen on the sentences they are scored on: compare the models, not these
figures with others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tune import development

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.evaluation.caching import sharing
from lsgcli.evaluation.engine import local
from lsgcli.evaluation.tuning import Point, front, grid, measure
from lsgcli.models.catalog import find
from lsgcli.policy.baselines import WaitK

GRID = "delta=1,4 alpha=0.5,0.7,0.9"
WAITS = (1, 2, 3, 4, 6, 8, 10)
WHOLE = 1_000  # the k of offline translation
LAGGINGS = (2, 3, 4, 5, 6)


def along(points: list[Point]) -> list[float]:
    """BLEU at LAGGINGS."""
    curve = front(points)
    lag, bleu = [point.lagging for point in curve], [point.quality for point in curve]
    return [float(each) for each in np.interp(LAGGINGS, lag, bleu)]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--directions", nargs="+", default=["en-de", "de-en"])
    parser.add_argument("--sentences", type=int, default=300)
    args = parser.parse_args()
    print("direction model policy", *(f"AL={each}" for each in LAGGINGS), "offline", sep="\t")
    for direction in args.directions:
        sentences = development(args.data, direction, args.sentences)
        for model in args.models:
            found = find(str(model), *direction.split("-"))
            backend = open_backend(found, Placement())
            backend.ready()
            policies = grid(GRID, found.policy, speech=False)
            policies += [WaitK(k) for k in (*WAITS, WHOLE)]
            points = measure(local(sharing(backend)), sentences, policies)
            whole = points.pop().quality
            waits = len(WAITS)
            for policy, curve in (("LSG", points[:-waits]), ("wait-k", points[-waits:])):
                row = [f"{bleu:.1f}" for bleu in (*along(curve), whole)]
                print(direction, model.name, policy, *row, sep="\t", flush=True)


if __name__ == "__main__":
    main()
