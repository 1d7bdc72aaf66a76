"""The recordings: the Free Spoken Digit Dataset, and the strings of it that are kept for tests."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

RATE = 16_000
ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
GERMAN = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "yweweler")
THRESHOLD_DB = 25.0  # a digit lasts as long as a 10 ms frame is this close to its loudest one
DEV_TAKES = 2  # of each digit and speaker, kept out of training to develop on


@dataclass(frozen=True)
class Spoken:
    """One digit at 16 kHz, peak 1, with the samples at which it begins and ends."""

    audio: Audio
    start: int
    end: int


@dataclass(frozen=True)
class Recording:
    """A file of the data set."""

    name: str
    digit: int
    speaker: str
    audio: Audio  # 8 kHz, as recorded


@dataclass(frozen=True)
class TestString:
    """Digits of one speaker, joined into a clip; ``names`` are the recordings in it."""

    id: str
    speaker: str
    audio: Audio
    digits: tuple[int, ...]
    names: tuple[str, ...]


def resample(audio: Audio, factor: float) -> Audio:
    """Band-limited resampling of a short recording: ``factor`` times as many samples."""
    edge = 256
    padded = np.pad(audio, edge)
    length = round(len(padded) * factor)
    spectrum = np.fft.rfft(padded)
    bins = length // 2 + 1
    spectrum = spectrum[:bins] if bins <= len(spectrum) else spectrum
    result = np.fft.irfft(spectrum, n=length) * (length / len(padded))
    cut = round(edge * factor)
    return result[cut : cut + round(len(audio) * factor)].astype(np.float32)


def bounds(audio: Audio, rate: int = RATE) -> tuple[int, int]:
    """Where a digit begins and ends, by the energy of 10 ms frames."""
    step = rate // 100
    count = max(1, len(audio) // step)
    frames = audio[: count * step].reshape(count, -1)
    level = 10 * np.log10((frames**2).mean(1) + 1e-12)
    loud = np.flatnonzero(level > level.max() - THRESHOLD_DB)
    return int(loud[0]) * step, min(len(audio), (int(loud[-1]) + 1) * step)


def spoken(recording: Recording, speed: float = 1.0) -> Spoken:
    """The digit at 16 kHz, said ``speed`` times as fast (and as high)."""
    audio = resample(recording.audio, RATE / 8000 / speed)
    audio = audio / max(1e-6, float(np.abs(audio).max()))
    return Spoken(audio, *bounds(audio))


def test_strings(manifest: Path) -> list[TestString]:
    """The clips ``en_fsdd_*`` of the manifest."""
    strings = []
    with manifest.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if not row["id"].startswith("en_fsdd_"):
                continue
            audio, rate = soundfile.read(manifest.parent / row["file"], dtype="float32")
            if rate != RATE:
                raise ValueError(f"{row['file']}: {rate} Hz")
            names = tuple(re.findall(r"\d_[a-z]+_\d+\.wav", row["origin"]))
            digits = tuple(ENGLISH.index(word) for word in row["transcript"].split())
            if tuple(int(name[0]) for name in names) != digits:
                raise ValueError(f"{row['id']}: transcript and origin differ")
            strings.append(TestString(row["id"], row["id"].split("_")[2], audio, digits, names))
    return strings


def recordings(archive: Path) -> dict[str, Recording]:
    """All files of the archive, by name, at 8 kHz as they are."""
    result = {}
    with zipfile.ZipFile(archive) as file:
        for name in sorted(file.namelist()):
            if not name.endswith(".wav"):
                continue
            audio, rate = soundfile.read(io.BytesIO(file.read(name)), dtype="float32")
            if rate != 8000:
                raise ValueError(f"{name}: {rate} Hz")
            short = name.rsplit("/", 1)[-1]
            digit, speaker, _ = short.split("_")
            result[short] = Recording(short, int(digit), speaker, audio)
    return result


def split(archive: Path, manifest: Path) -> tuple[list[Recording], list[Recording]]:
    """Training and development recordings; none of them is in a test string."""
    tested = {name for string in test_strings(manifest) for name in string.names}
    everything = recordings(archive)
    if not tested or not tested <= everything.keys():
        raise ValueError("the test strings' recordings are not all in the archive")
    train, dev = [], []
    for digit in range(10):
        for speaker in SPEAKERS:
            of_these = [
                r
                for r in everything.values()
                if r.digit == digit and r.speaker == speaker and r.name not in tested
            ]
            dev += of_these[:DEV_TAKES]
            train += of_these[DEV_TAKES:]
    return train, dev
