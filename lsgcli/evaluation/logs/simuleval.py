"""SimulEval's log: a directory with ``instances.log`` (JSON lines) and ``config.yaml``.

Text: delays count source words, and ``elapsed`` is all 0, which means that no clock was logged.
Speech: ms. ``source`` is the text, or soundfile's description of the audio, path first.
SimulEval and OmniSTEval skip the field ``elapsed_queue``, which only lsg writes.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from lsgcli.errors import InputError
from lsgcli.evaluation.logs.checks import checked
from lsgcli.evaluation.logs.files import numbered_lines, text_lines, to_json, write_lines
from lsgcli.evaluation.logs.instance import Instance, SourceType, clock_or_none, infer_source_type
from lsgcli.evaluation.logs.records import Index, Number, RecordDecoder
from lsgcli.metrics.units import LatencyUnit

LOG_NAME = "instances.log"
CONFIG_NAME = "config.yaml"


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    index: Index
    prediction: str
    delays: list[Number]
    source_length: Number
    elapsed: list[Number] | None = None
    elapsed_queue: list[Number] | None = None
    prediction_length: Number | None = None
    prediction_spm: list[str] | None = None
    reference: str | None = None
    source: str | list[str] | None = None
    # SimulEval 1.0 wrote its scores into the log; they are computed again.
    reference_length: Number | None = None
    metric: Any = None
    metrics: Any = None
    # Speech output has these.
    durations: list[Number] | None = None
    intervals: list[list[Number]] | None = None
    prediction_offset: Number | None = None


def read_simuleval(
    path: Path, source_type: SourceType | None = None, ignore: Collection[str] = ()
) -> Iterator[tuple[int, Instance]]:
    """Read ``instances.log``, yielding line numbers and sentences.

    Args:
        path: the log itself.
        source_type: by default that of ``config.yaml`` beside it, or else inferred.
        ignore: unknown fields to skip.

    Raises:
        InputError: if a line is broken or does not fit.

    """
    decoder = RecordDecoder(path, _Record, ignore)
    kind = source_type or _configured_source_type(path.with_name(CONFIG_NAME))
    for number, line in numbered_lines(path):
        record = decoder.decode(number, line)
        kind = kind or infer_source_type(record.source, record.source_length)
        _check_output(record, f"{path}:{number}")
        yield number, _to_instance(record, kind)


def parse_simuleval(line: bytes, source_type: SourceType, where: str) -> Instance:
    """Parse the line of one sentence.

    Raises:
        InputError: if it is broken; the message begins with ``where``.

    """
    try:
        record = msgspec.json.decode(line, type=_Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{where}: {error}") from error
    _check_output(record, where)
    return _to_instance(record, source_type)


def write_simuleval(
    directory: Path,
    instances: Iterable[Instance],
    *,
    source_type: SourceType,
    unit: LatencyUnit = "word",
) -> None:
    """Write ``config.yaml`` and then ``instances.log``, each whole or not at all.

    Raises:
        InputError: if a sentence is not plausible; an older log is then left as it is.

    """
    config = [f"source_type: {source_type}", "target_type: text"]
    write_lines(directory / CONFIG_NAME, config)
    write_lines(directory / LOG_NAME, (simuleval_line(i, unit) for i in instances))


def simuleval_line(instance: Instance, unit: LatencyUnit = "word") -> str:
    """Make a sentence's line of the log. Raises InputError if it is not plausible."""
    return to_json(_to_record(instance, unit))


def _to_instance(record: _Record, source_type: SourceType) -> Instance:
    pieces, queue = record.prediction_spm, record.elapsed_queue
    source = record.source
    return Instance(
        index=record.index,
        prediction=record.prediction,
        delays=tuple(record.delays),
        source_length=record.source_length,
        source_type=source_type,
        reference=None if record.reference is None else record.reference.rstrip("\r\n"),
        source=tuple(source) if isinstance(source, list) else source,
        elapsed=clock_or_none(record.elapsed),
        elapsed_queue=None if queue is None else tuple(queue),
        prediction_spm=None if pieces is None else tuple(pieces),
    )


def _to_record(instance: Instance, unit: LatencyUnit) -> dict[str, Any]:
    checked(instance, unit)
    return {
        "index": instance.index,
        "prediction": instance.prediction,
        "delays": instance.delays,
        "elapsed": instance.elapsed or (0,) * len(instance.delays),
        "elapsed_queue": instance.elapsed_queue,
        "prediction_length": len(instance.delays),
        "prediction_spm": instance.prediction_spm,
        "reference": instance.reference,
        "source": instance.source,
        "source_length": instance.source_length,
    }


def _check_output(record: _Record, where: str) -> None:
    if record.durations is not None:
        raise InputError(f"{where}: the output is speech; transcribe it and log the text")
    if record.prediction_length not in (None, len(record.delays)):
        raise InputError(
            f"{where}: `prediction_length` is {record.prediction_length} but there are "
            f"{len(record.delays)} `delays`; write the log again"
        )


def _configured_source_type(path: Path) -> SourceType | None:
    """Read ``source_type``; SimulEval 1.1.4 writes it into ``target_type`` too, which is ignored.

    Raises:
        InputError: if it is neither text nor speech.

    """
    if not path.exists():
        return None
    for number, line in text_lines(path):
        key, _, value = line.partition(":")
        kind = value.strip().strip("'\"")
        if key.strip() != "source_type":
            continue
        if kind == "text":
            return "text"
        if kind in ("speech", "youtube"):
            return "speech"
        raise InputError(f"{path}:{number}: source_type `{kind}`; it must be text or speech")
    return None
