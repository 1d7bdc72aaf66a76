"""Every recording of ../shared/speech through every output format, as a user would run it.

    python -m benchmarks.speech_clips [--model NAME]

Prints what does not end with exit code 0 and nothing on standard error, what words the recordings
without speech give, and how much was heard. The model knows digits only: words of other speech are
not looked at.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import time
from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared" / "speech"
ONE_AT_A_TIME = ("srt", "vtt", "tsv")


def run(model: str, form: str, files: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run ``lsg asr``."""
    command = [sys.executable, "-m", "lsgcli", "asr", "--model", model, "--language", "en"]
    return subprocess.run(
        [*command, "--format", form, *map(str, files)], capture_output=True, text=True, check=False
    )


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="digits-en")
    options = parser.parse_args()
    with (SHARED / "manifest.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    files = [SHARED / row["file"] for row in rows]
    hours = sum(float(row["seconds"]) for row in rows) / 3600
    print(f"{len(files)} recordings, {hours:.2f} h, {options.model}")
    for form in ("text", "jsonl", *ONE_AT_A_TIME):
        start = time.monotonic()
        batches = [[file] for file in files] if form in ONE_AT_A_TIME else [files]
        bad, size = [], 0
        for batch in batches:
            done = run(options.model, form, batch)
            size += len(done.stdout)
            if done.returncode or done.stderr:
                bad.append((batch[0].name, done.returncode, done.stderr[:200]))
        seconds = time.monotonic() - start
        print(f"{form:6} {len(batches):4} runs, {seconds:6.1f} s, {size:8} characters, bad: {bad}")
    silent = [SHARED / row["file"] for row in rows if row["language"] == "none"]
    print("without speech:", repr(run(options.model, "text", silent).stdout))


if __name__ == "__main__":
    main()
