"""Find the four levels' thresholds for every direction of a model, and write its manifest.

    python tune.py --model MODEL --data DIR [--sentences 500]

``DIR`` is that of the data; ``dev/tatoeba.*`` is used. A level is what has the most BLEU of all
that keeps to an average lagging; it is not tied to one of the paper's ranges, as [1, 4] is worse
than wait-k on small models.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from corpus import lines_of

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.evaluation.caching import sharing
from lsgcli.evaluation.corpus import load_corpus
from lsgcli.evaluation.engine import local
from lsgcli.evaluation.tuning import grid, measure, within
from lsgcli.models.catalog import find
from lsgcli.models.manifest import load, save_level
from lsgcli.policy.spec import level

if TYPE_CHECKING:
    from lsgcli.evaluation.corpus import Sentence

GRID = "L=1,2,3,4,5,6,7 U=2,4 delta=2,8 alpha=0.4,0.5,0.6,0.7,0.8,0.9"
BUDGETS = {"low": 2.5, "medium": 4.0, "high": 5.0, "highest": 6.0}  # mean AL in source words


def development(data: Path, direction: str, most: int) -> list[Sentence]:
    """The first sentences of Tatoeba's development set. Raises SystemExit if there is none."""
    if not (files := lines_of(data / "dev", "tatoeba", direction)):
        raise SystemExit(f"{data}/dev has no tatoeba for {direction}")
    return load_corpus(*files)[:most]


def main() -> None:
    """Tune all directions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=500)
    args = parser.parse_args()
    for direction in load(args.model).directions:
        source, target = direction.split("-")
        model = find(str(args.model), source, target)
        backend = open_backend(model, Placement())
        backend.ready()
        policies = grid(GRID, model.policy, speech=False)
        sentences = development(args.data, direction, args.sentences)
        points = measure(local(sharing(backend)), sentences, policies)
        for name, budget in BUDGETS.items():
            if not (best := within(points, budget)):
                print(f"{direction} {name}: nothing keeps to AL {budget:g}, left as it is")
                continue
            save_level(args.model, direction, name, level(best.policy))
            print(
                f"{direction} {name}: {best.policy}: AL {best.lagging:.2f}, "
                f"BLEU {best.quality:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
