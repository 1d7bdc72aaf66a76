"""Other people's models made usable: converted, with a manifest beside them, tried and compared.

``loading``    the original: a directory, a file, the Hub; ``gguf``, ``ollama``
``weights``    CTranslate2's converters; ``streaming``: in little memory
``workplace``  where a model is made, so that it appears whole
``original``   the original's own distributions
``check``      whether the converted model has the same
"""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsgcli.errors import LsgError, OutputError, UsageError
from lsgcli.log import logger
from lsgcli.models import infer
from lsgcli.models.convert import gguf
from lsgcli.models.convert.loading import Origin, require, resolve
from lsgcli.models.convert.workplace import publish, sweep, workplace
from lsgcli.models.infer import Overrides, Unconverted
from lsgcli.models.infer.examples import EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.core.backend import TextBackend
    from lsgcli.models.convert.check import Agreement, Answer

QUANTIZATIONS = (
    "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16",
    "float32",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is to be converted, and how.

    ``tried``: whether thresholds and placeholders are looked for when it can be used already;
    ``compare``: whether it is compared with the original then.
    """

    name: str
    output: Path
    quantization: str = "int8"
    overrides: Overrides = field(default_factory=Overrides)
    lora: Path | None = None
    revision: str | None = None
    tried: bool = True
    compare: bool = True
    allow_pickle: bool = False
    trust_remote_code: bool = False


def convert(request: Request) -> Agreement | None:
    """Convert a model, write its manifest, and compare it with the original.

    The output appears whole or not at all, and before the comparison. What is being done is
    logged. One model is in memory at a time.

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
    try:
        sweep(request.output.parent)
        if request.output.exists():
            raise UsageError(
                f"{request.output} is there already; remove it or choose another --output"
            )
        require()
        path = resolve(request.name, request.revision, allow_pickle=request.allow_pickle)
        with workplace(request.output) as place:
            origin = _origin(path, request, place)
            _make(origin, place / "model", request)
            publish(place / "model", request.output)
            logger.info(f"{request.output} can be used")
            return _afterwards(origin, request)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"{error.filename or request.output}: {reason}; make room, or choose another --output"
        ) from error


def _origin(path: Path, request: Request, place: Path) -> Origin:
    """The original; what a packed file says of itself is unpacked in ``place``."""
    options = request.lora, request.allow_pickle, request.trust_remote_code
    if path.is_dir():
        return Origin(path, *options)
    logger.info(f"reading {path}")
    packed = gguf.read(path)
    if packed.bits < gguf.FEW_BITS:
        logger.info(
            f"its weights have {packed.bits:.1f} bits: what was lost when they were rounded stays "
            "lost; a model made of the original is a little better"
        )
    packed.unpack(place / "unpacked")
    return Origin(place / "unpacked", *options, packed)


def _make(origin: Origin, made: Path, request: Request) -> None:
    """Make the whole directory of the converted model."""
    from lsgcli.models.convert.weights import convert_weights, limits

    logger.info(f"converting {request.name} to {request.quantization}")
    convert_weights(origin, made, request.quantization)
    gc.collect()
    for limit in limits(origin.config()):
        logger.info(limit)
    logger.info("writing the manifest, with checksums")
    manifest = infer.manifest(made, _unconverted(origin), request.overrides)
    infer.write(made, manifest | {"files": infer.sums(made)})


def _unconverted(origin: Origin) -> Unconverted:
    config = origin.config()
    positions = getattr(config, "max_position_embeddings", None)
    licence = origin.packed.licence if origin.packed else ""
    return Unconverted(
        origin.directory, origin.tokenizer(), config.model_type, positions, licence=licence
    )


def _afterwards(origin: Origin, request: Request) -> Agreement | None:
    """Try the model, and compare it, as far as that was asked for."""
    try:
        if request.tried:
            logger.info("trying it on a few sentences; from here on you may interrupt")
            _try(request)
        if not request.compare:
            return None
        logger.info("comparing it with the original")
        return _compared(origin, request)
    except LsgError as error:
        raise type(error)(f"{request.output} can be used, but: {error}") from error


def _compared(origin: Origin, request: Request) -> Agreement:
    """Compare distributions on a few sentences; first one model is loaded, then the other."""
    from lsgcli.models.convert.check import compare
    from lsgcli.models.convert.original import Original

    found = _answers(request)
    gc.collect()
    return compare(Original(origin.model(dtype="auto"), origin.tokenizer()), found)


def _try(request: Request) -> None:
    """Have the manifest say what fits the converted model."""
    from lsgcli.models.convert.trying import attempt

    source, target = _pair(request.output, request.overrides)
    attempt(request.output, source or "en", target, _arithmetic(request))
    gc.collect()


def _answers(request: Request) -> list[Answer]:
    """What the converted model says."""
    from lsgcli.backends import unload
    from lsgcli.models.convert.check import answers

    source, backend = _opened(request)
    found = answers(backend, EXAMPLES.get(source, EXAMPLES["en"]))
    unload(backend)
    return found


def _opened(request: Request) -> tuple[str, TextBackend]:
    """The converted model, loaded, and the source language for which it is."""
    from lsgcli.backends import open_backend
    from lsgcli.core.backend import Placement
    from lsgcli.models.catalog import find

    model = find(str(request.output), *_pair(request.output, request.overrides))
    backend = open_backend(model, Placement("cpu", _arithmetic(request)))
    backend.ready()
    return model.source, backend


def _arithmetic(request: Request) -> str:
    return "int8" if request.quantization.startswith("int8") else "float32"


def _pair(made: Path, asked: Overrides) -> tuple[str | None, str]:
    """A pair of languages to try: the one that was asked for, or one the model has."""
    from lsgcli.models.manifest import load

    manifest = load(made)
    of, to = asked.source, asked.target
    known = [*getattr(manifest, "codes", {}), *getattr(manifest, "languages", {})]
    usual = [code for code in ("en", "de", "fr", *known) if code in known]
    of = of or next(code for code in usual if code != to)
    return of, to or next(code for code in usual if code != of)
