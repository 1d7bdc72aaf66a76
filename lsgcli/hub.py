"""Models of the Hugging Face Hub: fetched once, whole and checked."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli import pulled, registry, remote, store, terminal
from lsgcli.errors import HubError, ManifestError, ModelError, UsageError
from lsgcli.files import WEIGHTS, File, is_needed, sha256, verify
from lsgcli.manifest import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lsgcli.remote import RemoteFile, Repository

SPARE = 64 << 20  # bytes of the disk that a model leaves free


@dataclass(frozen=True)
class Request:
    """A model that is wanted: its repository, and a branch, tag or commit; "" is the newest."""

    repository: str
    revision: str = ""


def request(name: str, revision: str = "") -> Request:
    """Say what ``name``, an alias or OWNER/NAME, means.

    Raises UsageError, also for a model that is not to be had in CTranslate2's form.
    """
    entry = registry.load().get(name)
    if entry is None:
        if not store.is_name(name) or "/" not in name:
            raise UsageError(
                f"no model {name!r}: neither an alias (see lsg models list) nor OWNER/NAME on the "
                "Hugging Face Hub"
            )
        return Request(name, revision)
    if entry.form != "ctranslate2":
        raise UsageError(f"{name} is {entry.repository}: {_to_convert(name)}")
    return Request(entry.repository, revision or entry.revision)


def _to_convert(name: str) -> str:
    return f"not in CTranslate2's form; convert it: lsg models convert {name}"


def pull(
    wanted: Request, *, note: Callable[[str], None], show: bool = True, color: str = "auto"
) -> Path:
    """Fetch a model, unless it is here at that commit; give its directory.

    A model that was cut off on its way goes on from there. Raises HubError, ModelNotFoundError,
    UsageError.
    """
    if remote.is_offline():
        raise HubError(f"HF_HUB_OFFLINE is set: {wanted.repository} is not fetched; unset it")
    name = wanted.repository
    described = remote.describe(name, wanted.revision)
    files = _needed(described)
    try:
        with store.locked(name, lambda: note(f"waiting for another pull of {name}")):
            here = store.find(name)
            if here and _is_whole(here, described.commit):
                return here
            directory = store.partial(name, described.commit)
            if here:
                _borrow(files, here, directory)
            _make_room(directory, files)
            with terminal.transfer(name, color, show=show) as progress:
                _obtain_all(described, files, directory, progress)
            pulled.save(directory, _record(wanted, described, files, directory))
            return store.install(name, directory)
    except OSError as error:
        raise HubError(f"{error.filename or store.root()}: {error.strerror}") from error


def _needed(repository: Repository) -> list[RemoteFile]:
    """What is fetched, small files first. Raises UsageError, HubError."""
    files = sorted(
        (each for each in repository.files if is_needed(each.name)), key=lambda f: f.size
    )
    if WEIGHTS not in {file.name for file in files}:
        raise UsageError(f"{repository.name} is {_to_convert(repository.name)}")
    for file in files:
        if file.size < 1 or not (file.sha256 or file.blob):
            raise HubError(f"the Hub does not tell size and checksum of {file.name}")
    return files


def _is_whole(directory: Path, commit: str) -> bool:
    """Whether a model is there, as it was at that commit."""
    try:
        record = pulled.load(directory)
        if record is None or record.commit != commit:
            return False
        verify(directory, record.files, whole=True)
    except (ModelError, ManifestError):
        return False
    return True


def _borrow(files: list[RemoteFile], here: Path, directory: Path) -> None:
    """Have what is here already in the new directory too; what has changed is fetched."""
    for file in files:
        with suppress(OSError):
            os.link(here / file.name, directory / file.name, follow_symlinks=False)


def _make_room(directory: Path, files: list[RemoteFile]) -> None:
    """Raise HubError if the disk is too small for what is to come."""
    here = sum(file.stat().st_size for file in directory.iterdir())
    missing = sum(file.size for file in files) - here
    free = shutil.disk_usage(directory).free
    if missing + SPARE > free:
        raise HubError(
            f"{directory}: {(missing + SPARE) / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are "
            "free; make room, or set LSG_HOME to a directory on another disk"
        )


def _obtain_all(
    repository: Repository,
    files: list[RemoteFile],
    directory: Path,
    progress: Callable[[int, int], None],
) -> None:
    total = sum(file.size for file in files)
    done = 0

    def grown(size: int) -> None:
        progress(done + size, total)

    for file in files:
        _obtain(repository, file, directory, grown)
        done += file.size


def _obtain(
    repository: Repository, file: RemoteFile, directory: Path, grown: Callable[[int], None]
) -> None:
    """Have a file in the directory, the very one. Raises HubError, OSError."""
    whole = directory / file.name
    if whole.exists() and file.is_copy(whole):
        return grown(file.size)
    part = directory / f".{file.name}.part"
    went_on = part.exists()
    remote.fetch(repository, file, part, grown)
    if went_on and not file.is_copy(part):  # what was there was damaged, as after a power cut
        part.unlink()
        remote.fetch(repository, file, part, grown)
    if not file.is_copy(part):
        part.unlink()
        raise HubError(
            f"{repository.name}: the checksum of {file.name} is not what the Hub says it is; "
            "pull again, and if that does not help, do not trust the way to "
            f"{remote.endpoint()}"
        )
    part.replace(whole)
    return None


def _record(
    wanted: Request, repository: Repository, files: list[RemoteFile], directory: Path
) -> pulled.Pulled:
    """The record, without the manifest, which ``lsg tune`` may change."""
    return pulled.Pulled(
        repository=repository.name,
        revision=wanted.revision,
        commit=repository.commit,
        licence=repository.licence,
        files={
            file.name: File(size=file.size, sha256=file.sha256 or sha256(directory / file.name))
            for file in files
            if file.name != FILE_NAME
        },
    )
