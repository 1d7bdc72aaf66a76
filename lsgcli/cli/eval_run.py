"""``lsg eval run``: policies over a test set."""

from __future__ import annotations

import shlex
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lsgcli import signals, terminal
from lsgcli.cli import eval_options as e
from lsgcli.cli import options as o
from lsgcli.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lsgcli.evaluation.batch import Progress
    from lsgcli.evaluation.engine import Origin
    from lsgcli.evaluation.rundir import Record
    from lsgcli.evaluation.tasks import Task
    from lsgcli.models.catalog import Model
    from lsgcli.models.manifest import Manifest

WORDS_PER_SECOND = 2.5  # of unhurried speech


@dataclass(frozen=True)
class TestSet:
    """Sentences, or recordings, and their references."""

    source: Annotated[
        Path | None,
        e.DATA(
            "--source",
            metavar="FILE",
            help="Sentences, one a line; for a speech model paths of recordings, or a manifest of "
            "their segments (YAML as of MuST-C, JSON, TSV).",
        ),
    ] = None
    target: Annotated[
        Path | None,
        e.DATA(
            "--target",
            metavar="FILE",
            help="Their references, one a line. (default: the manifest's)",
        ),
    ] = None
    test_set: Annotated[
        str | None,
        e.DATA(
            "--test-set",
            metavar="NAME",
            help="Instead of both: a test set of sacreBLEU's, for example wmt15.",
        ),
    ] = None
    langpair: Annotated[
        str | None,
        e.DATA("--langpair", metavar="FROM-TO", help="Its languages. (default: the model's)"),
    ] = None

    def files(self, model: Model[Manifest]) -> tuple[Path, Path | None]:
        """The files of sources and references, which a manifest may have. Raises UsageError."""
        from lsgcli.errors import UsageError
        from lsgcli.evaluation.corpus import sacrebleu_files
        from lsgcli.evaluation.segments import SUFFIXES

        if self.test_set is not None:
            if self.source or self.target:
                raise UsageError(
                    "--test-set stands for --source and --target; give one or the others"
                )
            return sacrebleu_files(self.test_set, self.langpair or model.direction)
        manifest = self.source is not None and self.source.suffix.lower() in SUFFIXES
        if self.source is None or (self.target is None and not manifest):
            missing = "--source" if self.source is None else "--target"
            raise UsageError(
                f"{missing} FILE is missing; give sentences and references, one a line"
            )
        return self.source, self.target


def run(
    to: o.To,
    output: Annotated[
        Path,
        o.OUTPUT(
            "--output",
            "-o",
            metavar="DIR",
            help="The directory of the run, a new one.",
            show_default=False,
        ),
    ],
    test_set: TestSet,
    device: o.Device,
    sweep: e.Sweep,
    hearing: o.Hearing,
    from_: o.From = None,
    model: o.TextModel = None,
    batch_size: o.BatchSize = 32,
    computation_aware: Annotated[
        bool,
        e.SCORE(
            "--computation-aware",
            help="Also measure the computation: one sentence at a time, on this machine.",
        ),
    ] = False,
    words_per_second: Annotated[
        float | None,
        e.SCORE(
            "--words-per-second",
            metavar="WORDS",
            help="How fast the source is spoken, for --computation-aware. (default: 2.5)",
        ),
    ] = None,
    resume: Annotated[
        bool,
        o.OUTPUT("--resume", help="Continue a run that was interrupted."),
    ] = False,
    shard: Annotated[
        str | None,
        o.OUTPUT(
            "--shard",
            metavar="I/N",
            help="Only every N-th sentence, from the I-th: one of N processes that share the "
            "directory; see lsg eval merge.",
        ),
    ] = None,
    ray: e.Ray = None,
    output_format: o.Format = "table",
    color: o.Color = "auto",
) -> None:
    """Translate a test set with one or several policies, and score them.

    A sentence is a line, its words come one by one; of speech a recording is one, heard segment by
    segment (--to the language that is spoken: recognition). Long recordings are scored by the
    segments that a manifest has. Every policy with every setting becomes a system with a log of its
    own (SimulEval's instances.log). Killed at any moment, the run goes on with --resume.

    Example:
      lsg eval run --source test.en --target test.de --to de --output run

    """
    from lsgcli.evaluation import sweep as s
    from lsgcli.evaluation.batch import run_systems, score_systems, unfinished
    from lsgcli.evaluation.logs.files import line_sum
    from lsgcli.evaluation.rundir import RunDirectory
    from lsgcli.evaluation.segments import FILE_NAME, write_segments
    from lsgcli.evaluation.shards import Shard
    from lsgcli.evaluation.tasks import choose

    settings = sweep.settings()
    speed = _speed(computation_aware, words_per_second)
    part = None if shard is None else Shard.parse(shard)
    task = choose(model, from_, to, hearing.of)
    hearing.check(task.model, speech=task.source_type == "speech")
    files = test_set.files(task.model)
    every = task.load(*files)
    sentences = part.of(every) if part else every
    systems = s.systems(settings, task.model.policy, speech=task.source_type == "speech")
    segments = [each for sentence in every for each in sentence.segments]
    run_directory = RunDirectory(output, task.unit)
    directory = run_directory.shard(part) if part else run_directory
    placement = device.placement(batch_size)
    with e.computing(ray, task, placement, speed=speed) as computing:
        origin = computing.origin
        # The device is kept as it was decided, so that no other continues the run.
        decided = {"device": origin.device, "compute_type": origin.compute_type}
        asked = asdict(device) | decided | task.settings() | {"sentences": len(every)}
        if segments:
            asked["segments"] = len(segments)
        if part:
            asked["shards"] = part.count
        here = {
            "machine": origin.machine,
            "checksum": line_sum(*(each.checksum.encode() for each in sentences)),
        }
        record = _record(task, files, origin, asked, systems, speed, here, batch_size)
        with directory.open(record, resume=resume):
            if segments:
                write_segments(output / FILE_NAME, segments)
            journals = unfinished(directory, systems, sentences, task.source_type)
            total = len(systems) * len(sentences)
            finished = total - sum(len(each.missing) for each in journals.values())
            with _progress(total, finished, directory.path, color) as progress:
                run_systems(journals, computing.engine, progress)
            if part:
                logger.info(f"shard {part} is complete; when all are, lsg eval merge {output}")
                return
            scores = score_systems(directory, [each.name for each in systems])
    from lsgcli.cli.eval_score import show_scores

    show_scores(scores, output_format, color, intervals=False)


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


def _record(
    task: Task,
    files: tuple[Path, Path | None],
    origin: Origin,
    asked: dict[str, Any],
    systems: list[Any],
    speed: float | None,
    here: dict[str, Any],
    batch_size: int,
) -> Record:
    """Make the run's record. A batch size changes no result, so it may differ on resuming."""
    from lsgcli.evaluation.corpus import checksum
    from lsgcli.evaluation.provenance import surroundings
    from lsgcli.evaluation.rundir import Record
    from lsgcli.metrics.significance import SEED

    source, target = files
    model = task.model
    settings: dict[str, Any] = {
        "versions": origin.versions,
        "model": origin.model,
        "source_sha256": checksum(source),
        "target_sha256": checksum(target) if target else None,
        **asked,
        "unit": task.unit,
        "source_type": task.source_type,
        "seed": SEED,
        "words_per_second": speed,
    }
    about: dict[str, Any] = {
        "command": shlex.join(["lsg", *sys.argv[1:]]),
        "model": str(model.directory),
        "source": str(source),
        "target": str(target) if target else None,
        "batch_size": batch_size,
        "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": surroundings(),
    }
    return Record(settings, {each.name: each.settings() for each in systems}, here, about)


@contextmanager
def _progress(total: int, before: int, directory: Path, colour: str) -> Iterator[Progress]:
    """Show a bar on a terminal; in the end say how long it took, or how to go on.

    ``before``: so many of the ``total`` sentences an earlier run has finished.
    """
    new = 0
    start = time.monotonic()
    with bar(total, colour, before) as advance:

        def progress(system: str, sentences: int) -> None:
            nonlocal new
            new += sentences
            advance(system, sentences)

        try:
            yield progress
        except (KeyboardInterrupt, signals.TerminatedError):
            logger.info(f"{directory} has {before + new} of {total}; continue with --resume")
            raise
    seconds = time.monotonic() - start
    resumed = f", {before} had been" if before else ""
    logger.info(
        f"{new} sentences translated in {seconds:.1f} s ({new / seconds:.1f} a second){resumed}"
    )


@dataclass
class Minutes:
    """Progress in a log file: a line a minute."""

    total: int
    done: int = 0
    clock: Callable[[], float] = time.monotonic
    every: float = 60.0
    _first: tuple[float, int] | None = None  # when it was first told of any, and of how many
    _said: float = 0.0

    def __call__(self, system: str, sentences: int) -> None:
        """Count sentences of a system; say how many there are if it is time to."""
        self.done += sentences
        now = self.clock()
        if self._first is None:
            self._first, self._said = (now, self.done), now
        if now - self._said < self.every:
            return
        self._said = now
        logger.info(f"{system}: {self.done} of {self.total}{self._left(now)}")

    def _left(self, now: float) -> str:
        begun, before = self._first or (now, 0)
        if self.done == before:
            return ""
        left = (now - begun) * (self.total - self.done) / (self.done - before)
        return f", {left / 60:.0f} min left"


@contextmanager
def bar(total: int, colour: str, completed: int = 0) -> Iterator[Callable[[str, int], None]]:
    """Show a bar with the time that is left, or tell it a log file; gives what advances it."""
    if terminal.is_quiet() or not sys.stderr.isatty():
        yield Minutes(total, completed)  # which is not heard where only errors are wanted
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
        task = shown.add_task("loading", total=total, completed=completed)

        def advance(system: str, sentences: int) -> None:
            shown.update(task, description=system, advance=sentences)

        yield advance
