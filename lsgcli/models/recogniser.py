"""Which speech model a request means: one that is named, or the best of those that are here."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsgcli.errors import ManifestError, ModelError, ModelNotFoundError
from lsgcli.languages import NAMES
from lsgcli.log import logger
from lsgcli.models import catalog, pull, registry, store
from lsgcli.models.catalog import AUTO
from lsgcli.models.files import NEEDED, WEIGHTS
from lsgcli.models.pull import repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import SpeechManifest

ENGLISH = "tiny.en"  # embedded
MULTILINGUAL = "base"  # to be pulled
TARGET = "en"  # all that Whisper translates to


def choose(
    name: str | None,
    language: str | None,
    target: str | None,
    *,
    offline: bool,
) -> Model[SpeechManifest]:
    """Find a model that writes down ``language``, or translates it to ``target``.

    A model that is named may be fetched, see ``directory``. If none is, what is here must do: the
    embedded one for English, which is also what is taken to be spoken if that is not said. Raises
    ModelNotFoundError, which says what to pull, ManifestError, UsageError, PullError.
    """
    if name is not None:
        spoken = None if language == AUTO else language
        return catalog.speech(directory(name, offline=offline), spoken, target)
    spoken = language or (AUTO if target else TARGET)
    for each in _here():
        with suppress(ModelNotFoundError, ManifestError, ModelError):
            found = catalog.speech(each, None if spoken == AUTO else spoken, target)
            if found.source == spoken:
                return found
    raise _missing(spoken, target)


def _here() -> Iterator[Path]:
    """Speech models that are here, in the order in which they are taken."""
    yield catalog.embedded()[ENGLISH]
    known = [entry.repository for entry in registry.load().values()]
    known = [store.repository(MULTILINGUAL), *known]
    installed = store.installed()
    yield from (
        installed[name] for name in dict.fromkeys([*known, *sorted(installed)]) if name in installed
    )
    if cached := _in_cache_of_hub(store.repository(MULTILINGUAL)):
        yield cached


def _missing(language: str, target: str | None) -> ModelNotFoundError:
    if target not in (None, TARGET, language):
        return ModelNotFoundError(
            f"Whisper translates to {TARGET} only; for {target}: lsg asr … | lsg translate --to "
            f"{target}"
        )
    what = "tells languages by ear"
    if language != AUTO:
        what = f"knows {NAMES.get(language, f'the language {language!r}')}"
    size = registry.load()[MULTILINGUAL].megabytes
    return ModelNotFoundError(
        f"no speech model that is here {what}; get one: lsg models pull {MULTILINGUAL} "
        f"({size} MB), or name one with --model"
    )


def directory(name: str, *, offline: bool) -> Path:
    """Give the directory of a speech model: a path, an embedded one, or one that is pulled.

    What is here is used without asking the network, also what other programs have in the Hub's own
    cache; else it is fetched, unless ``offline`` or ``HF_HUB_OFFLINE`` forbid it. Raises
    ModelNotFoundError, UsageError, PullError.
    """
    try:
        return catalog.directory(name)
    except ModelNotFoundError:
        wanted = pull.request(name)
    if cached := _in_cache_of_hub(wanted.repository):
        return cached
    if offline or repository.is_offline():
        raise ModelNotFoundError(
            f"model {name!r} ({wanted.repository}) is not in the cache, and the network is not to "
            "be used"
        )
    logger.info(f"fetching {wanted.repository}, once")
    return pull.pull(wanted)


def _in_cache_of_hub(repository: str) -> Path | None:
    """The directory of a repository in the cache that huggingface_hub keeps for all programs."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    fetch: Any = huggingface_hub.snapshot_download
    try:
        found = Path(fetch(repository, allow_patterns=list(NEEDED), local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return found if (found / WEIGHTS).is_file() else None
