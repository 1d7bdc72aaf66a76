"""What the shell offers after an option. Nothing heavy is imported for it."""

from __future__ import annotations

from contextlib import suppress


def languages(incomplete: str) -> list[tuple[str, str]]:
    """Language codes, with their names."""
    from lsgcli.languages import NAMES

    return [(code, name) for code, name in NAMES.items() if code.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """The models for text that are here."""
    return _known(incomplete, speech=False)


def speech_models(incomplete: str) -> list[str]:
    """Whispers that are here or can be had by name."""
    return _known(incomplete, speech=True)


def profiles(incomplete: str) -> list[str]:
    """Settings that ``lsg tune`` has saved."""
    from lsgcli.policy import profiles

    found = sorted(file.stem for file in profiles.directory().glob("*.toml"))
    return [name for name in found if name.startswith(incomplete)]


def _known(incomplete: str, *, speech: bool) -> list[str]:
    from lsgcli.errors import LsgError
    from lsgcli.models import listing

    with suppress(LsgError, OSError):
        return [
            model.name
            for model in listing.models()
            if (model.kind == "whisper") is speech
            and (speech or model.directory)
            and model.name.startswith(incomplete)
        ]
    return []
