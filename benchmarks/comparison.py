"""The tables of docs/evaluation.md: each made anew by one command, with a record of what made it.

From the root of the repository:

    python -m benchmarks.comparison                  lists the tables
    python -m benchmarks.comparison NAME [ARGUMENT...]

A table's text goes where ``results/`` has it. ``results/provenance.json`` gets the command, the
commit, versions, sacreBLEU's signatures, the checksums of models and test sets, and the machine.
Further arguments are given to the command.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lsgcli.evaluation.corpus import checksum
from lsgcli.evaluation.provenance import machine, versions
from lsgcli.metrics.quality import quality_metric

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
RESULTS = ROOT / "benchmarks" / "results"
PROVENANCE = RESULTS / "provenance.json"
EVALUATE = ("models/recipes/translation/evaluate.py", "--data", "../shared/data")
LEVELS = ("--levels", "tatoeba")


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        result: its file in ``results``.
        command: what makes it, for Python.
        models: of ``models/``, those that it runs.
        data: of ``../shared``, what it is measured on; patterns.
        prints: the command prints it; else it writes the file itself.

    """

    result: str
    command: tuple[str, ...]
    models: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    prints: bool = False


TABLES = {
    "levels-en-de": Table(
        "en_de.txt",
        (*EVALUATE, "--model", "models/en-de", *LEVELS),
        ("en-de",),
        ("data/test/*.en-de.*", "data/test/*.de-en.*"),
        prints=True,
    ),
    "levels-en-fr-es": Table(
        "en_fr_es.txt",
        (*EVALUATE, "--model", "models/en-fr-es", *LEVELS),
        ("en-fr-es",),
        ("data/test/*.en-fr.*", "data/test/*.en-es.*"),
        prints=True,
    ),
    "policies-en-de": Table(
        "policies-en-de.txt",
        ("-m", "benchmarks.policies", "--direction", "en-de"),
        ("en-de",),
        ("data/dev/tatoeba.en-de.*", "data/test/tatoeba.en-de.*"),
    ),
    "policies-de-en": Table(
        "policies-de-en.txt",
        ("-m", "benchmarks.policies", "--direction", "de-en"),
        ("en-de",),
        ("data/dev/tatoeba.en-de.*", "data/test/tatoeba.en-de.*"),
    ),
    "speech-asr": Table(
        "speech_policies_asr.txt",
        ("-m", "benchmarks.speech_policies", "--task", "asr"),
        ("digits-en",),
        ("speech/clips/en_fsdd_*", "speech/manifest.tsv"),
    ),
    "speech-st": Table(
        "speech_policies_st.txt",
        ("-m", "benchmarks.speech_policies", "--task", "st"),
        ("digits-en",),
        ("speech/clips/en_fsdd_*", "speech/manifest.tsv"),
    ),
    "long-form": Table(
        "long_form.txt",
        ("-m", "benchmarks.long_form"),
        ("tiny.en",),
        ("speech/clips/en_long_*", "speech/manifest.tsv"),
    ),
    "scorers": Table("cross_scorers.txt", ("-m", "benchmarks.cross_scorers"), ("en-de",)),
    "simuleval": Table(
        "simuleval_throughput.txt",
        ("-m", "benchmarks.simuleval_throughput"),
        ("en-de",),
        ("data/test/tatoeba.en-de.*", "data/test/newstest2015.de-en.*"),
    ),
}


def main() -> int:
    """List the tables, or make one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", nargs="?", choices=[*TABLES], metavar="NAME")
    options, rest = parser.parse_known_args()
    if options.name is None:
        for name, each in TABLES.items():
            print(f"{name:16} {each.result:26} python {shlex.join(each.command)}")
        return 0
    return make(options.name, rest)


def make(name: str, arguments: list[str]) -> int:
    """Run the command of a table; record where it comes from if it succeeds."""
    table = TABLES[name]
    command = [sys.executable, *table.command, *arguments]
    printed = shlex.join(["python", *table.command, *arguments])
    record = provenance(table) | {
        "command": printed,
        "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE if table.prints else None, text=True
    )
    if done.returncode:
        return done.returncode
    if table.prints:
        text = f"$ {printed}\n{done.stdout}"
        (RESULTS / table.result).write_text(text, encoding="utf-8")
        print(text, end="")
    record["seconds"] = round(time.monotonic() - start)
    records = json.loads(PROVENANCE.read_text()) if PROVENANCE.exists() else {}
    records[name] = record
    PROVENANCE.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n")
    return 0


def provenance(table: Table) -> dict[str, Any]:
    """What a table comes from."""
    packages = ("sacrebleu", "jiwer", "faster-whisper")
    return {
        "result": table.result,
        "commit": git("log", "-1", "--format=%H", "--", "lsgcli", "models"),
        "changed": bool(git("status", "--porcelain", "--untracked-files=no", "lsgcli", "models")),
        "versions": versions() | {package: version(package) for package in packages},
        "signatures": [quality_metric(name).signature for name in ("BLEU", "chrF", "WER")],
        "models": {name: checksum(ROOT / "models" / name / "model.bin") for name in table.models},
        "data": {
            str(file.relative_to(SHARED)): checksum(file)
            for pattern in table.data
            for file in sorted(SHARED.glob(pattern))
        },
        "machine": machine(gpus=False, timed=False) | {"cores": len(os.sched_getaffinity(0))},
    }


def git(*arguments: str) -> str:
    """What git says of the repository; empty where there is none."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
