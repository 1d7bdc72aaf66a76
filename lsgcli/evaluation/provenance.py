"""Provenance of results: what a run must have in common with the one it continues."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
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


def machine(*, gpus: bool, timed: bool) -> dict[str, Any]:
    """Describe this machine: what results depend on, which round otherwise on another processor.

    ``gpus``: they compute, too. ``timed``: so do the times.
    """
    here: dict[str, Any] = {"cpu": _cpu()}
    if gpus:
        here["gpu"] = ", ".join(_gpus())
    return here | (surroundings() if timed else {})


def surroundings() -> dict[str, Any]:
    """Describe what else of this machine makes a computation fast or slow."""
    return {"cores": len(os.sched_getaffinity(0)), "system": platform.platform()}


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


def _gpus() -> list[str]:
    """The kinds of NVIDIA's GPUs, as their driver tells."""
    found = set()
    for file in Path("/proc/driver/nvidia/gpus").glob("*/information"):
        with suppress(OSError):
            found.update(re.findall(r"^Model:\s*(.+)$", file.read_text(errors="replace"), re.M))
    return sorted(found)


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
