"""Help as it is read: sentences fill their lines, whatever the width of the terminal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from conftest import run_lsg

COMMANDS = ("", "translate", "asr", "eval", "eval run", "models pull", "tune")


def description(text: str) -> list[str]:
    """The paragraphs between the usage and the first section, without examples."""
    _, *blocks = text.split("\n\n")
    kept = []
    for block in blocks:
        if not block.startswith("  "):
            break
        if not block.strip().startswith("Example"):
            kept.append(block)
    return kept


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_sentences_fill_their_lines(command: str, columns: int) -> None:
    result = run_lsg(*command.split(), "--help", COLUMNS=str(columns))
    width = min(columns, 100) - 2
    assert result.code == 0
    paragraphs = description(result.text)
    assert paragraphs
    for paragraph in paragraphs:
        for line, following in pairwise(paragraph.splitlines()):
            assert len(line) <= width
            assert len(line) + 1 + len(following.split()[0]) > width


def test_options_stand_in_their_groups() -> None:
    help_ = run_lsg("translate", "--help").text
    places = [help_.index(f"\n{name}:\n") for name in ("Arguments", "Model", "Policy", "Output")]
    assert places == sorted(places)
    assert places[1] < help_.index("--threads") < places[2] < help_.index("--delta") < places[3]
