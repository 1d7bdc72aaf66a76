"""Weights into memory, placed on the cores or the card that are there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ctranslate2
import numpy as np

from lsgcli.backends.devices import cublas
from lsgcli.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from lsgcli.backends.base import Placement

T = TypeVar("T")

SMALL_MODEL = 128 << 20  # bytes of weights up to which one core a pass is fastest


def load(kind: Callable[..., T], directory: Path, placement: Placement) -> tuple[T, int]:
    """Load weights as ``kind``, a class of CTranslate2; tell how many passes it runs at once.

    Raises ModelError, or UsageError for a device or arithmetic that is not there.
    """
    _prefer_avx512()
    device = _device(placement.device)
    if device == "cuda":
        cublas()
    cores = placement.threads or len(os.sched_getaffinity(0))
    supported = ctranslate2.get_supported_compute_types(device)
    if placement.compute_type not in supported:
        raise UsageError(
            f"compute type {placement.compute_type!r} is not supported on this {device}; "
            f"it has {', '.join(sorted(supported))}"
        )
    try:
        small = (directory / "model.bin").stat().st_size <= SMALL_MODEL
        replicas = cores if small and device == "cpu" else 1
        settings: dict[str, Any] = {
            "device": device,
            "compute_type": placement.compute_type,
            "inter_threads": replicas,
            "intra_threads": 1 if replicas > 1 else cores,
        }
        return kind(str(directory), **settings), replicas
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{directory}: cannot load the model: {error}") from error


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


def _device(wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    if wanted == "cuda" and not ctranslate2.get_cuda_device_count():
        raise UsageError("no CUDA device is usable here; use --device cpu")
    return wanted
