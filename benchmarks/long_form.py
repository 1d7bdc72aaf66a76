"""Policies over whole recordings, scored by segments: StreamLAAL, LongYAAL, WER.

One command, from the root of the repository (needs ../shared; four and a half minutes of audio):

    python -m benchmarks.long_form [--model NAME] [--output FILE]

Two readings of ../shared/speech of two minutes and more, cut into 31 segments. Where a segment
begins is that of its first word as Whisper base dates it. They are run by `lsg eval run` on a
manifest as MuST-C has it, and scored by `lsg eval score` by both alignments, and whole.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from itertools import accumulate, pairwise
from pathlib import Path

ROOT = Path(__file__).parent
SHARED = Path(__file__).parents[2] / "shared" / "speech"
# Of each recording the words of every segment, and where they begin and the last ends, in seconds.
TALKS = {
    "en_long_lj001_17_32": (
        (17, 14, 13, 17, 18, 24, 21, 34, 13, 16, 23, 16, 23, 20, 18),
        (
            *(0.0, 5.12, 10.08, 15.18, 21.88, 30.02, 40.62, 47.82, 62.72, 69.5, 75.98, 86.0, 94.06),
            *(103.24, 113.44, 120.28),
        ),
    ),
    "en_long_udhr": (
        (26, 25, 34, 14, 21, 13, 18, 33, 14, 14, 21, 24, 17, 18, 12, 17),
        (
            *(0.0, 11.94, 23.86, 36.6, 41.64, 52.16, 58.62, 66.26, 78.68, 85.66, 94.08, 103.24),
            *(115.98, 123.84, 132.1, 138.82, 145.6),
        ),
    ),
}
SYSTEMS = ("--policy", "lsg,offline", "--latency", "medium")
LATENCY = "AL,LAAL,DAL,YAAL"


def write_test_set(directory: Path) -> tuple[Path, Path]:
    """Write a manifest and the references as MuST-C and simulstream have them."""
    manifest, references = directory / "talks.yaml", directory / "talks.en"
    with (SHARED / "manifest.tsv").open(encoding="utf-8") as file:
        rows = {
            row["id"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }
    entries, lines = [], []
    for name, (lengths, times) in TALKS.items():
        words = rows[name]["transcript"].split()
        for (begin, end), (start, stop) in zip(
            pairwise([0, *accumulate(lengths)]), pairwise(times), strict=True
        ):
            wav = SHARED / rows[name]["file"]
            entries.append(f"- {{wav: {wav}, offset: {start}, duration: {stop - start:.2f}}}")
            lines.append(" ".join(words[begin:end]))
    manifest.write_text("\n".join(entries) + "\n", encoding="utf-8")
    references.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return manifest, references


def lsg(*arguments: object) -> str:
    """Run the command and give what it printed."""
    command = [sys.executable, "-m", "lsgcli", "eval", *map(str, arguments)]
    print("lsg eval", *arguments, flush=True)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Run, and score three times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "long_form.txt")
    options = parser.parse_args()
    parts = []
    with tempfile.TemporaryDirectory() as directory:
        run = Path(directory) / "run"
        manifest, references = write_test_set(Path(directory))
        lsg("run", "--source", manifest, "--target", references, "--from", "en", "--to", "en",
            "--model", options.model, *SYSTEMS, "--threads", "1", "--output", run)  # fmt: skip
        for method in ("soft", "mwer", "none"):
            scores = lsg("score", run, "--resegment", method, "--quality-metrics", "WER,BLEU",
                         "--latency-metrics", LATENCY)  # fmt: skip
            parts.append(f"--resegment {method}\n{scores}")
    text = f"{options.model}: 2 recordings, 31 segments, 266 s\n\n" + "\n".join(parts)
    print(text)
    options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
