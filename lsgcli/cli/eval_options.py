"""The options that only ``lsg eval`` and ``lsg tune`` have; see ``groups``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from lsgcli.cli.groups import declared, section
from lsgcli.cli.options import MODEL, POLICY, Profile
from lsgcli.policy.spec import POLICIES, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsgcli.core.backend import Placement
    from lsgcli.evaluation.engine import Computing
    from lsgcli.evaluation.score import Measurement, ScoreOptions
    from lsgcli.evaluation.segments import Segment
    from lsgcli.evaluation.selection import NamedLog
    from lsgcli.evaluation.tasks import Task
    from lsgcli.metrics.neural import Comet
    from lsgcli.policy.spec import PolicySettings

DATA, SCORE = section("Data"), section("Scores")
Unit: TypeAlias = Literal["word", "char", "spm"]

Logs = Annotated[
    list[Path],
    typer.Argument(
        metavar="LOG…",
        help="Logs, their directories, or directories of lsg eval run.",
        show_default=False,
    ),
]
Tokenize = Annotated[
    str | None,
    SCORE(
        "--tokenize",
        metavar="NAME",
        help="sacreBLEU's tokenizer for BLEU. (default: by the language of the log's run, or 13a)",
    ),
]
LatencyUnit = Annotated[
    Unit | None,
    SCORE("--unit", help="What each delay belongs to. (default: as the log's run says, or word)"),
]
Confidence = Annotated[
    bool,
    SCORE("--confidence", help="95% intervals, by bootstrap over the sentences."),
]
Ray = Annotated[
    str | None,
    MODEL(
        "--ray",
        metavar="local|auto|ADDRESS",
        help="Have it done by workers of a Ray cluster: one for each GPU, or for so many CPU cores "
        "as --threads says.",
    ),
]


@contextmanager
def computing(
    ray: str | None,
    task: Task,
    placement: Placement,
    *,
    speed: float | None = None,
    sharing: bool = False,
) -> Iterator[Computing]:
    """Give what computes: this process, or the workers of a cluster. Raises UsageError."""
    from lsgcli.errors import UsageError
    from lsgcli.evaluation.engine import Local
    from lsgcli.evaluation.workers import workers

    if ray is None:
        yield Local(task, placement, speed=speed, sharing=sharing)
        return
    if speed is not None:
        raise UsageError(
            "--computation-aware measures one process; share it out with --shard, not with --ray"
        )
    with workers(ray, task, placement, sharing=sharing) as found:
        yield found


@dataclass(frozen=True)
class Sweep:
    """The systems of a run: policies with their settings."""

    policy: Annotated[
        str,
        POLICY(
            "--policy", "-p", metavar="NAME,…", help=f"One or several of {', '.join(POLICIES)}."
        ),
    ] = "lsg"
    latency: Annotated[
        str | None,
        POLICY(
            "--latency",
            "-l",
            metavar="LEVEL,…",
            help="LSG: levels of the model's: low, medium, high, highest, or all. "
            "(default: medium)",
        ),
    ] = None
    profile: Profile = None
    asked: dict[str, Any] = field(
        default_factory=dict,
        metadata=declared((s for n, s in SETTINGS.items() if n != "latency"), POLICY),
    )
    sweep: Annotated[
        list[str] | None,
        POLICY(
            "--sweep",
            metavar="SETTINGS",
            help='Every combination of "L=1,3 U=4 delta=0.5,1 k=1,3 n=2", a key where '
            "its policy has it. Can be repeated.",
        ),
    ] = None

    def settings(self) -> list[PolicySettings]:
        """Give the settings of every system. Raises UsageError."""
        from lsgcli.evaluation import sweep as s
        from lsgcli.policy import profiles

        asked = dict(self.asked)
        if self.profile is not None:
            asked = profiles.load(self.profile).asked() | asked
        given: dict[str, s.Values] = {name: (value,) for name, value in asked.items()}
        if self.latency is not None:
            given["latency"] = s.parse_latency(self.latency)
        sweeps = [s.parse_sweep(each) for each in self.sweep or ()]
        return s.expand(s.parse_policies(self.policy), given, sweeps)


@dataclass(frozen=True)
class LogOptions:
    """How logs are read."""

    reference: Annotated[
        Path | None,
        DATA(
            "--reference",
            metavar="FILE",
            help="References, one a line (with --segments: one a segment), in place of the log's.",
        ),
    ] = None
    transcript: Annotated[
        Path | None,
        DATA(
            "--transcript",
            metavar="FILE",
            help="For COMET of speech: what is said, one line a sentence or segment.",
        ),
    ] = None
    segments: Annotated[
        Path | None,
        DATA(
            "--segments",
            metavar="FILE",
            help="Of a log of whole recordings: their segments, which are scored (YAML as of "
            "MuST-C, JSON, TSV).",
        ),
    ] = None
    resegment: Annotated[
        Literal["soft", "mwer", "none"] | None,
        DATA(
            "--resegment",
            help="How a recording's words are given to its segments: by SoftSegmenter, by "
            "mweralign (extra mwer), or not at all. (default: soft)",
        ),
    ] = None
    source_type: Annotated[
        Literal["text", "speech"] | None,
        DATA("--source-type", help="(default: inferred from the log)"),
    ] = None
    log_format: Annotated[
        Literal["simuleval", "omnisteval", "simulstream"] | None,
        DATA("--log-format", help="(default: inferred from the log)"),
    ] = None
    ignore: Annotated[
        list[str] | None,
        DATA("--ignore", metavar="FIELD", help="An unknown field to skip. Can be repeated."),
    ] = None

    def segments_of(self, log: NamedLog) -> list[Segment] | None:
        """The segments by which a log is scored, if it is by any. Raises InputError, UsageError."""
        from lsgcli.errors import UsageError
        from lsgcli.evaluation.segments import load_segments

        path = self.segments or log.segments
        if path is not None:
            return load_segments(path, self.reference)
        if self.resegment is not None:
            raise UsageError(f"--resegment: {log.name} has no segments; name them by --segments")
        return None


@dataclass(frozen=True)
class Metrics:
    """What is computed from logs."""

    quality: Annotated[
        str,
        SCORE(
            "--quality-metrics",
            metavar="NAME,…",
            help="BLEU, chrF, chrF++, TER, WER, CER, COMET, or none.",
        ),
    ] = "BLEU,chrF"
    latency: Annotated[
        str,
        SCORE(
            "--latency-metrics",
            metavar="NAME,…",
            help="AL, LAAL, AP, DAL, ATD, YAAL, StartOffset, EndOffset, all or none.",
        ),
    ] = "AL,LAAL,AP,DAL,ATD,YAAL,StartOffset"
    unit: LatencyUnit = None
    comet_model: Annotated[
        Path | None,
        SCORE(
            "--comet-model",
            metavar="PATH",
            help="For COMET: a checkpoint that is here, its directory or its file. None is "
            "downloaded.",
        ),
    ] = None
    comet_python: Annotated[
        str | None,
        SCORE(
            "--comet-python",
            metavar="PROGRAM",
            help="For COMET: the Python of the environment that has unbabel-comet. (default: this "
            "one)",
        ),
    ] = None
    spm_model: Annotated[
        Path | None,
        SCORE("--spm-model", metavar="FILE", help="SentencePiece model, for --unit spm."),
    ] = None
    tokenize: Tokenize = None
    use_ref_len: Annotated[
        bool,
        SCORE(
            "--use-ref-len/--no-use-ref-len",
            help="Lagging against the length of the reference, or of the hypothesis.",
        ),
    ] = True

    def options(self, unit: Unit = "word", target: str = "") -> ScoreOptions:
        """The same for a log, whose run says what delays belong to, and the language that it wrote.

        Raises UsageError.
        """
        from lsgcli.errors import UsageError
        from lsgcli.evaluation.score import LATENCY_METRICS, ScoreOptions
        from lsgcli.metrics.quality import bleu_tokenizer

        encode = None
        if self.spm_model is not None:
            if self.unit != "spm":
                raise UsageError("--spm-model belongs to --unit spm")
            from lsgcli.backends.vocabulary import SentencePieceVocabulary

            encode = SentencePieceVocabulary(self.spm_model).encode
        return ScoreOptions(
            quality=_names(self.quality),
            latency=_names(self.latency, tuple(LATENCY_METRICS)),
            unit=self.unit or unit,
            tokenize=self.tokenize or bleu_tokenizer(target),
            use_reference_length=self.use_ref_len,
            spm_encode=encode,
            comet=self._comet(),
        )

    def _comet(self) -> Comet | None:
        from lsgcli.errors import UsageError
        from lsgcli.metrics.neural import COMET, Comet

        if COMET in _names(self.quality):
            model = self.comet_model
            return Comet(model, self.comet_python or sys.executable) if model else None
        if self.comet_model or self.comet_python:
            raise UsageError("--comet-model and --comet-python need --quality-metrics COMET")
        return None

    def measure(self, logs: Sequence[Path], reading: LogOptions) -> list[Measurement]:
        """Read logs. Raises InputError, UsageError."""
        from lsgcli.evaluation.score import measure_log
        from lsgcli.evaluation.selection import select_logs

        measured = []
        for log in select_logs(logs):
            segments = reading.segments_of(log)
            found = measure_log(
                log.path,
                self.options(log.unit, log.target),
                references=reading.reference,
                source_type=reading.source_type,
                log_format=reading.log_format,
                ignore=reading.ignore or (),
                segments=segments,
                resegment=reading.resegment or "soft",
                transcripts=reading.transcript,
            )
            found.name, found.machines = log.name, log.machines
            measured.append(found)
        return measured


def _names(listed: str, every: Sequence[str] = ()) -> tuple[str, ...]:
    """Split ``"AL,LAAL"``; ``all`` is every one, ``none`` is none of them."""
    if listed == "none":
        return ()
    if listed == "all" and every:
        return tuple(every)
    return tuple(dict.fromkeys(name.strip() for name in listed.split(",")))
