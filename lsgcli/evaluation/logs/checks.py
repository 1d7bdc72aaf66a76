"""What makes a sentence of a log plausible."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from lsgcli.errors import InputError
from lsgcli.evaluation.logs.instance import Instance
from lsgcli.metrics.units import LatencyUnit, hypothesis_units

# A clock read in ms and a length computed from samples differ by rounding.
_TOLERANCE = 0.01


def checked(instance: Instance, unit: LatencyUnit) -> Instance:
    """Return the sentence if it may be written.

    Raises:
        InputError: if it is not plausible.

    """
    message = defect(instance, unit)
    if message:
        raise InputError(f"sentence {instance.index}: {message}")
    return instance


def defect(instance: Instance, unit: LatencyUnit) -> str | None:
    """Say what is wrong with a sentence and what to do about it; None if nothing is.

    Speech may be written after the end of its source: recordings are cut into sentences
    afterwards, audio is padded to whole chunks, lengths are rounded. Such delays pass here (the
    score counts them). A text system cannot have read more words than there are.
    """
    for check in _CHECKS:
        message = check(instance, unit)
        if message:
            return message
    return None


def _clocks(instance: Instance) -> list[tuple[str, Sequence[float]]]:
    named = [
        ("delays", instance.delays),
        ("elapsed", instance.elapsed),
        ("elapsed_queue", instance.elapsed_queue),
    ]
    return [(name, times) for name, times in named if times is not None]


def _not_finite(instance: Instance, _unit: LatencyUnit) -> str | None:
    for name, times in [*_clocks(instance), ("source_length", [instance.source_length])]:
        if not all(map(math.isfinite, times)):
            return f"`{name}` holds NaN or an infinite number; write the log again"
    return None


def _miscounted(instance: Instance, unit: LatencyUnit) -> str | None:
    if unit == "spm":
        if instance.prediction_spm is None:
            return "no `prediction_spm`; score by unit word or char"
        count = len(instance.prediction_spm)
    else:
        count = len(hypothesis_units(instance.prediction, unit))
    for name, times in _clocks(instance):
        if len(times) != count:
            return (
                f"{len(times)} `{name}` for a prediction of {count} units ({unit}); "
                "choose the latency unit with which the log was written"
            )
    return None


def _decreasing(instance: Instance, _unit: LatencyUnit) -> str | None:
    for number, (before, after) in enumerate(pairwise(instance.delays), 2):
        if after < before:
            return (
                f"`delays` decrease from {before:g} to {after:g} at unit {number}; "
                "a unit cannot be written before the one in front of it"
            )
    return None


def _negative(instance: Instance, _unit: LatencyUnit) -> str | None:
    if instance.source_length < 0:
        return f"`source_length` is {instance.source_length:g}; a length is not negative"
    if instance.recording_end is None and instance.delays and instance.delays[0] < 0:
        return f"`delays` start at {instance.delays[0]:g}; count them from the start of the source"
    return None


def _more_than_all(instance: Instance, _unit: LatencyUnit) -> str | None:
    """Check the words of a text source; see `defect` for speech."""
    if instance.source_type == "speech":
        return None
    for number in (*instance.delays, instance.source_length):
        if number != int(number):
            return f"{number:g} source words; if the source is speech, say so: source type speech"
    if instance.delays and instance.delays[-1] > instance.source_length:
        return (
            f"`delays` reach {instance.delays[-1]:g}, more than the source's "
            f"{instance.source_length:g} words; if the source is speech, say so: source type speech"
        )
    return None


def _source_miscounted(instance: Instance, _unit: LatencyUnit) -> str | None:
    if instance.source_type == "speech" or not isinstance(instance.source, str):
        return None
    words = len(instance.source.split())
    if words != instance.source_length:
        return (
            f"`source_length` is {instance.source_length:g} but `source` has {words} words; "
            "if the source is speech, say so: source type speech"
        )
    return None


def _too_early(instance: Instance, _unit: LatencyUnit) -> str | None:
    for name, times in _clocks(instance)[1:]:
        for number, (delay, time) in enumerate(zip(instance.delays, times, strict=True), 1):
            if time < delay - _TOLERANCE:
                return (
                    f"unit {number} is written at {time:g} (`{name}`) before its source was read "
                    f"at {delay:g}; give both in the same unit (ms, or source words)"
                )
    return None


_CHECKS: tuple[Callable[[Instance, LatencyUnit], str | None], ...] = (
    _not_finite,
    _miscounted,
    _decreasing,
    _negative,
    _more_than_all,
    _source_miscounted,
    _too_early,
)
