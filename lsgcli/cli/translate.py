"""``lsg translate``: text in, its translation out, while it arrives."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lsgcli import terminal
from lsgcli.cli import options as o
from lsgcli.cli.running import Run
from lsgcli.log import logger
from lsgcli.text.structure.kinds import Kind

if TYPE_CHECKING:
    from lsgcli.models.directions import Directions
    from lsgcli.output.base import TranslationWriter
    from lsgcli.policy.spec import PolicySettings
    from lsgcli.text.options import TextOptions
    from lsgcli.text.recording import Chunks, Header, Replay

STDIN = Path("-")
# What a replay does not take: its input is the recording.
INPUT = {"files": "FILE", "pace": "--pace", "encoding": "--encoding", "record": "--record"}


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


@dataclass(frozen=True)
class TextInput:
    """Where the text comes from, and what it is."""

    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files to translate, - for standard input. (default: -)", show_default=False
        ),
    ] = None
    from_: Annotated[
        str | None,
        o.INPUT(
            "--from",
            metavar="LANG|auto",
            callback=o.language,
            autocompletion=o.languages,
            help="Language of the input; auto tells it line by line. (default: the model's)",
        ),
    ] = None
    segment: Annotated[
        Literal["line", "sentence"],
        o.INPUT(
            "--segment",
            help="line: a line in, a line out. sentence: line breaks are whitespace, a sentence a "
            "line.",
        ),
    ] = "line"
    protect: Annotated[
        bool,
        o.INPUT(
            "--protect/--no-protect",
            help="Copy what is no prose, and check that it all comes through; see --help-protect.",
        ),
    ] = True
    protect_regex: Annotated[
        list[str] | None,
        o.INPUT(
            "--protect-regex", metavar="REGEX", help="Also copy words that match. Can be repeated."
        ),
    ] = None
    help_protect: Annotated[
        bool,
        o.INPUT(
            "--help-protect",
            is_eager=True,
            callback=_print_kinds,
            help="List what is copied unchanged, with examples, and exit.",
        ),
    ] = False
    as_: Annotated[
        Kind,
        o.INPUT(
            "--as",
            help="What the lines are; auto: told for each of them. Only prose is translated.",
        ),
    ] = "auto"
    json_field: Annotated[
        list[str] | None,
        o.INPUT(
            "--json-field",
            metavar="NAME[,NAME]",
            callback=_names,
            help="Of JSON, translate this field and nothing else; a.b is the field b of a. Can be "
            "repeated.",
        ),
    ] = None
    idle: Annotated[
        float,
        o.INPUT(
            "--idle",
            min=0,
            callback=o.number,
            metavar="SECONDS",
            help="A pause that ends a word; 0: no pause does.",
        ),
    ] = 2.0
    pace: Annotated[
        float | None,
        o.INPUT(
            "--pace",
            min=0,
            callback=o.number,
            metavar="WORDS",
            help="Feed the input at so many words a second; 0: one by one, without waiting.",
        ),
    ] = None
    record: Annotated[
        Path | None,
        o.INPUT("--record", metavar="FILE", help="Keep the input with its timing, for lsg replay."),
    ] = None
    encoding: Annotated[
        str,
        o.INPUT(
            "--encoding",
            metavar="NAME",
            help="Of the input, as Python calls it: utf-16, latin-1. The output is UTF-8.",
        ),
    ] = "utf-8"
    strict: Annotated[
        bool,
        o.INPUT("--strict", help="Fail on input that its encoding does not have."),
    ] = False

    def open(self, stack: ExitStack, *, default: bool) -> list[int]:
        """Open the files, before anything is read; standard input if there are none, by default."""
        files = self.files or ([STDIN] if default else [])
        return [
            0 if file == STDIN else stack.enter_context(file.open("rb")).fileno() for file in files
        ]


@dataclass(frozen=True)
class Knowledge:
    """What is known beside the model, and how much of the model's work is taken."""

    floor: Annotated[
        str,
        o.MODEL(
            "--floor",
            metavar="NUMBER|none|auto",
            help="Leave a complete sentence as it is if the model's mean log-probability of its "
            "translation is lower; auto: the model's own level.",
        ),
    ] = "auto"
    memory: Annotated[
        list[Path] | None,
        o.MODEL(
            "--memory",
            metavar="FILE.tsv",
            help="Known translations, used before the model: a text, a tab, its translation a "
            "line. {} is any word. Can be repeated.",
        ),
    ] = None
    phrases: Annotated[
        bool,
        o.MODEL(
            "--phrases/--no-phrases",
            help="What systems say (errors, signals, HTTP, systemd, git) from a table, not the "
            "model.",
        ),
    ] = True

    def level(self) -> float | None:
        """The level that the floor means; none: None. Raises UsageError."""
        from lsgcli.errors import UsageError

        if self.floor in ("auto", "none"):
            return None
        try:
            level = float(self.floor)
        except ValueError:
            level = float("nan")
        if not level <= 0:
            raise UsageError(
                f"--floor {self.floor!r}: neither a number of at most 0, nor none, nor auto"
            )
        return level

    def entries(self) -> tuple[tuple[str, str], ...]:
        """The entries of the translation memories. Raises InputError, OSError."""
        from lsgcli.text.memory import read

        return tuple(pair for file in self.memory or () for pair in read(file))


def translate(
    ctx: typer.Context,
    to: o.To,
    text: TextInput,
    knowledge: Knowledge,
    device: o.Device,
    policy: o.TextPolicy,
    reports: o.Reports,
    model: o.TextModel = None,
    batch_size: o.BatchSize = 32,
    output_format: Annotated[
        Literal["text", "jsonl"],
        o.OUTPUT("--format", "-f", help="Words, or a JSON object for every event."),
    ] = "text",
    color: o.Color = "auto",
) -> None:
    """Translate text while it arrives.

    Words that come one by one (someone typing, an LLM's answer, lsg asr) are translated inside the
    line; lines that are complete are translated at once, several together. One line in, one line
    out. What has been written is never changed.

    Examples:
      tail -f app.log | lsg translate --to de
      lsg translate --to de < book.txt

    """
    settings = policy.settings()
    options = _options(text, knowledge)
    # What takes long to import is imported once the command line is known to be right.
    from lsgcli.backends import open_backends
    from lsgcli.models.directions import Directions

    directions = Directions(model, text.from_, to)
    options.check_characters(directions)
    header = _header(ctx, settings) if text.record else None
    with ExitStack() as stack:
        replayed: Replay | None = ctx.obj  # set by ``replay``
        descriptors = text.open(stack, default=not replayed)
        run = Run(stack, reports, color, [*descriptors, *(knowledge.memory or ())])
        kept = run.beside(text.record, "--record")
        run.open_report()

        backends = open_backends(directions.models, device.placement(batch_size))
        # The weights are read while the rest is imported.
        from lsgcli.output.statistics import Statistics
        from lsgcli.text.build import build
        from lsgcli.text.chunks import ChunkReader
        from lsgcli.text.recording import Recorder

        chunks: Chunks = replayed or ChunkReader(descriptors, text.pace, text.encoding)
        if kept and header:
            chunks = Recorder(chunks, kept, header)
        writer, preview = _writer(run, output_format)
        usage = next(iter(backends.values())).usage
        statistics = Statistics(usage, live=text.pace != 0)
        pipeline = build(
            directions,
            backends,
            settings,
            options,
            chunks,
            writer,
            run.observers(statistics),
            preview=preview,
        )
        _offer(directions, wanted=model is None)
        if 0 in descriptors and terminal.is_terminal(0):
            logger.info("reading from the terminal; end with Ctrl-D")
        run.to_end(pipeline, writer, statistics)


def _options(text: TextInput, knowledge: Knowledge) -> TextOptions:
    """The same for the pipeline, checked. Raises UsageError, InputError."""
    from lsgcli.text.encoding import check
    from lsgcli.text.options import TextOptions

    check(text.encoding)
    options = TextOptions(
        kind=text.as_,
        json_fields=tuple(text.json_field or ()),
        by_line=text.segment == "line",
        protect=text.protect,
        patterns=tuple(text.protect_regex or ()),
        floor=knowledge.level(),
        own_floor=knowledge.floor == "auto",
        phrases=knowledge.phrases,
        memory=knowledge.entries(),
        encoding=text.encoding,
        strict=text.strict,
        idle=text.idle,
        bulk=text.pace != 0,
    )
    options.check()
    return options


def _writer(run: Run, output_format: str) -> tuple[TranslationWriter, bool]:
    """The writer, and whether it shows hypotheses."""
    from lsgcli.output.descriptor import Output

    if output_format == "jsonl":
        from lsgcli.output.jsonl import JsonWriter

        return JsonWriter(Output()), False
    from lsgcli.output.text import TextWriter

    return TextWriter(Output(), preview=run.preview, by_line=run.together), run.preview


def _offer(directions: Directions, *, wanted: bool) -> None:
    """Say once, on a terminal, that there are better models than an embedded one."""
    if not wanted or terminal.is_quiet() or not terminal.is_terminal(2):
        return
    from lsgcli.models import preferences, registry

    first = directions.first
    better = registry.offers(first.source, first.target)
    if first.directory.parent == registry.shipped() and better and preferences.say_once():
        logger.info(
            f"{first.directory.name} is a small model; lsg models pull {better[0]} gets a better "
            "one, which is then used by itself"
        )


def _header(ctx: typer.Context, policy: PolicySettings) -> Header:
    """What a recording says of this command line. Raises UsageError for what it cannot hold."""
    from lsgcli.text.recording import NOT_KEPT, Header, Settings

    values = {
        name: getattr(ctx.params[name], "value", ctx.params[name])
        for name in Settings.__struct_fields__
        if _is_given(ctx, name)
    }
    if _is_given(ctx, "profile"):  # what it says, not its name
        values |= policy.asked
    if values.pop("pace", None) == 0:  # of other paces the times say all
        values["pace"] = 0
    without = [option for name, option in NOT_KEPT.items() if _is_given(ctx, name)]
    return Header(settings=Settings.of(values), without=without)


def _is_given(ctx: Any, name: str) -> bool:
    """Whether a parameter stands on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def replay(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What translate --record has kept.", exists=True)],
) -> None:
    """Run a recorded stream again, with the options it was recorded with or other ones.

    Further options are those of lsg translate. Time is virtual: every chunk of input is worked off
    before the next one comes, so the result is always the same. A recording holds settings and
    input only: the model, translation memories and patterns are those of this command line.
    """
    from lsgcli.errors import UsageError
    from lsgcli.text.recording import Replay

    group = ctx.find_root().command
    assert isinstance(group, typer.core.TyperGroup)
    command = group.commands["translate"]
    with file.open("rb") as stream:
        recorded = Replay(stream, str(file))
        settings = recorded.header.settings.given()
        with command.make_context(
            ctx.info_name, list(ctx.args), parent=ctx.parent, default_map=settings, obj=recorded
        ) as inner:
            if own := [option for name, option in INPUT.items() if _is_given(inner, name)]:
                raise UsageError(f"{own[0]}: the input of a replay is the recording")
            if recorded.header.without:
                options = " and ".join(recorded.header.without)
                logger.info(f"{file} was recorded with {options}, which a recording does not hold")
            command.invoke(inner)


def _open(file: Path, stack: ExitStack) -> int:
    """Open a file, ``-`` for standard input, before anything is read."""
    return 0 if str(file) == "-" else stack.enter_context(file.open("rb")).fileno()
