"""Tries a converted model on a few sentences, and writes what was found into its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.backends import open_backends, unload
from lsgcli.core.backend import Placement
from lsgcli.errors import ModelNotFoundError
from lsgcli.log import logger
from lsgcli.models.catalog import find
from lsgcli.models.infer.trials import grown, placeholders, sentences
from lsgcli.models.manifest import save_found
from lsgcli.policy.fitting import fit
from lsgcli.policy.levels import Levels, Thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lsgcli.core.backend import TextBackend

SENTENCES = 24  # over all directions


def attempt(directory: Path, source: str, target: str, arithmetic: str) -> None:
    """Try a model in both directions between two languages, as far as it has them.

    Raises ModelError, ManifestError, OutputError.
    """
    backends = _opened(directory, source, target, arithmetic)
    copied = placeholders(backends)
    pairs = " and ".join(f"{of}-{source if of == target else target}" for of in backends)
    logger.info(
        f"it copies placeholders like {copied[0]}" if copied else "it copies no placeholders"
    )
    save_found(directory, copied, _thresholds(backends, pairs))
    unload(next(iter(backends.values())))  # whose weights they share


def _thresholds(backends: Mapping[str, TextBackend], pairs: str) -> Thresholds | None:
    """Thresholds that fit the model; None if nothing can be said of them."""
    each = SENTENCES // len(backends)
    trials = [
        trial for of, backend in backends.items() for trial in grown(backend, sentences(of)[:each])
    ]
    found = fit(trials, Levels())
    if found is None:
        logger.info("it translates too few of the sentences to tell which thresholds fit it")
        return None
    logger.info(f"thresholds that fit it: delta {found.delta:g}, alpha {found.alpha:g}")
    return Thresholds(
        delta=found.delta, alpha=found.alpha, found=f"{len(trials)} sentences of {pairs}"
    )


def _opened(
    directory: Path, source: str, target: str, arithmetic: str
) -> Mapping[str, TextBackend]:
    """The directions of a model between two languages, loaded once, by source language."""
    models = {}
    for of, to in ((source, target), (target, source)):
        try:
            models[of] = find(str(directory), of, to)
        except ModelNotFoundError:
            continue
    backends = open_backends(models, Placement("cpu", arithmetic))
    for backend in backends.values():
        backend.ready()
    return backends
