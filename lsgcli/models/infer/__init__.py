"""What a model in CTranslate2's form does not say itself, written down as its manifest.

``prompts``    how a language model is asked to translate
``layouts``    how an encoder-decoder lays out source and target
``stored``     models that came from the Hub in CTranslate2's form, without a manifest
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsgcli.atomic import write_text
from lsgcli.backends.encoder_decoder import has_start
from lsgcli.backends.pieces import read_names
from lsgcli.backends.probe import DECODER, specification
from lsgcli.errors import ModelError, UsageError
from lsgcli.languages import NAMES
from lsgcli.models.files import read_object, sha256
from lsgcli.models.infer import prompts
from lsgcli.models.infer.examples import SHOTS
from lsgcli.models.infer.layouts import family, layouts, names
from lsgcli.models.manifest import FILE_NAME, VERSION
from lsgcli.policy.levels import LLAMA

if TYPE_CHECKING:
    from lsgcli.models.infer.prompts import Tokenizer

LONGEST_SOURCE = 256  # tokens of a segment, for a model that takes more
SOURCES = ("source.spm", "target.spm")
SENTENCEPIECE = ("tokenizer.model", "sentencepiece.bpe.model", "spiece.model", "spm.model")


@dataclass(frozen=True)
class Overrides:
    """What the user has to say about a manifest.

    ``prompt``: chat, alpaca, few-shot or a file; by default chat if the model has a template.
    """

    source: str | None = None  # language codes
    target: str | None = None
    prompt: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Unconverted:
    """What a model was before it was converted; the directory may be the converted one's."""

    directory: Path
    tokenizer: Tokenizer
    kind: str = ""  # Hugging Face's model_type; "" if it is not known
    positions: int | None = None
    licence: str = ""  # "" if it is for the model card to say


def manifest(model: Path, original: Unconverted, overrides: Overrides) -> dict[str, Any]:
    """Describe the converted model, without its files; copies the tokenizer into its directory.

    Raises:
        UsageError: if a language or a prompt does not fit it, or it is of a family not known here.
        ModelError: if it has no tokenizer that can be used.

    """
    encodes = specification(model) != DECODER
    written: dict[str, Any] = {
        "version": VERSION,
        "kind": "encoder-decoder" if encodes else "decoder-only",
        "licence": overrides.licence or original.licence or _licence(original.directory),
        "max_source_tokens": _longest(original.positions, encodes=encodes),
    }
    if encodes:
        written |= _sides(model, original, overrides)
    else:
        layout = _prompt(original, overrides)
        ends = dict.fromkeys([*layout.end, *_generation_ends(original)])
        written |= {
            "languages": _languages(layout, overrides),
            "tokenizer": _tokenizer(model, original),
            "prompt": {"parts": layout.parts, "end": list(ends)},
        }
        if layout.example:
            written["prompt"]["example"] = layout.example
            written["examples"] = SHOTS
    known = written.get("codes") if encodes else NAMES
    if (overrides.source is None or overrides.target is None) and not known:
        raise UsageError("--from and --to are missing: the model does not say what it translates")
    written["directions"] = [f"{overrides.source or '*'}-{overrides.target or '*'}"]
    return written | {"policy": LLAMA.stated()}


def write(directory: Path, written: dict[str, Any]) -> None:
    """Write a manifest, whole or not at all. Raises OutputError."""
    import tomlkit

    write_text(directory / FILE_NAME, tomlkit.dumps(written))


def sums(directory: Path) -> dict[str, dict[str, Any]]:
    """Sizes and checksums of all the files that are there."""
    return {
        file.name: {"size": file.stat().st_size, "sha256": sha256(file)}
        for file in sorted(directory.iterdir())
    }


def _sides(model: Path, original: Unconverted, overrides: Overrides) -> dict[str, Any]:
    end, directory = original.tokenizer.eos_token, original.directory
    of, to = (directory / name for name in SOURCES)
    tokens = read_names(model, "target")
    layout = layouts(
        original.kind or family(tokens, pair=of.exists() and to.exists()),
        tokens,
        end=end,
        has_start=has_start(model),
        to=overrides.target,
    )
    source: dict[str, Any] = {"parts": layout.source}
    target: dict[str, Any] = {"parts": layout.target, "end": [end]}
    if of.exists() and to.exists():
        for side, file in ((source, of), (target, to)):
            _copy(file, model)
            side["tokenizer"] = {"type": "sentencepiece", "file": file.name}
    else:
        source["tokenizer"] = _tokenizer(model, original)
    known = [*layout.codes, *filter(None, (overrides.source, overrides.target))]
    return {
        "source": source, "target": target, "codes": layout.codes, "languages": names(known)
    }  # fmt: skip


def _languages(layout: prompts.Layout, overrides: Overrides) -> dict[str, str]:
    """The names of the languages the prompt can ask for. Raises UsageError for another one."""
    if not layout.needs_examples:
        return NAMES
    for language in filter(None, (overrides.source, overrides.target)):
        if language not in SHOTS:
            raise UsageError(
                f"--prompt few-shot has no examples in {language}, only in {', '.join(SHOTS)}; "
                "give a prompt of your own with --prompt FILE"
            )
    return {language: NAMES[language] for language in SHOTS}


def _prompt(original: Unconverted, overrides: Overrides) -> prompts.Layout:
    """By default the chat template, else examples, if there is all of a tokenizer to ask."""
    tokenizer = original.tokenizer
    without = "few-shot" if original.kind else "alpaca"
    chosen = overrides.prompt or ("chat" if tokenizer.chat_template else without)
    if chosen == "chat":
        return prompts.chat(tokenizer)
    if chosen == "alpaca":
        return prompts.alpaca(tokenizer)
    if chosen == "few-shot":
        return prompts.few_shot(tokenizer)
    return prompts.from_file(tokenizer, Path(chosen))


def _generation_ends(original: Unconverted) -> list[str]:
    """The tokens that end an answer by ``generation_config.json``, of which there may be several.

    Raises ModelError.
    """
    stated = read_object(original.directory / "generation_config.json").get("eos_token_id")
    numbers = stated if isinstance(stated, list) else [stated]
    known = [number for number in numbers if isinstance(number, int)]
    names = original.tokenizer.convert_ids_to_tokens(known)
    return [name for name in names if name]


def _tokenizer(model: Path, original: Unconverted) -> dict[str, str]:
    """Copy the tokenizer: ``tokenizer.json`` if there is one, since it has all special tokens."""
    directory, tokenizer = original.directory, original.tokenizer
    file = directory / "tokenizer.json"
    if file.exists():
        _copy(file, model)
        return {"type": "huggingface", "file": file.name}
    for name in SENTENCEPIECE:
        if (directory / name).exists() and _complete(directory / name, tokenizer):
            _copy(directory / name, model)
            return {"type": "sentencepiece", "file": name}
    if hasattr(tokenizer, "backend_tokenizer"):  # of a vocabulary and merges in files of their own
        tokenizer.backend_tokenizer.save(str(model / "tokenizer.json"))
        return {"type": "huggingface", "file": "tokenizer.json"}
    raise ModelError(f"{directory}: no tokenizer.json and no SentencePiece model")


def _copy(file: Path, model: Path) -> None:
    if file.parent != model:
        shutil.copyfile(file, model / file.name)


def _complete(file: Path, tokenizer: Any) -> bool:
    """Whether a SentencePiece model has the special tokens too: some are added behind it."""
    from lsgcli.backends.vocabulary import SentencePieceVocabulary

    slow = not hasattr(tokenizer, "backend_tokenizer")
    return slow or SentencePieceVocabulary(file).size >= len(tokenizer)


def _longest(positions: int | None, *, encodes: bool) -> int:
    """Source tokens of a segment: as many as fit, with the target of a language model behind."""
    positions = positions or 4 * LONGEST_SOURCE
    return int(max(8, min(LONGEST_SOURCE, positions // (2 if encodes else 4))))


def _licence(directory: Path) -> str:
    """What the model card states."""
    card = directory / "README.md"
    if card.exists():
        for line in card.read_text(encoding="utf-8", errors="replace").splitlines()[:60]:
            if line.startswith("license:"):
                return line.partition(":")[2].strip() or "unknown"
    return "unknown: see where the model comes from"
