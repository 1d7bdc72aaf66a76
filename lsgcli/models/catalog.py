"""Which models there are, and which of them a request means."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from lsgcli.errors import ManifestError, ModelError, ModelNotFoundError
from lsgcli.languages import NAMES
from lsgcli.models import preferences, registry, store, whisper
from lsgcli.models.manifest import (
    ANY,
    FILE_NAME,
    Manifest,
    SpeechManifest,
    TextManifest,
    load,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsgcli.models.manifest import AnyManifest
    from lsgcli.policy.levels import Thresholds

OFFERED = 3  # models that are named to somebody who has none
AUTO = "auto"  # the source language that is told from the speech or the text

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


def translators() -> dict[str, tuple[Path, TextManifest]]:
    """The models for text that are here, by name, the one to be used for a pair before the others.

    Those the user prefers, those that were got, in the order of the registry, the embedded ones.
    What was got and has no manifest, or a wrong one, is told when it is named. Raises OSError,
    ManifestError.
    """
    installed = store.installed()
    named = {
        alias: installed.pop(entry.repository)
        for alias, entry in registry.load().items()
        if entry.repository in installed
    }
    found = {name: load(directory) for name, directory in embedded().items()}
    got: dict[str, AnyManifest] = {}
    for name, each in (named | installed).items():
        with suppress(ManifestError, ModelError):
            got[name] = load(each)
    places = named | installed | embedded()
    every = {
        name: (places[name], manifest)
        for name, manifest in (got | found).items()
        if isinstance(manifest, TextManifest)
    }
    preferred = [name for name in preferences.load() if name in every]
    return {name: every[name] for name in dict.fromkeys([*preferred, *every])}


def find(name: str | None, source: str | None, target: str) -> Model[TextManifest]:
    """Find the model called ``name`` (an alias or a directory), or the best one for the languages.

    Raises ModelNotFoundError, which says what there is, and ManifestError.
    """
    models = _text_models(name)
    served = (pair for _, manifest in models for pair in manifest.serves(source, target))
    if (pair := next(served, None)) is not None:
        best = next(each for each in models if any(each[1].serves(*pair)))
        return Model(*best, *pair)
    wanted = f"{source or '*'}-{target}"
    if name is None:
        if not source and any(any(m.serves(of, target)) for _, m in models for of in NAMES):
            raise ModelNotFoundError(f"say with --from which language it is to {target} from")
        raise ModelNotFoundError(
            f"no model that is here translates {wanted}; embedded is {_offer(TextManifest)}. "
            f"{_remedy(source, target)}"
        )
    named = load(directory(name))
    if isinstance(named, SpeechManifest):
        raise ModelNotFoundError(f"model {name!r} takes speech, not text; see lsg asr and lsg st")
    if source is None and any(direction.startswith(ANY) for direction in named.directions):
        raise ModelNotFoundError(f"model {name!r} knows several languages; say which with --from")
    has = ", ".join(named.directions)
    raise ModelNotFoundError(f"model {name!r} does not translate {wanted}; it has {has}")


def _remedy(source: str | None, target: str) -> str:
    """What to do to get a model for a pair."""
    if target not in NAMES or (source and source not in NAMES):
        unknown = target if target not in NAMES else source
        return f"{unknown!r} may be no language; or name a model directory with --model DIR"
    first, *others = registry.offers(source, target)[:OFFERED]
    either = f" (or {', '.join(others)})" if others else ""
    return f"Get one with lsg models pull {first}{either}, or name a directory with --model DIR"


def find_all(name: str | None, target: str) -> dict[str, Model[TextManifest]]:
    """Find a model for every language that can be translated to ``target``, as ``find`` does.

    Raises ModelNotFoundError if there is none, ManifestError.
    """
    found: dict[str, Model[TextManifest]] = {}
    for each, manifest in _text_models(name):
        known = {direction.split("-")[0] for direction in manifest.directions} - {ANY}
        if name is not None:
            known |= {*manifest.codes, *manifest.languages}
        for source in sorted(known - {target}):
            for of, to in manifest.serves(source, target):
                found.setdefault(of, Model(each, manifest, of, to))
    if name is None:
        found = {source: find(None, source, target) for source in found}
    if not found:
        only = find(name, None, target)
        found[only.source] = only
    return found


def _text_models(name: str | None) -> list[tuple[Path, TextManifest]]:
    """Give the model called ``name``, or those that are here, if they take text."""
    if name is None:
        return list(translators().values())
    manifest = load(directory(name))
    return [(directory(name), manifest)] if isinstance(manifest, TextManifest) else []


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
    if language is None and to and all(of == to for of, _ in manifest.serves(None, to)):
        raise ModelNotFoundError(
            f"{directory.name} does not translate to {to}; it recognises {to} if that is named as "
            "the language spoken"
        )
    return Model(directory, manifest, language or AUTO, to or AUTO)


def load_speech(directory: Path) -> SpeechManifest:
    """Read a speech model's manifest; one of CTranslate2's Whispers without any gets the default.

    Raises ManifestError.
    """
    if not (directory / FILE_NAME).exists() and (directory / "config.json").exists():
        return whisper.manifest(directory)
    manifest = load(directory)
    if isinstance(manifest, TextManifest):
        raise ManifestError(f"{directory}: takes text, not speech; see lsg translate")
    return manifest


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


def used() -> dict[str, list[str]]:
    """The pairs of languages that are named by models that are here, by the model used for them.

    Raises OSError, ManifestError.
    """
    models = translators()
    pairs = sorted({each for _, m in models.values() for each in m.directions if ANY not in each})
    names = {directory: name for name, (directory, _) in models.items()}
    found: dict[str, list[str]] = {}
    for pair in pairs:
        of, to = pair.split("-")
        found.setdefault(names[find(None, of, to).directory], []).append(pair)
    return found


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
