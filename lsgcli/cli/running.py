"""What the live commands have in common: their policy, their end, their statistics."""

from __future__ import annotations

import json
import math
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from lsgcli import signals, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsgcli.cli import options as o
    from lsgcli.output.base import Writer
    from lsgcli.output.beside import SideFile
    from lsgcli.output.statistics import Statistics
    from lsgcli.policy.spec import PolicySettings


class Runs(Protocol):
    """A pipeline."""

    def run(self) -> None:
        """Run until the input ends."""
        ...


def policy_settings(
    policy: o.PolicyName,
    latency: o.Latency | None,
    profile: str | None,
    lower: int | None,
    upper: int | None,
    delta: float | None,
    alpha: float | None,
    margin: float | None,
    kl_direction: o.KlDirection | None,
    k: int | None,
    n: int | None,
) -> PolicySettings:
    """Check the options of the policy. Raises UsageError."""
    from lsgcli.policy import profiles
    from lsgcli.policy.spec import PolicySettings

    settings = PolicySettings(
        name=policy.value,
        latency=latency.value if latency else None,
        lower=lower,
        upper=upper,
        delta=delta,
        alpha=alpha,
        margin=margin,
        direction=kl_direction.value if kl_direction else None,
        k=k,
        n=n,
    )
    settings.check()
    if profile is not None:
        settings = settings.with_profile(profiles.load(profile))
    return settings


def floor_level(text: str, own: float | None) -> float | None:
    """The level that ``--floor`` means, with the model's ``own``; none: None. Raises UsageError."""
    from lsgcli.errors import UsageError

    if text in ("auto", "none"):
        return own if text == "auto" else None
    try:
        level = float(text)
    except ValueError:
        level = math.nan
    if not level <= 0:
        raise UsageError(f"--floor {text!r}: neither a number of at most 0, nor none, nor auto")
    return level


def ignore(message: str) -> None:
    """Say nothing."""


def run_to_end(pipeline: Runs, writer: Writer) -> None:
    """Run to the end, and leave the output as it should end whatever happens."""
    from lsgcli.output.descriptor import ClosedOutputError

    signals.work()
    try:
        try:
            pipeline.run()
        finally:
            writer.close()
    except ClosedOutputError:
        pass


@contextmanager
def shown(
    statistics: Statistics, report: SideFile | None, *, show: bool, live: bool, colour: str
) -> Iterator[None]:
    """Show the statistics while running, if ``live`` on a terminal, and at the end."""
    from lsgcli.output.display import table

    try:
        if show and live and os.isatty(2):
            from rich.live import Live

            with Live(get_renderable=lambda: table(statistics), console=terminal.console(colour)):
                yield
        else:
            try:
                yield
            finally:
                if show:
                    terminal.console(colour).print(table(statistics))
    finally:
        if report:
            report.write(json.dumps(statistics.summary(), indent=2).encode() + b"\n")
