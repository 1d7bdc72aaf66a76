"""Which models the user wants to have used first: their names, one a line, beside the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.atomic import write_text
from lsgcli.models import store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_NAME = ".preferred"
SAID = ".said"  # is there when the user has been told how to get a better model


def load() -> list[str]:
    """The names, the first one first; none if nothing was saved. Raises OSError."""
    try:
        return (store.root() / FILE_NAME).read_text(encoding="utf-8").split()
    except (FileNotFoundError, NotADirectoryError):
        return []


def save(names: Sequence[str]) -> None:
    """Save the names, in the place of those there were. Raises OutputError."""
    write_text(store.root() / FILE_NAME, "".join(f"{name}\n" for name in names))


def say_once() -> bool:
    """Whether the user is to be told now how to get a better model; never again then."""
    try:
        (_folder() / SAID).touch(exist_ok=False)
    except OSError:  # it is there, or nothing can be kept
        return False
    return True


def _folder() -> Path:
    root = store.root()
    root.mkdir(parents=True, exist_ok=True)
    return root
