"""Every option that commands share, declared once."""

from __future__ import annotations

import math
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from lsgcli.languages import code


class PolicyName(str, Enum):
    """The policies."""

    LSG = "lsg"
    LSG_WORDS = "lsg-words"
    ALIGNATT = "alignatt"
    WAIT_K = "wait-k"
    LOCAL_AGREEMENT = "local-agreement"
    HOLD_N = "hold-n"
    OFFLINE = "offline"


class Latency(str, Enum):
    """The paper's four ranges [L, U]."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    HIGHEST = "highest"


class KlDirection(str, Enum):
    """Which way round the divergence is taken."""

    FORWARD = "forward"
    REVERSE = "reverse"


class SegmentMode(str, Enum):
    """What a line break means."""

    LINE = "line"
    SENTENCE = "sentence"


class InputKind(str, Enum):
    """What the input is taken for."""

    AUTO = "auto"
    PROSE = "prose"
    LOG = "log"
    CSV = "csv"
    TSV = "tsv"
    MARKDOWN = "md"
    HTML = "html"
    SUBTITLES = "srt"
    JSON = "json"


class OutputFormat(str, Enum):
    """What is written to standard output."""

    TEXT = "text"
    JSONL = "jsonl"


class SpeechFormat(str, Enum):
    """What is written to standard output."""

    TEXT = "text"
    JSONL = "jsonl"
    SRT = "srt"
    VTT = "vtt"
    TSV = "tsv"


class RawFormat(str, Enum):
    """How samples are stored."""

    S16LE = "s16le"
    S16BE = "s16be"
    S24LE = "s24le"
    S32LE = "s32le"
    F32LE = "f32le"
    U8 = "u8"


class Colour(str, Enum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def _number(value: float | None) -> float | None:
    """Refuse ``nan``, which no range excludes."""
    if value is not None and math.isnan(value):
        raise typer.BadParameter("must be a number")
    return value


def _language(value: str | None) -> str | None:
    """Take a locale or a name for the language's code; ``auto`` and what is unknown as it is."""
    return value and code(value)


def _names(values: list[str] | None) -> list[str] | None:
    """Names that are separated by commas."""
    names = [name.strip() for value in values or () for name in value.split(",")]
    if not all(names):
        raise typer.BadParameter("a name is empty")
    return names or None


def _print_kinds(value: bool) -> None:
    """Print what is protected, and exit."""
    if value:
        from lsgcli.text.items import table

        typer.echo(table())
        raise typer.Exit


MODEL, POLICY, INPUT, OUTPUT = "Model", "Policy", "Input", "Output"
CAPTIONS = "Captions: --format srt or vtt"

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Files to translate, - for standard input. (default: -)", show_default=False
    ),
]
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="LANG",
        callback=_language,
        help="Language to translate to: de, de_DE, german.",
        show_default=False,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="LANG",
        callback=_language,
        help="Language of the input. (default: the model's)",
    ),
]
FromOrAuto = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="LANG|auto",
        callback=_language,
        help="Language of the input; auto tells it line by line. (default: the model's)",
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|DIR",
        help="An embedded model or a model directory. (default: one for the languages)",
        rich_help_panel=MODEL,
    ),
]
DeviceOption = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:N,...]",
        help="Where the model runs: on the CPU, or on cards by their numbers; one that is named "
        "twice runs two passes at once.",
        autocompletion=lambda: ["auto", "cpu", "cuda", "cuda:0"],
        rich_help_panel=MODEL,
    ),
]
ComputeType = Annotated[
    str,
    typer.Option(
        "--compute-type",
        metavar="TYPE",
        help="Arithmetic, as CTranslate2 names it. auto: int8, with bfloat16 or float16 on a card.",
        rich_help_panel=MODEL,
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        "--threads", min=0, help="CPU cores to use, 0 for all of them.", rich_help_panel=MODEL
    ),
]
BatchSize = Annotated[
    int,
    typer.Option(
        "--batch-size",
        min=1,
        help="Segments in one batch, when several are waiting.",
        rich_help_panel=MODEL,
    ),
]
PolicyOption = Annotated[
    PolicyName,
    typer.Option("--policy", "-p", help="When to READ and when to WRITE.", rich_help_panel=POLICY),
]
LatencyOption = Annotated[
    Latency | None,
    typer.Option(
        "--latency",
        "-l",
        help="A range [L, U] of the model's: how long LSG may wait. (default: medium)",
        rich_help_panel=POLICY,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME|FILE",
        help="LSG: settings that lsg tune has saved.",
        rich_help_panel=POLICY,
    ),
]
Lower = Annotated[
    int | None,
    typer.Option(
        "--lower",
        "-L",
        min=1,
        help="LSG: words, or segments of speech, read before the first word.",
        rich_help_panel=POLICY,
    ),
]
Upper = Annotated[
    int | None,
    typer.Option(
        "--upper",
        "-U",
        min=0,
        help="LSG: how many it may wait beyond that.",
        rich_help_panel=POLICY,
    ),
]
Delta = Annotated[
    float | None,
    typer.Option(
        "--delta",
        min=0,
        help="LSG: write if KL is greater, in nats. (default: the model's)",
        rich_help_panel=POLICY,
    ),
]
Alpha = Annotated[
    float | None,
    typer.Option(
        "--alpha",
        min=0,
        max=1,
        help="LSG: write if the best token is more probable. (default: the model's)",
        rich_help_panel=POLICY,
    ),
]
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin",
        min=0,
        callback=_number,
        metavar="SECONDS",
        help="LSG of speech, alignatt: audio that must have been heard after a word. "
        "(default: the model's; alignatt: 0.5)",
        rich_help_panel=POLICY,
    ),
]
Direction = Annotated[
    KlDirection | None,
    typer.Option(
        "--kl-direction",
        help="LSG: KL(p||q) as in the paper, or reverse as in its code. (default: forward)",
        rich_help_panel=POLICY,
    ),
]
K = Annotated[
    int | None,
    typer.Option(
        "-k",
        min=1,
        help="wait-k: words or segments read ahead. (default: 3)",
        rich_help_panel=POLICY,
    ),
]
N = Annotated[
    int | None,
    typer.Option(
        "-n",
        min=1,
        help="local-agreement: hypotheses that agree; hold-n: words held. (default: 2)",
        rich_help_panel=POLICY,
    ),
]
Segment = Annotated[
    SegmentMode,
    typer.Option(
        "--segment",
        help="line: a line in, a line out. sentence: line breaks are blanks, a sentence a line.",
        rich_help_panel=INPUT,
    ),
]
Protect = Annotated[
    bool,
    typer.Option(
        "--protect/--no-protect",
        help="Copy what is no prose, and check that it all comes through; see --help-protect.",
        rich_help_panel=INPUT,
    ),
]
ProtectRegex = Annotated[
    list[str] | None,
    typer.Option(
        "--protect-regex",
        metavar="REGEX",
        help="Also copy words that match. Can be repeated.",
        rich_help_panel=INPUT,
    ),
]
HelpProtect = Annotated[
    bool,
    typer.Option(
        "--help-protect",
        is_eager=True,
        callback=_print_kinds,
        help="List what is copied unchanged, with examples, and exit.",
        rich_help_panel=INPUT,
    ),
]
As = Annotated[
    InputKind,
    typer.Option(
        "--as",
        help="What the lines are; auto: told for each of them. Only prose is translated.",
        rich_help_panel=INPUT,
    ),
]
JsonField = Annotated[
    list[str] | None,
    typer.Option(
        "--json-field",
        metavar="NAME[,NAME]",
        callback=_names,
        help="Translate this field of JSON, and nothing else; a.b is the field b of a. Can be "
        "repeated.",
        rich_help_panel=INPUT,
    ),
]
Floor = Annotated[
    str,
    typer.Option(
        "--floor",
        metavar="NUMBER|none|auto",
        help="Leave a complete sentence as it is if the model's mean log-probability of its "
        "translation is lower; auto: the model's own level.",
        rich_help_panel=MODEL,
    ),
]
MemoryOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--memory",
        metavar="FILE.tsv",
        help="Known translations, used before the model: a text, a tab, its translation a line. "
        "{} is any word. Can be repeated.",
        rich_help_panel=MODEL,
    ),
]
Phrases = Annotated[
    bool,
    typer.Option(
        "--phrases/--no-phrases",
        help="What systems say (errors, signals, HTTP, systemd, git) from a table, not the model.",
        rich_help_panel=MODEL,
    ),
]
Idle = Annotated[
    float,
    typer.Option(
        "--idle",
        min=0,
        callback=_number,
        metavar="SECONDS",
        help="A pause that ends a word; 0: no pause does.",
        rich_help_panel=INPUT,
    ),
]
Pace = Annotated[
    float | None,
    typer.Option(
        "--pace",
        min=0,
        callback=_number,
        metavar="WORDS",
        help="Feed the input at so many words a second; 0: one by one, without waiting.",
        rich_help_panel=INPUT,
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        help="Keep the input with its timing, for lsg replay.",
        rich_help_panel=INPUT,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Fail on input that its encoding does not have.", rich_help_panel=INPUT
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="Of the input, as Python calls it: utf-16, latin-1. The output is UTF-8.",
        rich_help_panel=INPUT,
    ),
]
Format = Annotated[
    OutputFormat,
    typer.Option(
        "--format", "-f", help="Words, or a JSON object for every event.", rich_help_panel=OUTPUT
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain", help="Show each decision and its rule on stderr.", rich_help_panel=OUTPUT
    ),
]
Stats = Annotated[
    bool,
    typer.Option(
        "--stats/--no-stats",
        envvar="LSG_STATS",
        help="Statistics on stderr; on a terminal, while it runs.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
StatsJson = Annotated[
    Path | None,
    typer.Option(
        "--stats-json",
        metavar="FILE",
        help="Also write them to a file.",
        rich_help_panel=OUTPUT,
    ),
]
ColourOption = Annotated[
    Colour,
    typer.Option("--color", help="Colour on stderr; auto minds NO_COLOR.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No warnings, no notes.", rich_help_panel=OUTPUT)
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=OUTPUT)
]

# What lsg asr and lsg st have.
Recordings = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Recordings, whatever FFmpeg decodes; - for standard input. (default: -)",
        show_default=False,
    ),
]
FilesFrom = Annotated[
    Path | None,
    typer.Option(
        "--files-from",
        metavar="FILE",
        help="Recordings listed in a file, one a line; - for standard input, which may wait.",
        rich_help_panel=INPUT,
    ),
]
SpeechTo = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="LANG",
        callback=_language,
        help="Language to translate to; Whisper knows English.",
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="LANG|auto",
        callback=_language,
        help="Language that is spoken; auto: told by ear. (default: English for lsg asr without "
        "--model, else auto)",
    ),
]
SpeechModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|DIR",
        help="tiny, base, small, … large-v3, distil-…, OWNER/NAME on the Hugging Face Hub, "
        "or a directory. (default: for English tiny.en, which is embedded, else what was pulled)",
        rich_help_panel=MODEL,
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Never use the network.", rich_help_panel=MODEL),
]
Silence = Annotated[
    float | None,
    typer.Option(
        "--silence",
        min=0,
        max=30,
        callback=_number,
        metavar="SECONDS",
        help="Silence put behind the audio that is encoded. (default: the model's)",
        rich_help_panel=MODEL,
    ),
]
Window = Annotated[
    float | None,
    typer.Option(
        "--window",
        min=0,
        max=30,
        callback=_number,
        metavar="SECONDS",
        help="Encode at least so much, silence included; 30 is what Whisper was trained with. "
        "(default: the model's)",
        rich_help_panel=MODEL,
    ),
]
Prompt = Annotated[
    str,
    typer.Option(
        "--prompt",
        metavar="TEXT",
        help="Text that the model takes to stand before what is said: its subject, its spelling.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Hotwords = Annotated[
    str,
    typer.Option(
        "--hotwords",
        metavar="FILE|WORDS",
        help="Names and terms to expect: a file with one a line, or words with commas between.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Mic = Annotated[
    bool, typer.Option("--mic", help="Listen to the microphone.", rich_help_panel=INPUT)
]
DeviceName = Annotated[
    str | None,
    typer.Option(
        "--device-name",
        metavar="NAME",
        help="The microphone with that in its name.",
        rich_help_panel=INPUT,
    ),
]
DeviceIndex = Annotated[
    int | None,
    typer.Option(
        "--device-index",
        min=0,
        metavar="N",
        help="The microphone of that number.",
        rich_help_panel=INPUT,
    ),
]
ListDevices = Annotated[
    bool,
    typer.Option("--list-devices", help="List microphones and exit.", rich_help_panel=INPUT),
]
Raw = Annotated[
    RawFormat | None,
    typer.Option("--raw", help="The input is PCM without a header.", rich_help_panel=INPUT),
]
Rate = Annotated[
    int | None,
    typer.Option(
        "--rate", min=1, metavar="HZ", help="Of --raw. (default: 16000)", rich_help_panel=INPUT
    ),
]
Channels = Annotated[
    int | None,
    typer.Option("--channels", min=1, help="Of --raw. (default: 1)", rich_help_panel=INPUT),
]
Realtime = Annotated[
    bool,
    typer.Option(
        "--realtime", help="Play recordings as if they were spoken now.", rich_help_panel=INPUT
    ),
]
SegmentMs = Annotated[
    int,
    typer.Option(
        "--segment-ms",
        min=80,
        max=5000,
        metavar="MS",
        help="Length of a source unit, for which the policy decides.",
        rich_help_panel=INPUT,
    ),
]
Pause = Annotated[
    float | None,
    typer.Option(
        "--pause",
        min=0.1,
        max=10,
        callback=_number,
        metavar="SECONDS",
        help="Silence that ends an utterance. (default: the model's)",
        rich_help_panel=INPUT,
    ),
]
Vad = Annotated[
    bool,
    typer.Option("--vad/--no-vad", help="Skip what is not speech.", rich_help_panel=INPUT),
]
Stall = Annotated[
    float,
    typer.Option(
        "--idle",
        min=0,
        callback=_number,
        metavar="SECONDS",
        help="Time without any audio that ends an utterance; 0: none does.",
        rich_help_panel=INPUT,
    ),
]
FormatOfSpeech = Annotated[
    SpeechFormat,
    typer.Option(
        "--format",
        "-f",
        help="Words; an object for every event; subtitles; a row for every word.",
        rich_help_panel=OUTPUT,
    ),
]
Confidence = Annotated[
    bool,
    typer.Option(
        "--confidence",
        help="How probable each word is: after a tab in text, a column in tsv, always in jsonl.",
        rich_help_panel=OUTPUT,
    ),
]
MaxChars = Annotated[
    int | None,
    typer.Option(
        "--max-chars",
        min=8,
        max=200,
        metavar="N",
        help="Characters of a line; wide ones count twice. (default: 42)",
        rich_help_panel=CAPTIONS,
    ),
]
MaxLines = Annotated[
    int | None,
    typer.Option(
        "--max-lines",
        min=1,
        max=4,
        metavar="N",
        help="Lines shown at a time. (default: 2)",
        rich_help_panel=CAPTIONS,
    ),
]
MinSeconds = Annotated[
    float | None,
    typer.Option(
        "--min-seconds",
        min=0,
        max=10,
        callback=_number,
        metavar="SECONDS",
        help="How long they stand at least. (default: 1)",
        rich_help_panel=CAPTIONS,
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        "--max-seconds",
        min=1,
        max=60,
        callback=_number,
        metavar="SECONDS",
        help="And at most. (default: 7)",
        rich_help_panel=CAPTIONS,
    ),
]
MaxSpeed = Annotated[
    float | None,
    typer.Option(
        "--max-cps",
        min=1,
        max=100,
        callback=_number,
        metavar="N",
        help="Characters to be read in a second, if the speech leaves the time. (default: 20)",
        rich_help_panel=CAPTIONS,
    ),
]
