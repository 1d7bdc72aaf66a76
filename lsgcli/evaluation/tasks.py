"""Tasks of evaluation: translation of text; recognition and translation of speech."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from lsgcli.backends import open_backend, open_speech
from lsgcli.errors import UsageError
from lsgcli.evaluation import caching
from lsgcli.evaluation.corpus import characters, load_corpus, load_recordings
from lsgcli.evaluation.engine import in_turn
from lsgcli.evaluation.runner import evaluate, evaluate_timed
from lsgcli.languages import UNSPACED
from lsgcli.log import logger
from lsgcli.models.catalog import AUTO, find, is_text
from lsgcli.models.infer.trials import grown
from lsgcli.policy.fitting import spread
from lsgcli.text.units import Divider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lsgcli.core.backend import Backend, Placement
    from lsgcli.evaluation.corpus import Divide, Sentence
    from lsgcli.evaluation.engine import Translate
    from lsgcli.evaluation.logs import SourceType
    from lsgcli.evaluation.speech_runner import Hearing
    from lsgcli.evaluation.sweep import Values
    from lsgcli.metrics.units import LatencyUnit
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest, SpeechManifest, TextManifest

LOOKED_AT = 24  # sentences that tell which thresholds are worth trying


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

    def load(self, source: Path, target: Path | None) -> list[Sentence]:
        """Read a test set. Raises InputError, UsageError."""
        ...

    def settings(self) -> dict[str, Any]:
        """The other settings on which a result depends."""
        ...

    def spread(self, placement: Placement, sentences: Sequence[Sentence]) -> dict[str, Values]:
        """The thresholds that are worth trying, as far as the model's own answers tell."""
        ...

    def open(
        self,
        placement: Placement,
        sentences: Sequence[Sentence],
        *,
        speed: float | None = None,
        sharing: bool = False,
    ) -> Translate:
        """Load the model; return what runs policies.

        Args:
            placement: where the model runs.
            sentences: what will be translated, to warn of what does not fit.
            speed: measure the computation too, of a speaker of so many words a second.
            sharing: compute once what the policies of a call have in common, if it can be.

        """
        ...


@dataclass(frozen=True)
class Text:
    """Translation of sentences, many at a time."""

    model: Model[TextManifest]
    source_type: SourceType = "text"

    @property
    def unit(self) -> LatencyUnit:
        """The model's target units; characters in languages written without spaces."""
        by_character = self.model.manifest.target_unit == "character"
        return "char" if by_character or self.model.target in UNSPACED else "word"

    def load(self, source: Path, target: Path | None) -> list[Sentence]:
        """Read sentences and references."""
        return load_corpus(source, target, divide=self._divide())

    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    def spread(self, placement: Placement, sentences: Sequence[Sentence]) -> dict[str, Values]:
        """Where KL and max p are on the first sentences."""
        backend = open_backend(self.model, placement)
        backend.ready()
        trials = grown(backend, [sentence.units for sentence in sentences[:LOOKED_AT]])
        deltas, alphas = spread(trials, self.model.policy.levels)
        return {"delta": tuple(deltas), "alpha": tuple(alphas)} if deltas else {}

    def open(
        self,
        placement: Placement,
        sentences: Sequence[Sentence],
        *,
        speed: float | None = None,
        sharing: bool = False,
    ) -> Translate:
        """Load the model, and warn of sentences that are too long for it."""
        backend = open_backend(self.model, placement)
        self._check(backend, sentences)
        if sharing:
            return caching.sharing(backend, self.unit)
        if speed is None:
            size = placement.batch_size
            return in_turn(partial(evaluate, backend, batch_size=size, unit=self.unit))
        return in_turn(partial(evaluate_timed, backend, words_per_second=speed, unit=self.unit))

    def _divide(self) -> Divide | None:
        manifest = self.model.manifest
        if manifest.spells:
            return characters
        if self.model.source not in UNSPACED:
            return None
        by_character = manifest.source_unit == "character"
        return Divider(self.model.source, characters=by_character).words

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

    def load(self, source: Path, target: Path | None) -> list[Sentence]:
        """Read paths of recordings or segments of recordings, and references."""
        return load_recordings(source, target)

    def settings(self) -> dict[str, Any]:
        """How recordings are processed."""
        return self.hearing.settings()

    def spread(self, placement: Placement, sentences: Sequence[Sentence]) -> dict[str, Values]:
        """Nothing: that would take as long as trying."""
        return {}

    def open(
        self,
        placement: Placement,
        sentences: Sequence[Sentence],
        *,
        speed: float | None = None,
        sharing: bool = False,
    ) -> Translate:
        """Load the model. Nothing is shared: every policy hears a recording from the beginning."""
        from lsgcli.evaluation.speech_runner import evaluate_speech

        backend = open_speech(self.model, placement)
        timed = speed is not None
        return in_turn(partial(evaluate_speech, backend, hearing=self.hearing, timed=timed))


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
