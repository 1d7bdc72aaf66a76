"""The models that one translation uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsgcli.models.catalog import AUTO, find, find_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import TextManifest


class Directions:
    """The models for one target language: of one source language, or of all that can be told."""

    def __init__(self, model: str | None, source: str | None, target: str) -> None:
        """Find them; ``source`` may be ``auto``. Raises ModelNotFoundError, ManifestError."""
        self.target = target
        self.told = source == AUTO
        self.models: Mapping[str, Model[TextManifest]] = (
            find_all(model, target) if self.told else {"": find(model, source, target)}
        )

    @property
    def first(self) -> Model[TextManifest]:
        """One of them."""
        return next(iter(self.models.values()))

    @property
    def by_character(self) -> bool:
        """Whether a model reads characters, and what stands between spaces is a segment."""
        return any(each.manifest.spells for each in self.models.values())
