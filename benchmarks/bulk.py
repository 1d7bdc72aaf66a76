"""Bulk throughput of ``lsg translate`` against CTranslate2 called directly on the same lines.

    python benchmarks/bulk.py FILE...

Both read the lines, translate them greedily with the same batch size, and write text. Direct is
the best that CTranslate2's own batching gives: the whole file at once, sorted by length.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import ctranslate2
import sentencepiece

from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.core.backend import Placement
from lsgcli.models.catalog import find
from lsgcli.output.descriptor import Output
from lsgcli.output.text import TextWriter
from lsgcli.policy.baselines import Offline
from lsgcli.text.chunks import ChunkReader
from lsgcli.text.feed import Feed
from lsgcli.text.line.translate import Way
from lsgcli.text.pipeline import Pipeline
from lsgcli.text.segmenter import Limits, Segmenter

BATCH = 32


def through_lsg(backend: DecoderOnlyBackend, data: bytes) -> None:
    """Run the live pipeline on a real pipe, sentence splitting off, so that segments are lines."""
    read, write = os.pipe()
    threading.Thread(target=lambda: (_write(write, data), os.close(write))).start()
    feed = Feed(ChunkReader([read]), Segmenter(Limits(10**6, backend.count, "en", sentences=False)))
    sink = os.open(os.devnull, os.O_WRONLY)
    Pipeline(feed, {"": Way(Offline(), backend)}, TextWriter(Output(sink))).run()


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


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
    model = find("en-de", None, "de")
    backend = DecoderOnlyBackend(model, Placement(batch_size=BATCH))
    cores = len(os.sched_getaffinity(0))
    tuned = ctranslate2.Generator(
        str(model.directory), compute_type="int8", inter_threads=cores, intra_threads=1
    )
    default = ctranslate2.Generator(str(model.directory), compute_type="int8")
    spm = sentencepiece.SentencePieceProcessor(model_file=str(model.directory / "spm.model"))
    for file in map(Path, sys.argv[1:]):
        data = file.read_bytes()
        n = data.count(b"\n")
        runs = {
            "lsg": lambda data=data: through_lsg(backend, data),
            "direct, a core a replica": lambda data=data: direct(tuned, spm, data),
            "direct, CTranslate2's defaults": lambda data=data: direct(default, spm, data),
        }
        times = {}
        for name, run in runs.items():
            run() if name == "lsg" else None
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
