"""Logs of simultaneous systems, read and written as other scorers do.

=============  =======================================  ============================
format         written by                               here
=============  =======================================  ============================
``simuleval``  SimulEval: instances.log + config.yaml   `write_simuleval`
``omnisteval`` OmniSTEval's input, and its resegmented  `write_omnisteval`
``simulstream``  simulstream: one line per chunk        `write_simulstream`
=============  =======================================  ============================

`read_log` reads any of them, one line at a time, into `Instance` records.
"""

from lsgcli.evaluation.logs.instance import Instance, SourceType
from lsgcli.evaluation.logs.omnisteval import write_omnisteval
from lsgcli.evaluation.logs.reading import (
    LogFormat,
    detect_format,
    read_log,
    with_references,
    with_transcripts,
)
from lsgcli.evaluation.logs.simuleval import write_simuleval
from lsgcli.evaluation.logs.simulstream import write_simulstream

__all__ = [
    "Instance",
    "LogFormat",
    "SourceType",
    "detect_format",
    "read_log",
    "with_references",
    "with_transcripts",
    "write_omnisteval",
    "write_simuleval",
    "write_simulstream",
]
