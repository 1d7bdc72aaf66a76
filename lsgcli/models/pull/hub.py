"""Models of the Hugging Face Hub: fetched once, whole and checked."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from lsgcli import terminal
from lsgcli.errors import HubError, ManifestError, ModelError, UsageError
from lsgcli.log import logger
from lsgcli.models import manifest, provenance, store, whisper
from lsgcli.models.files import WEIGHTS, File, is_needed, read_object, sha256, verify
from lsgcli.models.manifest import FILE_NAME
from lsgcli.models.pull import limits, repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lsgcli.models.pull.repository import RemoteFile, Repository


def pull(name: str, revision: str, *, show: bool, color: str) -> Path:
    """Fetch a repository, unless it is here at that commit; give its directory.

    A model that was cut off on its way goes on from there. Raises PullError, ModelNotFoundError,
    UsageError.
    """
    if repository.is_offline():
        raise HubError(f"HF_HUB_OFFLINE is set: {name} is not fetched; unset it")
    described = repository.describe(name, revision)
    files = _needed(described)
    try:
        with store.locked(name, lambda: logger.info(f"waiting for another pull of {name}")):
            here = store.find(name)
            if here and _is_whole(here, described.commit):
                store.tidy(name)
                return here
            directory = store.partial(name, described.commit)
            if here:
                _borrow(files, here, directory)
            begun = sum(file.stat().st_size for file in directory.iterdir())
            store.make_room(directory, sum(file.size for file in files) - begun)
            with terminal.transfer(name, color, show=show) as progress:
                _obtain_all(described, files, directory, progress)
            provenance.save(directory, _record(revision, described, files, directory))
            _check(name, directory)
            return store.install(name, directory)
    except OSError as error:
        raise HubError(f"{error.filename or store.root()}: {error.strerror}") from error


def _needed(repository: Repository) -> list[RemoteFile]:
    """What is fetched, small files first. Raises UsageError, HubError."""
    files = sorted(
        (each for each in repository.files if is_needed(each.name)), key=lambda f: f.size
    )
    if WEIGHTS not in {file.name for file in files}:
        raise UsageError(f"{repository.name} is {to_convert(repository.name)}")
    if len(files) > limits.MOST_FILES:
        raise HubError(
            f"{repository.name} has {len(files)} files for a model, more than {limits.MOST_FILES}"
        )
    for file in files:
        if file.size < 1 or not (file.sha256 or file.blob):
            raise HubError(f"the Hub does not tell size and checksum of {file.name}")
    return files


def _is_whole(directory: Path, commit: str) -> bool:
    """Whether a model is there, as it was at that commit."""
    try:
        record = provenance.load(directory)
        if record is None or record.commit != commit:
            return False
        verify(directory, record.files, whole=True)
    except (ModelError, ManifestError):
        return False
    return True


def _check(name: str, directory: Path) -> None:
    """Raise HubError if the model's manifest, or its Whisper's tables, cannot be used."""
    try:
        if (directory / FILE_NAME).exists():
            manifest.verify(directory, manifest.load(directory))
        elif "suppress_ids" in read_object(directory / "config.json"):
            whisper.manifest(directory)
    except (ManifestError, ModelError) as error:
        raise HubError(f"{name} is not installed, since it cannot be used: {error}") from error


def _borrow(files: list[RemoteFile], here: Path, directory: Path) -> None:
    """Have what is here already in the new directory too; what has changed is fetched."""
    for file in files:
        with suppress(OSError):
            os.link(here / file.name, directory / file.name, follow_symlinks=False)


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
    described: Repository,
    file: RemoteFile,
    directory: Path,
    grown: Callable[[int], None],
) -> None:
    """Have a file in the directory, the very one. Raises HubError, OSError."""
    whole = directory / file.name
    if whole.exists() and file.is_copy(whole):
        return grown(file.size)
    part = directory / f".{file.name}.part"
    went_on = part.exists()
    repository.fetch(described, file, part, grown)
    if went_on and not file.is_copy(part):  # what was there was damaged, as after a power cut
        part.unlink()
        repository.fetch(described, file, part, grown)
    if not file.is_copy(part):
        part.unlink()
        raise HubError(
            f"{described.name}: the checksum of {file.name} is not what the Hub says it is; "
            "pull again, and if that does not help, do not trust the way to "
            f"{repository.endpoint()}"
        )
    part.replace(whole)
    return None


def _record(
    revision: str, repository: Repository, files: list[RemoteFile], directory: Path
) -> provenance.Pulled:
    """The record, without the manifest, which ``lsg tune`` may change."""
    return provenance.Pulled(
        repository=repository.name,
        revision=revision,
        commit=repository.commit,
        licence=repository.licence,
        files={
            file.name: File(size=file.size, sha256=file.sha256 or sha256(directory / file.name))
            for file in files
            if file.name != FILE_NAME
        },
    )


def to_convert(name: str) -> str:
    """Say what to do with a model of another format."""
    return f"not in CTranslate2's form; convert it: lsg models convert {name}"
