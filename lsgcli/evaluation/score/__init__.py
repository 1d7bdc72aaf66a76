"""Scores of a log, and of one log against another.

`measure` reads a log once and keeps a few numbers per sentence; `summarise` turns them into
scores, `compare` into paired tests, `gains` into differences at equal latency. Latency is
measured by up to three clocks, distinguished by the name:

- ``AL``: by what was read (computation-unaware).
- ``AL_CA``: by ``elapsed`` as the tool logged it; SimulEval's accumulation, for published numbers.
- ``AL_CA_queue``: by the queue clock, ``e_i = max(arrival_i, e_{i-1}) + compute_i``.

The latter two exist if the log has a clock. Sentences that a metric cannot score (no
hypothesis, no source, none written before the end for YAAL) are left out of its mean as in
SimulEval and OmniSTEval, and counted in ``skipped``.
"""

from lsgcli.evaluation.score.comparing import Comparison, compare
from lsgcli.evaluation.score.equal_latency import Gain, gains, on_curve
from lsgcli.evaluation.score.measuring import Measurement, measure, measure_log
from lsgcli.evaluation.score.options import ScoreOptions
from lsgcli.evaluation.score.summary import LogScore, Score, summarise
from lsgcli.evaluation.score.timelines import LATENCY_METRICS

__all__ = [
    "LATENCY_METRICS",
    "Comparison",
    "Gain",
    "LogScore",
    "Measurement",
    "Score",
    "ScoreOptions",
    "compare",
    "gains",
    "measure",
    "measure_log",
    "on_curve",
    "summarise",
]
