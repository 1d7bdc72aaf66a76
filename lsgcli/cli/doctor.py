"""``lsg doctor``: whether everything lsg needs is here."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from lsgcli.cli.options import Json

Offline = Annotated[bool, typer.Option("--offline", help="Do not look whether the Hub answers.")]


def doctor(offline: Offline = False, as_json: Json = False) -> None:
    """Check that everything lsg needs is here.

    A line for each thing: ok, note (works without) or FAIL, what it is, and what to do. Exit code 1
    if something that is needed is missing.
    """
    from lsgcli.cli.diagnosis import findings
    from lsgcli.errors import ExitCode

    failed = False
    for finding in findings(offline=offline):
        failed |= finding.status == "FAIL"
        if as_json:
            line = json.dumps(asdict(finding), ensure_ascii=False)
        else:
            remedy = f" ({finding.remedy})" if finding.remedy else ""
            line = f"{finding.status:<4}  {finding.what:<11}  {finding.detail}{remedy}"
        print(line, flush=True)
    if failed:
        raise typer.Exit(ExitCode.FAILURE)
