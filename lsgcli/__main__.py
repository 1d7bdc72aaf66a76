"""``python -m lsgcli`` and the ``lsg`` command."""

from __future__ import annotations

import gc
import os
import sys

from lsgcli import signals


def main() -> None:
    """Run the command line and leave at once.

    Neither a thread that waits for input nor a model's worker may delay or fail the exit. While
    importing nothing becomes garbage, so the collector need not look.
    """
    gc.disable()
    signals.catch()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy has no large products to compute
    from lsgcli.cli.app import run

    os._exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
