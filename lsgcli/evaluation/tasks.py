"""Tasks of evaluation: translation of text; recognition and translation of speech."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lsgcli.backends import open_backend, open_speech
from lsgcli.errors import UsageError
from lsgcli.evaluation.corpus import load_corpus, load_recordings
from lsgcli.evaluation.runner import evaluate, evaluate_timed
from lsgcli.evaluation.tuning import measure, measure_runs
from lsgcli.log import logger
from lsgcli.models.catalog import AUTO, find, is_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lsgcli.core.backend import Backend, Placement
    from lsgcli.evaluation.batch import Translate
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import SourceType
    from lsgcli.evaluation.speech_runner import Hearing
    from lsgcli.evaluation.tuning import Point
    from lsgcli.metrics.units import LatencyUnit
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest, SpeechManifest, TextManifest
    from lsgcli.policy.base import Policy


class Task(Protocol):
    """A model and how its test sets are run."""

    @property
    def model(self) -> Model[Manifest]:
        """The model."""
        ...

    @property
    def source_type(self) -> SourceType:
        """The type of the source: text or speech."""
        ...

    @property
    def unit(self) -> LatencyUnit:
        """The target units that have delays."""
        ...

    def load(self, source: Path, target: Path) -> list[Sentence]:
        """Read a test set. Raises InputError, UsageError."""
        ...

    def settings(self) -> dict[str, Any]:
        """The other settings on which a result depends."""
        ...

    def open(
        self,
        placement: Placement,
        speed: float | None,
        sentences: Sequence[Sentence],
    ) -> Translate:
        """Load the model; return what runs a policy. ``speed``: measure the computation too."""
        ...

    def tune(
        self,
        placement: Placement,
        sentences: Sequence[Sentence],
        policies: Sequence[Policy],
        metric: str,
        progress: Callable[[int], None],
    ) -> list[Point]:
        """Load the model, and try every policy on every sentence; see ``tuning.measure``."""
        ...


@dataclass(frozen=True)
class Text:
    """Translation of sentences, many at a time."""

    model: Model[TextManifest]
    source_type: SourceType = "text"

    @property
    def unit(self) -> LatencyUnit:
        """The model's target units."""
        return "char" if self.model.manifest.target_unit == "character" else "word"

    def load(self, source: Path, target: Path) -> list[Sentence]:
        """Read sentences and references."""
        return load_corpus(
            source, target, characters=self.model.manifest.source_unit == "character"
        )

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def open(
        self,
        placement: Placement,
        speed: float | None,
        sentences: Sequence[Sentence],
    ) -> Translate:
        """Load the model, and warn of sentences that are too long for it."""
        backend = open_backend(self.model, placement)
        self._check(backend, sentences)
        if speed is None:
            size = placement.batch_size
            return lambda policy, missing, done: evaluate(
                backend, policy, missing, done, batch_size=size, unit=self.unit
            )
        return lambda policy, missing, done: evaluate_timed(
            backend, policy, missing, done, words_per_second=speed, unit=self.unit
        )

    def tune(
        self,
        placement: Placement,
        sentences: Sequence[Sentence],
        policies: Sequence[Policy],
        metric: str,
        progress: Callable[[int], None],
    ) -> list[Point]:
        """Load the model and try the policies; what they have in common is computed once."""
        backend = open_backend(self.model, placement)
        backend.ready()
        return measure(
            backend, sentences, policies, metric=metric, unit=self.unit, progress=progress
        )

    def _check(self, backend: Backend, sentences: Sequence[Sentence]) -> None:
        most = self.model.manifest.max_source_tokens
        long = sum(sum(map(backend.count, each.units)) > most for each in sentences)
        if long:
            logger.warning(
                f"{long} of {len(sentences)} sentences have more than the {most} tokens that the "
                "model is made for; they are not cut"
            )


@dataclass(frozen=True)
class Speech:
    """Recognition or translation of recordings, one at a time."""

    model: Model[SpeechManifest]
    hearing: Hearing
    source_type: SourceType = "speech"
    unit: LatencyUnit = "word"

    def load(self, source: Path, target: Path) -> list[Sentence]:
        """Read paths of recordings, and references."""
        return load_recordings(source, target)

    def settings(self) -> dict[str, Any]:
        """How recordings are processed."""
        return self.hearing.settings()

    def open(
        self,
        placement: Placement,
        speed: float | None,
        sentences: Sequence[Sentence],
    ) -> Translate:
        """Load the model."""
        from lsgcli.evaluation.speech_runner import evaluate_speech

        backend = open_speech(self.model, placement)
        timed = speed is not None
        return lambda policy, missing, done: evaluate_speech(
            backend, policy, missing, done, self.hearing, timed=timed
        )

    def tune(
        self,
        placement: Placement,
        sentences: Sequence[Sentence],
        policies: Sequence[Policy],
        metric: str,
        progress: Callable[[int], None],
    ) -> list[Point]:
        """Load the model and try the policies, each from the beginning."""
        translate = self.open(placement, None, sentences)
        return measure_runs(
            translate, sentences, policies, metric=metric, unit=self.unit, progress=progress
        )


def choose(
    model: str | None,
    source: str | None,
    target: str,
    hearing: Callable[[SpeechManifest], Hearing],
) -> Task:
    """Choose the task by the model; ``hearing`` makes the settings of a speech model.

    Raises ModelNotFoundError, ManifestError, PullError, UsageError.
    """
    if model is None or is_text(model):
        return Text(find(model, source, target))
    from lsgcli.models import recogniser

    chosen = recogniser.choose(model, source, target, offline=False)
    if chosen.source == AUTO:
        raise UsageError("--from is missing: which language is spoken?")
    return Speech(chosen, hearing(chosen.manifest))
