"""What is known of Whispers in CTranslate2's form, which come without a manifest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lsgcli.errors import ManifestError, ModelError
from lsgcli.models.files import read_object, read_tokens
from lsgcli.models.manifest import VERSION, SpeechManifest
from lsgcli.policy.levels import Level, Levels, Thresholds

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH_ONLY = 51864  # tokens of the Whispers that know one language and one task
WINDOW = 10.0  # seconds that a Whisper is given at least: shown less, it does not see the end
SCROLL = 10.0  # seconds from which a window scrolls, so that it stays at that
SILENCE = 2.0  # seconds that end an utterance: people pause inside sentences
# Measured on OpenAI's base and tiny.en (benchmarks/speech_real.py).
LEVELS = Levels(
    low=Level(lower=1, upper=0, margin=0.4, agree=False),
    medium=Level(lower=1, upper=2, margin=0.3),
    high=Level(lower=2, upper=3, alpha=0.8, margin=0.3),
    highest=Level(lower=3, upper=5, alpha=0.9, margin=0.3),
)


def manifest(directory: Path) -> SpeechManifest:
    """The manifest of a Whisper that has none: OpenAI's languages, settings that are right for it.

    Raises ManifestError if it is no Whisper.
    """
    try:
        config = read_object(directory / "config.json")
        if "suppress_ids" not in config:
            raise ManifestError(f"{directory}: neither a manifest nor a Whisper of CTranslate2's")
        tokens = vocabulary(directory)
        spoken = [tokens[number].strip("<|>") for number in config.get("lang_ids") or ()]
    except (ModelError, OSError, IndexError, TypeError) as error:
        raise ManifestError(f"{directory}: not a Whisper of CTranslate2's: {error}") from error
    if len(tokens) == ENGLISH_ONLY or not spoken:
        spoken = ["en"]
    directions = dict.fromkeys(f"{of}-{to}" for of in spoken for to in (of, "en"))
    return SpeechManifest(
        version=VERSION,
        directions=list(directions),
        licence="as its source says",
        policy=Thresholds(delta=math.inf, alpha=0.5, levels=LEVELS),
        files={},
        window=WINDOW,
        pause=SILENCE,
        scroll=SCROLL,
        context=0,
    )


def vocabulary(directory: Path) -> list[str]:
    """The tokens of a Whisper of CTranslate2's. Raises ModelError, FileNotFoundError."""
    names = directory / "vocabulary.json"
    return read_tokens(names if names.exists() else directory / "vocabulary.txt")
