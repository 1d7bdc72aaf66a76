"""OmniSTEval's logs: its input, and what it writes after resegmentation.

The input (short-form or one line per recording) is JSON lines of ``source, prediction, delays,
elapsed, source_length``, times in ms. ``instances.resegmented.jsonl`` has ``emission_cu`` and
``emission_ca`` instead, counted from the start of a segment that was cut out afterwards: they may
be negative or lie after its end, up to ``time_to_recording_end``.
"""

import math
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from lsgcli.errors import InputError
from lsgcli.evaluation.logs.checks import checked
from lsgcli.evaluation.logs.files import numbered_lines, to_json, write_lines
from lsgcli.evaluation.logs.instance import Instance, SourceType, clock_or_none, infer_source_type
from lsgcli.evaluation.logs.records import Index, Number, RecordDecoder
from lsgcli.metrics.units import LatencyUnit


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    prediction: str
    source_length: Number | None = None
    delays: list[Number] | None = None
    elapsed: list[Number] | None = None
    elapsed_queue: list[Number] | None = None
    emission_cu: list[Number] | None = None
    emission_ca: list[Number] | None = None
    time_to_recording_end: Number | None = None
    reference: str | None = None
    source: str | list[str] | None = None
    index: Index | None = None
    docid: int | None = None
    segid: int | None = None


def read_omnisteval(
    path: Path, source_type: SourceType | None = None, ignore: Collection[str] = ()
) -> Iterator[tuple[int, Instance]]:
    """Read OmniSTEval's JSON lines, yielding line numbers and sentences.

    Args:
        path: the log.
        source_type: by default inferred from the first sentence; speech if it has no ``source``.
        ignore: unknown fields to skip.

    Raises:
        InputError: if a line is broken or does not fit.

    """
    decoder = RecordDecoder(path, _Record, ignore)
    kind = source_type
    for position, (number, line) in enumerate(numbered_lines(path)):
        record = decoder.decode(number, line)
        if record.source_length is None:
            raise InputError(f"{path}:{number}: no `source_length`; add the length of the source")
        length = record.source_length
        kind = kind or infer_source_type(record.source, length, default="speech")
        delays = record.delays if record.emission_cu is None else record.emission_cu
        if delays is None and record.prediction:
            raise InputError(f"{path}:{number}: no `delays`; latency needs one per target unit")
        yield number, _to_instance(record, position, delays or [], length, kind)


def write_omnisteval(
    path: Path, instances: Iterable[Instance], *, unit: LatencyUnit = "word"
) -> None:
    """Write OmniSTEval's input, whole or not at all.

    Raises:
        InputError: if a sentence is not plausible; an older log is then left as it is.

    """
    write_lines(path, (to_json(_to_record(checked(i, unit))) for i in instances))


def _to_instance(
    record: _Record, position: int, delays: list[Number], length: float, kind: SourceType
) -> Instance:
    source, queue = record.source, record.elapsed_queue
    elapsed = record.elapsed if record.emission_ca is None else record.emission_ca
    return Instance(
        index=position if record.index is None else record.index,
        prediction=record.prediction,
        delays=tuple(delays),
        source_length=length,
        source_type=kind,
        reference=record.reference,
        source=tuple(source) if isinstance(source, list) else source,
        elapsed=clock_or_none(elapsed),
        elapsed_queue=None if queue is None else tuple(queue),
        recording_end=_recording_end(record),
    )


def _recording_end(record: _Record) -> float | None:
    if record.emission_cu is None:
        return None
    end = record.time_to_recording_end
    return math.inf if end is None else end


def _to_record(instance: Instance) -> dict[str, Any]:
    end = instance.recording_end
    cut = end is not None
    return {
        "index": instance.index if cut else None,
        "source": instance.source,
        "prediction": instance.prediction,
        "emission_cu" if cut else "delays": instance.delays,
        "emission_ca" if cut else "elapsed": instance.elapsed,
        "elapsed_queue": instance.elapsed_queue,
        "source_length": instance.source_length,
        "time_to_recording_end": None if end == math.inf else end,
        "reference": instance.reference,
    }
