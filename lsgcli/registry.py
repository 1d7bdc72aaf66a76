"""The registry that comes with the package: names for models on the Hub, in ``registry.toml``."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGE = Path(__file__).parent
FILE_NAME = "registry.toml"

Kind = Literal["decoder-only", "encoder-decoder", "whisper"]


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


@cache
def load() -> dict[str, Entry]:
    """The entries by alias."""
    text = (shipped() / FILE_NAME).read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Entry])
