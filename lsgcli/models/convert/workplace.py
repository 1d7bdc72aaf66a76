"""Where a model is made: a hidden directory beside its own, which only one process has at a time.

What a process leaves there that is killed is deleted by the next one that makes a model in the same
folder, whichever model that is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from lsgcli.atomic import sync_directory, sync_tree
from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".converting"


@contextmanager
def workplace(output: Path) -> Iterator[Path]:
    """A directory for what is being made; gone afterwards.

    Raises UsageError if another process makes the same model, OSError.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    place = output.with_name(f".{output.name}{SUFFIX}")
    place.mkdir(exist_ok=True)
    with _held(place) as held:
        if not held:
            raise UsageError(f"{output}: another lsg is making it; wait for it")
        _empty(place)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def publish(made: Path, output: Path) -> None:
    """Give a directory its name; its files and their names are on the disk then. Raises OSError."""
    made.chmod(0o755)
    sync_tree(made)
    made.rename(output)
    sync_directory(output.parent)


def sweep(folder: Path) -> None:
    """Delete what processes that were killed have left in a folder, as far as that is allowed."""
    for place in folder.glob(f".*{SUFFIX}"):
        with suppress(OSError), _held(place) as held:
            if held:
                shutil.rmtree(place)


@contextmanager
def _held(place: Path) -> Iterator[bool]:
    """Lock a directory, and tell whether no other process has it. Raises OSError."""
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _empty(place: Path) -> None:
    for left in place.iterdir():
        shutil.rmtree(left)
