"""Sentences a second of LSG in lock step, by batch size.

    python -m benchmarks.lock_step SENTENCES [HOW_MANY]

The sentences are lines of a file, in English.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.embedded import open_decoder_only
from lsgcli.core.backend import Placement
from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.policy.lsg import Lsg

POLICY = Lsg(delta=1.0, alpha=0.6, lower=3, upper=4)


def main() -> None:
    """Print a line a batch size."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    sources = [tuple(line.split()) for line in lines[: int((sys.argv[2:] or ["200"])[0])]]
    for batch_size in (1, 4, 8, 16, 32, 64):
        backend = open_decoder_only("de", placement=Placement(batch_size=batch_size))
        segments = [(source, translate(POLICY, backend.lexicon)) for source in sources]
        start = time.perf_counter()
        run(backend, segments, lambda _, __: None, batch_size)
        seconds = time.perf_counter() - start
        print(f"batch {batch_size:3} {len(sources) / seconds:7.1f} sentences/s")


if __name__ == "__main__":
    main()
