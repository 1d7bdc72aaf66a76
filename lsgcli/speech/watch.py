"""A warning when speech is read and no words are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsgcli.core.audio import seconds
from lsgcli.core.steps import Commit, Units
from lsgcli.log import logger

if TYPE_CHECKING:
    from lsgcli.core.steps import Event


@dataclass
class Watch:
    """Observes a pipeline for speech; warns once, and again only after a word."""

    language: str | None  # that was asked for; None if it is detected
    most: float = 20.0  # seconds of speech
    _silent: float = 0.0  # seconds of speech since the last word

    def begin(self, streamed: bool, now: float, read: float) -> None:
        """Do nothing."""

    def event(self, event: Event, now: float, read: float) -> None:
        """Count seconds of speech; start again at a word."""
        if isinstance(event, Commit):
            self._silent = 0.0
        elif isinstance(event, Units):
            before = self._silent
            self._silent += seconds(event.units)
            if before < self.most <= self._silent:
                heard = f"is it {self.language}" if self.language else "is it speech"
                logger.warning(
                    f"{self._silent:.0f} s of speech have come and no word of them: {heard}, loud "
                    "enough, and at the rate it says it has? See --language, --model, --rate"
                )

    def end(self, now: float, read: float) -> None:
        """Do nothing."""

    def verbatim(self, text: str, now: float) -> None:
        """Do nothing: speech has no copies."""

    def waited(self, seconds: float, behind: float, now: float) -> None:
        """Do nothing."""
