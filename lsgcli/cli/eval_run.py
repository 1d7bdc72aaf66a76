"""``lsg eval run``: policies over a test set."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from lsgcli import signals, terminal
from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o
from lsgcli.cli.running import ignore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lsgcli.evaluation.batch import Progress
    from lsgcli.evaluation.rundir import Record
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest

WORDS_PER_SECOND = 2.5  # of unhurried speech


def run(
    to: o.To,
    output: e.RunDirectoryOption,
    source: e.Source = None,
    target: e.Target = None,
    test_set: e.TestSet = None,
    langpair: e.LanguagePair = None,
    from_: o.From = None,
    model: o.Model = None,
    device: o.DeviceOption = "auto",
    compute_type: o.ComputeType = "auto",
    threads: o.Threads = 0,
    batch_size: o.BatchSize = 32,
    policy: e.Policies = "lsg",
    latency: e.Levels = None,
    profile: o.Profile = None,
    lower: o.Lower = None,
    upper: o.Upper = None,
    delta: o.Delta = None,
    alpha: o.Alpha = None,
    margin: o.Margin = None,
    kl_direction: o.Direction = None,
    k: o.K = None,
    n: o.N = None,
    sweep: e.Sweep = None,
    segment_ms: o.SegmentMs = 640,
    pause: o.Pause = None,
    vad: o.Vad = True,
    computation_aware: e.ComputationAware = False,
    words_per_second: e.WordsPerSecond = None,
    resume: e.Resume = False,
    output_format: e.Format = e.TableFormat.TABLE,
    color: o.ColourOption = o.Colour.AUTO,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Translate a test set with one or several policies, and score them.

    A sentence is a line, its words come one by one; of speech a recording is one, heard segment by
    segment (--to the language that is spoken: recognition). Every policy with every setting becomes
    a system with a log of its own (SimulEval's instances.log). Killed at any moment, the run goes
    on with --resume.

    Example: lsg eval run --source test.en --target test.de --to de --policy lsg,wait-k
    --latency all --sweep "k=1,3,5,7" --output run
    """
    from lsgcli.backends.devices import place
    from lsgcli.core.backend import Placement
    from lsgcli.evaluation import sweep as s
    from lsgcli.evaluation.batch import run_systems, score_systems
    from lsgcli.evaluation.logs.files import line_sum
    from lsgcli.evaluation.rundir import RunDirectory
    from lsgcli.evaluation.speech_runner import Hearing
    from lsgcli.evaluation.tasks import choose
    from lsgcli.policy import profiles

    direction = kl_direction.value if kl_direction else None
    given: dict[str, Any] = {
        "lower": lower, "upper": upper, "delta": delta, "alpha": alpha,
        "margin": margin, "direction": direction, "k": k, "n": n,
    }  # fmt: skip
    values: dict[str, s.Values] = {f: (v,) for f, v in given.items() if v is not None}
    if profile is not None:
        values = {f: (v,) for f, v in profiles.load(profile).settings().items()} | values
    if latency is not None:
        values["latency"] = s.parse_latency(latency)
    settings = s.expand(
        s.parse_policies(policy), values, [s.parse_sweep(each) for each in sweep or ()]
    )
    speed = _speed(computation_aware, words_per_second)
    hearing = partial(Hearing.of, segment=segment_ms / 1000, pause=pause, vad=vad)
    task = choose(model, from_, to, hearing, terminal.note)
    chosen = task.model
    files = _files(source, target, test_set, langpair or f"{chosen.source}-{chosen.target}")
    sentences = task.load(*files)
    systems = s.systems(settings, chosen.policy, speech=task.source_type == "speech")
    where = place(device, compute_type)  # kept as it was decided, so that no other goes on
    asked: dict[str, Any] = {"device": where.name, "compute_type": where.compute_type}
    asked |= {"threads": threads}
    asked |= task.settings()
    asked["sentences"] = line_sum(*(each.checksum.encode() for each in sentences))
    record = _record(chosen, files, asked, systems, speed, batch_size)

    directory = RunDirectory(output, task.unit)
    with directory.open(record, resume=resume):
        translate = task.open(
            Placement(where.name, where.compute_type, threads, batch_size),
            speed,
            sentences,
            warn=ignore if quiet else terminal.warning,
        )
        with _progress(len(systems) * len(sentences), output, color.value, quiet) as progress:
            run_systems(directory, systems, sentences, translate, progress, task.source_type)
        scores = score_systems(directory, systems)
    from lsgcli.cli.eval_score import show_scores

    show_scores(scores, output_format, color.value, intervals=False)


def _speed(computation_aware: bool, words_per_second: float | None) -> float | None:
    """Words a second where computation is to be measured, else None."""
    from lsgcli.errors import UsageError

    if words_per_second is None:
        return WORDS_PER_SECOND if computation_aware else None
    if not computation_aware:
        raise UsageError("--words-per-second belongs to --computation-aware")
    if not 0 < words_per_second < float("inf"):
        raise UsageError("--words-per-second must be positive")
    return words_per_second


def _files(
    source: Path | None, target: Path | None, test_set: str | None, langpair: str
) -> tuple[Path, Path]:
    from lsgcli.errors import UsageError
    from lsgcli.evaluation.corpus import sacrebleu_files

    if test_set is not None:
        if source or target:
            raise UsageError("--test-set stands for --source and --target; give one or the others")
        return sacrebleu_files(test_set, langpair)
    if source is None or target is None:
        missing = "--source" if source is None else "--target"
        raise UsageError(f"{missing} FILE is missing; give sentences and references, one a line")
    return source, target


def _record(
    model: Model[Manifest],
    files: tuple[Path, Path],
    asked: dict[str, Any],
    systems: list[Any],
    speed: float | None,
    batch_size: int,
) -> Record:
    """Make the run's record.

    A batch size changes no result, so it may differ on resuming. Another kind of CPU rounds
    otherwise, so it may not; other machines of the kind are as good, unless time is measured.
    """
    from lsgcli.evaluation.corpus import checksum
    from lsgcli.evaluation.provenance import machine, model_identity, versions
    from lsgcli.evaluation.rundir import Record
    from lsgcli.metrics.significance import SEED

    source, target = files
    here = machine()
    settings: dict[str, Any] = {
        "versions": versions(),
        "cpu": here.pop("cpu"),
        "model": model_identity(model),
        "source_sha256": checksum(source),
        "target_sha256": checksum(target),
        **asked,
        "unit": "word",
        "seed": SEED,
        "words_per_second": speed,
    }
    about = {
        "command": shlex.join(["lsg", *sys.argv[1:]]),
        "model": str(model.directory),
        "source": str(source),
        "target": str(target),
        "batch_size": batch_size,
        "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    (settings if speed else about)["machine"] = here
    return Record(settings, {each.name: each.settings() for each in systems}, about)


@contextmanager
def _progress(total: int, directory: Path, colour: str, quiet: bool) -> Iterator[Progress]:
    """Show a bar on a terminal; in the end say how long it took, or how to go on."""
    finished, before = 0, 0
    start = time.monotonic()
    with bar(total, colour, show=not quiet) as advance:

        def progress(system: str, sentences: int, *, resumed: bool) -> None:
            nonlocal finished, before
            finished += sentences
            before += sentences if resumed else 0
            advance(system, sentences)

        try:
            yield progress
        except (KeyboardInterrupt, signals.TerminatedError):
            terminal.note(f"{directory} has {finished} of {total}; continue with --resume")
            raise
    if not quiet:
        seconds = time.monotonic() - start
        new = finished - before
        resumed = f", {before} had been" if before else ""
        terminal.note(
            f"{new} sentences translated in {seconds:.1f} s ({new / seconds:.1f} a second){resumed}"
        )


@contextmanager
def bar(total: int, colour: str, *, show: bool) -> Iterator[Any]:
    """Show a bar with the time that is left; gives what advances it."""
    if not (show and sys.stderr.isatty()):
        yield lambda system, sentences: None
        return
    from rich import progress as p

    from lsgcli.cli.tables import console

    columns = (
        p.TextColumn("{task.description}", markup=False),
        p.BarColumn(),
        p.MofNCompleteColumn(),
        p.TimeRemainingColumn(elapsed_when_finished=True),
    )
    with p.Progress(*columns, console=console(colour, stderr=True), transient=True) as shown:
        task = shown.add_task("loading", total=total)

        def advance(system: str, sentences: int) -> None:
            shown.update(task, description=system, advance=sentences)

        yield advance
