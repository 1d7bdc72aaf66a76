"""Weights into memory, placed on the cores or the card that are there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ctranslate2
import numpy as np

from lsgcli.backends.devices import cublas, place
from lsgcli.backends.hints import explained
from lsgcli.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lsgcli.core.backend import Placement

T = TypeVar("T")

SMALL_MODEL = 128 << 20  # bytes of weights up to which one core a pass is fastest


def load(kind: Callable[..., T], directory: Path, placement: Placement) -> tuple[T, int]:
    """Load weights as ``kind``, a class of CTranslate2; tell how many passes it runs at once.

    Raises ModelError, or UsageError for a device or arithmetic that is not there.
    """
    _prefer_avx512()
    where = place(placement.device, placement.compute_type)
    if where.device == "cuda":
        cublas()
    cores = placement.threads or len(os.sched_getaffinity(0))
    try:
        small = (directory / "model.bin").stat().st_size <= SMALL_MODEL
        alone = cores if small else 1
        replicas = len(where.cards) or alone
        settings: dict[str, Any] = {
            "device": where.device,
            "compute_type": where.compute_type,
            "inter_threads": alone,
            "intra_threads": 1 if replicas > 1 else cores,
        }
        if where.cards:  # a card that is named twice runs two passes at once, with the same weights
            cards = sorted(set(where.cards))
            settings |= {"device_index": cards, "inter_threads": -(-replicas // len(cards))}
        return kind(str(directory), **settings), replicas
    except (MemoryError, OSError, RuntimeError, ValueError) as error:
        reason = explained(error) or error
        raise ModelError(f"{directory}: cannot load the model: {reason}") from error


def as_array(view: ctranslate2.StorageView) -> npt.NDArray[np.float32]:
    """A result of CTranslate2's in this process's memory."""
    if view.device != "cpu":
        view = view.to_device(ctranslate2.Device.cpu)
    if view.dtype != ctranslate2.DataType.float32:
        view = view.to(ctranslate2.DataType.float32)
    return np.asarray(view)


def _prefer_avx512() -> None:
    """Have CTranslate2 use AVX-512 where the CPU is new enough not to slow down for it.

    It never does by itself; a pass of a small model takes a tenth less (benchmarks/README.md).
    """
    with suppress(OSError):
        flags = set(Path("/proc/cpuinfo").read_text().partition("flags")[2].split("\n")[0].split())
        if {"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq", "avx512_vnni"} <= flags:
            os.environ.setdefault("CT2_FORCE_CPU_ISA", "AVX512")
