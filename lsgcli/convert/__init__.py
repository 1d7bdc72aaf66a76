"""Other people's models made usable: converted, with a manifest beside them, and checked.

``loading``    the original, from a directory or the Hub
``weights``    CTranslate2's converters
``prompts``    how a language model is asked to translate
``layouts``    how an encoder-decoder lays out source and target
``original``   the original's own distributions
``check``      whether the converted model has the same
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsgcli.convert import prompts
from lsgcli.convert.examples import EXAMPLES
from lsgcli.convert.languages import NAMES
from lsgcli.convert.layouts import layouts, names
from lsgcli.convert.loading import Origin, require, resolve
from lsgcli.errors import ModelError, OutputError, UsageError
from lsgcli.manifest import FILE_NAME, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsgcli.convert.check import Agreement

QUANTIZATIONS = (
    "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16",
    "float32",
)  # fmt: skip
LONGEST_SOURCE = 256  # tokens of a segment, for a model that takes more
THRESHOLDS = {"delta": 7.5, "alpha": 0.6}  # the paper's for Llama 2: nobody has tuned this model
SOURCES = ("source.spm", "target.spm")
SENTENCEPIECE = ("tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "spm.model")
LARGE = 8 << 30  # bytes of weights from which the original is not compared in float32


@dataclass(frozen=True)
class Request:
    """What is to be converted, and how.

    ``prompt``: chat, alpaca, few-shot or a file; by default chat if the model has a template.
    """

    name: str
    output: Path
    quantization: str = "int8"
    source: str | None = None  # language codes
    target: str | None = None
    prompt: str | None = None
    lora: Path | None = None
    revision: str | None = None
    licence: str | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False


def convert(request: Request, note: Callable[[str], None] = lambda _: None) -> Agreement:
    """Convert a model, write its manifest, and compare it with the original.

    The output appears whole or not at all. ``note`` is told what is being done.

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
        with tempfile.TemporaryDirectory(
            prefix=f".{request.output.name}.", dir=request.output.parent
        ) as partial:
            made = Path(partial) / "model"
            from lsgcli.convert.weights import convert_weights, limits

            note(f"converting {request.name} to {request.quantization}")
            convert_weights(origin, made, request.quantization)
            for limit in limits(origin.config()):
                note(limit)
            manifest = _manifest(origin, made, request)
            _write_manifest(made, manifest)
            note("comparing with the original")
            agreement = _check(origin, made, request)
            made.chmod(0o755)
            made.rename(request.output)
    except OSError as error:
        raise OutputError(f"{error.filename or request.output}: {error.strerror}") from error
    return agreement


def _manifest(origin: Origin, output: Path, request: Request) -> dict[str, Any]:
    """Describe the model; copies the tokenizer."""
    config, tokenizer = origin.config(), origin.tokenizer()
    manifest: dict[str, Any] = {
        "version": VERSION,
        "kind": "encoder-decoder" if config.is_encoder_decoder else "decoder-only",
        "licence": request.licence or _licence(origin.directory),
        "max_source_tokens": _longest(config, encodes=config.is_encoder_decoder),
    }
    if config.is_encoder_decoder:
        manifest |= _sides(origin, output, request, config, tokenizer)
    else:
        layout = _prompt(tokenizer, request)
        manifest |= {
            "languages": NAMES,
            "tokenizer": _tokenizer(origin.directory, output, tokenizer),
            "prompt": {"parts": layout.parts, "end": layout.end},
        }
    codes = manifest.get("codes") or (NAMES if not config.is_encoder_decoder else {})
    manifest["directions"] = [_direction(request, codes)]
    return manifest | {"policy": THRESHOLDS}


def _sides(
    origin: Origin, output: Path, request: Request, config: Any, tokenizer: Any
) -> dict[str, Any]:
    from lsgcli.backends.pieces import read_names

    start = json.loads((output / "config.json").read_text(encoding="utf-8"))
    layout = layouts(
        config.model_type,
        read_names(output, "target"),
        end=tokenizer.eos_token,
        has_start=start.get("decoder_start_token") is not None,
        to=request.target,
    )
    of, to = (origin.directory / name for name in SOURCES)
    source: dict[str, Any] = {"parts": layout.source}
    target: dict[str, Any] = {"parts": layout.target, "end": [tokenizer.eos_token]}
    if of.exists() and to.exists():
        for side, file in ((source, of), (target, to)):
            shutil.copyfile(file, output / file.name)
            side["tokenizer"] = {"type": "sentencepiece", "file": file.name}
    else:
        source["tokenizer"] = _tokenizer(origin.directory, output, tokenizer)
    known = [*layout.codes, *filter(None, (request.source, request.target))]
    return {
        "source": source, "target": target, "codes": layout.codes, "languages": names(known)
    }  # fmt: skip


def _prompt(tokenizer: Any, request: Request) -> prompts.Layout:
    chosen = request.prompt or ("chat" if tokenizer.chat_template else "alpaca")
    if chosen == "chat":
        return prompts.chat(tokenizer)
    if chosen == "alpaca":
        return prompts.alpaca(tokenizer)
    if chosen == "few-shot":
        if not request.source or not request.target:
            raise UsageError("--prompt few-shot needs --from and --to: its examples are sentences")
        return prompts.few_shot(tokenizer, request.source, request.target)
    return prompts.from_file(tokenizer, Path(chosen))


def _tokenizer(directory: Path, output: Path, tokenizer: Any) -> dict[str, str]:
    """Copy the tokenizer: ``tokenizer.json`` if there is one, since it has all special tokens."""
    file = directory / "tokenizer.json"
    if file.exists():
        shutil.copyfile(file, output / file.name)
        return {"type": "huggingface", "file": file.name}
    for name in SENTENCEPIECE:
        if (directory / name).exists() and _complete(directory / name, tokenizer):
            shutil.copyfile(directory / name, output / name)
            return {"type": "sentencepiece", "file": name}
    if hasattr(tokenizer, "backend_tokenizer"):  # of a vocabulary and merges in files of their own
        tokenizer.backend_tokenizer.save(str(output / "tokenizer.json"))
        return {"type": "huggingface", "file": "tokenizer.json"}
    raise ModelError(f"{directory}: no tokenizer.json and no SentencePiece model")


def _complete(file: Path, tokenizer: Any) -> bool:
    """Whether a SentencePiece model has the special tokens too: some are added behind it."""
    from lsgcli.backends.vocabulary import SentencePieceVocabulary

    slow = not hasattr(tokenizer, "backend_tokenizer")
    return slow or SentencePieceVocabulary(file).size >= len(tokenizer)


def _direction(request: Request, codes: dict[str, str]) -> str:
    of, to = request.source, request.target
    if (of is None or to is None) and not codes:
        raise UsageError("--from and --to are missing: the model does not say what it translates")
    return f"{of or '*'}-{to or '*'}"


def _longest(config: Any, *, encodes: bool) -> int:
    """Source tokens of a segment: as many as fit, with the target of a language model behind."""
    positions = getattr(config, "max_position_embeddings", None) or 4 * LONGEST_SOURCE
    return int(max(8, min(LONGEST_SOURCE, positions // (2 if encodes else 4))))


def _licence(directory: Path) -> str:
    """What the model card states."""
    card = directory / "README.md"
    if card.exists():
        for line in card.read_text(encoding="utf-8", errors="replace").splitlines()[:60]:
            if line.startswith("license:"):
                return line.partition(":")[2].strip() or "unknown"
    return "unknown: see where the model comes from"


def _write_manifest(directory: Path, manifest: dict[str, Any]) -> None:
    """Write it, with sizes and checksums of all the files that are there."""
    import tomlkit

    files = {}
    for file in sorted(directory.iterdir()):
        digest = hashlib.sha256()
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        files[file.name] = {"size": file.stat().st_size, "sha256": digest.hexdigest()}
    lines = tomlkit.dumps({**manifest, "files": files})
    hint = "# delta and alpha are the paper's for Llama 2; lsg tune finds this model's own.\n"
    (directory / FILE_NAME).write_text(hint + lines, encoding="utf-8")


def _check(origin: Origin, made: Path, request: Request) -> Agreement:
    """Compare distributions on a few sentences."""
    import torch

    from lsgcli.backends import open_backend
    from lsgcli.backends.base import Placement
    from lsgcli.catalog import find
    from lsgcli.convert.check import compare
    from lsgcli.convert.original import Original

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
    from lsgcli.manifest import load

    manifest = load(made)
    of, to = request.source, request.target
    known = [*getattr(manifest, "codes", {}), *getattr(manifest, "languages", {})]
    usual = [code for code in ("en", "de", "fr", *known) if code in known]
    of = of or next(code for code in usual if code != to)
    return of, to or next(code for code in usual if code != of)
