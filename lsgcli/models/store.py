"""Models that have been got: where they are, under which names, and one at a time.

A model is a directory in ``$LSG_HOME/models`` or ``$XDG_CACHE_HOME/lsg/models``
(``~/.cache/lsg/models``), named ``OWNER--NAME`` after its repository on the Hub. It gets that name
when it is whole; what is on its way there, or out, is in directories that begin with a dot.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.atomic import sync_directory
from lsgcli.errors import PullError
from lsgcli.models import registry
from lsgcli.models.files import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPARE = 64 << 20  # bytes of the disk that a model leaves free
NAME = re.compile(r"\w(?:[\w.-]*\w)?(?:/\w(?:[\w.-]*\w)?)?", re.ASCII)


def root() -> Path:
    """Where models are."""
    if home := os.environ.get("LSG_HOME"):
        return Path(home) / "models"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "lsg" / "models"


def is_name(name: str) -> bool:
    """Whether a model can be called so, which no path out of the store can.

    >>> [is_name(name) for name in ("tiny", "Systran/tiny.en", "../x", "a/b/c", "/a", "a--b", "")]
    [True, True, False, False, False, False, False]
    """
    return bool(NAME.fullmatch(name)) and "--" not in name and ".." not in name


def repository(name: str) -> str:
    """The name under which a model is kept: an alias's repository, else the name itself."""
    entry = registry.load().get(name)
    return entry.repository if entry else name


def place(name: str) -> Path:
    """The directory that a model by that name has, or would have."""
    return root() / repository(name).replace("/", "--")


def find(name: str) -> Path | None:
    """The directory of a model that has been got; None if there is none by that name."""
    if not is_name(name):
        return None
    directory = place(name)
    return directory if directory.is_dir() else None


def installed() -> dict[str, Path]:
    """All models that have been got, by their full names."""
    directories = sorted(root().glob("[!.]*/" + WEIGHTS))
    return {file.parent.name.replace("--", "/", 1): file.parent for file in directories}


@contextmanager
def locked(name: str, waiting: Callable[[], None]) -> Iterator[None]:
    """Let no other process change the model meanwhile; ``waiting`` is called if one does.

    The lock ends with the process, however that ends. Raises OSError.
    """
    folder = root() / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / place(name).name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def partial(name: str, commit: str) -> Path:
    """The directory for a model on its way; what there is of other commits is deleted.

    Raises OSError.
    """
    folder = root() / ".partial" / place(name).name
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.iterdir():
        if other.name != commit:
            shutil.rmtree(other)
    directory = folder / commit
    directory.mkdir(exist_ok=True)
    return directory


def make_room(directory: Path, size: int) -> None:
    """Raise PullError if the disk is too small for so many bytes to come."""
    free = shutil.disk_usage(directory).free
    if size + SPARE > free:
        raise PullError(
            f"{directory}: {(size + SPARE) / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free; "
            "make room, or set LSG_HOME to a directory on another disk"
        )


def install(name: str, directory: Path) -> Path:
    """Give a whole model its name, in the place of one that has it now.

    The names of its files, and its own, are on the disk then. Raises OSError.
    """
    final = place(name)
    sync_directory(directory)
    if final.exists():
        remove(final)
    directory.replace(final)
    sync_directory(root())
    tidy(name)
    return final


def tidy(name: str) -> None:
    """Delete what processes that were killed have left of a model that is whole."""
    directory = place(name)
    shutil.rmtree(root() / ".partial" / directory.name, ignore_errors=True)
    for left in (root() / ".removed").glob("*"):
        if re.fullmatch(rf"{re.escape(directory.name)}\.\d+", left.name):
            shutil.rmtree(left, ignore_errors=True)


def remove(directory: Path) -> None:
    """Delete a model: its name at once, then its files. Raises OSError."""
    out = root() / ".removed" / f"{directory.name}.{os.getpid()}"
    out.parent.mkdir(parents=True, exist_ok=True)
    directory.replace(out)
    shutil.rmtree(out)
