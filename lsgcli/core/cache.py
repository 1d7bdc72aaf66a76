"""Results that may be wanted again."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """What was computed last, for several threads."""

    def __init__(self, most: int) -> None:
        """Keep ``most`` results."""
        self._most = most
        self._results: OrderedDict[K, V] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """Give a result that is kept."""
        with self._lock:
            return self._results.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep a result, and forget the oldest."""
        with self._lock:
            self._results[key] = value
            if len(self._results) > self._most:
                self._results.popitem(last=False)
