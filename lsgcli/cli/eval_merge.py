"""``lsg eval merge``: the shards of a run, made whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o


def merge(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            exists=True,
            file_okay=False,
            help="The directory of lsg eval run --shard.",
            show_default=False,
        ),
    ],
    unlike: Annotated[
        bool,
        e.SCORE(
            "--unlike",
            help="Merge times of unlike machines, too; the scores say so.",
        ),
    ] = False,
    output_format: o.Format = "table",
    color: o.Color = "auto",
) -> None:
    """Merge the shards of a run and score it.

    All must be there, complete, and of the same version, model, settings and test set. What is left
    is what a run in one process leaves; a merge that was interrupted is run again. Times that were
    measured on unlike machines are refused, unless --unlike is given.

    Example:
      lsg eval merge run

    """
    from lsgcli.cli.eval_score import show_scores
    from lsgcli.evaluation.batch import score_systems
    from lsgcli.evaluation.merging import merge as merged
    from lsgcli.evaluation.rundir import RunDirectory

    directory = RunDirectory(run)
    with directory.locked():
        whole = merged(directory, unlike=unlike)
        scores = score_systems(whole.directory, whole.systems, machines=len(whole.machines))
    show_scores(scores, output_format, color, intervals=False)
