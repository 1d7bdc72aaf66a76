"""The Pareto front: systems that no other one beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

System = TypeVar("System")


def pareto_front(
    systems: Iterable[System],
    latency: Callable[[System], float],
    worth: Callable[[System], float],
) -> list[System]:
    """Return the points that no other one equals or beats in both, by latency; of equals the first.

    ``worth`` is a quality: higher is better.

    >>> pareto_front([(3, 4), (1, 5), (2, 4), (3, 6)], lambda s: s[0], lambda s: s[1])
    [(1, 5), (3, 6)]
    """
    front: list[System] = []
    for system in sorted(systems, key=lambda each: (latency(each), -worth(each))):
        if not front or worth(system) > worth(front[-1]):
            front.append(system)
    return front
