"""Which models there are, and which of them a request means."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from lsgcli import registry, store
from lsgcli.errors import ManifestError, ModelNotFoundError
from lsgcli.files import read_text
from lsgcli.manifest import (
    ANY,
    FILE_NAME,
    VERSION,
    Manifest,
    SpeechManifest,
    TextManifest,
    Thresholds,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTO = "auto"  # the source language that is told from the speech or the text
ENGLISH_ONLY = 51864  # tokens of the Whispers that know one language and one task
WINDOW = 5.0  # seconds that a Whisper is given at least, trained as it was on 30

M_co = TypeVar("M_co", bound=Manifest, covariant=True)


@dataclass(frozen=True)
class Model(Generic[M_co]):
    """A model directory with its manifest, serving one direction."""

    directory: Path
    manifest: M_co
    source: str  # language codes
    target: str

    @property
    def direction(self) -> str:
        """The direction as the manifest writes it."""
        return f"{self.source}-{self.target}"

    @property
    def policy(self) -> Thresholds:
        """The thresholds for this direction."""
        return self.manifest.policies.get(self.direction, self.manifest.policy)


def embedded() -> dict[str, Path]:
    """Directories of the models that come with the package, by alias."""
    found = sorted(registry.shipped().glob(f"*/{FILE_NAME}"))
    return {file.parent.name: file.parent for file in found}


def find(name: str | None, source: str | None, target: str) -> Model[TextManifest]:
    """Find the model called ``name`` (an alias or a directory), or one for the languages.

    Raises ModelNotFoundError, which says what there is, and ManifestError.
    """
    for each, manifest in _text_models(name):
        for of, to in manifest.serves(source, target):
            return Model(each, manifest, of, to)
    wanted = f"{source or '*'}-{target}"
    if name is None:
        raise ModelNotFoundError(
            f"no embedded model translates {wanted}; there is {_offer(TextManifest)}. "
            "Name a model directory of your own with --model DIR"
        )
    named = load(directory(name))
    if isinstance(named, SpeechManifest):
        raise ModelNotFoundError(f"model {name!r} takes speech, not text; see lsg asr and lsg st")
    if source is None and any(direction.startswith(ANY) for direction in named.directions):
        raise ModelNotFoundError(f"model {name!r} knows several languages; say which with --from")
    has = ", ".join(named.directions)
    raise ModelNotFoundError(f"model {name!r} does not translate {wanted}; it has {has}")


def find_all(name: str | None, target: str) -> dict[str, Model[TextManifest]]:
    """Find a model for every language that can be translated to ``target``, as ``find`` does.

    Raises ModelNotFoundError if there is none, ManifestError.
    """
    found: dict[str, Model[TextManifest]] = {}
    for each, manifest in _text_models(name):
        known = {*manifest.codes, *manifest.languages}
        known |= {direction.split("-")[0] for direction in manifest.directions} - {ANY}
        for source in sorted(known - {target}):
            for of, to in manifest.serves(source, target):
                found.setdefault(of, Model(each, manifest, of, to))
    if not found:
        only = find(name, None, target)
        found[only.source] = only
    return found


def _text_models(name: str | None) -> Iterator[tuple[Path, TextManifest]]:
    """Give the model called ``name``, or the embedded ones, if they take text."""
    for each in embedded().values() if name is None else [directory(name)]:
        manifest = load(each)
        if isinstance(manifest, TextManifest):
            yield each, manifest


def speech(directory: Path, language: str | None, target: str | None) -> Model[SpeechManifest]:
    """Make a model of a directory: recognition of ``language``, or its translation to ``target``.

    Without a language the model tells it from the speech, if it knows several. Raises
    ModelNotFoundError if it does not do that, ManifestError.
    """
    manifest = load_speech(directory)
    languages = sorted({direction.split("-")[0] for direction in manifest.directions})
    if language is None and len(languages) == 1:
        language = languages[0]
    if language is not None and language not in languages:
        raise ModelNotFoundError(
            f"{directory.name} does not know the language {language!r}; it has "
            + ", ".join(languages)
        )
    to = target or language
    if to and not any(manifest.serves(language, to)):
        has = ", ".join(sorted({each.split("-")[1] for each in manifest.directions}))
        raise ModelNotFoundError(
            f"{directory.name} does not translate {language or 'speech'} to {to}; it writes {has}"
        )
    return Model(directory, manifest, language or AUTO, to or AUTO)


def load_speech(directory: Path) -> SpeechManifest:
    """Read a speech model's manifest; one of CTranslate2's Whispers without any gets the default.

    Raises ManifestError.
    """
    if not (directory / FILE_NAME).exists() and (directory / "config.json").exists():
        return whisper_manifest(directory)
    manifest = load(directory)
    if isinstance(manifest, TextManifest):
        raise ManifestError(f"{directory}: takes text, not speech; see lsg translate")
    return manifest


def whisper_manifest(directory: Path) -> SpeechManifest:
    """The manifest of a Whisper that has none: OpenAI's languages, the paper's settings for speech.

    Raises ManifestError if it is no Whisper.
    """
    file = directory / "config.json"
    try:
        config = json.loads(read_text(file))
        if "suppress_ids" not in config:
            raise ManifestError(f"{directory}: neither a manifest nor a Whisper of CTranslate2's")
        tokens = whisper_vocabulary(directory)
        spoken = [tokens[number].strip("<|>") for number in config.get("lang_ids") or ()]
    except (OSError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise ManifestError(f"{directory}: not a Whisper of CTranslate2's: {error}") from error
    if len(tokens) == ENGLISH_ONLY or not spoken:
        spoken = ["en"]
    directions = dict.fromkeys(f"{of}-{to}" for of in spoken for to in (of, "en"))
    return SpeechManifest(
        version=VERSION,
        directions=list(directions),
        licence="as its source says",
        policy=Thresholds(delta=7.0, alpha=0.5),
        files={},
        window=WINDOW,
    )


def whisper_vocabulary(directory: Path) -> list[str]:
    """The tokens of a Whisper of CTranslate2's. Raises OSError, ValueError, ModelError."""
    names = directory / "vocabulary.json"
    if names.exists():
        tokens: list[str] = json.loads(read_text(names))
        return tokens
    return read_text(directory / "vocabulary.txt").splitlines()


def directory(name: str) -> Path:
    """Give the directory that ``name`` means: a path, an embedded model, or one that was pulled.

    Raises ModelNotFoundError, which says how to get one that there is in the registry.
    """
    if Path(name).is_dir():
        return Path(name)
    if found := embedded().get(name) or store.find(name):
        return found
    if entry := registry.load().get(name):
        verb = "pull" if entry.form == "ctranslate2" else "convert"
        raise ModelNotFoundError(f"model {name!r} is not here; run lsg models {verb} {name}")
    raise ModelNotFoundError(
        f"no model {name!r}: it is neither a directory nor one of {_offer(Manifest)}, nor has one "
        "of that name been pulled (see lsg models list)"
    )


def is_text(name: str) -> bool:
    """Whether ``name``, an alias or a path, is a model for text. Raises ManifestError."""
    try:
        found = directory(name)
    except ModelNotFoundError:
        return False
    if not (found / FILE_NAME).exists() and (found / "config.json").exists():
        return False
    return isinstance(load(found), TextManifest)


def _offer(kind: type[Manifest]) -> str:
    return ", ".join(f"{alias} ({' '.join(has)})" for alias, has in _directions(kind)) or "none"


def _directions(kind: type[Manifest]) -> Iterator[tuple[str, list[str]]]:
    for alias, each in embedded().items():
        manifest = load(each)
        if isinstance(manifest, kind):
            yield alias, manifest.directions
