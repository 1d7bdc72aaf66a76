"""A model's manifest: all that is needed to use the model, in a small TOML file beside it.

::

    version = 1
    kind = "decoder-only"         # or "whisper", which needs neither tokenizer nor prompt
    directions = ["en-de"]
    licence = "CC-BY-2.0-FR"

    [tokenizer]
    type = "sentencepiece"        # or "huggingface"
    file = "spm.model"

    [prompt]
    parts = ["<s>", "<2{to}>", "{source}", "<sep>", "{target}"]
    end = ["</s>"]

    [policy]
    delta = 1.0
    alpha = 0.6

    [files."model.bin"]
    size = 10314325
    sha256 = "..."

An encoder-decoder has a layout for each side instead of the prompt::

    kind = "encoder-decoder"
    directions = ["*-*"]          # from any of the languages in codes to any other

    [source]
    tokenizer = {type = "sentencepiece", file = "sentencepiece.bpe.model"}
    parts = ["{from}", "{source}", "</s>"]

    [target]                      # with the source's tokenizer, unless it has one of its own
    parts = ["{to}", "{target}"]
    end = ["</s>"]

    [codes]                       # languages as the model writes them
    en = "eng_Latn"
    de = "deu_Latn"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import msgspec

from lsgcli.atomic import write_text
from lsgcli.errors import ManifestError, ModelError
from lsgcli.models import files, provenance
from lsgcli.models.files import File, is_plain, read_text
from lsgcli.policy.levels import Level, NonNegative, Positive, Thresholds
from lsgcli.toml import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "manifest.toml"
VERSION = 1

Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Name = Annotated[str, msgspec.Meta(max_length=100)]
Parts = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=100)]
Names = Annotated[dict[Name, Name], msgspec.Meta(max_length=2000)]
Direction = Annotated[str, msgspec.Meta(pattern=r"^([a-z]{2,3}|\*)-([a-z]{2,3}|\*)$")]
SLOTS = ["{source}", "{target}"]
EXAMPLES = "{examples}"  # in a prompt: sentences of both languages
ANY = "*"  # in a direction: any of the languages in ``codes`` or ``languages``


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the manifest."""


class Tokenizer(Struct, frozen=True):
    """Which tokenizer, in which file of the directory.

    ``characters`` needs no file: every character is a token. Only encoder-decoders have it.
    """

    type: Literal["sentencepiece", "huggingface", "characters"]
    file: str = ""


Unit: TypeAlias = Literal["word", "character"]  # a word as its language writes it


class Prompt(Struct, frozen=True):
    """How source and target are laid out.

    ``parts`` are tokens of the vocabulary, or text, or one of the slots ``{source}`` and
    ``{target}``; the target comes last, so that it can grow. ``{from}`` and ``{to}`` in a part
    become the language codes, ``{from_name}`` and ``{to_name}`` the names in ``languages``.

    ``{examples}``, behind text, stands for sentences of ``examples`` in both languages, each laid
    out as ``example`` says; it is nothing where there are none of a language.
    """

    parts: Parts
    end: Parts
    example: Annotated[list[Text], msgspec.Meta(max_length=100)] = []


class Side(Struct, frozen=True, kw_only=True):
    """How an encoder-decoder's source is laid out.

    ``parts`` as in a prompt, with ``{source}`` as the only slot; what stands behind it moves on as
    the source grows, since the encoder reads everything anew anyway. ``unit``: what the policy
    reads one by one. With characters, a segment is what stands between two blanks.
    """

    tokenizer: Tokenizer
    parts: Parts = msgspec.field(default_factory=lambda: ["{source}"])
    unit: Unit = "word"


class TargetSide(Struct, frozen=True, kw_only=True):
    """How its target is laid out; ``{target}`` comes last, so that it can grow."""

    end: Parts
    tokenizer: Tokenizer | None = None  # by default the source's
    parts: Parts = msgspec.field(default_factory=lambda: ["{target}"])
    unit: Unit = "word"


class Manifest(Struct, frozen=True, kw_only=True):
    """What manifests of all kinds hold."""

    version: int
    directions: Annotated[list[Direction], msgspec.Meta(min_length=1, max_length=10_000)]
    licence: str
    policy: Thresholds
    files: dict[str, File]
    policies: dict[Direction, Thresholds] = {}  # thresholds of single directions

    def serves(self, source: str | None, target: str) -> Iterator[tuple[str, str]]:
        """Give the directions (source, target) that a request means; source None is any.

        Of a direction from any language to another, the source must be asked for by name.
        """
        for direction in self.directions:
            of, to = direction.split("-")
            asked = of if source is None else source
            if asked == ANY or (asked == target and ANY in (of, to)):
                continue
            if self._means(of, asked) and self._means(to, target):
                yield asked, target

    def _means(self, pattern: str, language: str) -> bool:
        return pattern == language


class TextManifest(Manifest, frozen=True, kw_only=True):
    """A model that translates text, whatever its architecture."""

    languages: Names = {}  # their names
    codes: Names = {}  # languages as the model writes them, where that is not the code
    placeholders: Annotated[
        list[Name], msgspec.Meta(max_length=100)
    ] = []  # words the model copies, to stand for protected text
    capitals: bool = True  # the model reads sentences in capitals; else it is shown small letters
    max_source_tokens: Positive = 128
    sentences: bool = True  # the model translates sentences: longer segments are cut at their ends

    @property
    def source_unit(self) -> Unit:
        """What the policy reads one by one."""
        return "word"

    @property
    def target_unit(self) -> Unit:
        """What it writes one by one."""
        return "word"

    @property
    def spells(self) -> bool:
        """Whether segments are what stands between spaces, and units their characters."""
        return False

    def _means(self, pattern: str, language: str) -> bool:
        known = language in self.codes or language in self.languages
        return pattern == language or (pattern == ANY and known)

    def resolve(self, part: str, source: str, target: str) -> str:
        """Fill in a part's languages: ``{from}``, ``{to}``, ``{from_name}``, ``{to_name}``."""
        for slot, language in (("from", source), ("to", target)):
            part = part.replace(f"{{{slot}}}", self.codes.get(language, language))
            part = part.replace(f"{{{slot}_name}}", self.languages.get(language, language))
        return part


class Units(Struct, frozen=True, kw_only=True):
    """What a policy reads and writes one by one, in languages that are written without spaces.

    A ``word``, the default: of the source, as a segmenter finds it; of the target, what a token
    gives, at least a character. Words of other scripts are whole. In other languages it is
    what stands between spaces.
    """

    source: Unit = "word"
    target: Unit = "word"


class DecoderOnlyManifest(TextManifest, frozen=True, tag_field="kind", tag="decoder-only"):
    """A language model that continues a prompt with the translation."""

    tokenizer: Tokenizer
    prompt: Prompt
    examples: Annotated[
        dict[Name, list[Text]], msgspec.Meta(max_length=2000)
    ] = {}  # the same texts in several languages

    def layout(self, source: str, target: str) -> list[str]:
        """The prompt's parts for two languages, with the examples that there are of them."""
        parts = [self.resolve(part, source, target) for part in self.prompt.parts]
        if EXAMPLES in parts:
            n = parts.index(EXAMPLES)
            parts[n - 1 : n + 1] = [parts[n - 1] + self._shown(source, target)]
        return parts

    def _shown(self, source: str, target: str) -> str:
        """The examples, laid out one after the other."""
        pairs = zip(self.examples.get(source, ()), self.examples.get(target, ()), strict=False)
        layout = [self.resolve(part, source, target) for part in self.prompt.example]
        slots = ({"{source}": one, "{target}": other} for one, other in pairs)
        return "".join(texts.get(part, part) for texts in slots for part in layout)

    units: Units = Units()

    @property
    def source_unit(self) -> Unit:
        """As the manifest says."""
        return self.units.source

    @property
    def target_unit(self) -> Unit:
        """As the manifest says."""
        return self.units.target


class EncoderDecoderManifest(TextManifest, frozen=True, tag_field="kind", tag="encoder-decoder"):
    """A translation model with an encoder for the source: Marian, NLLB, M2M-100, T5, mBART."""

    source: Side
    target: TargetSide

    @property
    def source_unit(self) -> Unit:
        """As the source's layout says."""
        return self.source.unit

    @property
    def spells(self) -> bool:
        """Whether its source's units are characters."""
        return self.source.unit == "character"

    @property
    def target_unit(self) -> Unit:
        """As the target's layout says."""
        return self.target.unit


class SpeechManifest(Manifest, frozen=True, kw_only=True, tag_field="kind", tag="whisper"):
    """A model of Whisper's architecture: ``en-en`` is recognition, ``de-en`` translation."""

    silence: NonNegative = 1.0  # seconds of silence that the model wants behind the speech
    window: Annotated[float, msgspec.Meta(ge=0, le=30)] = 0.0  # least seconds it wants to be given
    pause: Annotated[float, msgspec.Meta(ge=0.1, le=10)] = 0.7  # seconds that end an utterance
    scroll: Annotated[float, msgspec.Meta(ge=2, le=15)] = 8.0  # seconds from which a window scrolls
    context: Annotated[int, msgspec.Meta(ge=0, le=96)] = 64  # tokens of the text before it is shown


AnyManifest: TypeAlias = DecoderOnlyManifest | EncoderDecoderManifest | SpeechManifest


def load(directory: Path) -> AnyManifest:
    """Read and check a model directory's manifest.

    Raises ManifestError, naming the file and the place in it, ModelError if it is no file to read.
    """
    file = directory / FILE_NAME
    manifest = _read(file)
    if isinstance(manifest, DecoderOnlyManifest):
        _check_prompt(file, manifest.prompt)
        _check_tokenizer(file, manifest.tokenizer, characters=False)
    elif isinstance(manifest, EncoderDecoderManifest):
        check_parts(f"{file}: source.parts", manifest.source.parts, ["{source}"])
        check_parts(f"{file}: target.parts", manifest.target.parts, ["{target}"])
        for tokenizer in (manifest.source.tokenizer, manifest.target.tokenizer):
            if tokenizer is not None:
                _check_tokenizer(file, tokenizer, characters=True)
    return manifest


def _read(file: Path) -> AnyManifest:
    """Read a manifest by its schema. Raises ManifestError, ModelError."""
    try:
        data = parse(read_text(file))
        if data.get("version") != VERSION:
            raise ManifestError(
                f"{file}: version is {repr(data.get('version'))[:20]}, this lsg reads version "
                f"{VERSION}"
            )
        files.check_table(file, data.get("files"))
        manifest: AnyManifest = msgspec.convert(data, AnyManifest)
    except FileNotFoundError:
        raise ManifestError(
            f"{file.parent}: not a model directory, it has no {FILE_NAME}"
        ) from None
    except msgspec.ValidationError as error:
        raise ManifestError(f"{file}: {str(error)[:500].replace('`$.', '`')}") from error
    except ModelError as error:
        if isinstance(error.__cause__, UnicodeError):
            raise ManifestError(str(error)) from error
        raise
    except ValueError as error:
        raise ManifestError(f"{file}: {error}") from error
    return manifest


def _check_prompt(file: Path, prompt: Prompt) -> None:
    """Check the layouts of a prompt and its examples. Raises ManifestError."""
    check_parts(f"{file}: prompt.parts", prompt.parts, SLOTS)
    if EXAMPLES not in prompt.parts:
        return
    slot = prompt.parts.index(EXAMPLES)
    if not slot or slot > prompt.parts.index("{source}") or prompt.parts.count(EXAMPLES) > 1:
        raise ManifestError(f"{file}: prompt.parts: {EXAMPLES} must stand once, behind text")
    if [part for part in prompt.example if part in SLOTS] != SLOTS:
        raise ManifestError(f"{file}: prompt.example must hold {' and '.join(SLOTS)} once")


def check_parts(where: str, parts: list[str], slots: list[str]) -> None:
    """Check a layout: its slots in order, each a part of its own, the target's at the end.

    Raises ManifestError, which begins with ``where``.
    """
    has = [part for part in parts if part in ("{source}", "{target}")]
    last = slots[-1] == "{target}"
    if has != slots or (last and parts[-1] != "{target}"):
        raise ManifestError(
            f"{where} must hold {' and '.join(slots)} once"
            + (" and end with {target}, so that it can grow" if last else "")
            + f"; it has {str(parts)[:200]}"
        )
    for part in parts:
        if part not in slots and ("{source}" in part or "{target}" in part):
            raise ManifestError(f"{where}: a slot must be a part of its own: {part[:200]!r}")


def _check_tokenizer(file: Path, tokenizer: Tokenizer, *, characters: bool) -> None:
    if tokenizer.type != "characters":
        _check_name(file, tokenizer.file)
    elif not characters:
        raise ManifestError(f"{file}: tokenizer.type: only an encoder-decoder may have characters")


def _check_name(file: Path, name: str) -> None:
    if not is_plain(name):
        raise ManifestError(f"{file}: {name!r} must be a plain file name in the directory")


def verify(directory: Path, manifest: Manifest) -> None:
    """Check the files of a model: their sizes, and the checksums of those that are not large.

    Raises ModelError: CTranslate2's loader is not built for damaged files; ManifestError.
    """
    files.verify(directory, expected(directory, manifest))


def expected(directory: Path, manifest: Manifest) -> dict[str, File]:
    """What files must be, as the manifest says and as they were pulled. Raises ManifestError."""
    record = provenance.load(directory)
    return (record.files if record else {}) | manifest.files


def save_level(directory: Path, direction: str, name: str, level: Level) -> None:
    """Write a level of latency for one direction into the manifest; the rest stays as it is.

    Raises ManifestError if there is none, OutputError if it cannot be written.
    """
    import tomlkit

    manifest = load(directory)
    thresholds = manifest.policies.get(direction, manifest.policy)
    levels = msgspec.structs.replace(thresholds.levels, **{name: level})
    table = tomlkit.item(plain(msgspec.structs.replace(thresholds, levels=levels)))
    file = directory / FILE_NAME
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    document.setdefault("policies", tomlkit.table(is_super_table=True))[direction] = table
    write_text(file, tomlkit.dumps(document))


def save_found(directory: Path, placeholders: list[str], thresholds: Thresholds | None) -> None:
    """Write what trying a model has shown into its manifest; the rest stays as it is.

    Without ``thresholds`` those that are there stay. Raises ManifestError, OutputError.
    """
    import tomlkit

    file = directory / FILE_NAME
    document = tomlkit.parse(read_text(file))
    if placeholders:
        document["placeholders"] = placeholders
    if thresholds is not None:
        document["policy"].update(plain(thresholds.stated()))
    write_text(file, tomlkit.dumps(document))


def plain(value: object) -> Any:
    """A struct as TOML can hold it: without the fields that are not set."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.asdict(value).items()
        return {name: plain(each) for name, each in fields if each is not None}
    return value
