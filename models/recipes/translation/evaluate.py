"""Measure a model through lsg: the figures of its model card.

    python evaluate.py --model MODEL --data DIR [--levels SET ...] [--lines N] [--card]

Whole lines go through ``lsg translate``, greedy; with ``--levels`` LSG at its four levels, wait-k
and offline go through ``lsg eval run``. Then: how protected words come through, what becomes of
input that no translator can do, and what it costs. With ``--card`` the tables of the model's card
are written anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import card
from corpus import PLACEHOLDERS, lines_of, protected
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from lsgcli.backends import open_backend
from lsgcli.core.backend import Placement
from lsgcli.models.catalog import find
from lsgcli.models.manifest import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OWN = "business-and-logs"  # in benchmarks/held
SETS = {
    "en-de": ("tatoeba", "po-messages", OWN, "newstest2019", "flores101-devtest"),
    "de-en": ("tatoeba", "po-messages", OWN, "newstest2014", "newstest2015", "flores101-devtest"),
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
MODEL_ALONE = ("--floor", "none", "--no-phrases")  # whatever it writes, and nothing else
USABLE = 50  # chrF of a line
QUOTES = ",.;:!?'\"“”‘’„()[]<>`"  # quotation marks may become those of the other language
LSG = (sys.executable, "-m", "lsgcli")


def translated(model: Path, direction: str, lines: list[str], *options: str) -> list[str]:
    """The lines, through lsg."""
    source, target = direction.split("-")
    done = subprocess.run(
        [*LSG, "translate", "--from", source, "--to", target, "--model", str(model), *options],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.splitlines()


def kept(source: str, translation: str) -> bool:
    """Whether every protected word of the source is there, byte for byte."""
    return all(word.strip(QUOTES) in translation for word in protected(source))


def invented(source: str, translation: str) -> bool:
    """Whether a placeholder of lsg's came out that was not there."""
    return any(each in translation and each not in source for each in PLACEHOLDERS)


def usable(translations: Sequence[str], references: Sequence[str]) -> int:
    """How many of the lines have a chrF of at least USABLE."""
    chrf, pairs = CHRF(), zip(translations, references, strict=True)
    return sum(chrf.sentence_score(text, [reference]).score >= USABLE for text, reference in pairs)


def found_sets(folder: Path, direction: str) -> list[str]:
    """All sets of a direction that are there."""
    names = sorted({file.name.split(".")[0] for file in folder.iterdir()})
    return [name for name in names if lines_of(folder, name, direction)]


def lsg_eval(*arguments: str) -> str:
    """What a command of ``lsg eval`` prints."""
    done = subprocess.run(
        [*LSG, "eval", *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={"COLUMNS": "160", "PATH": ""},
    )
    return done.stdout


def levels(
    model: Path, direction: str, source: Path, target: Path
) -> tuple[str, Iterator[Sequence[str]]]:
    """LSG at its levels, wait-k, offline, gains over wait-k: printed by lsg, and for the card."""
    of, to = direction.split("-")
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        files = ("--source", str(source), "--target", str(target), "--from", of, "--to", to)
        systems = ("--policy", "lsg,wait-k,offline", "--latency", "all")
        sweep = ("--sweep", "k=1,2,3,5,7,9")
        options = ("--quiet", "--model", str(model), "--output", run)
        printed = lsg_eval("run", *files, *systems, *sweep, *options)
        compare = ("compare", run, "--curve", "wait-*", "--quality-metrics", "BLEU")
        printed += "\n" + lsg_eval(*compare)
        scores = json.loads(lsg_eval("score", run, "--format", "json"))
        gains = json.loads(lsg_eval(*compare, "--format", "json"))["gains"]
    return printed, rows_of_systems(model, direction, scores, gains)


def rows_of_systems(
    model: Path, direction: str, scores: list[dict[str, Any]], gains: list[dict[str, Any]]
) -> Iterator[Sequence[str]]:
    """Scores and gains as ``lsg eval`` gives them, for the card."""
    manifest = load(model)
    titles = card.level_titles(manifest.policies.get(direction, manifest.policy))
    above = {each["system"]: each for each in gains if each["interval"]}
    for score in scores:
        name = score["system"]
        al, bleu, chrf = (score["scores"][metric]["value"] for metric in ("AL", "BLEU", "chrF"))
        gain = ""
        if found := above.get(name):
            low, high = found["interval"]["low"], found["interval"]["high"]
            gain = f"{found['difference']:+.2f} [{low:+.2f}, {high:+.2f}]"
        title = titles.get(name, name)
        yield card.arrow(direction), title, f"{al:.2f}", f"{bleu:.2f}", f"{chrf:.1f}", gain


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
    parser.add_argument("--card", action="store_true", help="write the tables of MODEL/README.md")
    args = parser.parse_args()
    assert isinstance(sys.stdout, TextIOWrapper)
    sys.stdout.reconfigure(errors="backslashreplace")  # where emoji cannot be shown
    results = card.Results()
    size = sum(file.stat().st_size for file in args.model.iterdir()) / 1e6
    print(f"{args.model.name}: {size:.1f} MB, loads in {1000 * load_time(args.model):.0f} ms")
    bleu, chrf = BLEU(), CHRF()
    for direction in args.directions or load(args.model).directions:
        for name in SETS.get(direction) or found_sets(args.data / "test", direction):
            files = lines_of(args.data / "test", name, direction)
            if not files or (args.sets and name not in args.sets):
                continue
            source, target = files
            lines = source.read_text(encoding="utf-8").splitlines()[: args.lines]
            references = target.read_text(encoding="utf-8").splitlines()[: args.lines]
            began = time.perf_counter()
            out = translated(args.model, direction, lines, *MODEL_ALONE)
            seconds = time.perf_counter() - began
            words = sum(len(line.split()) for line in lines)
            scores = [metric.corpus_score(out, [references]).score for metric in (bleu, chrf)]
            good = usable(out, references)
            whole = sum(map(kept, lines, out))
            more = sum(map(invented, lines, out))
            row = [f"{score:.1f}" for score in scores]
            row += [f"{whole} of {len(lines)}", str(more)]
            results.rows[card.SETS].append([card.arrow(direction), name, *row])
            print(
                f"{direction} {name}: BLEU {scores[0]:.1f}, chrF {scores[1]:.1f}, {len(lines)} "
                f"lines, {good} of them {USABLE} or more, {1000 * seconds / words:.2f} ms a word; "
                f"protected words whole in {whole}, placeholders invented in {more}",
                flush=True,
            )
            if name in (args.levels or ()):
                printed, rows = levels(args.model, direction, source, target)
                results.rows[card.SYSTEMS] += rows
                print(printed, flush=True)
        print(f"\n{direction}, what is not there to be translated:")
        answers = list(zip(HARD, translated(args.model, direction, list(HARD)), strict=True))
        for line, result in answers:
            print(f"    {line!r:50} {result!r}")
        results.rows[card.ANSWERS] = results.rows[card.ANSWERS] or [
            [f"`{text}`" for text in pair] for pair in answers
        ]
    print(f"signatures: {bleu.get_signature()} {chrf.get_signature()}")
    if args.card:
        card.write(args.model, results)


if __name__ == "__main__":
    main()
