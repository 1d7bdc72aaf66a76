"""``lsg eval``: measure simultaneous systems."""

from __future__ import annotations

from lsgcli.cli.eval_merge import merge
from lsgcli.cli.eval_plot import plot
from lsgcli.cli.eval_run import run
from lsgcli.cli.eval_score import compare, score
from lsgcli.cli.help import App

app = App(
    help="Measure simultaneous systems: run policies over a test set, score logs, compare them.",
)
app.command()(run)
app.command()(merge)
app.command()(score)
app.command()(compare)
app.command()(plot)
