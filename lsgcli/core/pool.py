"""Many sentences at once: what they ask of a model waits here until a batch is made of it.

A batch always answers the oldest question, and with it all that are like it, up to its size. So
what came first is done first and comes out soon, and with many sentences waiting batches are full.
A sentence that asks again, since its first translation would not do, waits with the others.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Iterator, Sequence

    from lsgcli.core.steps import Scored

T = TypeVar("T")
Q = TypeVar("Q", contravariant=True)


class Oracle(Protocol[Q]):
    """What answers: models."""

    @property
    def side_by_side(self) -> int:
        """How many batches are worked on at the same time."""
        ...

    def alike(self, question: Q) -> Hashable:
        """Questions that give the same may share a batch."""
        ...

    def most(self, question: Q) -> int:
        """How many may share it."""
        ...

    def ask(self, questions: Sequence[Q]) -> Iterator[Scored]:
        """Begin to answer; the answers, in order, may be waited for later."""
        ...


@dataclass
class _Asking(Generic[Q, T]):
    """A generator that waits for answers."""

    steps: Generator[list[Q], list[Scored], T]
    questions: list[Q]
    answers: dict[int, Scored] = field(default_factory=dict)


class Pool(Generic[Q, T]):
    """Runs generators that yield questions and are sent the answers; gives their results in order.

    True while there is a result to come.
    """

    def __init__(self, oracle: Oracle[Q]) -> None:
        """Start empty."""
        self._oracle = oracle
        self._asking: dict[int, _Asking[Q, T]] = {}  # by number
        self._done: dict[int, T] = {}
        self._added = 0
        self._given = 0
        self._waiting: dict[Hashable, list[tuple[int, int]]] = {}  # heaps of questions, if alike
        self._batches: deque[tuple[list[tuple[int, int]], Iterator[Scored]]] = deque()

    def __len__(self) -> int:
        """How many results have not been given yet."""
        return self._added - self._given

    def add(self, steps: Generator[list[Q], list[Scored], T]) -> None:
        """Run a generator to its first questions, if it has any."""
        number = self._added
        self._added += 1
        try:
            questions = next(steps)
        except StopIteration as end:
            self._done[number] = end.value
        else:
            self._asking[number] = _Asking(steps, [])
            self._wait(number, questions)

    def finished(self) -> Iterator[T]:
        """Give the results that are there, up to the first that is not."""
        while self._given in self._done:
            self._given += 1
            yield self._done.pop(self._given - 1)

    def work(self) -> None:
        """Wait for a batch, and have the next ones begun."""
        while self._waiting and len(self._batches) <= self._oracle.side_by_side:
            self._begin()
        if not self._batches:
            return
        members, answers = self._batches.popleft()
        for (number, n), answer in zip(members, answers, strict=True):
            asking = self._asking[number]
            asking.answers[n] = answer
            if len(asking.answers) == len(asking.questions):
                self._go_on(number, asking)

    def _begin(self) -> None:
        """Make a batch of the oldest question and those that are like it."""
        key = min(self._waiting, key=lambda key: self._waiting[key][0])
        heap = self._waiting[key]
        number, n = heap[0]
        most = self._oracle.most(self._asking[number].questions[n])
        members = [heapq.heappop(heap) for _ in range(min(most, len(heap)))]
        if not heap:
            del self._waiting[key]
        questions = [self._asking[number].questions[n] for number, n in members]
        self._batches.append((members, self._oracle.ask(questions)))

    def _go_on(self, number: int, asking: _Asking[Q, T]) -> None:
        answers = [asking.answers[n] for n in range(len(asking.questions))]
        try:
            questions = asking.steps.send(answers)
        except StopIteration as end:
            self._done[number] = end.value
            del self._asking[number]
        else:
            self._wait(number, questions)

    def _wait(self, number: int, questions: list[Q]) -> None:
        asking = self._asking[number]
        asking.questions, asking.answers = questions, {}
        for n, question in enumerate(questions):
            heapq.heappush(self._waiting.setdefault(self._oracle.alike(question), []), (number, n))
