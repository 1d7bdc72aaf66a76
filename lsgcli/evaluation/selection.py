"""The logs that paths of a command line name: logs, their directories, whole runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lsgcli.errors import UsageError
from lsgcli.evaluation.logs.reading import find_log
from lsgcli.evaluation.rundir import RECORD, RunDirectory
from lsgcli.evaluation.segments import FILE_NAME as SEGMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lsgcli.metrics.units import LatencyUnit


@dataclass(frozen=True)
class NamedLog:
    """A log and the name of its system."""

    name: str
    path: Path
    run: Path | None = None  # the run's directory it belongs to
    settings: Mapping[str, Any] | None = None  # of the system, as the run records them
    unit: LatencyUnit = "word"  # in which its delays are counted
    machines: int = 1  # unlike ones, on which it was computed
    segments: Path | None = None  # of its recordings, if they are scored by segments
    target: str = ""  # the language that was written, if the run says


def select_logs(paths: Sequence[Path]) -> list[NamedLog]:
    """Return the logs; a run's directory stands for all its systems.

    Names are short where they are unique.

    Raises:
        UsageError: if a run is not finished.

    """
    found = [log for path in paths for log in _logs(path)]
    count = Counter(log.name for log in found)
    return [log if count[log.name] == 1 else replace(log, name=str(log.path)) for log in found]


def is_run(path: Path) -> bool:
    """Return whether a path is the directory of a run."""
    return (path / RECORD).is_file()


def _logs(path: Path) -> Iterator[NamedLog]:
    if not is_run(path):
        yield NamedLog(str(path), path)
        return
    run = RunDirectory(path)
    record = run.record()
    for name, settings in record.systems.items():
        log = run.system(name, {})
        if not (log.is_finished() or find_log(log.path).exists()):
            remedy = (
                "merge its shards: lsg eval merge"
                if run.shards()
                else "continue with lsg eval run --resume"
            )
            raise UsageError(f"{path}: {name} is not finished; {remedy}")
        unit = record.settings.get("unit", "word")
        segments = path / SEGMENTS
        yield NamedLog(
            name,
            path / name,
            path,
            settings,
            unit,
            len(record.machines),
            segments if segments.is_file() else None,
            record.target,
        )
