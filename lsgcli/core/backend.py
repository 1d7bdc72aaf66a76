"""The seam between the engine and the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from lsgcli.core.distribution import Distribution, Tokens
    from lsgcli.core.steps import Generate, Query, Scored, SourceUnit


class Lexicon(Protocol):
    """How a model's tokens make words."""

    def starts_word(self, token: int, before: Sequence[int] = ()) -> bool:
        """Whether the token begins a new word behind ``before``, the word so far."""
        ...

    def after_word(self, word: Sequence[int]) -> Tokens:
        """The tokens, of shape ``[V]``, that may follow a word that is committed.

        Those that begin a word, closing punctuation, and the end; others would extend the word.
        """
        ...

    @property
    def space(self) -> str:
        """What stands between source units: a space, or nothing where they have it themselves."""
        ...

    def ends(self, token: int) -> bool:
        """Whether the token ends the translation."""
        ...

    def holds(self, token: int) -> bool:
        """Whether the token, last before the end, may only be there since the source stops for now.

        A recogniser puts a full stop behind speech that is cut off.
        """
        ...

    def text(self, tokens: Sequence[int]) -> str:
        """The text of whole words, with the space before them if they carry one."""
        ...

    @property
    def parallel(self) -> bool:
        """Whether a pass takes all positions of a draft at once, so that guessing pays.

        A model that decodes step by step goes on greedily instead; see ``Query.ahead``.
        """
        ...

    @property
    def located(self) -> bool:
        """Whether the backend answers ``Locate``: it knows where in the source a word is."""
        ...

    def limit(self, source: Sequence[SourceUnit]) -> int:
        """The most target tokens a translation of these source units may have."""
        ...


@dataclass
class Usage:
    """What a backend has been asked to do."""

    calls: int = 0  # passes through the model; every step of a generation is one
    tokens: int = 0  # tokens processed, without padding
    encoded: float = 0.0  # seconds of audio encoded, with padding


@dataclass(frozen=True)
class Placement:
    """Where and how a model runs.

    ``device``: ``cpu``, ``cuda``, cards by number as in ``cuda:0,1``, or ``auto``: a card if there
    is one. ``compute_type``: as CTranslate2 names it, or ``auto``; see ``devices.placed``.
    """

    device: str = "auto"
    compute_type: str = "auto"
    threads: int = 0  # CPU cores to use; 0 for all
    batch_size: int = 32  # most sequences in one generation


class Backend(Protocol):
    """A model that answers the engine's requests."""

    @property
    def lexicon(self) -> Lexicon:
        """How the model's tokens make words."""
        ...

    @property
    def usage(self) -> Usage:
        """What has been asked of the model so far."""
        ...

    def ready(self) -> None:
        """Wait until the model is loaded. Raises ModelError, UsageError."""
        ...

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]:
        """Answer queries in one batch: see ``steps.Forward``.

        The reply to a query does not depend on its company in the batch.
        """
        ...

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, ...]]:
        """Continue greedily, in the order of the requests, each as soon as it is ready."""
        ...

    def count(self, unit: SourceUnit) -> int:
        """How many tokens a source unit has."""
        ...


class TextBackend(Backend, Protocol):
    """A model of text, which tells how much it believes what it generates."""

    @property
    def batch_size(self) -> int:
        """The most requests in one batch."""
        ...

    @property
    def replicas(self) -> int:
        """How many batches run side by side. Raises what ``ready`` raises."""
        ...

    def alike(self, request: Generate) -> Hashable:
        """Requests for which this is the same share a batch at no loss."""
        ...

    def scored(self, requests: Sequence[Generate]) -> Iterator[Scored]:
        """Continue greedily as ``generate`` does; the work has begun when this returns."""
        ...
