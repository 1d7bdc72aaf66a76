"""``lsg translate``: text in, its translation out, while it arrives."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsgcli import terminal
from lsgcli.cli import options as o
from lsgcli.cli.running import floor_level, ignore, policy_settings, run_to_end, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lsgcli.core.session import Observer
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import TextManifest
    from lsgcli.output.base import TranslationWriter
    from lsgcli.policy.spec import PolicySettings
    from lsgcli.text.line.reader import Reader
    from lsgcli.text.recording import Chunks, Header, Replay
    from lsgcli.text.segmenter import Limits
    from lsgcli.text.structure.planner import Kind


STDIN = Path("-")
# What a replay does not take: its input is the recording.
INPUT = {"files": "FILE", "pace": "--pace", "encoding": "--encoding", "record": "--record"}


def translate(
    ctx: typer.Context,
    to: o.To,
    files: o.Files = None,
    from_: o.FromOrAuto = None,
    model: o.Model = None,
    device: o.DeviceOption = "auto",
    compute_type: o.ComputeType = "auto",
    threads: o.Threads = 0,
    batch_size: o.BatchSize = 32,
    policy: o.PolicyOption = o.PolicyName.LSG,
    latency: o.LatencyOption = None,
    profile: o.Profile = None,
    lower: o.Lower = None,
    upper: o.Upper = None,
    delta: o.Delta = None,
    alpha: o.Alpha = None,
    kl_direction: o.Direction = None,
    k: o.K = None,
    n: o.N = None,
    segment: o.Segment = o.SegmentMode.LINE,
    protect: o.Protect = True,
    protect_regex: o.ProtectRegex = None,
    help_protect: o.HelpProtect = False,
    as_: o.As = o.InputKind.AUTO,
    json_field: o.JsonField = None,
    floor: o.Floor = "auto",
    memory: o.MemoryOption = None,
    phrases: o.Phrases = True,
    idle: o.Idle = 2.0,
    pace: o.Pace = None,
    record: o.Record = None,
    encoding: o.Encoding = "utf-8",
    strict: o.Strict = False,
    output_format: o.Format = o.OutputFormat.TEXT,
    explain: o.Explain = False,
    stats: o.Stats = False,
    stats_json: o.StatsJson = None,
    color: o.ColourOption = o.Colour.AUTO,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Translate text while it arrives.

    Words that come one by one (someone typing, an LLM's answer, lsg asr) are translated inside the
    line; lines that are complete are translated at once, several together. One line in, one line
    out. What has been written is never changed.

    Examples: tail -f app.log | lsg translate --to de;  lsg translate --to de < book.txt
    """
    # What takes long to import is imported once the command line is known to be right.
    from lsgcli.backends import open_ways
    from lsgcli.core.backend import Placement
    from lsgcli.errors import UsageError
    from lsgcli.models.catalog import AUTO, find, find_all
    from lsgcli.output.beside import SideFile, check_output
    from lsgcli.text.encoding import check
    from lsgcli.text.memory import of_direction
    from lsgcli.text.structure.planner import WHOLE, Kind

    check(encoding)
    settings = policy_settings(
        policy, latency, profile, lower, upper, delta, alpha, None, kl_direction, k, n
    )
    kind, patterns = Kind(as_.value), tuple(protect_regex or ())
    _check_kind(kind, patterns, json_field, protect=protect, segment=segment)
    floor_level(floor, None)
    known = _read(memory)
    told = from_ == AUTO
    models = find_all(model, to) if told else {"": find(model, from_, to)}
    by_character = any(each.manifest.source_unit == "character" for each in models.values())
    if by_character and (protect_regex or told or kind is not Kind.AUTO):
        option = "--from auto" if told else "--protect-regex" if protect_regex else "--as"
        raise UsageError(f"{option} needs words; this model reads characters")
    protects = protect and not by_character
    placement = Placement(device, compute_type, threads, batch_size)
    header = _header(ctx, settings) if record else None

    with ExitStack() as stack:
        replayed: Replay | None = ctx.obj  # set by ``replay``
        descriptors = [_open(file, stack) for file in files or ([] if replayed else [STDIN])]
        inputs = [*descriptors, *(memory or ())]
        check_output(inputs)
        kept = stack.enter_context(SideFile(record, "--record", inputs)) if record else None
        inputs += [kept.fileno()] if kept else []
        report = (
            stack.enter_context(SideFile(stats_json, "--stats-json", inputs))
            if stats_json
            else None
        )

        backends = open_ways(models, placement)  # load while the rest is imported
        from lsgcli.output.descriptor import Output
        from lsgcli.output.display import Explainer
        from lsgcli.output.jsonl import JsonWriter
        from lsgcli.output.statistics import Statistics
        from lsgcli.output.text import TextWriter
        from lsgcli.text.chunks import ChunkReader
        from lsgcli.text.feed import Feed
        from lsgcli.text.language import Detector, Router
        from lsgcli.text.line.translate import Way
        from lsgcli.text.pipeline import Pipeline
        from lsgcli.text.protect import Protector
        from lsgcli.text.recording import Recorder
        from lsgcli.text.segmenter import Limits, Segmenter

        router = (
            Router(Detector([*models, to]), by_line=segment is o.SegmentMode.LINE) if told else None
        )
        ways, limits = dict[str, Way](), dict[str, Limits]()
        for language, each in models.items():
            backend = backends[language]
            backend.ready()
            manifest = each.manifest
            ways[language] = Way(
                settings.policy(each.policy),
                backend,
                manifest.placeholders,
                manifest.capitals,
                floor_level(floor, each.policy.floor),
                of_direction(each.source, to, known, phrases=phrases and not by_character),
            )
            limits[language] = Limits(
                tokens=manifest.max_source_tokens,
                count=backend.count,
                language=each.source,
                sentences=manifest.sentences,
                characters=by_character,
            )
        _offer(models, wanted=not (model or quiet))
        if 0 in descriptors and os.isatty(0) and not quiet:
            terminal.note("reading from the terminal; end with Ctrl-D")
        chunks: Chunks = replayed if replayed else ChunkReader(descriptors, pace, encoding)
        if kept and header:
            chunks = Recorder(chunks, kept, header)
        lines = protects and segment is o.SegmentMode.LINE and pace != 0
        feed = Feed(
            chunks,
            Segmenter(
                next(iter(limits.values())),
                segment.value,
                Protector(patterns) if protects else None,
                limits,
            ),
            bulk=pace != 0,
            lines=lines or kind in WHOLE,
            hold=kind in WHOLE,
            characters=by_character,
            idle=idle or None,
            strict=strict,
            encoding=encoding,
            warn=ignore if quiet else terminal.warning,
            router=router,
        )
        as_text = output_format is o.OutputFormat.TEXT
        together = explain and os.isatty(1) and os.isatty(2)
        preview = (
            as_text and not together and os.isatty(1) and terminal.coloured(color.value, sys.stdout)
        )
        writer: TranslationWriter = (
            TextWriter(Output(), preview=preview, by_line=together)
            if as_text
            else JsonWriter(Output())
        )
        statistics = Statistics(next(iter(backends.values())).usage)
        observers: tuple[Observer, ...] = (statistics,)
        if explain:
            observers += (Explainer(sys.stderr),)
        reader = _reader(kind, patterns, json_field or (), limits) if protects else None
        pipeline = Pipeline(
            feed,
            ways,
            writer,
            observers,
            reader=reader,
            preview=preview,
        )
        alone = not os.isatty(1) and not explain  # nothing else writes to that terminal
        gc.freeze()  # what is loaded stays
        gc.enable()
        with shown(statistics, report, show=stats, live=alone, colour=color.value):
            run_to_end(pipeline, writer)


def _check_kind(
    kind: Kind,
    patterns: tuple[str, ...],
    names: list[str] | None,
    *,
    protect: bool,
    segment: o.SegmentMode,
) -> None:
    """Check what is said of the lines. Raises UsageError."""
    from lsgcli.errors import UsageError
    from lsgcli.text.items import Finder
    from lsgcli.text.structure.planner import Kind

    auto = kind is Kind.AUTO
    if not protect and (patterns or names or not auto):
        option = "--protect-regex" if patterns else "--json-field" if names else "--as"
        raise UsageError(f"{option} has no effect with --no-protect")
    if names and kind not in (Kind.AUTO, Kind.LOG, Kind.JSON):
        raise UsageError(f"--json-field has no effect with --as {kind.value}")
    if segment is o.SegmentMode.SENTENCE and (names or not auto):
        option = "--as" if not auto else "--json-field"
        raise UsageError(f"{option} is about lines; it has no effect with --segment sentence")
    Finder(patterns)  # which tells what is wrong with them


def _reader(
    kind: Kind, patterns: tuple[str, ...], names: Sequence[str], limits: Mapping[str, Limits]
) -> Reader:
    """What tells prose from what is copied, for each language."""
    from lsgcli.text.items import Finder
    from lsgcli.text.line.reader import Reader
    from lsgcli.text.line.sentences import Cutter
    from lsgcli.text.structure.planner import Planner

    cutters = {
        language: Cutter(Finder(patterns, limit.spells), limit, language)
        for language, limit in limits.items()
    }
    return Reader(Planner(Finder(patterns), kind, names), cutters)


def _offer(models: Mapping[str, Model[TextManifest]], *, wanted: bool) -> None:
    """Say once, on a terminal, that there are better models than an embedded one."""
    if not wanted or not os.isatty(2):
        return
    from lsgcli.models import preferences, registry

    first = next(iter(models.values()))
    better = registry.offers(first.source, first.target)
    if first.directory.parent == registry.shipped() and better and preferences.say_once():
        terminal.note(
            f"{first.directory.name} is a small model; lsg models pull {better[0]} gets a better "
            "one, which is then used by itself"
        )


def _read(files: list[Path] | None) -> list[tuple[str, str]]:
    """The entries of translation memories. Raises InputError, OSError."""
    from lsgcli.text.memory import read

    return [pair for file in files or () for pair in read(file)]


def _header(ctx: typer.Context, policy: PolicySettings) -> Header:
    """What a recording says of this command line. Raises UsageError for what it cannot hold."""
    from lsgcli.text.recording import NOT_KEPT, Header, Settings

    values = {
        name: getattr(ctx.params[name], "value", ctx.params[name])
        for name in Settings.__struct_fields__
        if _is_given(ctx, name)
    }
    if _is_given(ctx, "profile"):  # what it says, not its name
        values |= {name: getattr(policy, name) for name in ("lower", "upper", "delta", "alpha")}
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
            if recorded.header.without and not inner.params["quiet"]:
                options = " and ".join(recorded.header.without)
                terminal.note(
                    f"{file} was recorded with {options}, which a recording does not hold"
                )
            command.invoke(inner)


def _open(file: Path, stack: ExitStack) -> int:
    """Open a file, ``-`` for standard input, before anything is read."""
    return 0 if str(file) == "-" else stack.enter_context(file.open("rb")).fileno()
