"""What CTranslate2 has to compute with here."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

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

    cards = 0
    with suppress(RuntimeError):  # no driver
        cards = ctranslate2.get_cuda_device_count()
    return Computing(
        ctranslate2.__version__,
        sorted(ctranslate2.get_supported_compute_types("cpu")),
        cards,
        sorted(ctranslate2.get_supported_compute_types("cuda")) if cards else [],
    )


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
