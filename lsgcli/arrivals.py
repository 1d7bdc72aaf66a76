"""What arrives, in a thread of its own, so that arrival times are accurate."""

from __future__ import annotations

import queue
from threading import TIMEOUT_MAX, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lsgcli.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Arrivals(Generic[T]):
    """Runs an iterable in a thread; ``backlog`` holds what has not been taken yet."""

    def __init__(self, items: Iterable[T], backlog: queue.Queue[Any], name: str) -> None:
        """Start; ``name`` says in errors what is read."""
        self._queue = backlog
        self._name = name
        Thread(target=self._run, args=(items,), daemon=True).start()
        self.ended = False

    def get(self, timeout: float | None = None) -> T | None:
        """Return the next item; None at the end, or when ``timeout`` seconds have passed.

        ``ended`` says which. Raises what the iterable has raised, after all that came before it:
        InputError or another LsgError, InputError for an OSError.
        """
        if self.ended:
            return None
        try:
            item, error = self._queue.get(
                timeout != 0, min(timeout, TIMEOUT_MAX) if timeout else None
            )
        except queue.Empty:
            return None
        self.ended = item is None
        if isinstance(error, OSError):
            raise InputError(f"cannot read {self._name}: {error.strerror or error}") from error
        if error is not None:
            raise error
        arrived: T | None = item
        return arrived

    def _run(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                self._queue.put((item, None))
        except Exception as error:  # whatever it is, the reader must get it
            self._queue.put((None, error))
        else:
            self._queue.put((None, None))
