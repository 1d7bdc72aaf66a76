"""Regular expressions of users, with a time limit."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from lsgcli.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

LONGEST = 1.0  # seconds that a match may take


class Patterns:
    """Regular expressions, any of which may match a word; false if there are none.

    A pattern such as ``(a+)+c`` takes forever on some words. So a timer stops a match: the engine
    checks for signals.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """Compile them. Raises UsageError for an invalid one."""
        self._patterns: list[re.Pattern[str]] = []
        for pattern in patterns:
            try:
                self._patterns.append(re.compile(pattern))
            except (re.error, OverflowError, RecursionError) as error:
                raise UsageError(f"--protect-regex {pattern[:80]!r}: {error}") from error

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._patterns)

    def match(self, word: str) -> bool:
        """Return whether one matches a whole word. Raises InputError if it takes too long."""
        return any(self._matches(pattern, word) for pattern in self._patterns)

    def _matches(self, pattern: re.Pattern[str], word: str) -> bool:
        before = signal.signal(signal.SIGALRM, _stop)
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        try:
            return pattern.fullmatch(word) is not None
        except TimeoutError:
            raise InputError(
                f"--protect-regex {pattern.pattern[:80]!r} takes more than {LONGEST:g} s on the "
                f"word {word!r}; repeat nothing that repeats itself, as in (a+)+"
            ) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise TimeoutError
