"""Sentences a second of LSG in lock step, by batch size.

python benchmarks/lock_step.py SENTENCES [HOW_MANY]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.models.catalog import find
from lsgcli.policy.lsg import Lsg

POLICY = Lsg(delta=1.0, alpha=0.6, lower=3, upper=4)


def main() -> None:
    """Print a line a batch size."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    sources = [tuple(line.split()) for line in lines[: int((sys.argv[2:] or ["200"])[0])]]
    for batch_size in (1, 4, 8, 16, 32, 64):
        backend = open_backend(find("en-de", None, "de"), Placement(batch_size=batch_size))
        backend.ready()
        segments = [(source, translate(POLICY, backend.lexicon)) for source in sources]
        start = time.perf_counter()
        run(backend, segments, lambda _, __: None, batch_size)
        seconds = time.perf_counter() - start
        print(f"batch {batch_size:3} {len(sources) / seconds:7.1f} sentences/s")


if __name__ == "__main__":
    main()
