"""The embedded model, for benchmarks that look below the protocol of backends."""

from __future__ import annotations

from lsgcli.backends import open_backend
from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.core.backend import Placement
from lsgcli.models.catalog import find


def open_decoder_only(
    target: str, source: str | None = None, placement: Placement | None = None
) -> DecoderOnlyBackend:
    """Load the model ``en-de`` toward ``target``; its weights are there when this returns."""
    backend = open_backend(find("en-de", source, target), placement or Placement())
    assert isinstance(backend, DecoderOnlyBackend)
    backend.ready()
    return backend
