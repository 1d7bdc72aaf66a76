"""Whisper in CTranslate2 (``ctranslate2.models.Whisper``): speech in, tokens out.

Its decoder takes one token after the other, also those that are forced, so there is nothing to gain
from a draft: a pass goes on greedily instead, and gives the distributions of all it passes. Its
encoder sees a whole window at once, so each source prefix is encoded by itself, and as short as it
is: 30 s of padding would cost ten times as much. Encodings are kept, and so are the distributions
that a pass went on to: the wait-1 prefix that is asked about now was the whole source a moment ago,
and what was a guess then is often what has been committed since.
"""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np
from msgspec.structs import replace

from lsgcli.backends.lexicon import TokenLexicon, writing
from lsgcli.backends.loading import as_array, load
from lsgcli.backends.repetition import loop_start
from lsgcli.backends.vocabulary import HuggingFaceVocabulary
from lsgcli.core.audio import RATE, SpeechSegment, joined, seconds
from lsgcli.core.backend import Placement, Usage
from lsgcli.core.cache import Cache
from lsgcli.core.distribution import Distribution
from lsgcli.core.steps import Place
from lsgcli.errors import ModelError, UsageError
from lsgcli.models.catalog import AUTO
from lsgcli.models.files import read_object
from lsgcli.models.whisper import ENGLISH_ONLY, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from faster_whisper.feature_extractor import FeatureExtractor

    from lsgcli.core.steps import Generate, Locate, Query, SourceUnit
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import SpeechManifest

    Source = tuple[SourceUnit, ...]

LONGEST = 30.0  # seconds of audio that Whisper takes
MELS = (80, 128)  # bands of the spectrum
POSITIONS = 448  # tokens that its decoder takes
CONTEXT = 96  # tokens of the text before that are shown to it
PROMPT = 127  # tokens of a prompt, at most; with those of the context half of POSITIONS
TOKENS_A_SECOND = 16  # no speech has more
ENCODINGS, ROWS = 64, 256  # that are kept; 1 MB and 200 kB each, for Whisper base
NO_SPEECH, UNLIKELY = 0.6, -1.0  # Whisper's own thresholds: probability, mean log-probability
PAUSE = 0.9  # seconds without speech after which what was said is written as it is
AFTER = 0.1  # seconds behind the speech in which its last word may end
LATE = 0.2  # seconds behind the speech in which the alignment may put the begin of a word
SQUEEZED, NO_TIME = 3, 0.045  # words at least, and seconds a word at most, that were not spoken
SURE = 0.5  # probability of a language from which it is believed


class WhisperLexicon(TokenLexicon):
    """How Whisper's tokens make words."""

    parallel = False
    prompt = 0  # tokens of the prompt, which the decoder has to take as well
    located = True

    def holds(self, token: int) -> bool:
        """Whether it is closing punctuation."""
        return self._closes(token)

    def limit(self, source: Sequence[SourceUnit]) -> int:
        """More tokens than can be spoken in the time, and no more than the decoder takes."""
        most = POSITIONS - CONTEXT - self.prompt - 5
        return min(most, int(TOKENS_A_SECOND * seconds(source)) + 16)


class WhisperBackend:
    """A ``ctranslate2.models.Whisper`` behind the ``Backend`` protocol, for one stream."""

    def __init__(
        self,
        model: Model[SpeechManifest],
        placement: Placement,
        *,
        silence: float | None = None,
        window: float | None = None,
        prompt: str = "",
    ) -> None:
        """Load a model whose files have been verified; the weights in a thread, see ``ready``.

        ``silence`` and ``window``, in seconds, stand for the manifest's. ``prompt`` is text that
        the model takes to stand before all that is said. Raises ModelError, or UsageError if it is
        too long.
        """
        self.usage = Usage()
        self._pool = ThreadPoolExecutor()
        self._loading = self._pool.submit(
            load, ctranslate2.models.Whisper, model.directory, placement
        )
        self._silence = model.manifest.silence if silence is None else silence
        self._window = model.manifest.window if window is None else window
        self._prompts = Prompts(model)
        self.lexicon = WhisperLexicon(self._prompts.vocabulary, frozenset({self._prompts.end}))
        self._only_end = np.arange(self._prompts.end + 1) == self._prompts.end
        self._extractor = _extractor(model.directory)
        self._prompt = self._prompts.text(prompt)
        self.lexicon.prompt = len(self._prompt)
        self._context = self._prompt
        self.no_speech = 0.0  # the newest probability that there is no speech in what was heard
        self._encodings: Cache[Source, Any] = Cache(ENCODINGS)
        self._rows: Cache[tuple[Source, tuple[int, ...]], Distribution] = Cache(ROWS)
        self._aligned: tuple[Source, list[int], npt.NDArray[np.float64]] = ((), [], np.zeros(1))
        self._lock = Lock()
        self._speak(None if model.source == AUTO else model.source)

    @property
    def language(self) -> str | None:
        """The language that is spoken; None if it has not been told yet."""
        return self._language

    def ready(self) -> None:
        """Wait for the weights.

        Raises ModelError, or UsageError for a device that is not there, or if the language would
        have to be told by a model that cannot.
        """
        self._loading.result()
        if self._prompts.detects and not self._model.is_multilingual:
            raise UsageError("this model cannot tell which language is spoken; give --language")

    def begin(self, context: Sequence[int], *, listen: bool) -> None:
        """Begin a window: ``context`` are the tokens of the text before it.

        ``listen``: tell the language anew, if it was not given.
        """
        self._context = (*self._prompt, *tuple(context)[-CONTEXT:])
        self._listening = self._prompts.detects and (listen or self._language is None)

    def forward(self, queries: Sequence[Query]) -> list[list[Distribution]]:
        """Answer queries, side by side if there are replicas; see ``steps.Forward``."""
        side_by_side = len(queries) > 1 and self._loading.result()[1] > 1
        return list((self._pool.map if side_by_side else map)(self._answer, queries))

    def generate(self, requests: Sequence[Generate]) -> Iterator[tuple[int, ...]]:
        """Continue greedily."""
        for request in requests:
            rows = self._answer(replace(request.query, ahead=request.limit - 1))
            tokens = tuple(row.token for row in rows)
            ended = tokens.index(self._prompts.end) if self._prompts.end in tokens else None
            yield tokens[:ended][: request.limit]

    def count(self, unit: SourceUnit) -> int:
        """How many positions a segment of speech has in the encoder."""
        return round(50 * seconds([unit]))

    def probabilities(self, source: Source, words: Sequence[Sequence[int]]) -> list[float]:
        """How probable each word is, given those before and all of ``source``: its tokens' mean.

        NaN where a model does not tell.
        """
        found = self._align(source, [token for word in words for token in word])
        if found is None:
            return [math.nan] * len(words)
        tokens = iter(found.text_token_probs)
        return [math.fsum(islice(tokens, len(word))) / max(len(word), 1) for word in words]

    def times(self, source: Source, words: Sequence[Sequence[int]]) -> list[tuple[float, float]]:
        """When each word was spoken: begin and end in seconds from the begin of ``source``.

        Dynamic time warping of the cross attention, as OpenAI's Whisper does; where a model does
        not say which heads to look at, words are spread over the time there is.
        """
        edges = self._edges(source, [token for word in words for token in word])
        edges = np.minimum(edges, _spoken(source) + AFTER)
        ends = np.cumsum([len(word) for word in words])
        begins = ends - [len(word) for word in words]
        return [(float(edges[b]), float(edges[e])) for b, e in zip(begins, ends, strict=True)]

    def locate(self, request: Locate) -> list[Place]:
        """Tell where words were spoken: see ``steps.Locate``.

        Words that stand behind all speech have no place, nor have several at the end for which
        there is no time: that is what a repetition looks like.
        """
        source = request.query.source
        before = request.query.target
        tokens = [token for word in request.words for token in word]
        edges = self._edges(source, [*before, *tokens])[len(before) :]
        marks = np.cumsum([0, *map(len, request.words)])
        times = [(float(edges[a]), float(edges[b])) for a, b in itertools.pairwise(marks)]
        heard, spoken = seconds(source), _spoken(source)
        last = np.cumsum([seconds([each]) for each in source])
        count = believed(times, spoken)
        if count < len(times) and all(map(self.lexicon.holds, request.words[count])):
            count += 1  # the mark behind the last word
        places = []
        for _begin, until in times[:count]:
            unit = 1 + min(int(np.searchsorted(last, until - 0.01)), len(last) - 1)
            places.append(Place(unit, math.inf if heard - spoken >= PAUSE else heard - until))
        return places

    def _edges(self, source: Source, tokens: list[int]) -> npt.NDArray[np.float64]:
        """Where each token begins, in seconds, and where the last one ends; shape [n + 1].

        What begins the hypothesis that was placed last has its times there: by itself, its last
        word would be stretched over the speech that follows.
        """
        of, placed, known = self._aligned
        if of == source and placed[: len(tokens)] == tokens:
            return known[: len(tokens) + 1]
        length, found = seconds(source), self._align(source, tokens)
        if found is None:
            edges = np.linspace(0, length, len(tokens) + 1)
        else:
            pairs = np.array(found.alignments)
            starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
            edges = np.append(pairs[starts, 1] / 50, length)[: len(tokens) + 1]
        self._aligned = (source, tokens, edges)
        return edges

    def _align(self, source: Source, tokens: list[int]) -> Any | None:
        """Place tokens in time, in one parallel pass; None where a model does not say how."""
        self.usage.calls += 1
        self.usage.tokens += len(tokens)
        try:
            (found,) = self._model.align(
                self._encoding(source),
                list(self._prompts.task(self._language)),
                [tokens],
                round(100 * seconds(source)),
            )
        except RuntimeError:
            return None
        return found

    @property
    def _model(self) -> ctranslate2.models.Whisper:
        return self._loading.result()[0]

    def _speak(self, language: str | None) -> None:
        self._language = language
        self.lexicon.writing = writing(language or "")

    def _answer(self, query: Query) -> list[Distribution]:
        memory = self._encoding(query.source)
        if self._listening and not query.target:
            self._listen(memory)
        start = self._prompts.start(self._context, self._language)
        if not (query.draft or query.ahead):
            known = self._rows.get((query.source, start + query.target))
            if known is not None:
                return [known]
        rows = self._pass(memory, start, query)
        tokens = query.target + query.draft
        for n, row in enumerate(rows):
            known_as = tokens[: len(query.target) + n]
            self._rows.put((query.source, start + known_as), row)
            if len(known_as) == len(tokens):
                tokens += (row.likeliest,)
        return rows

    def _pass(self, memory: Any, start: tuple[int, ...], query: Query) -> list[Distribution]:
        forced = query.target + query.draft
        steps = min(len(forced) + 1 + query.ahead, POSITIONS - len(start))
        (result,) = self._model.generate(
            memory,
            [list(start + forced)],
            beam_size=1,
            max_length=max(2 * steps, len(start) - 1 + steps),  # CTranslate2 takes half of it
            suppress_blank=False,
            suppress_tokens=self._prompts.suppressed,
            return_logits_vocab=True,
            return_no_speech_prob=True,
        )
        self.no_speech = float(result.no_speech_prob)
        rows = [
            Distribution(as_array(scores), normalised=False)
            for scores in result.logits[0][len(query.target) :]
        ]
        with self._lock:
            self.usage.calls += 1 + len(forced) + len(rows)
            self.usage.tokens += len(start) + len(forced) + len(rows)
        if not forced and result.no_speech_prob > NO_SPEECH and _mean_logp(rows) < UNLIKELY:
            return [rows[0].only(self._only_end)]
        return self._without_loop(query, rows)

    def _without_loop(self, query: Query, rows: list[Distribution]) -> list[Distribution]:
        """End the text where it begins to repeat itself without end."""
        path = query.draft + tuple(row.likeliest for row in rows[len(query.draft) :])
        kept = loop_start([token for token in query.target + path if token != self._prompts.end])
        if kept is None:
            return rows
        last = max(kept - len(query.target), 0)
        return [*rows[:last], rows[last].only(self._only_end)] if last < len(rows) else rows

    def _listen(self, memory: Any) -> None:
        """Tell the language, and keep to it if it is clear."""
        ((token, probability), *_) = self._model.detect_language(memory)[0]
        if probability >= SURE or self._language is None:
            self._speak(token.strip("<|>"))

    def _encoding(self, source: Source) -> Any:
        """The encoder's output for a source prefix, padded with the silence the model wants."""
        memory = self._encodings.get(source)
        if memory is not None:
            return memory
        samples = joined(source)[: int(LONGEST * RATE)]
        length = min(max(len(samples) / RATE + self._silence, self._window), LONGEST)
        features = self._extractor(samples, padding=max(int(length * RATE) - len(samples), 0))
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(features[np.newaxis]))
        memory = self._model.encode(view)
        with self._lock:
            self.usage.calls += 1
            self.usage.encoded += length
        self._encodings.put(source, memory)
        return memory


class Prompts:
    """What stands before the text: earlier text, language, task."""

    def __init__(self, model: Model[SpeechManifest]) -> None:
        """Look the special tokens up. Raises ModelError if the tokenizer is not Whisper's."""
        self._file = model.directory / "tokenizer.json"
        self.vocabulary = HuggingFaceVocabulary(self._file)
        self.end = self._id("<|endoftext|>")
        self._sot = self._id("<|startoftranscript|>")
        self._previous = self._id("<|startofprev|>")
        self._plain = self._id("<|notimestamps|>")
        size = _vocabulary_size(model.directory)
        self.suppressed = [-1, *range(self.end + 1, size)]
        self._bare = size == ENGLISH_ONLY
        translates = model.target not in (model.source, AUTO)
        self._task = self._id("<|translate|>" if translates else "<|transcribe|>")
        self.detects = model.source == AUTO and not self._bare

    def text(self, text: str) -> tuple[int, ...]:
        """The tokens of a prompt, none of them special. Raises UsageError if there are too many."""
        encode = self.vocabulary.encode_word
        tokens = tuple(token for word in text.split() for token in encode(word, False))
        if len(tokens) > PROMPT:
            raise UsageError(
                f"prompt and hotwords are {len(tokens)} tokens; there is room for {PROMPT}, about "
                "40 names: give those that are likeliest to be said"
            )
        return tokens

    def task(self, language: str | None) -> tuple[int, ...]:
        """The tokens that begin a text: its language and what to do."""
        if self._bare or language is None:
            return (self._sot,)
        return (self._sot, self._id(f"<|{language}|>"), self._task)

    def start(self, context: tuple[int, ...], language: str | None) -> tuple[int, ...]:
        """All that stands before the text."""
        before = (self._previous, *context) if context else ()
        return (*before, *self.task(language), self._plain)

    def _id(self, token: str) -> int:
        number = self.vocabulary.id(token)
        if number is None:
            raise ModelError(f"{self._file}: not a tokenizer of Whisper's, it has no {token}")
        return number


def _spoken(source: Source) -> float:
    """Where in a source the newest speech ends, in seconds."""
    segments = [each for each in source if isinstance(each, SpeechSegment)]
    return max((each.spoken for each in segments), default=0) / RATE - segments[0].start / RATE


def believed(times: Sequence[tuple[float, float]], spoken: float) -> int:
    """How many words of a hypothesis have a place in the speech, which ends at ``spoken``.

    A model that says again what it has said finds no time for it: the words are squeezed into the
    last moment, or put behind the speech.

    >>> believed([(0.0, 0.4), (0.4, 0.9), (0.9, 0.9), (0.9, 0.92), (0.92, 1.0)], 1.0)
    2
    """
    count = len(times)
    while count and times[count - 1][0] > spoken + LATE:
        count -= 1
    for first in range(count - SQUEEZED + 1):
        if times[count - 1][1] - times[first][0] <= NO_TIME * (count - first):
            return first
    return count


def _mean_logp(rows: list[Distribution]) -> float:
    return sum(math.log(max(row.top, 1e-30)) for row in rows) / len(rows)


def _vocabulary_size(directory: Path) -> int:
    """How many tokens the model has. Raises ModelError if its vocabulary cannot be read."""
    try:
        return len(vocabulary(directory))
    except OSError as error:
        raise ModelError(f"{directory}: cannot read the vocabulary: {error}") from error


def _extractor(directory: Path) -> FeatureExtractor:
    """Log-mel features as the model was trained with."""
    from faster_whisper.feature_extractor import FeatureExtractor

    file = directory / "preprocessor_config.json"
    size = read_object(file).get("feature_size", 80)
    if size not in MELS:
        raise ModelError(f"{file}: feature_size is {size!r}; Whispers have 80 or 128")
    return FeatureExtractor(feature_size=size)
