"""Measure a model through lsg: the figures of its model card.

    python evaluate.py --model MODEL --data DIR [--levels] [--lines N]

Whole lines go through ``lsg translate``, greedy; with ``--levels`` LSG at its four levels, wait-k
and offline go through ``lsg eval run``. Then: how protected words come through, what becomes of
input that no translator can do, and what it costs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import PLACEHOLDERS, lines_of, protected
from sacrebleu.metrics import BLEU, CHRF

from lsgcli.backends import open_backend
from lsgcli.backends.base import Placement
from lsgcli.catalog import find
from lsgcli.manifest import load

SETS = {
    "en-de": ("tatoeba", "po-messages", "newstest2019", "flores101-devtest"),
    "de-en": ("tatoeba", "po-messages", "newstest2014", "newstest2015", "flores101-devtest"),
    "en-fr": ("tatoeba", "flores101-devtest"),
    "fr-en": ("tatoeba", "newstest2014", "flores101-devtest"),
    "en-es": ("tatoeba", "newstest2013", "flores101-devtest"),
    "es-en": ("tatoeba", "newstest2013", "flores101-devtest"),
}
HARD = (  # what is not there to be translated, or not by this model
    "🎉🎉🎉", "I love it 😀", "Привет, как дела?", "今日はとても暑いです。", "asdf qwer zxcv",
    "for (int i = 0; i < n; i++) { sum += a[i]; }", "SELECT * FROM users;",
    "12345 67890", "....", "http://example.com/a?b=c", "ERROR 0x80070005", "a a a a a a a a a a",
    "THE HOUSE IS SMALL", "the house is small", "hello there my friend", "Ok.", "{0}", "%s",
    "Failed to open %s: %d errors", "Hallo, wie geht es dir?", "x = {'a': 1, 'b': [2, 3]}",
)  # fmt: skip
QUOTES = ",.;:!?'\"“”‘’„()[]<>`"  # quotation marks may become those of the other language
LSG = (sys.executable, "-m", "lsgcli")


def translated(model: Path, direction: str, lines: list[str], *options: str) -> list[str]:
    """The lines, through lsg."""
    source, target = direction.split("-")
    done = subprocess.run(
        [*LSG, "translate", "--from", source, "--to", target, "--model", str(model), *options],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def kept(source: str, translation: str) -> bool:
    """Whether every protected word of the source is there, byte for byte."""
    return all(word.strip(QUOTES) in translation for word in protected(source))


def invented(source: str, translation: str) -> bool:
    """Whether a placeholder of lsg's came out that was not there."""
    return any(each in translation and each not in source for each in PLACEHOLDERS)


def levels(model: Path, direction: str, source: Path, target: Path) -> str:
    """LSG's levels, wait-k and offline, and what is above wait-k at equal AL, as lsg prints it."""
    of, to = direction.split("-")
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        files = ("--source", str(source), "--target", str(target))
        systems = ("--policy", "lsg,wait-k,offline", "--latency", "all")
        return "\n".join(
            subprocess.run(
                [*LSG, "eval", *command],
                capture_output=True,
                text=True,
                check=True,
                env={"COLUMNS": "160", "PATH": ""},
            ).stdout
            for command in (
                ("run", "--quiet", *files, "--from", of, "--to", to, "--model", str(model),
                 *systems, "--sweep", "k=1,2,3,5,7,9", "--output", run),
                ("compare", run, "--curve", "wait-*", "--quality", "BLEU"),
            )
        )  # fmt: skip


def load_time(model: Path) -> float:
    """Seconds until a process that is running can ask the model, the best of five."""
    direction = load(model).directions[0]
    found, times = find(str(model), *direction.split("-")), []
    for _ in range(5):
        began = time.perf_counter()
        open_backend(found, Placement("cpu")).ready()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--directions", nargs="*")
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--lines", type=int)
    parser.add_argument("--levels", nargs="*", metavar="SET", help="LSG's levels on these sets")
    args = parser.parse_args()
    size = sum(file.stat().st_size for file in args.model.iterdir()) / 1e6
    print(f"{args.model.name}: {size:.1f} MB, loads in {1000 * load_time(args.model):.0f} ms")
    bleu, chrf = BLEU(), CHRF()
    for direction in args.directions or load(args.model).directions:
        for name in SETS[direction]:
            files = lines_of(args.data / "test", name, direction)
            if not files or (args.sets and name not in args.sets):
                continue
            source, target = files
            lines = source.read_text(encoding="utf-8").splitlines()[: args.lines]
            references = target.read_text(encoding="utf-8").splitlines()[: args.lines]
            began = time.perf_counter()
            out = translated(args.model, direction, lines)
            seconds = time.perf_counter() - began
            words = sum(len(line.split()) for line in lines)
            scores = [metric.corpus_score(out, [references]).score for metric in (bleu, chrf)]
            whole = sum(map(kept, lines, out))
            more = sum(map(invented, lines, out))
            print(
                f"{direction} {name}: BLEU {scores[0]:.1f}, chrF {scores[1]:.1f}, {len(lines)} "
                f"lines, {1000 * seconds / words:.2f} ms a word; protected words whole in {whole}, "
                f"placeholders invented in {more}",
                flush=True,
            )
            if name in (args.levels or ()):
                print(levels(args.model, direction, source, target), flush=True)
        print(f"\n{direction}, what is not there to be translated:")
        for line, result in zip(HARD, translated(args.model, direction, list(HARD)), strict=True):
            print(f"    {line!r:50} {result!r}")
    print(f"signatures: {bleu.get_signature()} {chrf.get_signature()}")


if __name__ == "__main__":
    main()
