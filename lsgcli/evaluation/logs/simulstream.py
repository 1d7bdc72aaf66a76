"""simulstream's log: JSON lines, one per chunk of audio, times in seconds.

``{"model_loading_time"}`` first; ``{"id", "metadata": {"wav_name"}}`` begins a recording; each
further line with its ``id`` is a chunk: ``total_audio_processed``, ``computation_time``,
``generated_tokens``, ``deleted_tokens``. Recordings of several clients may be interleaved, so
unfinished ones are held in memory; one ends where its id begins another, or with the log.

A word's time is that of the last chunk that touched it, as simulstream counts. ``elapsed`` is
simulstream's own clock (audio plus the computation of that chunk, no backlog), the queue clock is
exact, since the log has the computation of silent chunks too.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, groupby
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs.checks import checked
from lsgcli.evaluation.logs.files import numbered_lines, to_json, write_lines
from lsgcli.evaluation.logs.instance import Instance, queue_times
from lsgcli.evaluation.logs.records import Number, RecordDecoder
from lsgcli.metrics.clocks import service_times
from lsgcli.metrics.units import LatencyUnit, hypothesis_units

LOG_NAME = "metrics.jsonl"
CONFIG_NAME = "eval.yaml"
_WORD_START = "▁"


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    id: int | str | None = None
    metadata: dict[str, Any] | None = None
    model_loading_time: Number | None = None
    total_audio_processed: Number | None = None
    computation_time: Number | None = None
    generated_tokens: list[str] = []
    deleted_tokens: list[str] = []


class _Stamp(NamedTuple):
    """When a chunk was read and written, by three clocks, in ms."""

    delay: float
    elapsed: float
    queue: float


@dataclass
class _Recording:
    """The tokens of one recording so far, each with the stamp of the chunk that wrote it."""

    name: str
    line: int
    unit: LatencyUnit
    tokens: list[str] = field(default_factory=list)
    stamps: list[_Stamp] = field(default_factory=list)
    audio: float = 0.0
    finished: float = 0.0
    erased: int = 0

    def add(self, record: _Record) -> None:
        """Add a chunk.

        Raises:
            ValueError: if it does not continue the recording.

        """
        if record.total_audio_processed is None or record.computation_time is None:
            raise ValueError("a chunk without `total_audio_processed` or `computation_time`")
        audio, compute = record.total_audio_processed * 1000, record.computation_time * 1000
        if audio < self.audio or compute < 0:
            raise ValueError("`total_audio_processed` decreases or `computation_time` is negative")
        self.audio = audio
        self.finished = max(audio, self.finished) + compute
        stamp = _Stamp(audio, audio + compute, self.finished)
        self._delete(record.deleted_tokens, stamp)
        self.tokens += record.generated_tokens
        self.stamps += [stamp] * len(record.generated_tokens)

    def _delete(self, deleted: list[str], stamp: _Stamp) -> None:
        if not deleted:
            return
        kept = len(self.tokens) - len(deleted)
        if kept < 0 or self.tokens[kept:] != deleted:
            raise ValueError("`deleted_tokens` are not the last tokens written")
        self.erased += len(hypothesis_units("".join(self._texts(deleted)), self.unit))
        cut_word = self._has_pieces() and not deleted[0].startswith(_WORD_START)
        del self.tokens[kept:], self.stamps[kept:]
        if cut_word and self.unit == "word" and self.stamps:
            self.stamps[-1] = stamp

    def unit_stamps(self) -> list[_Stamp]:
        """Stamp each unit with that of its last character, which is the latest."""
        marked = [
            (character, stamp)
            for text, stamp in zip(self._texts(self.tokens), self.stamps, strict=True)
            for character in text
        ]
        if self.unit == "char":
            return [stamp for character, stamp in marked if character != " "]
        runs = groupby(marked, key=lambda pair: pair[0].isspace())
        return [list(run)[-1][1] for space, run in runs if not space]

    def _has_pieces(self) -> bool:
        return any(_WORD_START in token for token in self.tokens)

    def _texts(self, tokens: list[str]) -> list[str]:
        """Spell tokens: pieces if they are marked as such, else words or characters."""
        if self._has_pieces():
            return [token.replace(_WORD_START, " ") for token in tokens]
        return [f"{token} " if self.unit == "word" else token for token in tokens]

    def to_instance(self, index: int) -> Instance:
        """Return the finished recording as a sentence."""
        stamps = self.unit_stamps()
        text = "".join(self._texts(self.tokens))
        return Instance(
            index=index,
            prediction=text.strip(" ") if self.unit == "char" else " ".join(text.split()),
            delays=tuple(stamp.delay for stamp in stamps),
            source_length=self.audio,
            source_type="speech",
            source=self.name,
            elapsed=tuple(stamp.elapsed for stamp in stamps) or None,
            elapsed_queue=tuple(stamp.queue for stamp in stamps) or None,
            erased=self.erased,
        )


def read_simulstream(
    path: Path, unit: LatencyUnit = "word", ignore: Collection[str] = ()
) -> Iterator[tuple[int, Instance]]:
    """Read a log of simulstream, yielding the line each recording begins at, and the recording.

    Raises:
        InputError: if a line is broken or does not fit.

    """
    if unit == "spm":
        raise UsageError(f"{path}: score a simulstream log by unit word or char")
    decoder = RecordDecoder(path, _Record, ignore)
    running: dict[int | str, _Recording] = {}
    indices = count()
    for number, line in numbered_lines(path):
        record = decoder.decode(number, line)
        if record.id is None:
            continue
        try:
            if record.metadata is None:
                _running(running, record.id).add(record)
                continue
            name = _wav_name(record.metadata)
        except ValueError as error:
            raise InputError(f"{path}:{number}: {error}; write the log again") from error
        ended = running.pop(record.id, None)
        if ended:
            yield ended.line, ended.to_instance(next(indices))
        running[record.id] = _Recording(name, number, unit)
    for recording in running.values():
        yield recording.line, recording.to_instance(next(indices))


def write_simulstream(
    directory: Path, instances: Iterable[Instance], *, unit: LatencyUnit = "word"
) -> None:
    """Write ``eval.yaml`` (for ``--eval-config``), then ``metrics.jsonl``, whole or not at all.

    The format has one computation time per chunk: times within a chunk become that of its last
    unit. The references are not part of it.

    Raises:
        InputError: if a sentence is not plausible or its source is text. An older log is then left.

    """
    config = ["detokenizer_type: simuleval", f"latency_unit: {unit}"]
    write_lines(directory / CONFIG_NAME, config)
    write_lines(directory / LOG_NAME, map(to_json, _to_records(instances, unit)))


def _running(running: dict[int | str, _Recording], key: int | str) -> _Recording:
    if key not in running:
        raise ValueError(f"a chunk of id {key}, for which no `metadata` named a recording")
    return running[key]


def _wav_name(metadata: dict[str, Any]) -> str:
    name = metadata.get("wav_name")
    if not isinstance(name, str):
        raise ValueError("`metadata` without `wav_name`")
    return name


def _to_records(instances: Iterable[Instance], unit: LatencyUnit) -> Iterator[dict[str, Any]]:
    yield {"model_loading_time": 0.0}
    for instance in instances:
        checked(instance, unit)
        if instance.source_type == "text":
            raise InputError(
                f"sentence {instance.index}: simulstream logs seconds of audio, not source words; "
                "write the log of a text system as simuleval or omnisteval"
            )
        yield {"id": instance.index, "metadata": {"wav_name": _source_name(instance)}}
        yield from _chunks(instance, unit)


def _source_name(instance: Instance) -> str:
    if instance.source is None:
        return f"{instance.index}.wav"
    return instance.source if isinstance(instance.source, str) else instance.source[0]


def _chunks(instance: Instance, unit: LatencyUnit) -> Iterator[dict[str, Any]]:
    units = instance.prediction_spm or hypothesis_units(instance.prediction, unit)
    finish = queue_times(instance) or instance.delays
    services = service_times(instance.delays, finish)
    rows = zip(instance.delays, units, services, strict=True)
    for delay, chunk in groupby(rows, key=lambda row: row[0]):
        _, tokens, computes = zip(*chunk, strict=True)
        yield _chunk(instance.index, delay, sum(computes), tokens)
    if not instance.delays or instance.delays[-1] < instance.source_length:
        yield _chunk(instance.index, instance.source_length, 0.0, ())


def _chunk(key: int, audio: float, compute: float, tokens: Iterable[str]) -> dict[str, Any]:
    return {
        "id": key,
        "total_audio_processed": audio / 1000,
        "computation_time": max(0.0, compute) / 1000,
        "generated_tokens": list(tokens),
        "deleted_tokens": [],
    }
