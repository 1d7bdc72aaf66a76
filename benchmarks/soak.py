"""Hours of a stream, in virtual time: what an hour costs, and what memory is held after it.

    python -m benchmarks.soak [--hours N] [--minutes N] [--every N] [--stream NAME …]

The input comes without a pause, as if the machine were as fast as needed: logs (a line every six
seconds), unbroken text of speech (150 words a minute without a line end), typing (40 words a
minute, character by character), speech on the recogniser in the box. Prints a line for each virtual
hour, or as often as ``--every`` says: seconds of the processor since the line before, and resident
memory. A stream ends after its hours, or when its share of the minutes is over.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lsgcli.backends import open_backends, open_speech
from lsgcli.core.audio import RATE
from lsgcli.core.backend import Placement
from lsgcli.models.directions import Directions
from lsgcli.models.recogniser import choose
from lsgcli.output.descriptor import Output
from lsgcli.output.statistics import SpeechStatistics, Statistics
from lsgcli.output.text import TextWriter
from lsgcli.policy.spec import PolicySettings
from lsgcli.speech import build as speech
from lsgcli.speech.sources.decode import decode
from lsgcli.text import build as text
from lsgcli.text.chunks import Chunk
from lsgcli.text.options import TextOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lsgcli.speech.chunks import Samples

WORDS = Path(__file__).parents[1] / "benchmarks/held/test/business-and-logs.en-de.en"


class Meter:
    """Prints what each virtual hour has cost."""

    def __init__(self, stream: str, hours: float, seconds: float, every: float) -> None:
        self._stream, self._end, self._every = stream, hours * 3600, every
        self._until = time.monotonic() + seconds
        self._count, self._cpu = 0, time.process_time()

    def over(self, now: float) -> bool:
        """Note the virtual time, in seconds; tell whether that was enough."""
        if now >= 3600 * self._every * (self._count + 1):
            self._count += 1
            cpu, self._cpu = time.process_time() - self._cpu, time.process_time()
            gc.collect()
            hours = self._count * self._every
            print(f"{self._stream}\t{hours:g}\t{cpu:.1f}\t{_resident():.1f}", flush=True)
        return now >= self._end or time.monotonic() > self._until


def _resident() -> float:
    """Resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Virtual:
    """Chunks at virtual times: a pause is a time-out at once."""

    def __init__(self, pieces: Iterator[tuple[float, bytes]], meter: Meter) -> None:
        self.ended = False
        self._pieces, self._meter = pieces, meter
        self._next = next(pieces)
        self._now = 0.0

    def get(self, timeout: float | None = None) -> Chunk | None:
        """Give the next chunk if its time comes before the time-out."""
        at, data = self._next
        if at > self._now + (float("inf") if timeout is None else timeout):
            self._now += timeout or 0
            return None
        if self._meter.over(at):
            self.ended = True
            return None
        self._now, self._next = at, next(self._pieces)
        return Chunk(data, time.monotonic())


def logs(lines: list[str]) -> Iterator[tuple[float, bytes]]:
    """A line every six seconds."""
    rng = random.Random(0)
    for n in count():
        stamp = (
            f"2026-11-28T{n // 600 % 24:02}:{n // 10 % 60:02}:{6 * n % 60:02}Z INFO [app.{n % 7}] "
        )
        yield 6.0 * n, (stamp + rng.choice(lines) + "\n").encode()


def talk(lines: list[str]) -> Iterator[tuple[float, bytes]]:
    """A word every 0.4 s, and no line ends."""
    rng = random.Random(0)
    at = 0.0
    while True:
        for word in rng.choice(lines).split():
            at += 0.4
            yield at, f"{word} ".encode()


def typing(lines: list[str]) -> Iterator[tuple[float, bytes]]:
    """A character every 0.3 s, and a pause at the end of a line."""
    rng = random.Random(0)
    at = 0.0
    while True:
        for character in rng.choice(lines) + "\n":
            at += 0.3 if character != "\n" else 5.0
            yield at, character.encode()


def translated(pieces: Iterator[tuple[float, bytes]], meter: Meter) -> None:
    """Translate a stream of text."""
    directions = Directions("en-de", "en", "de")
    backends = open_backends(directions.models, Placement("cpu", "auto", 1))
    statistics = Statistics(backends[""].usage)
    writer = TextWriter(Output(os.open(os.devnull, os.O_WRONLY)))
    text.build(
        directions,
        backends,
        PolicySettings("lsg"),
        TextOptions(),
        Virtual(pieces, meter),
        writer,
        (statistics,),
    ).run()


def heard(recording: Samples, meter: Meter) -> None:
    """Recognise a recording again and again, with pauses between."""
    model = choose("tiny.en", "en", None, offline=True)
    backend = open_speech(model, Placement("cpu", "auto", 1))
    backend.ready()
    pause = np.zeros(round(3.3 * RATE), np.float32)

    def samples() -> Iterator[Samples]:
        at = 0.0
        while not meter.over(at):
            for piece in (recording, pause):
                yield piece
                at += len(piece) / RATE

    feed = speech.feed(model, samples())
    statistics = SpeechStatistics(backend.usage)
    statistics.feeds.append(feed)
    writer = TextWriter(Output(os.open(os.devnull, os.O_WRONLY)))
    speech.pipeline(model, backend, feed, PolicySettings("lsg"), writer, (statistics,)).run()


def main() -> None:
    """Run the streams, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--every", type=float, default=1.0, help="hours of a line")
    parser.add_argument("--minutes", type=float, default=15.0, help="for all streams together")
    parser.add_argument("--recording", type=Path, help="for the stream speech")
    parser.add_argument("--stream", nargs="+", choices=["logs", "talk", "typing", "speech"])
    asked = parser.parse_args()
    names = asked.stream or ["logs", "talk", "typing", *(["speech"] if asked.recording else [])]
    if "speech" in names and not asked.recording:
        parser.error("the stream speech needs --recording FILE")
    lines = [line for line in WORDS.read_text(encoding="utf-8").splitlines() if line.strip()]
    texts: dict[str, Callable[[list[str]], Iterator[tuple[float, bytes]]]] = {
        "logs": logs,
        "talk": talk,
        "typing": typing,
    }
    print("stream\thour\tprocessor s\tresident MB", flush=True)
    for name in names:
        meter = Meter(name, asked.hours, 60 * asked.minutes / len(names), asked.every)
        if name in texts:
            translated(texts[name](lines), meter)
        else:
            heard(np.concatenate(list(decode(asked.recording))), meter)


if __name__ == "__main__":
    main()
