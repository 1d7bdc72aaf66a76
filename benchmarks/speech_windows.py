"""How long a window may be: error rate on strings of digits without a pause, by scroll and context.

    python -m benchmarks.speech_windows

For each of the five speakers eight strings of ../shared/speech, one after the other, 50 ms apart:
20 to 30 s that are one utterance, so that windows must scroll.
"""

from __future__ import annotations

import os
import sys

import jiwer
import numpy as np

from benchmarks.speech_policies import corpus
from lsgcli.backends import open_speech
from lsgcli.core.audio import RATE
from lsgcli.core.backend import Placement
from lsgcli.evaluation.speech_runner import Listener
from lsgcli.models.catalog import directory, speech
from lsgcli.policy.lsg import Lsg
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.detector import Silero
from lsgcli.speech.feed import SpeechFeed
from lsgcli.speech.pipeline import SpeechPipeline
from lsgcli.speech.sources.decode import decode

STRINGS, GAP = 8, 0.05
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "yweweler")
GRID = ((8.0, 64), (8.0, 0), (6.0, 0), (5.0, 12), (5.0, 0), (4.0, 0))  # seconds, tokens


def main() -> None:
    """Print a line for each setting."""
    backend = open_speech(speech(directory("digits-en"), "en", None), Placement())
    backend.ready()
    recordings = corpus("asr")
    said, streams = [], []
    for speaker in SPEAKERS:
        own = [each for each in recordings if speaker in each.source][:STRINGS]
        said.append(" ".join(each.reference for each in own))
        gap = np.zeros(round(GAP * RATE), np.float32)
        streams.append([part for each in own for part in (*decode(each.source), gap)])
    print(f"{'scroll s':>8} {'context':>8} {'WER %':>6}   by speaker")
    for scroll, context in GRID:
        heard = []
        for stream in streams:
            listener = Listener(None)
            feed = SpeechFeed(AudioReader(iter(stream)), Silero(), pause=5.0)
            policy = Lsg(1.0, 0.5, 1, 4)
            SpeechPipeline(feed, policy, backend, listener, scroll=scroll, context=context).run()
            heard.append(listener.transcript.text)
        rates = [100 * jiwer.wer(a, b) for a, b in zip(said, heard, strict=True)]
        each = " ".join(f"{rate:.1f}" for rate in rates)
        print(f"{scroll:8.1f} {context:8} {100 * jiwer.wer(said, heard):6.1f}   {each}", flush=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
