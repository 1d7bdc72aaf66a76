"""Time from the start of a process to its first translated word, against a bare script.

    python -m benchmarks.cold_start

The bare script imports ctranslate2 and sentencepiece, loads the model and makes one pass.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from lsgcli.models.catalog import find

ROUNDS = 9
BARE = """
import sys
import ctranslate2, sentencepiece
spm = sentencepiece.SentencePieceProcessor(model_file={d!r} + "/spm.model")
generator = ctranslate2.Generator({d!r}, compute_type="int8", intra_threads=1)
ids = [1, 3, *spm.encode(sys.stdin.readline()), 7]
generator.forward_batch([ids], return_log_probs=True)
print("done", flush=True)
"""


def first_byte(command: list[str]) -> float:
    """Seconds until ``command`` writes something, given one line."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"The house is small.\n")
    process.stdin.flush()
    process.stdout.read(1)
    seconds = time.perf_counter() - start
    process.stdin.close()
    process.wait()
    return seconds


def main() -> None:
    """Print the median of interleaved runs, and the ratio."""
    bare = BARE.format(d=str(find("en-de", None, "de").directory))
    commands = {
        "bare script": [sys.executable, "-c", bare],
        "lsg translate": [sys.executable, "-m", "lsgcli", "translate", "--to", "de"],
        "lsg --help": [sys.executable, "-m", "lsgcli", "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            seconds[name].append(first_byte(command))
    base = statistics.median(seconds["bare script"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:14} {1000 * median:6.0f} ms  {median / base:5.2f}x")


if __name__ == "__main__":
    main()
