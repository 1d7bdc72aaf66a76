"""The options that only ``lsg eval`` has."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

DATA, POLICY, SCORE, OUTPUT = "Data", "Policy", "Scores", "Output"


class TableFormat(str, Enum):
    """What is written to standard output."""

    TABLE = "table"
    JSON = "json"
    TSV = "tsv"


class Unit(str, Enum):
    """What a delay belongs to."""

    WORD = "word"
    CHAR = "char"
    SPM = "spm"


class SourceKind(str, Enum):
    """What the source of a log is."""

    TEXT = "text"
    SPEECH = "speech"


class LogKind(str, Enum):
    """Whose format a log has."""

    SIMULEVAL = "simuleval"
    OMNISTEVAL = "omnisteval"
    SIMULSTREAM = "simulstream"


class Test(str, Enum):
    """Paired tests."""

    BOOTSTRAP = "bootstrap"
    RANDOMIZATION = "randomization"


Source = Annotated[
    Path | None,
    typer.Option(
        "--source",
        metavar="FILE",
        help="Sentences, one a line; for a speech model paths of recordings.",
        rich_help_panel=DATA,
    ),
]
Target = Annotated[
    Path | None,
    typer.Option(
        "--target", metavar="FILE", help="Their references, one a line.", rich_help_panel=DATA
    ),
]
TestSet = Annotated[
    str | None,
    typer.Option(
        "--test-set",
        metavar="NAME",
        help="Instead of both: a test set of sacreBLEU's, for example wmt15.",
        rich_help_panel=DATA,
    ),
]
LanguagePair = Annotated[
    str | None,
    typer.Option(
        "--langpair",
        metavar="FROM-TO",
        help="Its languages. (default: the model's)",
        rich_help_panel=DATA,
    ),
]
Policies = Annotated[
    str,
    typer.Option(
        "--policy",
        "-p",
        metavar="NAME,…",
        help="lsg, wait-k, local-agreement, hold-n, offline: one or several.",
        rich_help_panel=POLICY,
    ),
]
Levels = Annotated[
    str | None,
    typer.Option(
        "--latency",
        "-l",
        metavar="LEVEL,…",
        help="Ranges [L, U] of the model's: low, medium, high, highest, or all. (default: medium)",
        rich_help_panel=POLICY,
    ),
]
Sweep = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="SETTINGS",
        help='Every combination of "L=1,3 U=4 delta=0.5,1 alpha=0.6 k=1,3 n=2", a key where its '
        "policy has it. Can be repeated.",
        rich_help_panel=POLICY,
    ),
]
ComputationAware = Annotated[
    bool,
    typer.Option(
        "--computation-aware",
        help="Also measure the computation: one sentence at a time, on this machine.",
        rich_help_panel=SCORE,
    ),
]
WordsPerSecond = Annotated[
    float | None,
    typer.Option(
        "--words-per-second",
        metavar="WORDS",
        help="How fast the source is spoken, for --computation-aware. (default: 2.5)",
        rich_help_panel=SCORE,
    ),
]
RunDirectoryOption = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="The directory of the run, a new one.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue a run that was interrupted.", rich_help_panel=OUTPUT),
]
Format = Annotated[
    TableFormat,
    typer.Option("--format", "-f", help="What to write.", rich_help_panel=OUTPUT),
]
Logs = Annotated[
    list[Path],
    typer.Argument(
        metavar="LOG…",
        help="Logs, their directories, or directories of lsg eval run.",
        show_default=False,
    ),
]
Quality = Annotated[
    str,
    typer.Option(
        "--quality",
        "--quality-metrics",
        metavar="NAME,…",
        help="BLEU, chrF, chrF++, TER, WER, CER, or none.",
        rich_help_panel=SCORE,
    ),
]
LatencyMetrics = Annotated[
    str,
    typer.Option(
        "--latency",
        "--latency-metrics",
        metavar="NAME,…",
        help="AL, LAAL, AP, DAL, ATD, YAAL, StartOffset, EndOffset, all or none.",
        rich_help_panel=SCORE,
    ),
]
LatencyUnit = Annotated[
    Unit,
    typer.Option("--unit", help="What each delay belongs to.", rich_help_panel=SCORE),
]
SpmModel = Annotated[
    Path | None,
    typer.Option(
        "--spm-model",
        metavar="FILE",
        help="SentencePiece model, for --unit spm.",
        rich_help_panel=SCORE,
    ),
]
Tokenize = Annotated[
    str,
    typer.Option(
        "--tokenize",
        metavar="NAME",
        help="sacreBLEU's tokenizer for BLEU.",
        rich_help_panel=SCORE,
    ),
]
ReferenceLength = Annotated[
    bool,
    typer.Option(
        "--use-ref-len/--no-use-ref-len",
        help="Lagging against the length of the reference, or of the hypothesis.",
        rich_help_panel=SCORE,
    ),
]
References = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        metavar="FILE",
        help="References, one a line, in place of the log's.",
        rich_help_panel=DATA,
    ),
]
SourceType = Annotated[
    SourceKind | None,
    typer.Option("--source-type", help="(default: told from the log)", rich_help_panel=DATA),
]
LogFormat = Annotated[
    LogKind | None,
    typer.Option("--log-format", help="(default: told from the log)", rich_help_panel=DATA),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        metavar="FIELD",
        help="An unknown field to skip. Can be repeated.",
        rich_help_panel=DATA,
    ),
]
Confidence = Annotated[
    bool,
    typer.Option(
        "--confidence",
        help="95% intervals, by bootstrap over the sentences.",
        rich_help_panel=SCORE,
    ),
]
PairedTest = Annotated[Test, typer.Option("--test", help="The paired test.", rich_help_panel=SCORE)]
Trials = Annotated[
    int | None,
    typer.Option(
        "--trials",
        min=1,
        help="Resamples. (default: 1000 of the bootstrap, 10000 of the randomization)",
        rich_help_panel=SCORE,
    ),
]
CurveOf = Annotated[
    str | None,
    typer.Option(
        "--curve",
        metavar="GLOB",
        help="Compare with the curve of the systems so named ('wait-*'), at equal latency: the "
        "first of --latency.",
        rich_help_panel=SCORE,
    ),
]
PlotFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Where to draw: .png, .svg or .pdf. (default: here, in characters)",
        rich_help_panel=OUTPUT,
    ),
]
LatencyAxis = Annotated[
    str,
    typer.Option(
        "--latency",
        metavar="NAME",
        help="AL, LAAL, DAL, …; with _CA or _CA_queue computation-aware.",
        rich_help_panel=SCORE,
    ),
]
QualityAxis = Annotated[
    str,
    typer.Option(
        "--quality", metavar="NAME", help="BLEU, chrF, TER, WER, …", rich_help_panel=SCORE
    ),
]
Title = Annotated[
    str, typer.Option("--title", metavar="TEXT", help="A title.", rich_help_panel=OUTPUT)
]
Example = Annotated[
    int | None,
    typer.Option(
        "--example",
        min=0,
        metavar="N",
        help="When sentence N, from 0, was read and written, instead of scores.",
        rich_help_panel=DATA,
    ),
]
