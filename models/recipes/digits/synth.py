"""Training windows made on the fly: strings of digits, cut off, in noise, with their targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from models.recipes.digits.corpus import RATE, SPEAKERS, Recording, Spoken, spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.recipes.digits.corpus import Audio

SPEEDS = tuple(float(s) for s in np.geomspace(0.82, 1.24, 9))
TOLERANCE = int(0.05 * RATE)  # a digit that ends so soon after the cut counts as said
HEARD = int(0.06 * RATE)  # less of a digit than this is neither speech nor no speech


@dataclass
class Row:
    """A window and what is to be said about it."""

    audio: Audio
    digits: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    unfinished: tuple[int, int] | None = None  # of a digit that the cut leaves unfinished
    speech: bool | None = True  # None: too little to tell
    tail: int = 0  # samples of silence appended after the cut, 0 where noise goes on


class Noise:
    """A bank of synthetic noises to take pieces from."""

    def __init__(self, voices: Sequence[Spoken], rng: np.random.Generator, seconds: int = 30):
        n = seconds * RATE
        frequency = np.maximum(np.fft.rfftfreq(n, 1 / RATE), 20.0)
        self.bank: list[Audio] = []
        for slope in (0.0, 0.0, -0.25, -0.5, -0.5, -0.75, -1.0, 0.25):
            spectrum = np.fft.rfft(rng.standard_normal(n)) * frequency**slope
            self.bank.append(self._unit(np.fft.irfft(spectrum, n)))
        for _ in range(4):  # a band of noise
            low = rng.uniform(50, 3000)
            high = low * rng.uniform(1.5, 6)
            shape = 1 / (1 + (low / frequency) ** 4) / (1 + (frequency / high) ** 4)
            spectrum = np.fft.rfft(rng.standard_normal(n)) * shape
            self.bank.append(self._unit(np.fft.irfft(spectrum, n)))
        t = np.arange(n) / RATE
        for mains in (50.0, 60.0):
            hum = sum(
                rng.uniform(0.1, 1) / k * np.sin(2 * np.pi * (k * mains * t + rng.random()))
                for k in range(1, 12)
            )
            self.bank.append(self._unit(hum + 0.05 * rng.standard_normal(n)))
        for _ in range(3):  # noise that comes and goes
            swell = np.interp(t, np.arange(0, seconds + 1, 0.5), rng.random(2 * seconds + 2) ** 2)
            pink = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * frequency**-0.5, n)
            self.bank.append(self._unit(pink * swell))
        for _ in range(3):  # many voices, backwards
            babble = np.zeros(n)
            for _ in range(12 * seconds):
                voice = voices[int(rng.integers(len(voices)))].audio[::-1]
                at = rng.integers(n - len(voice))
                babble[at : at + len(voice)] += voice * rng.uniform(0.3, 1)
            self.bank.append(self._unit(babble))

    @staticmethod
    def _unit(audio: np.ndarray) -> Audio:
        return np.asarray(audio / np.sqrt((audio**2).mean() + 1e-12), np.float32)

    def take(self, rng: np.random.Generator, length: int) -> Audio:
        """A piece of RMS about 1."""
        source = self.bank[rng.integers(len(self.bank))]
        at = rng.integers(len(source) - length) if len(source) > length else 0
        piece = source[at : at + length]
        return np.resize(piece, length) if len(piece) < length else piece


class Synth:
    """Makes windows out of recordings."""

    def __init__(self, recordings: Sequence[Recording], seed: int):
        rng = np.random.default_rng(seed)
        self.table: dict[str, list[list[list[Spoken]]]] = {}
        present = {r.speaker for r in recordings}
        self.speakers = [s for s in SPEAKERS if s in present]
        for name in self.speakers:
            self.table[name] = [[] for _ in range(10)]
        for recording in recordings:
            versions = [spoken(recording, speed) for speed in SPEEDS]
            self.table[recording.speaker][recording.digit].append(versions)
        voices = [v[len(SPEEDS) // 2] for s in self.table.values() for d in s for v in d]
        self.noise = Noise(voices, rng)

    def _pick(self, rng: np.random.Generator, speaker: str, speed: int) -> tuple[int, Spoken]:
        digit = int(rng.integers(10))
        takes = self.table[speaker][digit]
        speed = int(np.clip(speed + rng.integers(-1, 2), 0, len(SPEEDS) - 1))
        return digit, takes[rng.integers(len(takes))][speed]

    def row(self, rng: np.random.Generator, length: int, plain: float = 0.0) -> Row:
        """A window of ``length`` samples; ``plain`` is the share of undistorted ones."""
        if rng.random() < 0.07:
            return self._no_speech(rng, length)
        cut = rng.random() < 0.6
        tail = int(_tail_seconds(rng) * RATE) if cut else 0
        tail = min(tail, int(length * 0.6))
        content = length - tail
        row = Row(np.zeros(length, dtype=np.float32), tail=tail)
        self._say(rng, row, content, cut)
        row.audio[content:] = 0
        if rng.random() >= plain:
            self._distort(rng, row, content)
        return row

    def _say(self, rng: np.random.Generator, row: Row, content: int, cut: bool) -> None:
        """Put digits into the window, and into the targets those that end in it."""
        speaker = self.speakers[rng.integers(len(self.speakers))]
        mixed = rng.random() < 0.08
        speed = int(rng.integers(len(SPEEDS)))
        trimmed = rng.random() < 0.5
        most = int(rng.integers(1, 11)) if rng.random() < 0.4 else 10_000
        widest = (0.45, 0.8, 1.8)[rng.choice(3, p=(0.6, 0.33, 0.07))]
        at = self._begin(rng, row, content, speaker, speed)
        for _ in range(most):
            if mixed:
                speaker = self.speakers[rng.integers(len(self.speakers))]
            digit, said = self._pick(rng, speaker, speed)
            audio, start, end = said.audio, said.start, said.end
            if trimmed:
                low = max(0, start - int(rng.uniform(0, 0.04) * RATE))
                high = end + int(rng.uniform(0, 0.04) * RATE)
                audio, start, end = audio[low:high], start - low, end - low
            if at >= content or (not cut and at + end > content):
                break
            stop = min(content, at + len(audio))
            row.audio[at:stop] += audio[: stop - at] * np.float32(10 ** rng.uniform(-0.2, 0.2))
            if at + end <= content + TOLERANCE:
                row.digits.append(digit)
                row.starts.append(at + start)
                row.ends.append(min(content, at + end))
            elif at + start < content:
                row.unfinished = (at + start, content)
            at += len(audio) + int(rng.uniform(0.05, widest) * RATE)
        if not row.digits:
            heard = content - row.unfinished[0] if row.unfinished else 0
            if row.speech is not None:
                row.speech = True if heard > HEARD else None if heard else False

    def _begin(
        self, rng: np.random.Generator, row: Row, content: int, speaker: str, speed: int
    ) -> int:
        """The silence in front, or what is left of a digit before the window; where to go on."""
        kind = rng.random()
        if kind < 0.12:  # a window that has scrolled, not quite to the end of a digit
            _, said = self._pick(rng, speaker, speed)
            rest = said.audio[max(said.start, said.end - int(rng.uniform(0.01, 0.09) * RATE)) :]
            rest = rest[:content]
            row.audio[: len(rest)] = rest
            row.speech = None
            return len(rest) + int(rng.uniform(0.04, 0.4) * RATE)
        longest = 0.0 if kind < 0.3 else 0.3 if kind < 0.75 else 1.6
        return int(min(rng.uniform(0, longest) * RATE, content * 0.6))

    def _no_speech(self, rng: np.random.Generator, length: int) -> Row:
        row = Row(np.zeros(length, dtype=np.float32), speech=False)
        if rng.random() < 0.8:
            row.audio += self.noise.take(rng, length) * np.float32(10 ** rng.uniform(-5, -0.6))
        if rng.random() < 0.25:
            _click(rng, row.audio)
        if rng.random() < 0.3:
            row.tail = min(int(_tail_seconds(rng) * RATE), length - 1)
            row.audio[length - row.tail :] = 0
        np.clip(row.audio, -1, 1, out=row.audio)
        return row

    def _distort(self, rng: np.random.Generator, row: Row, content: int) -> None:
        """Room, filter, level, noise; then the cut, with silence after it."""
        audio = row.audio
        heard = audio[:content]
        if rng.random() < 0.5:
            heard[:] = _filtered(rng, heard)
        if rng.random() < 0.25:  # something above 4 kHz, where the recordings have nothing
            mirrored = heard.copy()
            mirrored[1::2] *= -1
            heard += mirrored * np.float32(10 ** rng.uniform(-2, -0.5))
        loud = heard[np.abs(heard) > 0.02]
        power = float(np.sqrt((loud**2).mean())) if len(loud) else 0.1
        noisy = rng.random() < 0.6
        until = content
        if noisy:
            if rng.random() < 0.25:  # the speech stops, the noise goes on
                until, row.tail = len(audio), 0
            level = power * 10 ** (-rng.uniform(5, 45) / 20)
            audio[:until] += self.noise.take(rng, until) * np.float32(level)
        if rng.random() < 0.06:
            _click(rng, heard)
        if until == content < len(audio) and rng.random() < 0.25:
            hiss = rng.standard_normal(len(audio) - content).astype(np.float32)
            audio[content:] = hiss * np.float32(power * 10 ** rng.uniform(-4, -2))
            row.tail = 0
        peak = max(1e-6, float(np.abs(audio).max()))
        audio *= np.float32(10 ** rng.uniform(-1.6, -0.02) / peak)


def _tail_seconds(rng: np.random.Generator) -> float:
    kind = rng.random()
    low, high = (0.0, 0.15) if kind < 0.2 else (0.15, 1.0) if kind < 0.85 else (1.0, 2.0)
    return float(rng.uniform(low, high))


def _click(rng: np.random.Generator, audio: Audio) -> None:
    for _ in range(rng.integers(1, 4)):
        n = min(int(rng.integers(8, 400)), len(audio))
        at = rng.integers(len(audio) - n + 1)
        burst = rng.standard_normal(n) * np.exp(-np.linspace(0, 6, n))
        audio[at : at + n] += (burst * 10 ** rng.uniform(-2, -0.3)).astype(np.float32)


def _filtered(rng: np.random.Generator, audio: Audio) -> Audio:
    """A random equaliser, sometimes a band limit, sometimes a small room."""
    room = rng.random() < 0.45
    length = len(audio) + (RATE // 2 if room else 512)
    n = 1 << (length - 1).bit_length()
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    points = np.array((0, 150, 400, 800, 1500, 2500, 4000, 8000), dtype=float)
    gain = 10 ** (np.interp(frequency, points, rng.uniform(-7, 7, len(points))) / 20)
    if rng.random() < 0.3:
        gain /= 1 + (rng.uniform(80, 400) / np.maximum(frequency, 1)) ** 4
    if rng.random() < 0.3:
        gain /= 1 + (frequency / rng.uniform(2400, 4000)) ** 8
    if room:
        t = np.arange(RATE // 2) / RATE
        response = rng.standard_normal(len(t)) * np.exp(-6.9 * t / rng.uniform(0.08, 0.5))
        response *= 10 ** (-rng.uniform(3, 18) / 20) / np.sqrt((response**2).sum())
        response[0] = 1
        gain = gain * np.fft.rfft(response, n)
    result = np.fft.irfft(np.fft.rfft(audio, n) * gain, n)[: len(audio)]
    return result.astype(np.float32)
