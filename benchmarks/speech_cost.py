"""What recognising speech costs: real-time factor, passes, memory; of padding; over an hour.

    python -m benchmarks.speech_cost [--model NAME|DIR|tiny|base …] [--hour] [--padding]

Models named tiny, base, small are of Whisper's shapes with random weights (whisper_shapes.py). The
audio is ../shared/speech/clips/en_long_udhr.flac, 149 s; for --hour all clips, over and over. The
clock is simulated: a segment of 640 ms at a time, as it would come live.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.whisper_shapes import SHAPES, make
from lsgcli.backends.whisper import WhisperBackend
from lsgcli.core.audio import RATE, SpeechSegment
from lsgcli.core.backend import Placement
from lsgcli.evaluation.speech_runner import Listener
from lsgcli.models import recogniser
from lsgcli.models.catalog import speech
from lsgcli.output.statistics import SpeechStatistics
from lsgcli.policy.lsg import Lsg
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.detector import Silero
from lsgcli.speech.feed import SpeechFeed
from lsgcli.speech.pipeline import SpeechPipeline
from lsgcli.speech.sources.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lsgcli.speech.chunks import Samples

CLIPS = Path(__file__).parents[2] / "shared" / "speech" / "clips"
MINUTES = 5  # of audio between two lines of the table of an hour


def open_model(name: str) -> WhisperBackend:
    """Open a model, or make one of a shape."""
    if name in SHAPES:
        directory = make(name, Path(tempfile.mkdtemp()) / name)
    else:
        directory = recogniser.directory(name, offline=True, note=print)
    backend = WhisperBackend(speech(directory, "en", None), Placement())
    backend.ready()
    return backend


def recognise(backend: WhisperBackend, source: Iterable[Samples], policy: Lsg) -> SpeechStatistics:
    """Recognise a stream."""
    backend.usage.calls = backend.usage.tokens = 0
    backend.usage.encoded = 0.0
    feed = SpeechFeed(AudioReader(source), Silero())
    statistics = SpeechStatistics(backend.usage, live=False)
    statistics.feeds.append(feed)
    SpeechPipeline(feed, policy, backend, Listener(None), (statistics,)).run()
    return statistics


def streaming(names: list[str]) -> None:
    """Real-time factor over the long clip, for two of the paper's ranges."""
    print(
        f"{'model':12} {'[L, U]':8} {'RTF':>6} {'passes/s':>9} {'encoded s/s':>12} {'words/s':>8}"
    )
    for name in names:
        backend = open_model(name)
        for lower, upper in ((1, 4), (3, 4)):
            policy = Lsg(7.0, 0.5, lower, upper)
            figures = recognise(backend, decode(CLIPS / "en_long_udhr.flac"), policy).summary()
            print(
                f"{name:12} [{lower}, {upper}] {figures['real_time_factor']:9.3f}"
                f" {figures['model_calls_per_second']:9.1f} {figures['encoded_per_second']:12.2f}"
                f" {figures['words_written'] / figures['audio_s']:8.2f}",
                flush=True,
            )


def padding(names: list[str]) -> None:
    """Encoding what there is, and half a second of silence, against 30 seconds of padding."""
    print(f"{'model':12} {'audio s':>8} {'ms':>8} {'padded':>8} {'ratio':>6}")
    samples = np.concatenate(list(decode(CLIPS / "en_long_udhr.flac")))
    for name in names:
        backend = open_model(name)
        for length in (2, 5, 8, 15):
            times = []
            for backend._silence, backend._window in ((0.5, 0.0), (0.0, 30.0)):
                took = []
                for _ in range(5):
                    source = (
                        SpeechSegment(samples[: length * RATE], 0, length * RATE),
                    )  # unlike any before
                    start = time.perf_counter()
                    backend._encoding(source)
                    took.append(time.perf_counter() - start)
                times.append(1000 * min(took))
            ratio = times[1] / times[0]
            print(f"{name:12} {length:8} {times[0]:8.1f} {times[1]:8.1f} {ratio:6.1f}", flush=True)


class Minutes(SpeechStatistics):
    """Prints cost and memory every few minutes of audio."""

    _last = (0.0, 0.0, 0)

    def waited(self, seconds: float, behind: float) -> None:
        """Look whether some minutes have passed."""
        super().waited(seconds, behind)
        heard = self.feeds[0].position / RATE
        before, busy, calls = self._last
        if heard - before >= 60 * MINUTES:
            cost = (self.busy - busy) / (heard - before)
            passes = (self.usage.calls - calls) / (heard - before)
            print(f"{heard / 60:8.1f} {cost:8.4f} {passes:9.1f} {memory():8.0f}", flush=True)
            self._last = (heard, self.busy, self.usage.calls)


def memory() -> float:
    """MB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def hour(name: str, minutes: float) -> None:
    """Cost and memory while an hour of audio goes by."""
    print(f"{name}: an hour of all clips, one after the other\n")
    print(f"{'minutes':>8} {'RTF':>8} {'passes/s':>9} {'MB':>8}")
    backend = open_model(name)
    feed = SpeechFeed(AudioReader(looped(minutes * 60)), Silero())
    statistics = Minutes(backend.usage)
    statistics.feeds.append(feed)
    policy = Lsg(7.0, 0.5, 1, 4)
    SpeechPipeline(feed, policy, backend, Listener(None), (statistics,)).run()


def looped(seconds: float) -> Iterator[Samples]:
    """All clips, over and over."""
    left = seconds * RATE
    while left > 0:
        for file in sorted(CLIPS.glob("*.flac")):
            for samples in decode(file):
                yield samples
                left -= len(samples)
            if left <= 0:
                return


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", nargs="+", default=["tiny", "base"])
    parser.add_argument("--hour", nargs="?", const=60.0, type=float, metavar="MINUTES")
    parser.add_argument("--padding", action="store_true")
    options = parser.parse_args()
    if options.hour:
        hour(options.model[0], options.hour)
    elif options.padding:
        padding(options.model)
    else:
        streaming(options.model)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
