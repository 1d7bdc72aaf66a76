"""The directory of a run: what was asked for, a log for every system, the results.

::

    DIR/run.json                    what was run, with what; see `Record`
    DIR/results.json, results.tsv   the scores, once all systems are done
    DIR/SYSTEM/instances.log        SimulEval's log, sorted, written whole
    DIR/SYSTEM/config.yaml
    DIR/SYSTEM/instances.part       sentences finished so far, in the order they were

A sentence is appended to the part as soon as it is finished, so a run that was killed is
continued with at most the sentences lost that were being translated.
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
from lsgcli.evaluation.logs.files import write_lines
from lsgcli.evaluation.logs.simuleval import (
    LOG_NAME,
    read_simuleval,
    simuleval_line,
    write_simuleval,
)
from lsgcli.evaluation.provenance import differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lsgcli.evaluation.logs import Instance, SourceType
    from lsgcli.metrics.units import LatencyUnit

RECORD, RESULTS, PART = "run.json", "results", "instances.part"


class Record(msgspec.Struct, frozen=True):
    """What ``run.json`` holds.

    Attributes:
        settings: what a run must have in common with the one it continues.
        systems: of each system by name, its policy and settings; the same goes for them.
        about: what else is good to know: the command, file names, when and where it was begun.

    """

    settings: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    about: dict[str, Any] = {}

    def changes(self, other: Record) -> list[str]:
        """Name what must not differ but does in ``other``, the later one."""
        gone = [f"system {name} is not asked for" for name in self.systems.keys() - other.systems]
        new = [f"system {name} was not asked for" for name in other.systems.keys() - self.systems]
        return differences(self.settings, other.settings) + sorted(gone) + sorted(new)


@dataclass(frozen=True)
class RunDirectory:
    """A run's directory, which may not be there yet."""

    path: Path
    unit: LatencyUnit = "word"  # in which delays are counted

    @contextmanager
    def open(self, record: Record, *, resume: bool) -> Iterator[None]:
        """Make the directory or find it as it was left, and keep others from it meanwhile.

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
        try:
            return msgspec.json.decode(file.read_bytes(), type=Record)
        except OSError as error:
            raise UsageError(
                f"{self.path}: not the directory of a run, it has no {RECORD}"
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: {error}; delete the directory and run again") from error

    def system(self, name: str, source_type: SourceType = "text") -> SystemLog:
        """The log of a system."""
        return SystemLog(self.path / name, source_type, self.unit)

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


@dataclass(frozen=True)
class SystemLog:
    """The log of one system."""

    path: Path
    source_type: SourceType = "text"
    unit: LatencyUnit = "word"

    @property
    def finished(self) -> bool:
        """Whether the log is complete."""
        return (self.path / LOG_NAME).exists()

    def instances(self) -> dict[int, Instance]:
        """Give what there is of an unfinished log, by index, and forget a last line cut short.

        Raises:
            InputError: if another line is broken.

        """
        part = self.path / PART
        if not part.exists():
            return {}
        _drop_torn_line(part)
        return {instance.index: instance for _, instance in read_simuleval(part, self.source_type)}

    @contextmanager
    def appending(self) -> Iterator[Appender]:
        """Append sentences to the unfinished log."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / PART).open("ab", buffering=0) as handle:
            yield Appender(handle.fileno(), self.path / PART, self.unit)

    def finish(self, instances: Iterable[Instance]) -> None:
        """Write the log in order, then drop the unfinished one."""
        ordered = sorted(instances, key=lambda instance: instance.index)
        write_simuleval(self.path, ordered, source_type=self.source_type, unit=self.unit)
        (self.path / PART).unlink(missing_ok=True)


@dataclass(frozen=True)
class Appender:
    """Appends a line with one system call, so that it is there, whole, if the process is killed."""

    descriptor: int
    path: Path
    unit: LatencyUnit = "word"

    def __call__(self, instance: Instance) -> None:
        """Append a sentence. Raises OutputError if the file does not take it."""
        line = f"{simuleval_line(instance, self.unit)}\n".encode()
        try:
            written = os.write(self.descriptor, line)
        except OSError as error:
            raise OutputError(
                f"{self.path}: {error.strerror}; make room, then continue with --resume"
            ) from error
        if written < len(line):
            raise OutputError(f"{self.path}: disk full; make room, then continue with --resume")


def _visible(directory: Path) -> list[str]:
    """The directory's files, without temporary ones that a killed process may have left."""
    return [name for name in os.listdir(directory) if not name.startswith(".")]


def _drop_torn_line(file: Path) -> None:
    data = file.read_bytes()
    os.truncate(file, data.rfind(b"\n") + 1)
