"""Provenance of results: what a run must have in common with the one it continues."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from lsgcli import __version__
from lsgcli.evaluation.corpus import checksum
from lsgcli.models.manifest import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest

PACKAGES = ("ctranslate2", "numpy", "sentencepiece", "tokenizers")


def versions() -> dict[str, str]:
    """Return the versions of everything that a translation depends on."""
    found = {"lsg": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def model_identity(model: Model[Manifest]) -> dict[str, Any]:
    """The model's direction, and its files' checksums as the manifest states them.

    A Whisper without a manifest has the checksums that its files have.
    """
    files = {name: file.sha256 for name, file in model.manifest.files.items()}
    own = [FILE_NAME] if files else ["config.json", "model.bin"]
    return {
        "direction": f"{model.source}-{model.target}",
        "sha256": {name: checksum(model.directory / name) for name in own} | files,
    }


def machine() -> dict[str, Any]:
    """Describe the machine on which a computation-aware run is timed."""
    return {"cpu": _cpu(), "cores": len(os.sched_getaffinity(0)), "system": platform.platform()}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Name what differs between two nested records.

    >>> differences({"a": {"b": 1}}, {"a": {"b": 2}, "c": 3})
    ['a.b was 1, is 2', 'c was not there, is 3']
    """
    before, now = dict(_leaves(old)), dict(_leaves(new))
    absent = "not there"
    return [
        f"{key} was {before.get(key, absent)}, is {now.get(key, absent)}"
        for key in {**before, **now}
        if before.get(key, absent) != now.get(key, absent)
    ]


def _leaves(record: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
