"""From the log of whole recordings to sentences that can be scored: their reference segments.

The words of a recording are given to its segments by an `alignment`, and their times are counted
from the start of the segment, as StreamLAAL and LongYAAL have it. What is left is a log of
sentences like any other, in the order of the manifest.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs import Instance
from lsgcli.evaluation.logs.instance import queue_times
from lsgcli.evaluation.segments import by_recording
from lsgcli.metrics.alignment import cuts
from lsgcli.metrics.units import hypothesis_units

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from lsgcli.evaluation.segments import Segment
    from lsgcli.metrics.alignment import Resegment
    from lsgcli.metrics.units import LatencyUnit

Times: TypeAlias = tuple[float, ...] | None
Method: TypeAlias = Literal["soft", "mwer", "none"]


def resegmented(
    recordings: Iterable[Instance],
    segments: Sequence[Segment],
    *,
    method: Method = "soft",
    unit: LatencyUnit = "word",
    name: str = "",
) -> Iterator[Instance]:
    """Cut recordings into their segments, in the order of ``segments``.

    A clock that accumulates computation is turned into the queue's before a recording is cut.
    By the method ``none`` they are left whole, with all their references.

    Args:
        recordings: of a log of speech, with times in ms.
        segments: with references.
        method: how words are given to segments; see `lsgcli.metrics.alignment`.
        unit: what each delay belongs to.
        name: of the log, for messages.

    Raises:
        InputError: if the log has not the recordings that the segments are of.
        UsageError: if it is a log of text, or the unit is ``spm``.

    """
    if unit == "spm":
        raise UsageError("segments are cut by words or characters; score by unit word or char")
    logged = {_source(each, name): each for each in recordings}
    wanted = by_recording(segments)
    found = _matched(list(wanted), list(logged), name)
    if method == "none":
        for index, (wav, parts) in enumerate(wanted.items()):
            yield _whole(logged[found[wav]], parts, index)
        return
    cut = {wav: _cut(logged[found[wav]], parts, method, unit) for wav, parts in wanted.items()}
    for index, segment in enumerate(segments):
        yield replace(next(cut[segment.wav]), index=index)


def _whole(recording: Instance, segments: Sequence[Segment], index: int) -> Instance:
    return replace(
        recording,
        index=index,
        reference=" ".join(each.reference for each in segments),
        transcript=" ".join(each.source for each in segments).strip() or None,
    )


def _cut(
    recording: Instance, segments: Sequence[Segment], method: Resegment, unit: LatencyUnit
) -> Iterator[Instance]:
    units = hypothesis_units(recording.prediction, unit)
    references = [hypothesis_units(each.reference, unit) for each in segments]
    ends = cuts(method, units, references, characters=unit == "char")
    queue = queue_times(recording)
    over = max(each.end for each in segments)
    erased = recording.erased
    for segment, (begin, end) in zip(segments, pairwise([0, *ends]), strict=True):
        offset = segment.offset * 1000

        def part(
            times: Times, begin: int = begin, end: int = end, offset: float = offset
        ) -> tuple[float, ...] | None:
            return times and tuple(time - offset for time in times[begin:end])

        yield Instance(
            index=0,
            prediction=("" if unit == "char" else " ").join(units[begin:end]),
            delays=part(recording.delays) or (),
            source_length=segment.duration * 1000,
            source_type="speech",
            reference=segment.reference,
            source=segment.wav,
            elapsed=part(recording.elapsed),
            elapsed_queue=part(queue),
            transcript=segment.source or None,
            recording_end=over - offset,
            erased=erased,
        )
        erased = 0  # it counts once


def _source(recording: Instance, name: str) -> str:
    """What the log calls a recording."""
    if recording.source_type == "text":
        raise UsageError(f"{name}: a log of text; segments are of recordings")
    source = recording.source
    if not source:
        raise InputError(f"{name}: sentence {recording.index}: no `source`; it names the recording")
    return source if isinstance(source, str) else source[0]


def _matched(wanted: Sequence[str], logged: Collection[str], name: str) -> dict[str, str]:
    """Which recording of the log each one of the manifest is: by its path, its name or its stem.

    Logs and manifests come from different machines: the directories differ, or the suffix does.
    """
    for key in (str, os.path.basename, _stem):
        known = {key(each): each for each in logged}
        found = {each: known[key(each)] for each in wanted if key(each) in known}
        if len(found) == len(wanted) and len(set(found.values())) == len(wanted) == len(logged):
            return found
    stems = {_stem(each) for each in logged}
    missing = [each for each in wanted if _stem(each) not in stems]
    extra = [each for each in logged if _stem(each) not in {_stem(each) for each in wanted}]
    if missing:
        raise InputError(f"{name}: no recording {missing[0]}, which the segments are of")
    if extra:
        raise InputError(f"{name}: there are no segments of its recording {extra[0]}")
    raise InputError(
        f"{name}: recordings of one name in different directories; give them different names"
    )


def _stem(path: str) -> str:
    return PurePath(path).stem
