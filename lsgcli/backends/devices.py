"""What CTranslate2 has to compute with here."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CUBLAS = "libcublas.so.12"


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
    """Whether the library that CTranslate2 multiplies with on cards loads.

    The system's, or that of the package nvidia-cublas-cu12, which CTranslate2 finds by itself.
    """
    import ctranslate2

    package = Path(ctranslate2.__file__).parents[1] / "nvidia" / "cublas" / "lib" / CUBLAS
    for library in (CUBLAS, str(package)):
        with suppress(OSError):
            ctypes.CDLL(library)
            return True
    return False
