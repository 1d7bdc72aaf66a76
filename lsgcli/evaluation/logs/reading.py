"""Any log, whatever tool wrote it, one checked sentence at a time."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import msgspec

from lsgcli.errors import InputError
from lsgcli.evaluation.logs.checks import defect
from lsgcli.evaluation.logs.files import numbered_lines, text_lines
from lsgcli.evaluation.logs.instance import Instance, SourceType
from lsgcli.evaluation.logs.omnisteval import read_omnisteval
from lsgcli.evaluation.logs.records import RecordDecoder
from lsgcli.evaluation.logs.simuleval import LOG_NAME, read_simuleval
from lsgcli.evaluation.logs.simulstream import LOG_NAME as SIMULSTREAM_LOG_NAME
from lsgcli.evaluation.logs.simulstream import read_simulstream
from lsgcli.metrics.units import LatencyUnit

LogFormat = Literal["simuleval", "omnisteval", "simulstream"]


class _Fields(msgspec.Struct):
    """The fields by which the formats differ; others are skipped."""

    prediction: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    index: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    docid: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    emission_cu: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    emission_ca: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    model_loading_time: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def read_log(
    path: Path,
    *,
    unit: LatencyUnit = "word",
    log_format: LogFormat | None = None,
    source_type: SourceType | None = None,
    needs_reference: bool = False,
    ignore: Collection[str] = (),
) -> Iterator[Instance]:
    """Read a log line by line, checking every sentence.

    Args:
        path: the log, or the directory it is in.
        unit: what each delay belongs to.
        log_format: by default detected from the first line.
        source_type: by default inferred from the log.
        needs_reference: refuse sentences without one.
        ignore: unknown fields to skip.

    Raises:
        InputError: if a line is broken or not plausible; the message has file and line.
        UsageError: if there is no such log.

    """
    log = find_log(path)
    seen: set[int] = set()
    for number, instance in _read(log, log_format or detect_format(log), unit, source_type, ignore):
        message = defect(instance, unit) or _repeated(instance, seen)
        if needs_reference and not message and not (instance.reference or "").strip():
            message = "no reference; give a file of references, or score latency only"
        if message:
            raise InputError(f"{log}:{number}: sentence {instance.index}: {message}")
        seen.add(instance.index)
        yield instance
    if not seen:
        raise InputError(f"{log}: no sentences; the run wrote nothing")


def find_log(path: Path) -> Path:
    """Return the log in a directory; any other path is the log itself."""
    if path.is_dir() and (path / SIMULSTREAM_LOG_NAME).exists():
        return path / SIMULSTREAM_LOG_NAME
    return path / LOG_NAME if path.is_dir() else path


def detect_format(path: Path) -> LogFormat:
    """Detect the format of a log by its first line.

    Raises:
        InputError: if it is none of the known ones.
        UsageError: if there is no such log.

    """
    log = find_log(path)
    for number, line in numbered_lines(log):
        fields = RecordDecoder(log, _Fields).decode(number, line)
        if _has(fields.model_loading_time, fields.metadata):
            return "simulstream"
        if _has(fields.emission_cu, fields.emission_ca, fields.docid):
            return "omnisteval"
        if _has(fields.prediction):
            return "simuleval" if _has(fields.index) else "omnisteval"
        raise InputError(f"{log}:{number}: not a log of SimulEval, OmniSTEval or simulstream")
    raise InputError(f"{log}: no sentences; the run wrote nothing")


def with_references(instances: Iterable[Instance], path: Path) -> Iterator[Instance]:
    """Replace each sentence's reference by its line of a file of references.

    Raises:
        InputError: if a line is blank, or there are not as many lines as sentences.
        UsageError: if there is no such file.

    """
    for instance, line in _paired(instances, path, "reference"):
        yield replace(instance, reference=line)


def with_transcripts(instances: Iterable[Instance], path: Path) -> Iterator[Instance]:
    """Give each sentence what is said in it, by its line of a file. Errors as of references."""
    for instance, line in _paired(instances, path, "transcript"):
        yield replace(instance, transcript=line)


def _paired(instances: Iterable[Instance], path: Path, what: str) -> Iterator[tuple[Instance, str]]:
    """Pair sentences with the lines of a file."""
    for instance, line in zip_longest(instances, text_lines(path)):
        if line is None:
            raise InputError(
                f"{path}: ends before sentence {instance.index} of the log; "
                f"give one {what} per sentence"
            )
        number, text = line
        if instance is None:
            raise InputError(f"{path}:{number}: more {what}s than the log has sentences")
        if not text.strip():
            raise InputError(f"{path}:{number}: blank {what} for sentence {instance.index}")
        yield instance, text


def _read(
    log: Path,
    log_format: LogFormat,
    unit: LatencyUnit,
    source_type: SourceType | None,
    ignore: Collection[str],
) -> Iterator[tuple[int, Instance]]:
    if log_format == "simuleval":
        return read_simuleval(log, source_type, ignore)
    if log_format == "omnisteval":
        return read_omnisteval(log, source_type, ignore)
    return read_simulstream(log, unit, ignore)


def _repeated(instance: Instance, seen: Collection[int]) -> str | None:
    if instance.index in seen:
        return "its `index` is there twice; was the run started again into the same log?"
    return None


def _has(*fields: msgspec.Raw | msgspec.UnsetType) -> bool:
    return any(field is not msgspec.UNSET for field in fields)
