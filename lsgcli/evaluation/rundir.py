"""The directory of a run: what was asked for, a log for every system, the results.

::

    DIR/run.json                    what was run, with what; see `Record`
    DIR/results.json, results.tsv   the scores, once all systems are done
    DIR/segments.tsv                what recordings are scored by, if it is not the whole
    DIR/SYSTEM/instances.log        SimulEval's log, sorted, written whole
    DIR/SYSTEM/config.yaml
    DIR/SYSTEM/instances.sha256     checksums of both: SYSTEM is complete
    DIR/SYSTEM/instances.part       sentences finished so far, in the order they were
    DIR/shards/3-of-8/              the same for a shard, without results; see ``merging``

A sentence is appended to the part as soon as it is finished, so a killed run loses at most the
sentences that were being translated; see ``journal``.

Who writes to a directory holds its lock; who writes to a shard shares that of the run.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from lsgcli.errors import InputError, OutputError, UsageError
from lsgcli.evaluation.journal import SystemLog, opened
from lsgcli.evaluation.logs.files import write_lines
from lsgcli.evaluation.provenance import differences
from lsgcli.evaluation.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lsgcli.evaluation.logs import SourceType
    from lsgcli.metrics.units import LatencyUnit

RECORD, RESULTS, SHARDS = "run.json", "results", "shards"
LARGEST = 16 << 20  # bytes of the record


class Record(msgspec.Struct, frozen=True):
    """What ``run.json`` holds.

    Attributes:
        settings: what a run must have in common with the one it continues, and a shard with all
            others.
        systems: policy and settings of each system by name; these must be the same too.
        here: what must be the same to continue a log, and may differ between shards: the machine,
            the sentences. Of a merged run: the machines that are unlike.
        about: for information: the command, file names, when and where it was begun.

    """

    settings: dict[str, Any]
    systems: dict[str, dict[str, Any]]
    here: dict[str, Any] = {}
    about: dict[str, Any] = {}

    def changes(self, other: Record) -> list[str]:
        """List the differences in ``other``, the later one, that are not allowed in a run."""
        gone = [f"system {name} is not asked for" for name in self.systems.keys() - other.systems]
        new = [f"system {name} was not asked for" for name in other.systems.keys() - self.systems]
        return differences(self.settings, other.settings) + sorted(gone) + sorted(new)

    @property
    def target(self) -> str:
        """The language that was written; empty if the record does not say."""
        model = self.settings.get("model", {})
        return str(model.get("direction", "")).rpartition("-")[2]

    @property
    def machines(self) -> list[dict[str, Any]]:
        """The machines on which it was computed, as far as they are unlike."""
        machines: list[dict[str, Any]] = self.here.get("machines", [self.here.get("machine", {})])
        return machines


@dataclass(frozen=True)
class RunDirectory:
    """A directory of a run or of one of its shards, which need not exist yet."""

    path: Path
    unit: LatencyUnit = "word"  # in which delays are counted
    whole: RunDirectory | None = None  # of a shard: the run

    def shard(self, shard: Shard) -> RunDirectory:
        """The directory of a shard."""
        return RunDirectory(self.path / SHARDS / shard.name, self.unit, self)

    def shards(self) -> dict[Shard, RunDirectory]:
        """The shards that are there, in order. Raises InputError for what is none."""
        if not (self.path / SHARDS).is_dir():
            return {}
        names = {name: Shard.named(name) for name in _visible(self.path / SHARDS)}
        if foreign := sorted(name for name, shard in names.items() if shard is None):
            raise InputError(
                f"{self.path / SHARDS / foreign[0]}: not the directory of a shard; move it away"
            )
        return {shard: self.shard(shard) for shard in sorted(filter(None, names.values()))}

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
        with ExitStack() as held:
            if self.whole:
                held.enter_context(self.whole.locked(shared=True))
                self.whole.claim_for_shards(record)
            held.enter_context(self.locked())
            self._claim(record, continues=True)
            yield

    @contextmanager
    def locked(self, *, shared: bool = False) -> Iterator[None]:
        """Make the directory if there is none, and lock it. Raises OutputError, UsageError."""
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with _locked(self.path, how | fcntl.LOCK_NB):
            yield

    def claim_for_shards(self, record: Record) -> None:
        """Have the shards' common record, written by the first that comes. Raises UsageError."""
        with _locked(self.path / SHARDS, fcntl.LOCK_EX):
            self._claim(msgspec.structs.replace(record, here={}), continues=False)

    def has_record(self) -> bool:
        """Whether there is a ``run.json``."""
        return (self.path / RECORD).exists()

    def record(self) -> Record:
        """Read ``run.json``. Raises UsageError if there is none, InputError if it is broken."""
        file = self.path / RECORD
        if not self.has_record():
            raise UsageError(f"{self.path}: not the directory of a run, it has no {RECORD}")
        try:
            with opened(file) as stream:
                return msgspec.json.decode(stream.read(LARGEST), type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{file}: {error}; delete the directory and run again") from error

    def keep(self, record: Record) -> None:
        """Write ``run.json``. Raises OutputError."""
        lines = json.dumps(msgspec.to_builtins(record), indent=2, allow_nan=False)
        self.write(RECORD, lines.splitlines())

    def system(
        self, name: str, sources: Mapping[int, str], source_type: SourceType = "text"
    ) -> SystemLog:
        """The log of a system; ``sources``: checksums of the sentences by index."""
        return SystemLog(self.path / name, sources, source_type, self.unit)

    def write(self, name: str, lines: Iterable[str]) -> None:
        """Write a file of the directory, whole or not at all."""
        write_lines(self.path / name, lines)

    def _claim(self, record: Record, *, continues: bool) -> None:
        beside = set() if continues else {SHARDS}
        if not self.has_record() and set(_visible(self.path)) <= beside:
            self.keep(record)
            return
        before = self.record()
        found = before.changes(record)
        if continues:
            found += differences(before.here, record.here)
        if found:
            more = f" (and {len(found) - 1} more differences)" if len(found) > 1 else ""
            what = "cannot be resumed" if continues else "holds another run"
            raise UsageError(
                f"{self.path}: {what}: {found[0]}{more}; "
                "run with what it was begun with, or choose another --output"
            )


@contextmanager
def _locked(path: Path, how: int) -> Iterator[None]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be made: {error.strerror}; choose another place"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError as error:
            raise UsageError(f"{path}: another lsg is writing to it; wait for it") from error
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)


def _visible(directory: Path) -> list[str]:
    """The directory's files, without temporary files of a killed process."""
    return [name for name in os.listdir(directory) if not name.startswith(".")]
