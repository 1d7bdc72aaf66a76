"""The manual pages: what the commands say of themselves, and a terminal shows them well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "man"
PAGES = sorted((FOLDER / "man1").glob("*.1"))

sys.path.insert(0, str(FOLDER))
from generate import pages  # noqa: E402


def test_pages_are_what_the_commands_say() -> None:
    """If not, ``make man`` writes them."""
    assert {page.name: page.read_text(encoding="utf-8") for page in PAGES} == pages()


@pytest.mark.skipif(not shutil.which("groff"), reason="needs groff")
def test_groff_has_no_objections() -> None:
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", *PAGES], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("man"), reason="needs man")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_fits_a_terminal(page: Path) -> None:
    environment = os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}
    done = subprocess.run(["man", "-l", page], capture_output=True, text=True, env=environment)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line.isupper()][:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
