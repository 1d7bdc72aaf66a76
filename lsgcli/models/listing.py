"""All models in one view: those that are here, and those that the registry knows how to get."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsgcli.errors import LsgError, ModelError
from lsgcli.models import catalog, files, manifest, provenance, registry, store
from lsgcli.models.files import WEIGHTS

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.models.manifest import AnyManifest

MANY = 6  # directions that are named; more are counted
UNCHECKED = {manifest.FILE_NAME, "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE"}


@dataclass(frozen=True)
class Model:
    """A model that is here, or can be had."""

    name: str
    state: str  # embedded, yes, no, to convert
    bytes: int
    kind: str
    languages: str
    licence: str
    repository: str = ""
    directory: Path | None = None
    note: str = ""


def models() -> list[Model]:
    """The embedded models, those that were got, and the registry's. Raises OSError."""
    installed = store.installed()
    known = registry.load()
    listed = [_from_directory(name, each, "embedded") for name, each in catalog.embedded().items()]
    for alias, entry in known.items():
        directory = installed.get(entry.repository)
        missing = "no" if entry.form == "ctranslate2" else "to convert"
        listed.append(
            Model(
                name=alias,
                state="yes" if directory else missing,
                bytes=_weight(directory) if directory else entry.megabytes * 1_000_000,
                kind=entry.kind,
                languages=entry.languages,
                licence=entry.licence,
                repository=entry.repository,
                directory=directory,
                note=entry.note,
            )
        )
    others = installed.keys() - {entry.repository for entry in known.values()}
    return listed + [_from_directory(name, installed[name], "yes") for name in sorted(others)]


def here() -> dict[str, Path]:
    """The models that are here, by name."""
    return catalog.embedded() | store.installed()


def _from_directory(name: str, directory: Path, state: str) -> Model:
    found = _manifest(directory)
    record = _record(directory)
    licence = record.licence if record else ""
    return Model(
        name=name,
        state=state,
        bytes=_weight(directory),
        kind=_kind(found),
        languages=_languages(found),
        licence=found.licence if found and not licence else licence,
        repository=record.repository if record else "",
        directory=directory,
    )


def _manifest(directory: Path) -> AnyManifest | None:
    """A directory's manifest, also the one that a Whisper without any gets; None if there is none.

    What is wrong with it is told when the model is used.
    """
    with suppress(LsgError):
        if (directory / manifest.FILE_NAME).exists():
            return manifest.load(directory)
        return catalog.load_speech(directory)
    return None


def _record(directory: Path) -> provenance.Pulled | None:
    with suppress(LsgError):
        return provenance.load(directory)
    return None


def _kind(found: AnyManifest | None) -> str:
    if found is None:
        return "no manifest"
    return str(found.__struct_config__.tag)


def _languages(found: AnyManifest | None) -> str:
    if found is None:
        return ""
    if len(found.directions) <= MANY:
        return " ".join(found.directions)
    return f"{len({each.split('-')[0] for each in found.directions})} languages"


def _weight(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.iterdir() if file.is_file())


def facts(directory: Path) -> dict[str, Any]:
    """What there is to know of a model: manifest, origin, files. Raises LsgError, OSError."""
    record = provenance.load(directory)
    found = _manifest(directory)
    sums = _expected(directory)
    return {
        "directory": str(directory),
        "bytes": _weight(directory),
        "kind": _kind(found),
        "licence": (record.licence if record else "") or (found.licence if found else ""),
        **({"origin": _origin(record)} if record else {}),
        **({"directions": found.directions, "policy": _policies(found)} if found else {}),
        "files": {
            file.name: {
                "bytes": file.stat().st_size,
                "sha256": sums[file.name].sha256 if file.name in sums else "not recorded",
            }
            for file in sorted(directory.iterdir())
            if files.is_needed(file.name) and file.is_file()
        },
    }


def _policies(found: AnyManifest) -> dict[str, Any]:
    """The settings that are in use: of all directions, or of each that has its own."""
    own = {direction: manifest.plain(each) for direction, each in found.policies.items()}
    if own.keys() >= set(found.directions):
        return own
    common: dict[str, Any] = manifest.plain(found.policy)
    return own | {"others": common} if own else common


def _origin(record: provenance.Pulled) -> dict[str, str]:
    if record.wheels:
        return {"repository": record.repository, "packages": " ".join(record.wheels)}
    return {
        "repository": record.repository,
        "revision": record.revision or "main",
        "commit": record.commit,
    }


def verify(directory: Path) -> tuple[int, list[str]]:
    """Check all files of a model, whole; tell how many have a checksum, and which have none.

    What people read, and the manifest, which ``lsg tune`` may change, need none. Raises ModelError,
    ManifestError, OSError.
    """
    if not (directory / WEIGHTS).exists():
        raise ModelError(f"{directory}: not a model of CTranslate2's, it has no {WEIGHTS}")
    expected = _expected(directory)
    files.verify(directory, expected, whole=True)
    tables = {file.name for file in directory.iterdir() if files.is_needed(file.name)}
    return len(expected), sorted(tables - expected.keys() - UNCHECKED)


def _expected(directory: Path) -> dict[str, files.File]:
    if (directory / manifest.FILE_NAME).exists():
        return manifest.expected(directory, manifest.load(directory))
    record = provenance.load(directory)
    return record.files if record else {}
