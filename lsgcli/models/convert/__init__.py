"""Other people's models made usable: converted, with a manifest beside them, and checked.

``loading``    the original, from a directory or the Hub
``weights``    CTranslate2's converters
``original``   the original's own distributions
``check``      whether the converted model has the same
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsgcli.atomic import sync_directory, sync_tree
from lsgcli.errors import OutputError, UsageError
from lsgcli.log import logger
from lsgcli.models import infer
from lsgcli.models.convert.loading import Origin, require, resolve
from lsgcli.models.infer import Overrides, Unconverted
from lsgcli.models.infer.examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lsgcli.models.convert.check import Agreement

QUANTIZATIONS = (
    "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16",
    "float32",
)  # fmt: skip
LARGE = 8 << 30  # bytes of weights from which the original is not compared in float32


@dataclass(frozen=True)
class Request:
    """What is to be converted, and how."""

    name: str
    output: Path
    quantization: str = "int8"
    overrides: Overrides = field(default_factory=Overrides)
    lora: Path | None = None
    revision: str | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False


def convert(request: Request) -> Agreement:
    """Convert a model, write its manifest, and compare it with the original.

    The output appears whole or not at all. What is being done is logged.

    Raises:
        UsageError: if the extra is missing, the output is there already, or a language or a
            prompt does not fit the model.
        ModelError: if the original cannot be read or converted.
        OutputError: if the output cannot be written.

    """
    if request.quantization not in QUANTIZATIONS:
        raise UsageError(
            f"--quantization {request.quantization}: choose one of {', '.join(QUANTIZATIONS)}"
        )
    if request.output.exists():
        raise UsageError(f"{request.output} is there already; remove it or choose another --output")
    require()
    directory = resolve(request.name, request.revision, allow_pickle=request.allow_pickle)
    origin = Origin(directory, request.lora, request.allow_pickle, request.trust_remote_code)
    try:
        request.output.parent.mkdir(parents=True, exist_ok=True)
        with _workplace(request.output) as partial:
            made = partial / "model"
            from lsgcli.models.convert.weights import convert_weights, limits

            logger.info(f"converting {request.name} to {request.quantization}")
            convert_weights(origin, made, request.quantization)
            for limit in limits(origin.config()):
                logger.info(limit)
            manifest = infer.manifest(made, _unconverted(origin), request.overrides)
            infer.write(made, manifest | {"files": infer.sums(made)})
            logger.info("comparing with the original")
            agreement = _check(origin, made, request)
            made.chmod(0o755)
            sync_tree(made)
            made.rename(request.output)
            sync_directory(request.output.parent)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"{error.filename or request.output}: {reason}; make room, or choose another --output"
        ) from error
    return agreement


@contextmanager
def _workplace(output: Path) -> Iterator[Path]:
    """A directory beside the output for what is being made; gone afterwards.

    What a conversion that was killed has left there is deleted. Raises UsageError if another one
    is at work, OSError.
    """
    place = output.with_name(f".{output.name}.converting")
    place.mkdir(exist_ok=True)
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{output}: another lsg is making it; wait for it") from None
        for left in place.iterdir():
            shutil.rmtree(left)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(descriptor)


def _unconverted(origin: Origin) -> Unconverted:
    config = origin.config()
    positions = getattr(config, "max_position_embeddings", None)
    return Unconverted(origin.directory, origin.tokenizer(), config.model_type, positions)


def _check(origin: Origin, made: Path, request: Request) -> Agreement:
    """Compare distributions on a few sentences."""
    import torch

    from lsgcli.backends import open_backend
    from lsgcli.core.backend import Placement
    from lsgcli.models.catalog import find
    from lsgcli.models.convert.check import compare
    from lsgcli.models.convert.original import Original

    model = find(str(made), *_pair(made, request))
    arithmetic = "int8" if request.quantization.startswith("int8") else "float32"
    converted = open_backend(model, Placement("cpu", arithmetic))
    converted.ready()
    size = sum(file.stat().st_size for file in origin.directory.glob("*.safetensors"))
    loaded = origin.model(dtype=torch.float32 if size < LARGE else "auto")
    original = Original(loaded, origin.tokenizer())
    return compare(original, converted, EXAMPLES.get(model.source, EXAMPLES["en"]))


def _pair(made: Path, request: Request) -> tuple[str | None, str]:
    """A pair of languages to try: the one that was asked for, or one the model has."""
    from lsgcli.models.manifest import load

    manifest = load(made)
    of, to = request.overrides.source, request.overrides.target
    known = [*getattr(manifest, "codes", {}), *getattr(manifest, "languages", {})]
    usual = [code for code in ("en", "de", "fr", *known) if code in known]
    of = of or next(code for code in usual if code != to)
    return of, to or next(code for code in usual if code != of)
