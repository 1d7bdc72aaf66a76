"""The directory of a run: what was asked for, a log for every system, the results.

::

    DIR/run.json                    what was run, with what; see `Record`
    DIR/results.json, results.tsv   the scores, once all systems are done
    DIR/SYSTEM/instances.log        SimulEval's log, sorted, written whole
    DIR/SYSTEM/config.yaml
    DIR/SYSTEM/instances.sha256     checksums of both
    DIR/SYSTEM/instances.part       sentences finished so far, in the order they were

A sentence is appended to the part as soon as it is finished, so a killed run loses at most the
sentences that were being translated; see ``journal``.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from lsgcli.errors import InputError, OutputError, UsageError
from lsgcli.evaluation.journal import SystemLog, opened
from lsgcli.evaluation.logs.files import write_lines
from lsgcli.evaluation.provenance import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lsgcli.evaluation.logs import SourceType
    from lsgcli.metrics.units import LatencyUnit

RECORD, RESULTS = "run.json", "results"
LARGEST = 16 << 20  # bytes of the record


class Record(msgspec.Struct, frozen=True):
    """What ``run.json`` holds.

    Attributes:
        settings: what a run must have in common with the one it continues.
        systems: policy and settings of each system by name; these must be the same too.
        about: for information: the command, file names, when and where it was begun.

    """

    settings: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    about: dict[str, Any] = {}

    def changes(self, other: Record) -> list[str]:
        """List the differences in ``other``, the later one, that are not allowed."""
        gone = [f"system {name} is not asked for" for name in self.systems.keys() - other.systems]
        new = [f"system {name} was not asked for" for name in other.systems.keys() - self.systems]
        return differences(self.settings, other.settings) + sorted(gone) + sorted(new)


@dataclass(frozen=True)
class RunDirectory:
    """A run's directory, which need not exist yet."""

    path: Path
    unit: LatencyUnit = "word"  # in which delays are counted

    @contextmanager
    def open(self, record: Record, *, resume: bool) -> Iterator[None]:
        """Create the directory, or open an existing one, and lock it.

        Raises:
            UsageError: if it is there and not to be resumed, or was made by another run, or is
                in use.
            OutputError: if it cannot be made.

        """
        present = self.path.exists()
        if present and not resume and (not self.path.is_dir() or _visible(self.path)):
            raise UsageError(
                f"{self.path} is already there; continue it with --resume or choose another name"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be made: {error.strerror}; choose another place"
            ) from error
        try:
            self._lock(descriptor)
            self._claim(record)
            yield
        finally:
            os.close(descriptor)

    def record(self) -> Record:
        """Read ``run.json``. Raises UsageError if there is none, InputError if it is broken."""
        file = self.path / RECORD
        if not file.exists():
            raise UsageError(f"{self.path}: not the directory of a run, it has no {RECORD}")
        try:
            with opened(file) as stream:
                return msgspec.json.decode(stream.read(LARGEST), type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{file}: {error}; delete the directory and run again") from error

    def system(
        self, name: str, sources: Mapping[int, str], source_type: SourceType = "text"
    ) -> SystemLog:
        """The log of a system; ``sources``: checksums of the sentences by index."""
        return SystemLog(self.path / name, sources, source_type, self.unit)

    def write(self, name: str, lines: Iterable[str]) -> None:
        """Write a file of the directory, whole or not at all."""
        write_lines(self.path / name, lines)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"{self.path}: another lsg is writing to it; wait for it") from error
        except OSError:  # a file system without locks
            pass

    def _claim(self, record: Record) -> None:
        if not _visible(self.path):
            lines = json.dumps(msgspec.to_builtins(record), indent=2, allow_nan=False)
            self.write(RECORD, lines.splitlines())
        elif found := self.record().changes(record):
            more = f" (and {len(found) - 1} more differences)" if len(found) > 1 else ""
            raise UsageError(
                f"{self.path}: cannot be resumed: {found[0]}{more}; "
                "run with what it was begun with, or choose another --output"
            )


def _visible(directory: Path) -> list[str]:
    """The directory's files, without temporary files of a killed process."""
    return [name for name in os.listdir(directory) if not name.startswith(".")]
