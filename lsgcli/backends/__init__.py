"""Models: the seam to the engine, and one module for each family of CTranslate2."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from lsgcli.backends.room import check_room
from lsgcli.models.manifest import EncoderDecoderManifest, verify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lsgcli.backends.whisper import WhisperBackend
    from lsgcli.core.backend import Placement, TextBackend, Usage
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import DecoderOnlyManifest, SpeechManifest, TextManifest


def open_backend(
    model: Model[TextManifest], placement: Placement, usage: Usage | None = None
) -> TextBackend:
    """Verify a model's files and begin to load it; ``ready`` tells when it is, and whether.

    What is asked of it is added to ``usage``.
    Raises ModelError, ManifestError. Checksums are computed while CTranslate2 is imported.
    """
    check_room(model.directory, placement.threads)
    with ThreadPoolExecutor() as pool:
        verified = pool.submit(verify, model.directory, model.manifest)
        if isinstance(model.manifest, EncoderDecoderManifest):
            from lsgcli.backends.encoder_decoder import EncoderDecoderBackend

            verified.result()
            return EncoderDecoderBackend(
                cast("Model[EncoderDecoderManifest]", model), placement, usage
            )
        from lsgcli.backends.decoder_only import DecoderOnlyBackend

        verified.result()
        return DecoderOnlyBackend(cast("Model[DecoderOnlyManifest]", model), placement, usage)


def open_backends(
    models: Mapping[str, Model[TextManifest]], placement: Placement
) -> dict[str, TextBackend]:
    """Do the same for several directions; those of one directory share its weights.

    All count what is asked of them together.
    """
    opened: dict[Path, Any] = {}
    usage: Usage | None = None
    backends: dict[str, TextBackend] = {}
    for language, model in models.items():
        if shared := opened.get(model.directory):
            backends[language] = shared.toward(model)
        else:
            backends[language] = opened[model.directory] = open_backend(model, placement, usage)
        usage = backends[language].usage
    return backends


def unload(backend: TextBackend) -> None:
    """Free the weights of a model that is not needed any more, whoever still refers to it."""
    backend._loading.result()[0].unload_model()  # type: ignore[attr-defined]
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc would keep it


def open_speech(
    model: Model[SpeechManifest],
    placement: Placement,
    silence: float | None = None,
    window: float | None = None,
    prompt: str = "",
) -> WhisperBackend:
    """Do the same for speech; ``silence``, ``window`` and ``prompt`` as in ``WhisperBackend``."""
    check_room(model.directory, placement.threads)
    verify(model.directory, model.manifest)
    from lsgcli.backends.whisper import WhisperBackend

    return WhisperBackend(model, placement, silence=silence, window=window, prompt=prompt)
