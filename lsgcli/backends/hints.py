"""What CTranslate2's errors mean, and what to do: its messages are for those who know it."""

from __future__ import annotations

OUT_OF_MEMORY = (
    "out of memory on the {where}: translate fewer segments at once (--batch-size), take smaller "
    "arithmetic (--compute-type int8) or a smaller model, or {elsewhere}"
)
CARD = OUT_OF_MEMORY.format(
    where="card", elsewhere="another card (--device cuda:1) or the CPU (--device cpu)"
)
MACHINE = OUT_OF_MEMORY.format(where="machine", elsewhere="stop what else takes memory")
CUBLAS = "cuBLAS for CUDA 12 does not load: pip install 'lsg[cuda]', or use --device cpu"
DRIVER = "the graphics driver is too old for CUDA 12: get a newer one, or use --device cpu"

# What a message holds, the more special first; all are CTranslate2's or CUDA's own words.
KNOWN = (
    ("CUDA failed with error out of memory", CARD),
    ("CUBLAS_STATUS_ALLOC_FAILED", CARD),
    ("libcublas", CUBLAS),
    ("CUDA driver version is insufficient", DRIVER),
    ("failed to allocate", MACHINE),  # also "allocated", by CTranslate2's allocator
    ("bad_alloc", MACHINE),
    ("failed to map segment", MACHINE),  # of a library, by the dynamic loader
    ("cannot allocate memory", MACHINE),
    ("Cannot allocate memory", MACHINE),
    ("can't start new thread", MACHINE),
)


def explained(error: BaseException) -> str | None:
    """What has happened and what to do, if the error is one that has a remedy.

    >>> explained(RuntimeError("CUDA failed with error out of memory"))[:25]
    'out of memory on the card'
    """
    text = str(error)
    for words, remedy in KNOWN:
        if words in text:
            return remedy
    return MACHINE if isinstance(error, MemoryError) else None
