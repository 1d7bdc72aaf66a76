"""What the live commands have in common: their end, and what they show beside their output."""

from __future__ import annotations

import gc
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from lsgcli import signals, terminal
from lsgcli.output.beside import SideFile, check_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack
    from pathlib import Path

    from lsgcli.cli.options import Reports
    from lsgcli.core.session import Observer
    from lsgcli.output.base import Writer
    from lsgcli.output.statistics import Statistics


class Pipeline(Protocol):
    """What runs."""

    def run(self) -> None:
        """Run until the input ends."""
        ...


class Run:
    """One run of a live command, with the files that are written beside its output."""

    def __init__(
        self, stack: ExitStack, reports: Reports, color: str, inputs: Sequence[int | Path]
    ) -> None:
        """Take what is read, so that nothing is written to it. Raises UsageError."""
        check_output(inputs)
        self._stack = stack
        self._reports = reports
        self._color = color
        self._taken = list(inputs)
        self._report: SideFile | None = None
        on_terminal = terminal.is_terminal(1)
        # Whether output and explanations are on one terminal; whether hypotheses can be shown.
        self.together = reports.explain and on_terminal and terminal.is_terminal(2)
        self.preview = on_terminal and not self.together and terminal.coloured(color, sys.stdout)

    def beside(self, path: Path | None, option: str) -> SideFile | None:
        """Open a file that is none of those that are taken. Raises UsageError, OutputError."""
        if path is None:
            return None
        file = self._stack.enter_context(SideFile(path, option, self._taken))
        self._taken.append(file.fileno())
        return file

    def open_report(self) -> None:
        """Open the file for statistics. Raises UsageError, OutputError."""
        self._report = self.beside(self._reports.stats_json, "--stats-json")

    def observers(self, *more: Observer) -> tuple[Observer, ...]:
        """Add what explains decisions, if that is wanted."""
        if not self._reports.explain:
            return more
        from lsgcli.output.display import Explainer

        return (*more, Explainer(sys.stderr))

    def to_end(self, pipeline: Pipeline, writer: Writer, statistics: Statistics) -> None:
        """Run to the end, and leave the output as it should end whatever happens."""
        from lsgcli.output.descriptor import ClosedOutputError

        signals.work()
        gc.freeze()  # what is loaded stays
        gc.enable()
        with self._shown(statistics):
            try:
                try:
                    pipeline.run()
                finally:
                    writer.close()
            except ClosedOutputError:
                pass

    @contextmanager
    def _shown(self, statistics: Statistics) -> Iterator[None]:
        """Show the statistics at the end, and on a terminal that has nothing else on it, live."""
        from lsgcli.output.display import table

        show, console = self._reports.stats, terminal.console
        alone = not terminal.is_terminal(1) and not self._reports.explain
        try:
            if show and alone and terminal.is_terminal(2):
                from rich.live import Live

                with Live(get_renderable=lambda: table(statistics), console=console(self._color)):
                    yield
            else:
                try:
                    yield
                finally:
                    if show:
                        console(self._color).print(table(statistics))
        finally:
            if self._report:
                summary = json.dumps(statistics.summary(), indent=2)
                self._report.write(summary.encode() + b"\n")
