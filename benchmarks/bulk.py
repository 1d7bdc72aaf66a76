"""Bulk throughput of ``lsg translate`` against CTranslate2 called directly on the same lines.

    python -m benchmarks.bulk FILE...

Both read the lines, translate them greedily with the same batch size, and write text. Direct is
the best that CTranslate2's own batching gives: the whole file at once, sorted by length.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import ctranslate2
import sentencepiece

from benchmarks.embedded import open_decoder_only
from lsgcli.core.backend import Placement
from lsgcli.models.catalog import embedded
from lsgcli.output.descriptor import Output
from lsgcli.output.text import TextWriter
from lsgcli.policy.baselines import Offline
from lsgcli.text.chunks import ChunkReader
from lsgcli.text.feed import Feed
from lsgcli.text.line.translate import Route
from lsgcli.text.pipeline import Pipeline
from lsgcli.text.segmenter import Limits, Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsgcli.backends.decoder_only import DecoderOnlyBackend

BATCH = 32


def through_lsg(backend: DecoderOnlyBackend, data: bytes) -> None:
    """Run the live pipeline on a real pipe, sentence splitting off, so that segments are lines."""
    read, write = os.pipe()
    threading.Thread(target=_write, args=(write, data)).start()
    feed = Feed(ChunkReader([read]), Segmenter(Limits(10**6, backend.count, "en", sentences=False)))
    sink = os.open(os.devnull, os.O_WRONLY)
    Pipeline(feed, {"": Route(Offline(), backend)}, TextWriter(Output(sink))).run()


def _write(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(data)


def direct(generator: ctranslate2.Generator, spm: sentencepiece.SentencePieceProcessor,
           data: bytes) -> None:  # fmt: skip
    """One call of ``generate_batch`` for everything."""
    lines = data.decode().splitlines()
    prompts = [["<s>", "<2de>", *spm.encode(line, out_type=str), "<sep>"] for line in lines]
    results = generator.generate_batch(
        prompts, max_batch_size=BATCH, max_length=200, include_prompt_in_result=False
    )
    with open(os.devnull, "w", encoding="utf-8") as sink:
        for result in results:
            sink.write(spm.decode(result.sequences_ids[0]) + "\n")


def main() -> None:
    """Print lines a second of both, and the ratio."""
    directory = embedded()["en-de"]
    backend = open_decoder_only("de", placement=Placement(batch_size=BATCH))
    cores = len(os.sched_getaffinity(0))
    tuned = ctranslate2.Generator(
        str(directory), compute_type="int8", inter_threads=cores, intra_threads=1
    )
    default = ctranslate2.Generator(str(directory), compute_type="int8")
    spm = sentencepiece.SentencePieceProcessor(model_file=str(directory / "spm.model"))
    for file in map(Path, sys.argv[1:]):
        data = file.read_bytes()
        n = data.count(b"\n")
        runs: dict[str, Callable[[], None]] = {
            "lsg": partial(through_lsg, backend, data),
            "direct, a core a replica": partial(direct, tuned, spm, data),
            "direct, CTranslate2's defaults": partial(direct, default, spm, data),
        }
        times = {}
        for name, run in runs.items():
            if name == "lsg":
                run()
            start = time.perf_counter()
            run()
            times[name] = time.perf_counter() - start
        print(f"{file.name}: {n} lines")
        for name, seconds in times.items():
            print(f"  {name:32} {n / seconds:7.0f} lines/s   lsg is {seconds / times['lsg']:.2f}x")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
