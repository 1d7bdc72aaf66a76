"""Quality against latency: which systems make one curve."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsgcli.evaluation.pareto import pareto_front
from lsgcli.metrics.quality import ERROR_RATES
from lsgcli.policy.spec import POLICIES, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lsgcli.evaluation.score import LogScore
    from lsgcli.metrics.significance import Interval

MOST_FAMILIES = 6  # curves of one policy that can be distinguished


@dataclass(frozen=True)
class Point:
    """A system's latency and quality; ``mark`` names it among those of its curve."""

    latency: float
    quality: float
    mark: str = ""
    latency_interval: Interval | None = None
    quality_interval: Interval | None = None


@dataclass(frozen=True)
class Curve:
    """Points of one policy in the order of their latency."""

    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Figures:
    """What is plotted: curves, and the quality of offline systems, which no latency bounds."""

    curves: tuple[Curve, ...]
    offline: tuple[Curve, ...]
    latency: str  # what the axes are, with units
    quality: str


@dataclass(frozen=True)
class Measured:
    """A system's scores; ``settings`` as in ``run.json``, None for a log of another tool."""

    score: LogScore
    settings: Mapping[str, Any] | None = None
    group: str = ""  # the run, where several are plotted


def figures(systems: Sequence[Measured], latency: str, quality: str) -> Figures:
    """Sort systems into curves: one a policy; of LSG one for each pair of thresholds.

    LSG is one curve if not every pair was tried with every range (each level of a model has its
    own), and the Pareto front of all its systems if there would be too many. Systems without
    a score are left out.

    Args:
        systems: with scores of both metrics.
        latency: name of the metric.
        quality: name of the metric.

    """
    members: defaultdict[str, list[Measured]] = defaultdict(list)
    for system in systems:
        members[_policy_label(system)].append(system)
    made: list[Curve] = []
    for label, group in members.items():
        made += _curves(label, group, latency, quality)
    made = [curve for curve in made if curve.points]
    return Figures(
        curves=tuple(curve for curve in made if not _is_offline(curve)),
        offline=tuple(curve for curve in made if _is_offline(curve)),
        latency=_axis(systems, latency),
        quality=_axis(systems, quality),
    )


def _curves(label: str, group: Sequence[Measured], latency: str, quality: str) -> list[Curve]:
    families: defaultdict[str, list[Point]] = defaultdict(list)
    for system in group:
        if (point := _point(system, latency, quality)) is not None:
            families[_thresholds(system.settings)].append(point)
    every = [point for points in families.values() for point in points]
    ranges = {point.mark for point in every}
    combined = len(every) == len(families) * len(ranges)  # a full product, not levels of a model
    many = len(families) > MOST_FAMILIES
    if len(families) == 1 or not (combined or many):
        return [Curve(label, _ordered(every))]
    if many:
        sign = -1 if quality in ERROR_RATES else 1
        front = pareto_front(every, lambda p: p.latency, lambda p: sign * p.quality)
        return [Curve(f"{label}, Pareto front of {len(group)}", tuple(front))]
    return [Curve(f"{label} {name}", _ordered(points)) for name, points in families.items()]


def _policy_label(system: Measured) -> str:
    if system.settings is None:
        return system.score.name
    label = POLICIES[system.settings["policy"]].label
    return f"{system.group}: {label}" if system.group else label


def _thresholds(settings: Mapping[str, Any] | None) -> str:
    """Return the settings that distinguish curves of one policy."""
    if not settings:
        return ""
    shown = [each for each in SETTINGS.values() if each.symbol and each.name in settings]
    text = " ".join(f"{each.symbol}={float(settings[each.name]):g}" for each in shown)
    return text + (" reverse KL" if settings.get("direction") == "reverse" else "")


def _mark(settings: Mapping[str, Any] | None) -> str:
    """Return what distinguishes a system from the others of its curve."""
    if not settings:
        return ""
    if "lower" in settings:
        return f"[{settings['lower']},{settings['upper']}]"
    return str(settings.get("k", settings.get("n", settings.get("margin", ""))))


def _point(system: Measured, latency: str, quality: str) -> Point | None:
    x, y = system.score.scores.get(latency), system.score.scores.get(quality)
    if x is None or y is None or x.value is None or y.value is None:
        return None
    return Point(x.value, y.value, _mark(system.settings), x.interval, y.interval)


def _ordered(points: Iterable[Point]) -> tuple[Point, ...]:
    return tuple(sorted(points, key=lambda point: (point.latency, point.quality)))


def _is_offline(curve: Curve) -> bool:
    return curve.label.endswith(POLICIES["offline"].label)


def _axis(systems: Sequence[Measured], metric: str) -> str:
    found = (system.score.scores[metric] for system in systems if metric in system.score.scores)
    measure = next((score.measure for score in found), "")
    unit = {"words": "source words", "%": ""}.get(measure, measure)
    return f"{metric} ({unit})" if unit else metric
