"""The journal of a system: finished sentences, appended one by one, so that a killed run resumes.

A line is ``SUM SOURCE RECORD``: the checksum of the rest of the line, that of the source sentence,
and the sentence as SimulEval logs it. A line that does not fit is reported with its file and number
and never scored. A finished log has its checksum in a file beside it, as ``sha256sum`` writes it:
that file is what says that the system is complete.
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

    from lsgcli.evaluation.corpus import Sentence
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

    def finished(self) -> list[Instance]:
        """Return the sentences of a finished log, in order. Raises InputError if one is broken."""
        with opened(self.path / LOG_NAME) as file:
            lines = enumerate(file, 1)
            where = self.path / LOG_NAME
            return [parse_simuleval(line, self.source_type, f"{where}:{n}") for n, line in lines]

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


class Journal:
    """A log that is being written: it knows what is missing, and is finished with the last of it.

    A line is appended with one system call, so that it is there, whole, if the process is killed.
    Nothing is synced before the end: damage by a power cut is detected on resuming.
    """

    def __init__(self, log: SystemLog, sentences: Iterable[Sentence]) -> None:
        """Read what is there. Raises InputError if that is not to be believed."""
        self._log = log
        self._found = log.instances()
        self._file: int | None = None
        self.missing = [each for each in sentences if each.index not in self._found]
        self._left = len(self.missing)

    def __enter__(self) -> Journal:
        """Finish the log if nothing is missing. Raises OutputError."""
        self._finish_if_complete()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the file as it is."""
        self._close()

    def add(self, instance: Instance) -> None:
        """Append a sentence that was missing. Raises OutputError if the file does not take it."""
        part = self._log.path / PART
        line = journal_line(instance, self._log.sources[instance.index], self._log.unit)
        try:
            written = os.write(self._opened(part), line)
        except OSError as error:
            raise OutputError(f"{part}: {error.strerror}; make room, {ON}") from error
        if written < len(line):
            raise OutputError(f"{part}: disk full; make room, {ON}")
        self._found[instance.index] = instance
        self._left -= 1
        self._finish_if_complete()

    def _opened(self, part: Path) -> int:
        if self._file is None:
            part.parent.mkdir(parents=True, exist_ok=True)
            with opened(part, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
                self._file = os.dup(file.fileno())
        return self._file

    def _finish_if_complete(self) -> None:
        if self._left == 0:
            self._close()
            self._log.finish(self._found.values())
            self._found.clear()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


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
