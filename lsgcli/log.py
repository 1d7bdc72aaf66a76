"""What is said besides the output: notes and warnings, through Python's ``logging``.

The command line shows them on standard error, a line each. Programs that use lsg as a library
decide with ``logging.getLogger("lsgcli")``.
"""

import logging

logger = logging.getLogger("lsgcli")
