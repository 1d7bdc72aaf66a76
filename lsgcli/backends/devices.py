"""What CTranslate2 has to compute with here."""

from __future__ import annotations

import ctypes
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

DEVICE = re.compile(r"auto|cpu|cuda(?::(\d+(?:,\d+)*))?")
# What a model is computed in on a card, the first that it has: int8 weights, and the rest in half
# the bytes of float32; bfloat16 does not overflow where float16 may.
PREFERRED = ("int8_bfloat16", "int8_float16", "int8", "bfloat16", "float16", "float32")
CUBLAS = ("libcublasLt.so.12", "libcublas.so.12")


@dataclass(frozen=True)
class Computing:
    """CTranslate2 and the devices that it finds."""

    version: str
    cpu: list[str]  # its compute types
    cards: int
    cuda: list[str]  # the compute types of the cards


def computing() -> Computing:
    """Ask CTranslate2. Raises ImportError, RuntimeError."""
    import ctranslate2

    cards = _cards()
    return Computing(
        ctranslate2.__version__,
        sorted(ctranslate2.get_supported_compute_types("cpu")),
        cards,
        sorted(ctranslate2.get_supported_compute_types("cuda")) if cards else [],
    )


@dataclass(frozen=True)
class Placed:
    """Where a model runs and in what arithmetic, decided."""

    device: str  # cpu or cuda
    cards: tuple[int, ...]  # one for each pass that runs at once; a card may be there twice
    compute_type: str

    @property
    def name(self) -> str:
        """The device as ``--device`` writes it."""
        return f"cuda:{','.join(map(str, self.cards))}" if self.cards else self.device


def placed(
    device: str,
    compute_type: str,
    cards: int,
    supported: Callable[[str, int], Collection[str]],
) -> Placed:
    """Decide, with that many ``cards`` and the compute types that (device, card) has.

    ``auto`` is int8 on the CPU, and the first of PREFERRED that all the cards have. Raises
    UsageError for a device that is not there, or arithmetic that it does not have.
    """
    if not (match := DEVICE.fullmatch(device)):
        raise UsageError(f"--device {device}: give auto, cpu, cuda, or GPUs as in cuda:0,1")
    name = device.partition(":")[0]
    if name == "auto":
        name = "cuda" if cards else "cpu"
    if name == "cuda" and not cards:
        raise UsageError("no CUDA device is usable here; use --device cpu")
    chosen = tuple(map(int, (match[1] or "0").split(","))) if name == "cuda" else ()
    if chosen and max(chosen) >= cards:
        there = f"cards 0 to {cards - 1}" if cards > 1 else "card 0 only"
        raise UsageError(f"--device {device}: there is {there}")
    types = set.intersection(*(set(supported(name, card)) for card in chosen or (0,)))
    if compute_type == "auto":
        order = PREFERRED if name == "cuda" else ("int8", *PREFERRED)
        compute_type = next((each for each in order if each in types), "float32")
    if compute_type not in types:
        raise UsageError(
            f"compute type {compute_type!r} is not supported on this {name}; "
            f"it has {', '.join(sorted(types))}"
        )
    return Placed(name, chosen, compute_type)


def place(device: str, compute_type: str) -> Placed:
    """Decide with what CTranslate2 finds here. Raises UsageError."""
    import ctranslate2

    cards = 0 if device == "cpu" else _cards()
    return placed(device, compute_type, cards, ctranslate2.get_supported_compute_types)


def _cards() -> int:
    import ctranslate2

    with suppress(RuntimeError):  # no driver
        return int(ctranslate2.get_cuda_device_count())
    return 0


def cublas() -> bool:
    """Load the library that CTranslate2 multiplies with on cards; tell whether it is there.

    CTranslate2 looks for it by name when it needs it: in the system, or loaded already. So that of
    the package nvidia-cublas-cu12, which no loader looks for, serves too once it is loaded here.
    """
    folders = [Path()]  # a bare name is looked for in the system
    with suppress(ImportError):
        if package := find_spec("nvidia.cublas"):
            folders += [Path(each) / "lib" for each in package.submodule_search_locations or ()]
    for folder in folders:
        with suppress(OSError):
            for name in CUBLAS:  # the first is part of the second
                ctypes.CDLL(str(folder / name))
            return True
    return False
