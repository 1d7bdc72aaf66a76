"""The record of a model that was pulled: where from, and what its files were.

::

    version = 1
    repository = "Systran/faster-whisper-tiny"
    revision = "main"             # as it was asked for
    commit = "d90ca5fe260221311c53c58e660288d3deb8d356"  # "" if it came from a package index
    licence = "mit"

    [files."model.bin"]
    size = 75538270
    sha256 = "..."
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lsgcli.atomic import write_text
from lsgcli.errors import ManifestError
from lsgcli.models.files import File, check_table, read_text
from lsgcli.toml import parse

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "pulled.toml"
VERSION = 1


class Pulled(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a model came from, and its files as they were then."""

    version: int = VERSION
    repository: str
    revision: str
    commit: str
    licence: str
    wheels: list[str] = []  # those it was made of, if it came from a package index
    files: dict[str, File]


def load(directory: Path) -> Pulled | None:
    """Read a directory's record; None if it was not pulled. Raises ManifestError, ModelError."""
    file = directory / FILE_NAME
    try:
        data = parse(read_text(file))
        check_table(file, data.get("files"))
        record = msgspec.convert(data, Pulled)
    except FileNotFoundError:
        return None
    except (ValueError, msgspec.ValidationError) as error:
        raise ManifestError(f"{file}: {str(error)[:500]}; get the model again") from error
    if record.version != VERSION:
        raise ManifestError(
            f"{file}: version is {record.version}, this lsg reads version {VERSION}"
        )
    return record


def save(directory: Path, record: Pulled) -> None:
    """Write the record of a directory. Raises OutputError."""
    import tomlkit

    write_text(directory / FILE_NAME, tomlkit.dumps(msgspec.to_builtins(record)))
