"""``python -m lsgcli`` and the ``lsg`` command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave at once.

    Neither a thread that waits for input nor a model's worker may delay or fail the exit. While
    importing nothing becomes garbage, so the collector need not look.
    """
    gc.disable()
    try:
        from lsgcli.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while still importing, or once more while leaving
        code = 130
    os._exit(code)


if __name__ == "__main__":
    main()
