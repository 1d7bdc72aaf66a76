"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lsgcli.models.catalog import find

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", README)


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[c for c, _ in EXAMPLES])
def test_example(command: str, output: str, tmp_path: Path) -> None:
    """Words are compared where one model's rounding cannot differ between machines: columns."""
    lsg = tmp_path / "lsg"
    lsg.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lsgcli "$@"\n')
    lsg.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CT2_FORCE_CPU_ISA": "AVX2"}
    env.pop("PYTHONUNBUFFERED", None)
    result = subprocess.run(
        ["sh", "-c", f"({command}) 2>&1"], cwd=ROOT, env=env, capture_output=True, timeout=120
    )
    assert result.returncode == 0
    shown, got = output.splitlines(), result.stdout.decode().splitlines()
    if "--explain" in command:  # the last line of both is the translation
        assert len(got) > 10
        assert [line.split()[:2] for line in got[:4]] == [line.split()[:2] for line in shown[:4]]
    else:
        assert len(got) == len(shown)
        for line, expected in zip(got, shown, strict=True):
            protected = re.findall(r"\S*\d\S*|\[\S+\]|\S+\.\S+:", expected)
            assert all(word in line for word in protected)


def test_the_run_that_is_compared_is_one_of_those_that_are_made() -> None:
    """Its name has the thresholds of the model's middle level."""
    (shown,) = re.findall(r"run/(lsg-\S+)", README)
    level = find("en-de", "en", "de").policy.levels.medium
    assert shown == f"lsg-L{level.lower}-U{level.upper}-delta{level.delta:g}-alpha{level.alpha:g}"


def test_ci_runs_the_second_command() -> None:
    commands = re.findall(r"```sh\n(.*)\n```", README)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
