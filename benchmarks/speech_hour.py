"""What recognising an hour of audio costs: real-time factor, passes and memory as it goes by.

    python -m benchmarks.speech_hour [--model NAME|DIR] [--minutes 60]

The audio is all clips of ../shared/speech, one after the other, over and over. The clock is
simulated: a segment of 640 ms at a time, as it would come live.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.backends import open_speech
from lsgcli.core.audio import RATE
from lsgcli.core.backend import Placement
from lsgcli.evaluation.speech_runner import Listener
from lsgcli.models.catalog import directory, speech
from lsgcli.output.statistics import SpeechStatistics
from lsgcli.policy.lsg import Lsg
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.detector import Silero
from lsgcli.speech.feed import SpeechFeed
from lsgcli.speech.pipeline import SpeechPipeline
from lsgcli.speech.sources.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsgcli.speech.chunks import Samples

CLIPS = Path(__file__).parents[2] / "shared" / "speech" / "clips"
MINUTES = 5  # of audio between two lines of the table
POLICY = Lsg(7.0, 0.5, 1, 4)


class Minutes(SpeechStatistics):
    """Prints cost and memory every few minutes of audio."""

    _last = (0.0, 0.0, 0)

    def waited(self, seconds: float, behind: float, now: float) -> None:
        """Look whether some minutes have passed."""
        super().waited(seconds, behind, now)
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
    """Print a line every few minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="digits-en")
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    backend = open_speech(speech(directory(options.model), "en", None), Placement())
    backend.ready()
    print(f"{options.model}: {options.minutes:g} minutes of all clips, one after the other\n")
    print(f"{'minutes':>8} {'RTF':>8} {'passes/s':>9} {'MB':>8}")
    feed = SpeechFeed(AudioReader(looped(options.minutes * 60)), Silero())
    statistics = Minutes(backend.usage)
    statistics.feeds.append(feed)
    SpeechPipeline(feed, POLICY, backend, Listener(None), (statistics,)).run()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
