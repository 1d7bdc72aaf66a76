"""Policies on real Whispers and real recordings: errors, lag and cost.

    pip install whisper-normalizer soundfile
    python -m benchmarks.speech_real --models DIR [--model base] [--set short] SYSTEM...

A SYSTEM is a policy with its settings, as in ``lsg:latency=low``, ``alignatt:margin=0.5``,
``local-agreement:n=2``, ``offline``; ``spoken:`` with the fields of ``SpokenLsg``;
``faster-whisper:beam=5``, which hears a recording whole; or ``whisper-streaming:chunk=1``.
Without any, the levels of latency and what they are compared with. DIR holds the models
(``../shared/real_models.py DIR``); one thread, int8.

What is printed of each: word error rate in percent with its 95 % interval over recordings
(bootstrap), substitutions included as OpenAI's normaliser leaves them, digits one by one; lag,
the audio heard when a word is committed less the word's end by faster-whisper's times (beam 5),
of the words that both have, median and 95th percentile, in seconds; seconds of processor time for
a second of audio; marks (. , ?) and capitals for 100 words.
"""

from __future__ import annotations

import argparse
import csv
import pickle
import random
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.policy.base import Policy

SHARED = Path(__file__).parents[2] / "shared" / "speech"
DEFAULTS = [
    *("faster-whisper:beam=1", "faster-whisper:beam=5", "offline"),
    *("lsg:latency=low", "lsg:latency=medium", "lsg:latency=high", "lsg:latency=highest"),
    "whisper-streaming:chunk=1",
    *("alignatt:margin=0.5", "local-agreement:n=2", "wait-k:k=3", "lsg-words:latency=medium"),
]
RATE = 16000
LONG = 30.0  # seconds from which a recording is none of the short ones
NOISE = "en_jackhammer_rp"  # hardly to be understood


@dataclass(frozen=True)
class Clip:
    """A recording and what is said in it."""

    name: str
    file: Path
    language: str
    seconds: float
    text: str


@dataclass
class Heard:
    """What a system made of the recordings."""

    texts: dict[str, str] = field(default_factory=dict)
    delays: dict[str, list[float]] = field(default_factory=dict)  # of each word, in seconds
    cpu: float = 0.0


def clips(which: str) -> list[Clip]:
    """The recordings of a set: ``short`` or ``long`` English ones, those of a language, or one."""
    with (SHARED / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    every = [
        Clip(r["id"], SHARED / r["file"], r["language"], float(r["seconds"]), r["transcript"])
        for r in rows
    ]
    english = [c for c in every if c.language == "en" and "_fsdd_" not in c.name]
    if which == "short":
        return [c for c in english if c.seconds < LONG and c.name != NOISE]
    if which == "long":
        return [c for c in english if c.seconds >= LONG]
    return [c for c in every if which in (c.language, c.name)]


def words(text: str, language: str) -> list[str]:
    """Words as they are compared."""
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    normal = (EnglishTextNormalizer() if language == "en" else BasicTextNormalizer())(text)
    return [part for word in normal.split() for part in (word if word.isdigit() else [word])]


def matched(
    reference: Sequence[str], hypothesis: Sequence[str]
) -> tuple[int, list[tuple[int, int]]]:
    """Errors (Levenshtein), and the positions of words that both have."""
    import jiwer

    found = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    pairs = [
        (chunk.ref_start_idx + n, chunk.hyp_start_idx + n)
        for chunk in found.alignments[0]
        if chunk.type == "equal"
        for n in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]
    return found.substitutions + found.insertions + found.deletions, pairs


def faster_whisper(directory: Path, recordings: Iterable[Clip], beam: int) -> Heard:
    """Hear recordings whole."""
    from faster_whisper import WhisperModel

    model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)
    heard = Heard()
    for clip in recordings:
        start = time.process_time()
        segments, _ = model.transcribe(str(clip.file), language=clip.language, beam_size=beam)
        heard.texts[clip.name] = "".join(segment.text for segment in segments)
        heard.cpu += time.process_time() - start
    return heard


def whisper_streaming(
    file: Path, directory: Path, recordings: Iterable[Clip], chunk: float = 1.0
) -> Heard:
    """Run whisper_streaming (``whisper_online.py``, which needs librosa) on the same weights.

    As its own script with ``--comp_unaware``: beam 5, local agreement of two, cut at 15 s.
    """
    import importlib.util

    from faster_whisper import WhisperModel
    from faster_whisper.audio import decode_audio

    spec = importlib.util.spec_from_file_location("whisper_online", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file}: not a Python file")
    online = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(online)
    model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)

    base: Any = online.FasterWhisperASR

    class Asr(base):
        def load_model(self, *_: Any, **__: Any) -> WhisperModel:
            return model

    heard = Heard()
    step = round(chunk * RATE)
    for clip in recordings:
        samples = decode_audio(str(clip.file))
        start = time.process_time()
        processor = online.OnlineASRProcessor(Asr(clip.language), None, ("segment", 15))
        text, delays = "", list[float]()
        for begin in range(0, len(samples), step):
            processor.insert_audio_chunk(samples[begin : begin + step])
            found = processor.process_iter()[2]
            if begin + step >= len(samples):
                found += processor.finish()[2]
            text += found
            delays += [min(begin + step, len(samples)) / RATE] * len(found.split())
        heard.cpu += time.process_time() - start
        heard.texts[clip.name], heard.delays[clip.name] = text, delays
    return heard


def ends(directory: Path, recordings: Iterable[Clip]) -> dict[str, list[tuple[str, float]]]:
    """When words end, by faster-whisper's times; kept beside the model, since it takes long."""
    from faster_whisper import WhisperModel

    cache = directory / "word-ends.pickle"
    known = pickle.loads(cache.read_bytes()) if cache.exists() else {}
    missing = [clip for clip in recordings if clip.name not in known]
    if missing:
        model = WhisperModel(str(directory), device="cpu", compute_type="int8", cpu_threads=1)
    for clip in missing:
        segments, _ = model.transcribe(
            str(clip.file), language=clip.language, beam_size=5, word_timestamps=True
        )
        known[clip.name] = [(w.word, w.end) for segment in segments for w in segment.words or ()]
    cache.write_bytes(pickle.dumps(known))
    return known


class Ours:
    """lsg over recordings, one model loaded once."""

    def __init__(self, directory: Path, language: str, segment: float, target: str | None) -> None:
        """Load the model."""
        from functools import partial

        from lsgcli.backends import open_speech
        from lsgcli.core.backend import Placement
        from lsgcli.evaluation.speech_runner import Hearing
        from lsgcli.models.catalog import speech

        self._model = speech(directory, language, target)
        self._backend = open_speech(self._model, Placement("cpu", "int8", 1))
        self._backend.ready()
        self._hearing = partial(Hearing.of, self._model.manifest, vad=True)
        self._segment = segment

    def __call__(self, name: str, options: dict[str, Any], recordings: Sequence[Clip]) -> Heard:
        """Run a policy."""
        from lsgcli.evaluation.corpus import Sentence
        from lsgcli.evaluation.speech_runner import evaluate_speech
        from lsgcli.policy.spec import PolicySettings
        from lsgcli.policy.speech import SpokenLsg

        segment, pause = options.pop("segment", self._segment), options.pop("pause", None)
        policy: Policy
        if name == "spoken":
            policy = SpokenLsg(**options)
        else:
            policy = PolicySettings(name, **options).policy(self._model.policy, speech=True)
        hearing = self._hearing(segment=segment, pause=pause)
        heard = Heard()
        sources: list[Sentence] = [
            Sentence(n, str(clip.file), clip.text) for n, clip in enumerate(recordings)
        ]
        for clip, source in zip(recordings, sources, strict=True):
            start = time.process_time()
            done: list[Any] = []
            evaluate_speech(self._backend, policy, [source], done.append, hearing)
            heard.cpu += time.process_time() - start
            heard.texts[clip.name] = done[0].prediction
            heard.delays[clip.name] = [delay / 1000 for delay in done[0].delays]
        return heard


def lags(
    heard: Heard, times: dict[str, list[tuple[str, float]]], recordings: Iterable[Clip]
) -> list[float]:
    """How long after a word's end it was committed, in seconds."""
    found = []
    for clip in recordings:
        if clip.name not in heard.delays:
            continue
        pairs = zip(heard.texts[clip.name].split(), heard.delays[clip.name], strict=True)
        ours = [(w, d) for text, d in pairs for w in words(text, clip.language)]
        theirs = [(w, e) for text, e in times[clip.name] for w in words(text, clip.language)]
        _, same = matched([w for w, _ in theirs], [w for w, _ in ours])
        found += [ours[j][1] - theirs[i][1] for i, j in same]
    return found


def row(label: str, heard: Heard, times: dict[str, Any], recordings: Sequence[Clip]) -> str:
    """A line of the table."""
    counts = []
    for clip in recordings:
        reference = words(clip.text, clip.language)
        counts.append(
            (matched(reference, words(heard.texts[clip.name], clip.language))[0], len(reference))
        )
    rng = random.Random(1)
    drawn = [rng.choices(counts, k=len(counts)) for _ in range(1000)]
    rates = sorted(100 * sum(e for e, _ in each) / sum(n for _, n in each) for each in drawn)
    rate = 100 * sum(e for e, _ in counts) / sum(n for _, n in counts)
    late = lags(heard, times, recordings)
    lag = "      -     "
    if late:
        lag = f"{statistics.median(late):5.2f} /{statistics.quantiles(late, n=20)[-1]:5.2f}"
    text = " ".join(heard.texts.values())
    per = 100 / max(1, len(text.split()))
    marks = sum(map(text.count, ".,?")) * per
    capitals = sum(word[:1].isupper() for word in text.split()) * per
    cost = heard.cpu / sum(clip.seconds for clip in recordings)
    return (
        f"{label:<44} {rate:6.2f} [{rates[25]:5.2f}, {rates[974]:5.2f}]  {lag}  {cost:5.2f}"
        f"  {marks:5.1f} {capitals:5.1f}"
    )


def parse(system: str) -> tuple[str, dict[str, Any]]:
    """Split ``NAME:KEY=VALUE,…``."""
    name, _, rest = system.partition(":")
    values: dict[str, Any] = {}
    for key, _, value in (part.partition("=") for part in rest.split(",") if part):
        number = value.replace(".", "", 1).isdigit() or value == "inf"
        values[key] = (int(value) if value.isdigit() else float(value)) if number else value
    return name, values


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--model", default="base")
    parser.add_argument("--set", default="short")
    parser.add_argument("--segment", type=float, default=0.64)
    parser.add_argument("--whisper-streaming", type=Path, metavar="FILE")
    parser.add_argument("--show", action="store_true", help="print the transcripts as well")
    parser.add_argument("systems", nargs="*", default=DEFAULTS)
    options = parser.parse_args()
    directory, recordings = options.models / options.model, clips(options.set)
    seconds = sum(clip.seconds for clip in recordings)
    count = sum(len(words(clip.text, clip.language)) for clip in recordings)
    print(
        f"{options.model}, int8, one thread; {options.set}: {len(recordings)} recordings, "
        f"{seconds:.0f} s, {count} words"
    )
    print(f"{'':<44} WER %                   lag p50 / p95    CPU  marks  caps")
    times = ends(directory, recordings)
    ours = Ours(directory, recordings[0].language, options.segment, None)
    for system in options.systems:
        name, values = parse(system)
        if name == "faster-whisper":
            heard = faster_whisper(directory, recordings, **values)
        elif name == "whisper-streaming":
            if options.whisper_streaming is None:
                print(f"{system}: skipped, give --whisper-streaming whisper_online.py")
                continue
            heard = whisper_streaming(options.whisper_streaming, directory, recordings, **values)
        else:
            heard = ours(name, values, recordings)
        print(row(system, heard, times, recordings), flush=True)
        if options.show:
            for clip, text in heard.texts.items():
                print(f"  {clip}: {text}")


if __name__ == "__main__":
    main()
