"""The journal of a run: finished sentences, appended one by one, so that a killed run can resume.

A line is ``SUM SOURCE RECORD``: the checksum of the rest of the line, that of the source sentence,
and the sentence as SimulEval logs it. A line that does not fit is reported with its file and number
and never scored. A finished log has its checksum in a file beside it, as ``sha256sum`` writes it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from lsgcli.errors import InputError, OutputError
from lsgcli.evaluation.logs.files import line_sum, write_lines
from lsgcli.evaluation.logs.simuleval import (
    CONFIG_NAME,
    LOG_NAME,
    parse_simuleval,
    simuleval_line,
    write_simuleval,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lsgcli.evaluation.logs import Instance, SourceType
    from lsgcli.metrics.units import LatencyUnit

PART, SUMS = "instances.part", "instances.sha256"
ON = "then continue with --resume"


@dataclass(frozen=True)
class SystemLog:
    """The log of one system in its directory; ``sources``: checksums of the sentences by index."""

    path: Path
    sources: Mapping[int, str]
    source_type: SourceType = "text"
    unit: LatencyUnit = "word"

    def is_finished(self) -> bool:
        """Whether the log is complete. Raises InputError if it is not what was written."""
        if self.path.is_symlink():
            raise InputError(f"{self.path}: a link; delete it, {ON}")
        if not os.path.lexists(self.path / SUMS):
            return False
        with opened(self.path / SUMS) as file:
            written = file.read(1 << 16)
        if written != self._sums():
            raise InputError(
                f"{self.path / SUMS}: {LOG_NAME} or {CONFIG_NAME} is not what the run wrote; "
                f"delete {self.path}, {ON}"
            )
        return True

    def instances(self) -> dict[int, Instance]:
        """Return the sentences of an unfinished log, by index, and drop an incomplete last line.

        Raises:
            InputError: if another line is damaged, occurs twice, or is of another sentence.

        """
        part = self.path / PART
        if not os.path.lexists(part):
            if (self.path / LOG_NAME).exists():
                raise InputError(
                    f"{self.path / LOG_NAME}: there is no {SUMS} with its checksum; delete it, {ON}"
                )
            return {}
        found: dict[int, Instance] = {}
        with opened(part, os.O_RDWR) as file:
            end = 0
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    file.truncate(end)
                    break
                end += len(line)
                instance = self._read(f"{part}:{number}", line)
                if instance.index in found:
                    raise InputError(
                        f"{part}:{number}: sentence {instance.index} is there twice; delete the "
                        f"line, {ON}"
                    )
                found[instance.index] = instance
        return found

    @contextmanager
    def appending(self) -> Iterator[Appender]:
        """Append sentences to the unfinished log. Raises OutputError, InputError."""
        part = self.path / PART
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with opened(part, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
                yield Appender(file.fileno(), part, self.sources, self.unit)
        except OSError as error:
            raise OutputError(f"{part}: {error.strerror}; make room, {ON}") from error

    def finish(self, instances: Iterable[Instance]) -> None:
        """Write the log in order, its checksum, then drop the unfinished one. Raises OutputError.

        All that was written is on the disk then.
        """
        ordered = sorted(instances, key=lambda instance: instance.index)
        write_simuleval(self.path, ordered, source_type=self.source_type, unit=self.unit)
        write_lines(self.path / SUMS, self._sums().decode().splitlines())
        self.drop_part()

    def drop_part(self) -> None:
        """Drop the unfinished log, which may still exist if finishing was interrupted."""
        (self.path / PART).unlink(missing_ok=True)

    def _read(self, where: str, line: bytes) -> Instance:
        sums, _, record = line.rstrip(b"\n").partition(b" ")
        source, _, record = record.partition(b" ")
        if sums.decode("ascii", "replace") != line_sum(source + b" " + record):
            raise InputError(f"{where}: damaged, its checksum differs; delete the line, {ON}")
        instance = parse_simuleval(record, self.source_type, where)
        if self.sources.get(instance.index) != source.decode("ascii", "replace"):
            raise InputError(
                f"{where}: sentence {instance.index} is not one of the test set; delete the line, "
                f"{ON}"
            )
        return instance

    def _sums(self) -> bytes:
        lines = []
        for name in (LOG_NAME, CONFIG_NAME):
            with opened(self.path / name) as file:
                digest = hashlib.sha256()
                while block := file.read(1 << 20):
                    digest.update(block)
            lines.append(f"{digest.hexdigest()}  {name}\n")
        return "".join(lines).encode()


@dataclass(frozen=True)
class Appender:
    """Appends a line with one system call, so that it is there, whole, if the process is killed.

    Nothing is synced: damage by a power cut is detected on resuming.
    """

    descriptor: int
    path: Path
    sources: Mapping[int, str]
    unit: LatencyUnit = "word"

    def __call__(self, instance: Instance) -> None:
        """Append a sentence. Raises OutputError if the file does not take it."""
        line = journal_line(instance, self.sources[instance.index], self.unit)
        try:
            written = os.write(self.descriptor, line)
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror}; make room, {ON}") from error
        if written < len(line):
            raise OutputError(f"{self.path}: disk full; make room, {ON}")


def journal_line(instance: Instance, source: str, unit: LatencyUnit = "word") -> bytes:
    """A sentence's line of the unfinished log."""
    rest = f"{source} {simuleval_line(instance, unit)}".encode()
    return f"{line_sum(rest)} ".encode() + rest + b"\n"


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[IO[bytes]]:
    """Open a file of a run's directory. Raises InputError if it is a link or no regular file."""
    wrong = InputError(f"{path}: not a regular file of its own; delete it, {ON}")
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise wrong from error
        if error.errno == errno.ENOENT:
            raise InputError(f"{path}: is missing; delete {path.parent}, {ON}") from error
        raise
    mode = {os.O_RDONLY: "rb", os.O_RDWR: "r+b"}.get(flags, "ab")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise wrong
    with os.fdopen(descriptor, mode) as file:
        yield file
