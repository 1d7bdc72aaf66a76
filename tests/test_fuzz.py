"""Random inputs, from seeds: an answer, or one of the errors that are documented.

``python -m benchmarks.fuzz`` gives them for as long as one likes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.fuzz import TARGETS
from benchmarks.fuzzing import Report, try_one
from lsgcli.errors import InputError

if TYPE_CHECKING:
    import random
    from pathlib import Path

INPUTS = 250


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_else_comes_of_it(name: str, tmp_path: Path) -> None:
    report = Report()
    for number in range(INPUTS):
        try_one(name, TARGETS[name], f"suite.{number}", tmp_path, report)
    assert report.faults == {}
    assert report.outcomes["taken"] > INPUTS / 20  # it gets past the first check
    if name != "lines":  # of which none is refused
        assert report.outcomes.total() - report.outcomes["taken"] > INPUTS / 20


def test_faults_are_found(tmp_path: Path) -> None:
    """The examination itself can fail."""

    def target(rng: random.Random, folder: Path) -> None:
        kind = rng.randrange(4)
        if kind == 0:
            raise InputError("documented")
        if kind == 1:
            raise InputError("two\nlines")
        if kind == 2:
            raise KeyError("not documented")

    report = Report()
    for number in range(100):
        try_one("it", target, str(number), tmp_path, report)
    assert report.inputs == 100
    assert set(report.outcomes) == {"taken", "InputError"}
    assert {fault[:12] for fault in report.faults.values()} == {"KeyError('no", "a message th"}
