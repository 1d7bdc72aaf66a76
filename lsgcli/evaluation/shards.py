"""A shard: every N-th item of a test set, so that N processes share a run.

Which items it has depends on their position alone. So any machine can run any shard, at any time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsgcli.evaluation.corpus import Sentence

WRITTEN = re.compile(r"(\d{1,6})/(\d{1,6})")
NAMED = re.compile(r"([1-9]\d{0,5})-of-([1-9]\d{0,5})")


@dataclass(frozen=True, order=True)
class Shard:
    """Number ``number`` of ``count`` shards, counted from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``3/8``. Raises UsageError.

        >>> Shard.parse("3/8").name
        '3-of-8'
        """
        match = WRITTEN.fullmatch(text)
        if not match:
            raise UsageError(f"--shard {text}: give I/N, for example 3/8: the third of 8 shards")
        number, count = map(int, match.groups())
        if not 1 <= number <= count:
            raise UsageError(
                f"--shard {text}: shards are counted from 1/{count} to {count}/{count}"
            )
        return cls(number, count)

    @classmethod
    def named(cls, name: str) -> Shard | None:
        """The shard of a directory's name; None if it is none."""
        match = NAMED.fullmatch(name)
        return cls(*map(int, match.groups())) if match else None

    @property
    def name(self) -> str:
        """Of its directory."""
        return f"{self.number}-of-{self.count}"

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def indices(self, total: int) -> range:
        """Return the indices of its items, of ``total``: those that are ``number - 1`` mod N."""
        return range(self.number - 1, total, self.count)

    def of(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """Return its sentences of a whole test set."""
        return [sentences[index] for index in self.indices(len(sentences))]


def ranges(numbers: Iterable[int]) -> str:
    """Write ascending numbers as Slurm's ``--array`` takes them.

    >>> ranges([3, 5, 6, 7])
    '3,5-7'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)
