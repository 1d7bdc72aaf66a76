"""Measure a converted model on the test strings: the figures of its model card.

    python -m models.recipes.digits.evaluate --data DIR --model DIR

All of it is from the int8 model in CTranslate2, greedy, with faster-whisper's features of the audio
and half a second of silence after it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ctranslate2
import jiwer
import numpy as np
import soundfile
from faster_whisper.feature_extractor import FeatureExtractor
from tokenizers import Tokenizer

from models.recipes.digits.corpus import (
    ENGLISH,
    GERMAN,
    RATE,
    SPEAKERS,
    Recording,
    TestString,
    bounds,
    recordings,
    resample,
    split,
    test_strings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.recipes.digits.corpus import Audio

TASKS = {"transcribe": ENGLISH, "translate": GERMAN}
LAYERS, HEADS = 2, 4  # of the decoder
STEP = RATE // 10  # prefixes grow by this
NEAR = 0.05  # seconds around the end of a digit in which it may be there or not
OTHERS = ("en_digits_10001", "en_onetwothree", "en_cards_001", "en_cards_005")
NOISES = ("none_room_tone", "none_kitchen_noise")


@dataclass(frozen=True)
class Heard:
    """What the model made of a window."""

    words: list[str]
    no_speech: float


class Recogniser:
    """The model as it is used: any length of audio, one window at a time."""

    def __init__(self, path: Path, threads: int = 2):
        self.model = ctranslate2.models.Whisper(
            str(path), device="cpu", compute_type="int8", intra_threads=threads
        )
        self.tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        self.extract = FeatureExtractor()

    def id(self, name: str) -> int:
        """The id of a special token. Raises KeyError."""
        return self.tokenizer.get_vocab()[f"<|{name}|>"]

    def features(self, audio: Audio, silence: float) -> ctranslate2.StorageView:
        """Of the audio and silence after it, cut to their length."""
        audio = np.pad(audio, (0, int(silence * RATE)))
        found = self.extract(audio)[None, :, :3000]
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(found, dtype=np.float32))

    def hear(
        self, audio: Audio, task: str, silence: float = 0.5, before: str = "", full: bool = False
    ) -> Heard:
        """The words of the window."""
        features = self.features(audio, silence)
        if full:  # as faster-whisper does: 30 s, zeros among the features
            array = np.zeros((1, 80, 3000), dtype=np.float32)
            found = np.asarray(features)
            array[:, :, : found.shape[-1]] = found
            features = ctranslate2.StorageView.from_array(array)
        prompt = []
        if before:
            prompt = [self.id("startofprev"), *self.tokenizer.encode(before).ids]
        prompt += [self.id(n) for n in ("startoftranscript", "en", task, "notimestamps")]
        result = self.model.generate(
            features,
            [prompt],
            beam_size=1,
            max_length=min(448, len(prompt) + 200),
            suppress_blank=False,
            return_no_speech_prob=True,
        )[0]
        text = self.tokenizer.decode([t for t in result.sequences_ids[0] if t < self.id("en") - 2])
        return Heard(text.split(), float(result.no_speech_prob))

    def ends(self, audio: Audio, words: Sequence[str]) -> list[float]:
        """When each word ends, by CTranslate2's alignment."""
        tokens = [self.tokenizer.encode(f" {word}").ids for word in words]
        features = self.features(audio, 0.5)
        start = [self.id(n) for n in ("startoftranscript", "en", "transcribe")]
        found = self.model.align(
            features, start, [[t for word in tokens for t in word]], features.shape[-1]
        )[0]
        first: dict[int, int] = {}
        for token, time in found.alignments:
            first.setdefault(token, time)
        bounds_ = np.cumsum([len(t) for t in tokens])
        return [0.02 * first[int(b)] for b in bounds_]


def digit_bounds(
    string: TestString, parts: dict[str, Recording]
) -> tuple[list[float], list[float]]:
    """When each digit of a test string begins and ends, in seconds."""
    starts, ends, at = [], [], 0
    for name in string.names:
        part = resample(parts[name].audio, 2.0)
        rest = string.audio[at:]
        n = 1 << (len(rest) + len(part)).bit_length()
        match = np.fft.irfft(np.fft.rfft(rest, n) * np.conj(np.fft.rfft(part, n)), n)
        at += int(np.argmax(match[: max(1, RATE // 2)]))
        start, end = bounds(part)
        starts.append((at + start) / RATE)
        ends.append((at + end) / RATE)
        at += len(part)
    return starts, ends


def error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Word error rate in per cent."""
    return 100 * float(jiwer.wer(list(references), list(hypotheses)))


def offline(
    model: Recogniser,
    strings: Sequence[TestString],
    silence: float = 0.5,
    before: str = "",
    full: bool = False,
) -> dict[str, dict[str, float]]:
    """Word error rates on the whole strings, both tasks, each speaker."""
    result = {}
    for task, words in TASKS.items():
        wanted: dict[str, list[str]] = defaultdict(list)
        heard: dict[str, list[str]] = defaultdict(list)
        for string in strings:
            wanted[string.speaker].append(" ".join(words[d] for d in string.digits))
            found = model.hear(string.audio, task, silence, before, full)
            heard[string.speaker].append(" ".join(found.words))
        rates = {s: round(error_rate(wanted[s], heard[s]), 2) for s in wanted}
        everyone = [[text for s in wanted for text in texts[s]] for texts in (wanted, heard)]
        rates["all"] = round(error_rate(*everyone), 2)
        result[task] = rates
    return result


def prefixes(
    model: Recogniser, strings: Sequence[TestString], parts: dict[str, Recording]
) -> dict[str, dict[str, float]]:
    """How prefixes of the strings, 0.1 s apart, compare with what has been said by then."""
    result = {}
    for task, words in TASKS.items():
        count: Counter[str] = Counter()
        early: list[float] = []
        for string in strings:
            starts, ends = digit_bounds(string, parts)
            truth = [words[d] for d in string.digits]
            for stop in range(STEP, len(string.audio) + 1, STEP):
                now = stop / RATE
                heard = model.hear(string.audio[:stop], task).words
                surely = sum(end <= now - NEAR for end in ends)
                perhaps = sum(end <= now + NEAR for end in ends)
                count["prefixes"] += 1
                count["inside a digit"] += any(
                    s < now - NEAR and now + NEAR < e for s, e in zip(starts, ends, strict=True)
                )
                count["too many"] += len(heard) > perhaps
                if perhaps < len(heard) <= len(ends):
                    early.append(ends[len(heard) - 1] - now)
                count["too few"] += len(heard) < surely
                count["number right, a word wrong"] += (
                    surely <= len(heard) <= perhaps and heard != truth[: len(heard)]
                )
                count["right"] += surely <= len(heard) <= perhaps and heard == truth[: len(heard)]
        total = count["prefixes"]
        result[task] = {
            name: n if name == "prefixes" else round(100 * n / total, 2)
            for name, n in count.items()
        }
        result[task]["too many: median seconds before the end"] = round(float(np.median(early)), 3)
        result[task]["too many: 90 % below"] = round(float(np.quantile(early, 0.9)), 3)
    return result


def word_times(
    model: Recogniser, strings: Sequence[TestString], parts: dict[str, Recording]
) -> dict[str, float]:
    """Errors of the words' ends, in seconds; positive where they are late."""
    errors = []
    for string in strings:
        _, ends = digit_bounds(string, parts)
        found = model.ends(string.audio, [ENGLISH[d] for d in string.digits])
        errors += [f - e for f, e in zip(found, ends, strict=True)]
    return summary(errors)


def summary(errors: Sequence[float]) -> dict[str, float]:
    """Of errors in seconds."""
    size = np.abs(errors)
    return {
        "words": len(size),
        "mean error": round(float(np.mean(errors)), 3),
        "mean size": round(float(size.mean()), 3),
        "median size": round(float(np.median(size)), 3),
        "90 % below": round(float(np.quantile(size, 0.9)), 3),
        "above 0.2 s, %": round(100 * float((size > 0.2).mean()), 1),
    }


def dev_strings(
    data: Path, seed: int = 5, count: int = 100
) -> list[tuple[Audio, list[int], list[float]]]:
    """Strings joined from the development recordings: audio, digits, their ends in seconds."""
    _, dev = split(data / "fsdd_raw_8k.zip", data / "manifest.tsv")
    rng = np.random.default_rng(seed)
    result = []
    for i in range(count):
        of_one = [r for r in dev if r.speaker == SPEAKERS[i % len(SPEAKERS)]]
        pieces, digits, ends, at = [], [], [], 0
        for _ in range(rng.integers(2, 9)):
            recording = of_one[rng.integers(len(of_one))]
            audio = resample(recording.audio, 2.0)
            digits.append(recording.digit)
            ends.append((at + bounds(audio)[1]) / RATE)
            gap = np.zeros(int(rng.uniform(0.05, 0.8) * RATE), dtype=np.float32)
            pieces += [audio, gap]
            at += len(audio) + len(gap)
        audio = np.concatenate(pieces)
        audio += rng.standard_normal(len(audio)).astype(np.float32) * np.float32(1e-3)
        result.append((audio, digits, ends))
    return result


def each_head(path: Path, data: Path) -> dict[str, dict[str, float]]:
    """Errors of word ends on development strings, by the head they are taken from."""
    config = json.loads((path / "config.json").read_text())
    strings = dev_strings(data)
    result = {}
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "model"
        shutil.copytree(path, copy)
        choices = [[[layer, head]] for layer in range(LAYERS) for head in range(HEADS)]
        choices.append([[LAYERS - 1, head] for head in range(HEADS)])
        for heads in choices:
            (copy / "config.json").write_text(json.dumps({**config, "alignment_heads": heads}))
            model = Recogniser(copy)
            errors = []
            for audio, digits, ends in strings:
                found = model.ends(audio, [ENGLISH[d] for d in digits])
                errors += [f - e for f, e in zip(found, ends, strict=True)]
            result[str(heads)] = summary(errors)
    return result


def joined(data: Path, speaker: str, seed: int = 7) -> list[TestString]:
    """All of a speaker's recordings that are in no test string, five to a string."""
    train, dev = split(data / "fsdd_raw_8k.zip", data / "manifest.tsv")
    his = [r for r in train + dev if r.speaker == speaker]
    rng = np.random.default_rng(seed)
    rng.shuffle(his)
    strings = []
    for at in range(0, len(his), 5):
        five = his[at : at + 5]
        pieces = []
        for recording in five:
            gap = np.zeros(int(rng.uniform(0.12, 0.4) * RATE), dtype=np.float32)
            pieces += [gap, resample(recording.audio, 2.0)]
        digits = tuple(r.digit for r in five)
        names = tuple(r.name for r in five)
        strings.append(
            TestString(f"{speaker}_{at}", speaker, np.concatenate(pieces), digits, names)
        )
    return strings


def no_speech(model: Recogniser, data: Path) -> dict[str, dict[str, float]]:
    """Silence and noise: how often nothing is said, and how sure the model is of it."""
    rng = np.random.default_rng(3)
    windows: dict[str, list[Audio]] = defaultdict(list)
    for seconds in np.linspace(0.3, 12, 40):
        n = int(seconds * RATE)
        white = rng.standard_normal(n)
        frequency = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20)
        pink = np.fft.irfft(np.fft.rfft(white) * frequency**-0.5, n)
        pink /= pink.std()
        level = 10 ** rng.uniform(-4, -1)
        windows["digital silence"].append(np.zeros(n, dtype=np.float32))
        windows["white noise"].append((level * white).astype(np.float32))
        windows["pink noise"].append((level * pink).astype(np.float32))
    for name in NOISES:
        audio, _ = soundfile.read(data / "clips" / f"{name}.flac", dtype="float32")
        for seconds in (1.0, 2.0, 5.0):
            n = int(seconds * RATE)
            windows[name] += [audio[i : i + n] for i in range(0, len(audio) - n + 1, n)]
    result = {}
    for name, pieces in windows.items():
        heard = [model.hear(piece, "transcribe") for piece in pieces]
        result[name] = {
            "windows": len(heard),
            "empty, %": round(100 * float(np.mean([not h.words for h in heard])), 1),
            "words in the others": sum(len(h.words) for h in heard),
            "no-speech probability above 0.6, %": round(
                100 * float(np.mean([h.no_speech > 0.6 for h in heard])), 1
            ),
        }
    return result


def others(model: Recogniser, data: Path) -> dict[str, str]:
    """Other real clips with digits: what is heard."""
    result = {}
    for name in OTHERS:
        audio, _ = soundfile.read(data / "clips" / f"{name}.flac", dtype="float32")
        result[name] = " ".join(model.hear(audio, "transcribe").words)
    return result


def evaluate(args: argparse.Namespace) -> dict[str, object]:
    """All figures."""
    model = Recogniser(args.model, args.threads)
    strings = test_strings(args.data / "manifest.tsv")
    parts = recordings(args.data / "fsdd_raw_8k.zip")
    if args.speaker:
        strings = [s for s in strings if s.speaker == args.speaker]
    result: dict[str, object] = {"offline": offline(model, strings)}
    if args.speaker:
        others_of_his = joined(args.data, args.speaker)
        result["strings of his other recordings"] = offline(model, others_of_his)
    if args.brief:
        return result
    speech = [model.hear(s.audio, "transcribe").no_speech for s in strings]
    result["no-speech probability on speech, highest"] = round(max(speech), 4)
    result["offline, silence after it"] = {
        f"{s} s": {t: r["all"] for t, r in offline(model, strings, silence=s).items()}
        for s in (0.0, 0.1, 0.25, 1.0, 2.0)
    }
    result["offline, padded to 30 s as faster-whisper does"] = offline(model, strings, full=True)
    result["offline, after other text"] = {
        task: offline(model, strings, before=" " + " ".join(words[d] for d in (3, 1, 4, 1, 5, 9)))[
            task
        ]
        for task, words in TASKS.items()
    }
    result["prefixes, 0.1 s apart"] = prefixes(model, strings, parts)
    result["word ends"] = word_times(model, strings, parts)
    result["word ends on development strings by head"] = each_head(args.model, args.data)
    result["no speech"] = no_speech(model, args.data)
    result["other clips"] = others(model, args.data)
    return result


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--speaker", choices=SPEAKERS, help="only this one's test strings")
    parser.add_argument("--brief", action="store_true", help="only word error rates")
    parser.add_argument("--threads", type=int, default=2)
    print(json.dumps(evaluate(parser.parse_args()), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
