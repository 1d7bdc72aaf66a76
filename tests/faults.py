"""Full disks, broken disks and kills, at every single change to a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from conftest import DEADLINE, LSG, Result, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Path(__file__).with_name("faults.c")
Kind = Literal["ENOSPC", "EIO", "KILL"]
KINDS = ("ENOSPC", "EIO", "KILL")
MOST = 400  # changes after which a command has run away
SHARE = int(os.environ.get("LSG_FAULTS", "8"))  # of the changes of a slow command one is tried


@cache
def library() -> str:
    """The preloaded library, compiled once; the test is skipped where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    made = Path(tempfile.mkdtemp(prefix="faults-"), "faults.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True)
    return str(made)


@dataclass(frozen=True)
class Fault:
    """What a run that met a fault left: the number of the change, and how the process ended."""

    at: int
    result: Result


def run_with_fault(
    command: list[str], folder: Path, kind: Kind, at: int, **changes: str
) -> tuple[Result, bool]:
    """Run a command; tell how it ended and whether it came to the fault."""
    hit = folder.parent / f"hit-{kind}-{at}"
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
        env=environment(
            LD_PRELOAD=library(),
            FAULT_DIR=str(folder.resolve()),
            FAULT_KIND=kind,
            FAULT_AT=str(at),
            FAULT_HIT=str(hit),
            **changes,
        ),
    )
    return Result(done.returncode, done.stdout, done.stderr.decode()), hit.exists()


def faults(
    arguments: list[str],
    folder: Path,
    kind: Kind,
    *,
    fresh: Callable[[], None],
    share: int = 1,
    program: tuple[str, ...] = LSG,
    **changes: str,
) -> Iterator[Fault]:
    """Run a command again and again, each time with the next of its changes to ``folder`` failing.

    ``fresh`` makes the folder as it is before. Of ``share`` changes one is tried, another one for
    each kind of fault. Ends when the command ends without a fault.
    """
    for at in range(1 + KINDS.index(kind) % share, MOST, share):
        fresh()
        result, hit = run_with_fault([*program, *arguments], folder, kind, at, **changes)
        if not hit:
            assert at > share, "nothing was written"
            return
        yield Fault(at, result)
    pytest.fail("it does not end")
