"""Notices that speech goes in and no words come out."""

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
    """Observes a pipeline for speech; warns once, until words come again."""

    language: str | None  # that was asked for; None if it is told by ear
    most: float = 20.0  # seconds of speech
    _silent: float = 0.0  # seconds of speech since the last word

    def begin(self, streamed: bool, read: float) -> None:
        """That an utterance begins changes nothing."""

    def event(self, event: Event, now: float, read: float) -> None:
        """Count seconds of speech, and forget them when a word comes."""
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

    def end(self, read: float) -> None:
        """Nor does that it ends."""

    def verbatim(self, text: str) -> None:
        """Nothing is copied of speech."""

    def waited(self, seconds: float, behind: float) -> None:
        """Waiting is no speech."""
