"""Whether all is here that lsg needs: one finding for each thing, with what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lsgcli.errors import LsgError
from lsgcli.models import catalog, store
from lsgcli.models.pull import repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Status = Literal["ok", "note", "FAIL"]

LITTLE_MEMORY = 2 << 30  # bytes; the embedded model needs far less, language models more
LITTLE_ROOM = 2 << 30  # bytes on the disk
SENTENCE, LANGUAGE = "The house is small.", "de"
PATIENCE = 120.0  # seconds for the self-test; it takes one


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing, and the remedy if it is not as it should be."""

    status: Status
    what: str
    detail: str
    remedy: str = ""


def findings(*, offline: bool) -> Iterator[Finding]:
    """Look at everything, one thing after the other."""
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", _python),
        ("ctranslate2", _ctranslate2),
        ("cuda", _cuda),
        ("memory", _memory),
        ("microphone", _microphone),
        ("models", _models),
        ("pairs", _pairs),
        ("hub", lambda: _hub(offline=offline)),
        ("self-test", _self_test),
    ]
    for what, check in checks:
        try:
            yield check()
        except Exception as error:  # what is wrong here is what we are asked for
            reason = " ".join(str(error).split()) or type(error).__name__
            yield Finding("FAIL", what, reason, "reinstall lsg: pip install --force-reinstall lsg")


def _python() -> Finding:
    detail = f"{platform.python_version()} in {sys.prefix}, {platform.machine()}"
    return Finding("ok", "python", detail)


def _ctranslate2() -> Finding:
    from lsgcli.backends.devices import computing

    found = computing()
    detail = f"{found.version}, on the CPU: {' '.join(found.cpu)}"
    if "int8" not in found.cpu:
        return Finding("note", "ctranslate2", detail, "no int8 here: use --compute-type float32")
    return Finding("ok", "ctranslate2", detail)


def _cuda() -> Finding:
    from lsgcli.backends.devices import computing, cublas

    found = computing()
    if not found.cards:
        return Finding("note", "cuda", "no GPU that CTranslate2 can use; models run on the CPU")
    detail = f"{found.cards} GPU(s): {' '.join(found.cuda)}"
    if not cublas():
        remedy = "pip install 'lsg[cuda]', or use --device cpu"
        return Finding("FAIL", "cuda", f"{detail}; libcublas.so.12 does not load", remedy)
    return Finding("ok", "cuda", f"{detail}; cuBLAS loads")


def _memory() -> Finding:
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    free = page * os.sysconf("SC_AVPHYS_PAGES") if "SC_AVPHYS_PAGES" in os.sysconf_names else total
    detail = f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB unused"
    detail += f", {len(os.sched_getaffinity(0))} cores"
    if total < LITTLE_MEMORY:
        return Finding("note", "memory", detail, "large models will not fit")
    return Finding("ok", "memory", detail)


def _microphone() -> Finding:
    try:
        from lsgcli.speech.sources.microphone import list_devices
    except ImportError:
        return Finding("note", "microphone", "this lsg takes no sound")
    try:
        devices = list_devices()
    except LsgError as error:
        return Finding("note", "microphone", str(error), "only --mic needs it; files do not")
    if not devices:
        return Finding("note", "microphone", "no input device", "only --mic needs one; plug it in")
    names = ", ".join(f"{each.index} {each.name}{' *' * each.default}" for each in devices)
    return Finding("ok", "microphone", names)


def _models() -> Finding:
    root = store.root()
    remedy = "set LSG_HOME to a directory that can be written"
    try:
        with store.locked("doctor", lambda: None):
            free = shutil.disk_usage(root).free
    except OSError as error:
        detail = f"{error.filename or root}: {error.strerror}"
        return Finding("FAIL", "models", detail, remedy)
    count = len(store.installed())
    detail = f"{root}: {count} pulled, {free / 1e9:.1f} GB free"
    if free < LITTLE_ROOM:
        return Finding("note", "models", detail, "make room, or set LSG_HOME to another disk")
    return Finding("ok", "models", detail)


def _pairs() -> Finding:
    used = catalog.used()
    detail = "; ".join(f"{name}: {' '.join(pairs)}" for name, pairs in used.items())
    return Finding("ok", "pairs", detail)


def _hub(*, offline: bool) -> Finding:
    if offline or repository.is_offline():
        return Finding("note", "hub", "not asked, as offline")
    if reason := repository.unreachable():
        detail = f"{repository.endpoint()} cannot be reached: {reason}"
        return Finding("note", "hub", detail, "models that are here work; only pulling needs it")
    return Finding("ok", "hub", f"{repository.endpoint()} answers")


def _self_test() -> Finding:
    """Translate a sentence as users do, so that whatever happens to it does not happen to us."""
    remedy = "reinstall lsg: pip install --force-reinstall lsg"
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "lsgcli",
                "translate",
                "--to",
                LANGUAGE,
                "--device",
                "cpu",
                "-q",
            ],
            input=SENTENCE + "\n",
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return Finding("FAIL", "self-test", f"no translation in {PATIENCE:g} seconds", remedy)
    written = done.stdout.strip()
    if done.returncode or not written:
        reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        return Finding("FAIL", "self-test", reason, remedy)
    return Finding("ok", "self-test", f"{SENTENCE} → {written}")
