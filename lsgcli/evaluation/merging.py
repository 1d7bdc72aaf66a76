"""Shards to a whole: what a run in one process leaves, from the logs of N."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs import Instance, SourceType
from lsgcli.evaluation.rundir import RECORD, SHARDS, Record, RunDirectory
from lsgcli.evaluation.segments import FILE_NAME
from lsgcli.evaluation.shards import Shard, ranges
from lsgcli.metrics.units import LatencyUnit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from lsgcli.evaluation.journal import SystemLog

    Shards = Mapping[Shard, RunDirectory]
AGAIN = "then merge again"


class Division(msgspec.Struct, frozen=True):
    """What merging must know of the settings of a run in shards."""

    shards: int
    sentences: int
    source_type: SourceType
    unit: LatencyUnit
    segments: int = 0  # of the recordings, if they are scored by them
    words_per_second: float | None = None  # if the computation was measured


@dataclass(frozen=True)
class Merged:
    """A run that is whole."""

    directory: RunDirectory
    systems: list[str]
    machines: list[dict[str, Any]]  # that are unlike


def merge(run: RunDirectory, *, unlike: bool = False) -> Merged:
    """Check that all shards are there, complete and of one run; leave a whole log of each system.

    The run must be locked. ``unlike``: take shards that were timed on unlike machines.

    Raises:
        UsageError: if it is no run in shards, or was timed on unlike machines.
        InputError: if a shard is missing, not finished, foreign or damaged; or OutputError.

    """
    shards = run.shards()
    record = _record(run, shards)
    division = _division(run, record)
    present = {shard: each for shard, each in shards.items() if each.has_record()}
    _check_origin(record, division.shards, present)
    _check_complete(run, record, division.shards, present)
    if division.segments and not (run.path / FILE_NAME).is_file():
        raise InputError(
            f"{run.path / FILE_NAME}: is missing; run any shard again with --resume, {AGAIN}"
        )
    machines = _machines(present)
    if division.words_per_second and len(machines) > 1 and not unlike:
        raise UsageError(
            f"{run.path}: the computation was measured on {len(machines)} unlike machines: "
            f"{'; '.join(map(_named, machines))}; merge with --unlike to have the scores say so"
        )
    run = RunDirectory(run.path, division.unit)
    for name in record.systems:
        _merge_system(run, name, division, present)
    run.keep(msgspec.structs.replace(record, here={"machines": machines}))
    return Merged(run, list(record.systems), machines)


def _record(run: RunDirectory, shards: Shards) -> Record:
    """The record that the shards have in common: the run's, or else that of the first of them."""
    with_record = [each for each in (run, *shards.values()) if each.has_record()]
    if not with_record or not shards:
        raise UsageError(
            f"{run.path}: no run in shards, it has no {SHARDS}/ with a {RECORD}; begin one with "
            "lsg eval run --shard 1/N"
        )
    return with_record[0].record()


def _division(run: RunDirectory, record: Record) -> Division:
    try:
        return msgspec.convert(record.settings, type=Division)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"{run.path}: its {RECORD} is not that of a run in shards: {error}; choose another run"
        ) from error


def _check_origin(record: Record, count: int, shards: Shards) -> None:
    for shard, each in shards.items():
        found = record.changes(each.record())
        if shard.count != count:
            found = [f"it is one of {shard.count} shards, not of {count}"]
        if found:
            raise InputError(
                f"{each.path}: of another run: {found[0]}; delete it and run that shard again, "
                f"{AGAIN}"
            )


def _check_complete(run: RunDirectory, record: Record, count: int, shards: Shards) -> None:
    every = {shard.number: each for shard, each in shards.items()}
    missing = [number for number in range(1, count + 1) if number not in every]
    begun = [
        number
        for number, each in every.items()
        if not all(each.system(name, {}).is_finished() for name in record.systems)
    ]
    said = [("missing", missing), ("not finished", begun)]
    if missing or begun:
        which = ", ".join(f"{ranges(numbers)} {what}" for what, numbers in said if numbers)
        raise InputError(
            f"{run.path}: of {count} shards {which}; run them with --resume "
            f"(Slurm: --array={ranges(sorted(missing + begun))}), {AGAIN}"
        )


def _machines(shards: Shards) -> list[dict[str, Any]]:
    unlike: list[dict[str, Any]] = []
    for each in shards.values():
        unlike += [machine for machine in each.record().machines if machine not in unlike]
    return unlike


def _merge_system(run: RunDirectory, name: str, division: Division, shards: Shards) -> None:
    source_type = division.source_type
    instances: list[Instance] = []
    for shard, each in shards.items():
        instances += _of_shard(
            each.system(name, {}, source_type), shard.indices(division.sentences)
        )
    run.system(name, {}, source_type).finish(instances)


def _of_shard(log: SystemLog, expected: Iterable[int]) -> list[Instance]:
    found = log.finished()
    if [each.index for each in found] != list(expected):
        raise InputError(
            f"{log.path}: it has not the sentences of its shard; delete its directory "
            f"{log.path.parent} and run that shard again, {AGAIN}"
        )
    return found


def _named(machine: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in machine.items())
