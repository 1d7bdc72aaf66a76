"""How fast a log is scored, and in how much memory.

One command, from the root of the repository:

    python -m benchmarks.score_throughput [--words 1000000] [--output FILE]

Writes speech logs of growing length with our writer and scores each in a process of its own. If
memory per sentence is constant, the peak grows in proportion to the sentences, by the few numbers
that are kept of each; the log itself is read line by line.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lsgcli.evaluation.logs import Instance, write_simuleval
from lsgcli.evaluation.score import ScoreOptions, compare, measure_log, summarise

ROOT = Path(__file__).parent
WORDS_PER_SENTENCE = 20
VOCABULARY = [f"wort{number}" for number in range(5000)]
SETTINGS: dict[str, tuple[str, ...]] = {
    "latency, 3 clocks": (),
    "+ BLEU": ("BLEU",),
    "+ BLEU, chrF": ("BLEU", "chrF"),
}


def main() -> None:
    """Print and save a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "score_throughput.txt")
    options = parser.parse_args()
    lines = [f"{'words':>9} {'sentences':>9}  {'scored':<18} {'seconds':>8} {'peak MiB':>9}"]
    with tempfile.TemporaryDirectory() as directory:
        for words in (options.words // 100, options.words // 10, options.words):
            log = Path(directory) / str(words)
            write_simuleval(log, corpus(words // WORDS_PER_SENTENCE), source_type="speech")
            for name, quality in SETTINGS.items():
                seconds, peak = in_a_process("score_once", log, quality)
                row = f"{words:>9,} {words // WORDS_PER_SENTENCE:>9,}  {name:<18}"
                lines.append(f"{row} {seconds:>8.2f} {peak:>9.0f}")
        seconds, peak = in_a_process("compare_once", Path(directory) / str(options.words // 10), ())
        lines.append(
            f"\nPaired bootstrap, 1,000 resamples, of 24 latency metrics, BLEU and chrF over "
            f"{options.words // 10 // WORDS_PER_SENTENCE:,} sentences: {seconds:.1f} s"
        )
    print("\n".join(lines))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("\n".join(lines) + "\n")


def corpus(sentences: int) -> Iterator[Instance]:
    """Make up a speech log with a clock, one sentence at a time."""
    rng = random.Random(1)
    for index in range(sentences):
        reference = rng.choices(VOCABULARY, k=WORDS_PER_SENTENCE)
        prediction = [word if rng.random() < 0.6 else rng.choice(VOCABULARY) for word in reference]
        length = WORDS_PER_SENTENCE * 320.0
        delays = tuple(min(length, 320.0 * (i + 3)) for i in range(WORDS_PER_SENTENCE))
        elapsed = tuple(delay + 50.125 * (i + 1) for i, delay in enumerate(delays))
        yield Instance(
            index=index,
            prediction=" ".join(prediction),
            delays=delays,
            source_length=length,
            source_type="speech",
            reference=" ".join(reference),
            source=(f"/data/{index}.wav", "samplerate: 16000 Hz"),
            elapsed=elapsed,
        )


def in_a_process(function: str, log: Path, quality: tuple[str, ...]) -> tuple[float, float]:
    """Run a function of this module in a fresh process; its seconds and peak memory in MiB."""
    code = (
        "import json, resource, sys; from pathlib import Path; from benchmarks import "
        "score_throughput as s; seconds = getattr(s, sys.argv[1])(Path(sys.argv[2]), "
        "tuple(json.loads(sys.argv[3]))); print(json.dumps([seconds, "
        "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))"
    )
    command = [sys.executable, "-c", code, function, str(log), json.dumps(quality)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT.parent)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def score_once(log: Path, quality: tuple[str, ...]) -> float:
    """Score a log; seconds."""
    start = time.perf_counter()
    summarise(measure_log(log, ScoreOptions(quality=quality)))
    return time.perf_counter() - start


def compare_once(log: Path, _quality: tuple[str, ...]) -> float:
    """Compare a log with itself; seconds of the paired tests alone."""
    measured = measure_log(log)
    start = time.perf_counter()
    compare(measured, measured)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
