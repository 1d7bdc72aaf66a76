"""The options that several commands have, each declared once; see ``groups``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from lsgcli import terminal
from lsgcli.cli.complete import languages, models, profiles
from lsgcli.cli.groups import declared, section
from lsgcli.languages import code
from lsgcli.policy.spec import POLICIES, SETTINGS

if TYPE_CHECKING:
    from lsgcli.core.backend import Placement
    from lsgcli.evaluation import speech_runner as run
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest, SpeechManifest
    from lsgcli.policy.spec import PolicySettings

MODEL, POLICY, INPUT, OUTPUT = map(section, ("Model", "Policy", "Input", "Output"))

ColorChoice: TypeAlias = Literal["auto", "always", "never"]
TableFormat: TypeAlias = Literal["table", "json", "tsv"]


def number(value: float | None) -> float | None:
    """Refuse ``nan``, which no range excludes."""
    if value is not None and math.isnan(value):
        raise typer.BadParameter("must be a number")
    return value


def language(value: str | None) -> str | None:
    """Take a locale or a name for the language's code; ``auto`` and what is unknown as it is."""
    return value and code(value)


To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="LANG",
        callback=language,
        autocompletion=languages,
        help="Language to translate to: de, de_DE, german.",
        show_default=False,
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="LANG",
        callback=language,
        autocompletion=languages,
        help="Language of the input. (default: the model's)",
    ),
]
TextModel = Annotated[
    str | None,
    MODEL(
        "--model",
        "-m",
        metavar="NAME|DIR",
        autocompletion=models,
        help="A model that is here, by name, or a model directory. (default: one for the "
        "languages)",
    ),
]
BatchSize = Annotated[
    int,
    MODEL(
        "--batch-size", min=1, metavar="N", help="Segments in one batch, when several are waiting."
    ),
]
Color = Annotated[
    ColorChoice,
    OUTPUT("--color", help="Colour, where there is a terminal; auto respects NO_COLOR."),
]
Format = Annotated[TableFormat, OUTPUT("--format", "-f", help="What to write.")]
Json = Annotated[bool, OUTPUT("--json", help="A JSON object a line.")]


@dataclass(frozen=True)
class Messages:
    """What is said on standard error."""

    quiet: Annotated[bool, OUTPUT("--quiet", "-q", help="No warnings, no notes.")] = False
    debug: Annotated[
        bool,
        OUTPUT("--debug", help="Show the traceback of an error."),
    ] = False  # read where the error is: in ``app``

    def __post_init__(self) -> None:
        """Obey, from the moment that the command line has been read."""
        if self.quiet:
            terminal.be_quiet()


@dataclass(frozen=True)
class Device:
    """Where a model runs."""

    device: Annotated[
        str,
        MODEL(
            "--device",
            metavar="auto|cpu|cuda[:N,...]",
            help="Where the model runs: on the CPU, or on GPUs by their numbers; one that is named "
            "twice runs two passes at once.",
            autocompletion=lambda: ["auto", "cpu", "cuda", "cuda:0"],
        ),
    ] = "auto"
    compute_type: Annotated[
        str,
        MODEL(
            "--compute-type",
            metavar="TYPE",
            help="Arithmetic, as CTranslate2 names it. auto: int8, with bfloat16 or float16 on a "
            "GPU.",
        ),
    ] = "auto"
    threads: Annotated[
        int,
        MODEL(
            "--threads", min=0, max=1024, metavar="N", help="CPU cores to use, 0 for all of them."
        ),
    ] = 0

    def placement(self, batch_size: int | None = None) -> Placement:
        """The same for a backend."""
        from lsgcli.core.backend import Placement

        asked = (self.device, self.compute_type, self.threads)
        return Placement(*asked) if batch_size is None else Placement(*asked, batch_size)


Profile = Annotated[
    str | None,
    POLICY(
        "--profile",
        metavar="NAME|FILE",
        autocompletion=profiles,
        help="LSG: settings that lsg tune has saved.",
    ),
]


def _policy(names: list[str]) -> Any:
    def known(name: str) -> str:
        if name not in names:
            raise typer.BadParameter(f"no policy {name!r}; choose from {', '.join(names)}")
        return name

    return POLICY(
        "--policy",
        "-p",
        metavar="NAME",
        callback=known,
        autocompletion=lambda: names,
        help=f"When to READ and when to WRITE: {', '.join(names)}.",
    )


AnyPolicy = Annotated[str, _policy(list(POLICIES))]
PolicyOfText = Annotated[str, _policy([name for name, each in POLICIES.items() if each.text])]


@dataclass(frozen=True)
class SpeechPolicy:
    """When to READ and when to WRITE."""

    policy: AnyPolicy = "lsg"
    profile: Profile = None
    asked: dict[str, Any] = field(
        default_factory=dict, metadata=declared(SETTINGS.values(), POLICY)
    )

    def settings(self) -> PolicySettings:
        """Check them. Raises UsageError."""
        from lsgcli.policy import profiles
        from lsgcli.policy.spec import PolicySettings

        settings = PolicySettings(self.policy, **self.asked)
        return (
            settings if self.profile is None else settings.with_profile(profiles.load(self.profile))
        )


@dataclass(frozen=True)
class TextPolicy(SpeechPolicy):
    """The same, without what only speech has."""

    policy: PolicyOfText = "lsg"
    profile: Profile = None
    asked: dict[str, Any] = field(
        default_factory=dict,
        metadata=declared((s for s in SETTINGS.values() if not s.speech), POLICY),
    )


@dataclass(frozen=True)
class Reports:
    """What is shown beside the output."""

    explain: Annotated[
        bool,
        OUTPUT("--explain", help="Show each decision and its rule on stderr."),
    ] = False
    stats: Annotated[
        bool,
        OUTPUT(
            "--stats/--no-stats",
            envvar="LSG_STATS",
            help="Statistics on stderr; on a terminal, while it runs.",
            show_default=False,
        ),
    ] = False
    stats_json: Annotated[
        Path | None,
        OUTPUT("--stats-json", metavar="FILE", help="Also write them to a file."),
    ] = None


@dataclass(frozen=True)
class Hearing:
    """How sound is cut into source units."""

    segment_ms: Annotated[
        int,
        INPUT(
            "--segment-ms",
            min=80,
            max=5000,
            metavar="MS",
            help="Speech: length of a source unit, for which the policy decides.",
        ),
    ] = 640
    pause: Annotated[
        float | None,
        INPUT(
            "--pause",
            min=0.1,
            max=10,
            callback=number,
            metavar="SECONDS",
            help="Speech: silence that ends an utterance. (default: the model's)",
        ),
    ] = None
    vad: Annotated[
        bool,
        INPUT("--vad/--no-vad", help="Speech: skip what is not speech."),
    ] = True

    @property
    def segment(self) -> float:
        """Seconds of a source unit."""
        return self.segment_ms / 1000

    def of(self, manifest: SpeechManifest) -> run.Hearing:
        """The same for a run, with the model's part."""
        from lsgcli.evaluation.speech_runner import Hearing

        return Hearing.of(manifest, segment=self.segment, pause=self.pause, vad=self.vad)

    def check(self, model: Model[Manifest], *, speech: bool) -> None:
        """Raises UsageError if the model takes text, and something was said of speech."""
        given = [
            option
            for option, value, default in (
                ("--segment-ms", self.segment_ms, Hearing.segment_ms),
                ("--pause", self.pause, Hearing.pause),
                ("--no-vad", self.vad, Hearing.vad),
            )
            if value != default
        ]
        if given and not speech:
            from lsgcli.errors import UsageError

            raise UsageError(f"{given[0]} belongs to speech; {model.directory.name} takes text")
