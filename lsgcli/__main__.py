"""``python -m lsgcli`` and the ``lsg`` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and leave at once.

    Neither a thread that waits for input nor a model's worker may delay or fail the exit.
    """
    from lsgcli.cli.app import run

    code = run(sys.argv[1:])
    os._exit(code)


if __name__ == "__main__":
    main()
