"""What the documents show is what happens: every command is run, every output compared."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest
import typer.main
from documents import DOCUMENTS, ROOT, Command, commands, fences, outcome
from typer.core import TyperGroup

from lsgcli.cli.app import application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer._click.core import Command as ClickCommand

EVERY = [command for document in DOCUMENTS for command in commands(document)]
README = ROOT / "README.md"
NUMBER = re.compile(r"-?\d+\.\d+")
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
# What a test does not have.
ABSENT = {"the package index", "the network", "a microphone", "a GPU", "an LLM"}
ABSENT |= {"a multilingual Whisper", "a pulled model", "a development environment"}
ABSENT |= {"GNU parallel", "Slurm", "Ray", "mweralign", "unbabel-comet"}


def same(shown: str, got: str) -> bool:
    """Whether two lines are equal, but for the last digits of computed numbers."""
    if NUMBER.sub("#", shown) != NUMBER.sub("#", got):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(got), strict=True)
    return all(abs(float(a) - float(b)) <= 0.02 for a, b in pairs)


@pytest.mark.parametrize("command", [each for each in EVERY if not each.needs], ids=str)
def test_a_command_does_what_is_shown(command: Command) -> None:
    """Where its output is shown it may fail, and says so; else it succeeds."""
    result = outcome(command)
    if command.output is None:
        assert result.code in ((-2, 130) if command.endless else (0,)), result.output
        return
    lines = zip_longest(command.output.splitlines(), result.output.splitlines(), fillvalue="")
    assert not [pair for pair in lines if not same(*pair)], result.output


def test_the_reasons_for_not_running_a_command() -> None:
    """They stand in the documents as comments, for the reader as for this test."""
    assert {each.needs for each in EVERY} - {""} <= ABSENT


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_command_hides_in_another_fence(document: Path) -> None:
    for language, text in fences(document):
        if language not in ("sh", "console", "python"):
            assert not re.search(r"^(\$ )?(lsg|make|python3?|pip) ", text, re.MULTILINE)


def options(command: ClickCommand) -> Iterator[str]:
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)
    if isinstance(command, TyperGroup):
        for each in command.commands.values():
            yield from options(each)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_options_in_prose_exist(document: Path) -> None:
    known = {*options(typer.main.get_command(application())), "--help"}
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    ours = re.findall(r"`((?:lsg|--)[^`]*)`", text)
    assert {name for code in ours for name in OPTION.findall(code)} <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith(("mailto:", "#")):
            continue
        name, _, anchor = target.partition("#")
        file = document.parent / name
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= 900


def test_ci_runs_the_second_command() -> None:
    first, second = (each.text for each in EVERY if "venv" in each.text and each.document == README)
    assert "lsg translate" in first
    assert second in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
