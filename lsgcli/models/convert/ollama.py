"""Models of the local Ollama store, which are files in GGUF under other names.

A manifest, in JSON, lists the layers of a model by media type and checksum. It lies under the names
of its registry, owner and tag, the layers under their checksums::

    manifests/registry.ollama.ai/library/qwen2.5/1.5b
    blobs/sha256-c5396e06af294bd101b30dce59131a76d2b773e76950acc870eda801d3ab0515
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from lsgcli.errors import ModelError
from lsgcli.models.files import read_json

SHARED = Path("/usr/share/ollama/.ollama/models")  # of the service that its installer sets up
LAYER = "application/vnd.ollama.image."
NAME = re.compile(r"(?:([\w.-]+\.[\w.-]+/)?([\w-]+)/)?([\w.-]+)(?::([\w.-]+))?", re.ASCII)
DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")


def find(name: str) -> Path | None:
    """The file of a model by its name in Ollama, as ``ollama list`` shows it; None if it has none.

    Raises ModelError if the store names a file that is not there, or the model is an adapter.
    """
    match = NAME.fullmatch(name)
    if match is None or ".." in name:
        return None
    host, owner, model, tag = match.groups()
    below = Path(host or "registry.ollama.ai", owner or "library", model, tag or "latest")
    for store in _stores():
        manifest = store / "manifests" / below
        if manifest.is_file():
            return _weights(manifest, store)
    return None


def _stores() -> list[Path]:
    own = os.environ.get("OLLAMA_MODELS")
    return [Path(own) if own else Path.home() / ".ollama" / "models", SHARED]


def _weights(manifest: Path, store: Path) -> Path:
    """The file of the layer that holds the weights."""
    layers = _layers(read_json(manifest))
    if f"{LAYER}adapter" in layers:
        raise ModelError(f"{manifest}: an adapter of another model, which cannot be converted")
    digest = DIGEST.fullmatch(layers.get(f"{LAYER}model", ""))
    if digest is None:
        raise ModelError(f"{manifest}: it names no layer with weights")
    blob = store / "blobs" / f"sha256-{digest[1]}"
    if not blob.is_file():
        raise ModelError(f"{blob}: not there; get the model again with ollama pull")
    return blob


def _layers(manifest: Any) -> dict[str, str]:
    """The checksums of layers by media type."""
    listed = manifest.get("layers") if isinstance(manifest, dict) else None
    layers = [each for each in listed or () if isinstance(each, dict)]
    return {str(each.get("mediaType")): str(each.get("digest")) for each in layers}
