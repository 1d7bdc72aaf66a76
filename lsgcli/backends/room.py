"""Whether a limit of the address space leaves room for the libraries and a model.

If it does not, they end the process in whatever place they ask for memory, without a message that
tells why. So it is found out before. The figures are what the embedded models were seen to need,
and a fifth more.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lsgcli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

BASE = 512 << 20  # bytes: Python, CTranslate2, oneMKL, numpy, a tokenizer
THREAD = 64 << 20  # bytes: a stack, an arena, buffers of a pass


def check_room(directory: Path, threads: int = 0) -> None:
    """Raise ModelError if ``ulimit -v`` is too low to run a model; ``threads`` 0: all cores."""
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    weights = directory / "model.bin"
    threads = threads or len(os.sched_getaffinity(0))
    needed = BASE + threads * THREAD + (weights.stat().st_size if weights.exists() else 0)
    if limit < needed:
        raise ModelError(
            f"out of memory: the address space is limited to {limit >> 20} MB (ulimit -v), and "
            f"{directory.name} with {threads} threads needs {needed >> 20}; raise the limit, or "
            "take fewer --threads"
        )
