"""Thresholds of LSG that fit a model: chosen on what it says while sentences grow.

A ``Trial`` is a sentence with the translation that the model gives it when it is whole. For every
word of that and every source prefix it tells how sure the model is of its next token (max p), how
far reading on has moved it (KL to the wait-1 prefix, in nats), and whether it would write the word
of the whole translation. So what any thresholds would do can be seen without asking the model
again: how late they write, and how often that is what it would have written in the end.

wait-k is judged in the same way. Thresholds are good if they agree more often than wait-k does at
the same lag.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.metrics.latency import average_lagging
from lsgcli.policy.levels import Level, Levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Parts of a distribution, where thresholds are tried; the last one is never exceeded.
PARTS = (0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0)
CLOSE = 0.005  # of the share of right words: what so few sentences cannot tell apart
LEAST = 20  # words of which thresholds can be told


@dataclass(frozen=True)
class State:
    """What the model says of a target word under a source prefix."""

    top: float  # max p
    kl: float  # nats
    right: bool  # its best token is that of the whole translation
    ends: bool  # its best token is the end


@dataclass(frozen=True)
class Trial:
    """A sentence: for each target word the states under 1, 2, … all source words."""

    words: tuple[tuple[State, ...], ...]

    @property
    def length(self) -> int:
        """How many source words there are."""
        return len(self.words[0])


@dataclass(frozen=True)
class Outcome:
    """What thresholds come to: average lagging in words, and the share of words that are right."""

    lagging: float
    right: float


@dataclass(frozen=True)
class Fit:
    """Thresholds, and how much more often than wait-k they write what is right, at equal lag."""

    delta: float
    alpha: float
    gain: float  # of the share, on average over the levels


def outcome(trials: Sequence[Trial], level: Level, delta: float, alpha: float) -> Outcome:
    """What LSG with these thresholds would do at a level."""
    lags, right, count = 0.0, 0, 0
    for trial in trials:
        delays: list[int] = []
        for i, states in enumerate(trial.words, start=1):
            j = max([*delays[-1:], level.lower + i - 1])
            j = _written(states, j, level.lower + i - 1 + level.upper, delta, alpha)
            delays.append(j)
            right += states[j - 1].right
        count += len(delays)
        lags += average_lagging(delays, trial.length, len(delays))
    return Outcome(lags / len(trials), right / count)


def fit(trials: Sequence[Trial], levels: Levels) -> Fit | None:
    """The thresholds that gain most over wait-k at these levels; None if there is too little.

    Of those that are close to the best the strictest are taken.
    """
    if sum(len(trial.words) for trial in trials) < LEAST:
        return None
    deltas, alphas = spread(trials, levels)
    if not deltas:
        return None
    line = _waiting(trials)
    ranges = list(levels.ranges().values())

    def gain(delta: float, alpha: float) -> float:
        found = (outcome(trials, level, delta, alpha) for level in ranges)
        return sum(each.right - _at(line, each.lagging) for each in found) / len(ranges)

    tried = [Fit(d, a, gain(d, a)) for d in deltas for a in alphas]
    most = max(each.gain for each in tried) - CLOSE
    return max((each for each in tried if each.gain >= most), key=lambda f: (f.alpha, f.delta))


def spread(trials: Sequence[Trial], levels: Levels) -> tuple[list[float], list[float]]:
    """Values of KL and of max p, from low to high, where thresholds are worth trying.

    They are those of the states that are within the range of a level.
    """
    states = [state for trial in trials for state in _undecided(trial, levels)]
    deltas = _quantiles(state.kl for state in states)
    return deltas, sorted({min(top, 1.0) for top in _quantiles(state.top for state in states)})


def _written(states: tuple[State, ...], first: int, bound: int, delta: float, alpha: float) -> int:
    """How much source is read when a word is written that may be after ``first``."""
    last = len(states)
    for j in range(first, last):
        state = states[j - 1]
        if not state.ends and (j >= bound or state.top > alpha or state.kl > delta):
            return j
    return last


def _undecided(trial: Trial, levels: Levels) -> Iterator[State]:
    """The states that thresholds decide: those within the range of a level."""
    ranges = levels.ranges().values()
    for i, states in enumerate(trial.words, start=1):
        first = min(level.lower + i - 1 for level in ranges)
        last = max(level.lower + i - 1 + level.upper for level in ranges)
        yield from (state for state in states[first - 1 : min(last - 1, len(states) - 1)])


def _quantiles(values: Iterable[float]) -> list[float]:
    ordered = sorted(values)
    if not ordered:
        return []
    picked = [ordered[min(int(part * len(ordered)), len(ordered) - 1)] for part in PARTS]
    return sorted({float(f"{value:.2g}") for value in picked[:-1]} | {_above(picked[-1])})


def _above(value: float) -> float:
    """Two digits that are not below a value."""
    return float(f"{value * 1.05:.2g}")


def _waiting(trials: Sequence[Trial]) -> list[Outcome]:
    """What wait-k does, by k: a range of which only the bound is left."""
    longest = max(trial.length for trial in trials)
    levels = (Level(lower=k, upper=0) for k in range(1, longest + 1))
    found = (outcome(trials, level, 0, 0) for level in levels)
    return sorted(found, key=lambda each: each.lagging)


def _at(line: Sequence[Outcome], lagging: float) -> float:
    """The share of words that are right on a curve at a lag."""
    n = bisect_left([each.lagging for each in line], lagging)
    if n == 0 or n == len(line):
        return line[min(n, len(line) - 1)].right
    a, b = line[n - 1], line[n]
    part = (lagging - a.lagging) / (b.lagging - a.lagging)
    return a.right + part * (b.right - a.right)
