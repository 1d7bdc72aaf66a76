"""Repetition loops: a model that says the same again and again, and would never end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 12  # tokens of what is repeated
ROUNDS = 5  # repetitions of a phrase that nobody says by intention
SINGLE = 16  # of fewer tokens than 3: people do count, spell and laugh


def loop_start(tokens: Sequence[int]) -> int | None:
    """Find where tokens begin to go round in circles: how many to keep, one round included.

    None if they do not. Only what goes on to the end of ``tokens`` is a loop.

    >>> loop_start([7, 1, 2, 3] + [1, 2, 3] * 4)
    4
    >>> loop_start([5] * 6) is None, loop_start([5] * 20)
    (True, 1)
    """
    for period in range(1, min(LONGEST, len(tokens) // 2) + 1):
        same = 0
        while same + period < len(tokens) and tokens[-1 - same] == tokens[-1 - same - period]:
            same += 1
        rounds = (same + period) // period
        if rounds * period >= max(ROUNDS * period, SINGLE if period < 3 else 0):
            return len(tokens) - same
    return None
