"""Many sentences at once: the order of their results, and the batches made of their questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from lsgcli.core.pool import Pool
from lsgcli.core.steps import Scored

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

SIZE = 4


@dataclass
class Doubles:
    """Answers a number with its double; those of the same remainder are alike."""

    side_by_side: int = 1
    asked: list[list[int]] = field(default_factory=list)

    def alike(self, question: int) -> int:
        return question % 3

    def most(self, question: int) -> int:
        return SIZE

    def ask(self, questions: Sequence[int]) -> Iterator[Scored]:
        self.asked.append(list(questions))
        return (Scored((2 * question,), 0.0) for question in questions)


def asking(*rounds: list[int]) -> Generator[list[int], list[Scored], list[int]]:
    """Ask in rounds; give all answers."""
    found: list[int] = []
    for questions in rounds:
        answers = yield questions
        found += [answer.tokens[0] for answer in answers]
    return found


def results(pool: Pool[int, list[int]]) -> list[list[int]]:
    found = list(pool.finished())
    while pool:
        pool.work()
        found += pool.finished()
    return found


@pytest.mark.parametrize("side_by_side", [1, 2, 5])
def test_results_are_in_order_however_often_was_asked(side_by_side):
    pool: Pool[int, list[int]] = Pool(Doubles(side_by_side))
    rounds = [[list(range(n % 5 + 1)), [n]][: n % 3] for n in range(100)]
    for each in rounds:
        pool.add(asking(*each))
    expected = [[2 * n for questions in each for n in questions] for each in rounds]
    assert len(pool) == 100
    assert results(pool) == expected


def test_what_asks_nothing_is_finished_at_once_but_waits_for_its_turn():
    pool: Pool[int, list[int]] = Pool(Doubles())
    pool.add(asking())
    pool.add(asking([1]))
    pool.add(asking())
    assert list(pool.finished()) == [[]]
    assert results(pool) == [[2], []]


def test_a_batch_has_the_oldest_question_and_those_like_it():
    oracle = Doubles()
    pool: Pool[int, list[int]] = Pool(oracle)
    for n in (1, 3, 4, 6, 7, 10, 13, 2):
        pool.add(asking([n]))
    results(pool)
    assert oracle.asked == [[1, 4, 7, 10], [3, 6], [13], [2]]


def test_who_asks_again_goes_before_those_that_came_later():
    oracle = Doubles(side_by_side=0)  # nothing is begun ahead
    pool: Pool[int, list[int]] = Pool(oracle)
    pool.add(asking([0], [1]))
    for n in (4, 7, 10, 13):
        pool.add(asking([n]))
    pool.work()
    pool.work()
    assert oracle.asked == [[0], [1, 4, 7, 10]]
    assert list(pool.finished()) == [[0, 2], [8], [14], [20]]


def test_batches_are_begun_ahead_but_not_all_of_them():
    oracle = Doubles(side_by_side=2)
    pool: Pool[int, list[int]] = Pool(oracle)
    for n in range(60):
        pool.add(asking([n]))
    pool.work()
    assert [len(batch) for batch in oracle.asked] == [SIZE] * 3
