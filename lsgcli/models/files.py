"""The files of a model directory: which there may be, and whether each is what it should be.

A model directory is data, and may come from anyone: nothing in it is run, nothing outside it is
read, and what CTranslate2's loader would read is checked first.
"""

from __future__ import annotations

import hashlib
import json
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from lsgcli.errors import ManifestError, ModelError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

WEIGHTS = "model.bin"
VERIFY_ALWAYS = 64 << 20  # bytes; the checksum of a larger file costs more than a start may
LARGEST_TABLE = 128 << 20  # bytes; all but the weights is read into memory as it is
CHUNK = 1 << 20

# What CTranslate2 and the tokenizers read, and what people read. No pickles, no programs.
NEEDED = (
    WEIGHTS,
    *("config.json", "generation_config.json", "preprocessor_config.json"),
    *("vocabulary.json", "vocabulary.txt", "shared_vocabulary.json", "shared_vocabulary.txt"),
    *("source_vocabulary.*", "target_vocabulary.*", "vmap.txt"),
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja", "*.spm", "*.model"),
    *("manifest.toml", "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE"),
)


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file must be."""

    size: Annotated[int, msgspec.Meta(ge=1, le=1 << 50)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


def is_needed(name: str) -> bool:
    """Whether a model is used with a file of that name in its directory.

    >>> [is_needed(name) for name in ("model.bin", "pytorch_model.bin", "run.py", "a/vocab.json")]
    [True, False, False, False]
    """
    return is_plain(name) and any(fnmatchcase(name, pattern) for pattern in NEEDED)


def is_plain(name: str) -> bool:
    """Whether it is a plain file name, which stays in its directory whatever the system.

    >>> [is_plain(name) for name in ("spm.model", "../x", "/x", "..", "", "C:x", ".x")]
    [True, False, False, False, False, False, False]
    """
    odd = set(name) & {*"/\\:"} or not name.isprintable() or name.startswith(".")
    return bool(name) and not odd


def verify(directory: Path, files: Mapping[str, File], *, whole: bool = False) -> None:
    """Check that a model's files are in its directory, and are what they should be.

    Sizes always, checksums of those that are not large, and of all with ``whole``. Raises
    ModelError.
    """
    there = {file.name for file in directory.iterdir() if is_needed(file.name)}
    for name in sorted(there | files.keys()):
        file = directory / name
        size = _size(file)
        expected = files.get(name)
        if expected is None:
            continue
        if size != expected.size:
            raise ModelError(f"{file}: {size} bytes instead of {expected.size}; get it again")
        if (whole or size <= VERIFY_ALWAYS) and sha256(file) != expected.sha256:
            raise ModelError(f"{file}: checksum differs; the file is damaged, get it again")


def read_text(file: Path) -> str:
    """Read a text of a model's. Raises ModelError if it cannot be, FileNotFoundError."""
    try:
        _check_kind(file, file.stat())
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{file}: not UTF-8 ({error})") from error


def read_json(file: Path) -> Any:
    """Read JSON of a model's. Raises ModelError if it cannot be, FileNotFoundError."""
    text = read_text(file)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ModelError(f"{file}: too many brackets in brackets") from error
    except ValueError as error:
        raise ModelError(f"{file}: not JSON ({error})") from error


def read_object(file: Path) -> dict[str, Any]:
    """Read a JSON object; an empty one if there is no such file. Raises ModelError."""
    try:
        found = read_json(file)
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict):
        raise ModelError(f"{file}: not an object")
    return found


def read_tokens(file: Path) -> list[str]:
    """Read a vocabulary: a JSON list, or a token a line. Raises ModelError, FileNotFoundError."""
    if file.suffix != ".json":
        tokens = read_text(file).split("\n")  # not splitlines: some tokens are breaks to Unicode
        return tokens[:-1] if not tokens[-1] else tokens
    found = read_json(file)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ModelError(f"{file}: not a vocabulary, which is a list of tokens")
    return found


def check_table(where: Path, table: object) -> None:
    """Check a table of files in ``where``. Raises ManifestError, which names the file's line."""
    for name, each in table.items() if isinstance(table, dict) else ():
        try:
            msgspec.convert(each, File)
        except msgspec.ValidationError as error:
            raise ManifestError(f'{where}: files."{name[:100]}": {str(error)[:500]}') from error
        if not is_plain(name):
            raise ManifestError(
                f"{where}: {name[:100]!r} must be a plain file name in the directory"
            )


def _size(file: Path) -> int:
    try:
        status = file.stat()
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}; the model is incomplete") from error
    _check_kind(file, status)
    return status.st_size


def _check_kind(file: Path, status: os.stat_result) -> None:
    """Refuse what is no file, leads out of the directory, or would fill the memory."""
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{file}: not a regular file")
    if file.is_symlink() and not file.resolve().is_relative_to(_realm(file.parent)):
        raise ModelError(
            f"{file}: a link that leads out of the model's directory; put a copy there"
        )
    if file.name != WEIGHTS and status.st_size > LARGEST_TABLE:
        raise ModelError(f"{file}: {status.st_size} bytes are too many for such a file")


def _realm(directory: Path) -> Path:
    """Where links may lead: the directory, or all of the Hub's cache if it is one of its snapshots.

    There a model is ``models--OWNER--NAME/snapshots/COMMIT``, and its files are links.
    """
    whole = directory.resolve()
    snapshot = whole.parent.name == "snapshots" and whole.parents[1].name.startswith("models--")
    return whole.parents[2] if snapshot else whole


def sha256(file: Path) -> str:
    """The checksum of a file. Raises OSError."""
    return _digest(file, hashlib.sha256())


def git_blob(file: Path) -> str:
    """The name that git gives to a file's content. Raises OSError."""
    head = f"blob {file.stat().st_size}\0".encode()
    return _digest(file, hashlib.sha1(head, usedforsecurity=False))


def _digest(file: Path, digest: Any) -> str:
    with file.open("rb") as stream:
        while data := stream.read(CHUNK):
            digest.update(data)
    return str(digest.hexdigest())
