"""All systems of a run, each continued where it stopped."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from lsgcli.evaluation.journal import Journal
from lsgcli.evaluation.report import json_lines, score_lines, score_record
from lsgcli.evaluation.rundir import RESULTS
from lsgcli.evaluation.score import LogScore, ScoreOptions, measure_log, summarise
from lsgcli.evaluation.segments import kept_segments
from lsgcli.metrics.quality import bleu_tokenizer
from lsgcli.metrics.significance import BOOTSTRAP_TRIALS, SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.engine import Engine
    from lsgcli.evaluation.logs import Instance, SourceType
    from lsgcli.evaluation.rundir import RunDirectory
    from lsgcli.evaluation.sweep import System
    from lsgcli.policy.base import Policy

    Progress = Callable[[str, int], None]  # of a system, so many more sentences are finished


def unfinished(
    directory: RunDirectory,
    systems: Sequence[System],
    sentences: Sequence[Sentence],
    source_type: SourceType = "text",
) -> dict[System, Journal]:
    """Return the journals of the systems that are not complete. Raises InputError."""
    sources = {each.index: each.checksum for each in sentences}
    journals = {}
    for system in systems:
        log = directory.system(system.name, sources, source_type)
        if log.is_finished():
            log.drop_part()
        else:
            journals[system] = Journal(log, sentences)
    return journals


def run_systems(journals: Mapping[System, Journal], engine: Engine, progress: Progress) -> None:
    """Translate what is missing, and leave a complete log of every system."""
    by_policy = {system.policy: (system.name, journal) for system, journal in journals.items()}
    work = [([system.policy], each.missing) for system, each in journals.items() if each.missing]

    def done(policy: Policy, instance: Instance) -> None:
        name, journal = by_policy[policy]
        journal.add(instance)
        progress(name, 1)

    with ExitStack() as stack:
        for journal in journals.values():
            stack.enter_context(journal)
        if work:
            engine(work, done)


def score_systems(
    directory: RunDirectory, names: Iterable[str], *, machines: int = 1
) -> list[LogScore]:
    """Score every system by all the defaults, and write the results.

    ``machines``: on how many unlike ones the computation was measured.
    """
    tokenize = bleu_tokenizer(directory.record().target)
    scores = []
    segments = kept_segments(directory.path)
    for name in names:
        options = ScoreOptions(unit=directory.unit, tokenize=tokenize)
        measured = measure_log(directory.path / name, options, segments=segments)
        measured.name, measured.machines = name, machines
        scores.append(summarise(measured, intervals=True))
    record = {
        "intervals": {"level": 0.95, "resamples": BOOTSTRAP_TRIALS, "seed": SEED},
        "systems": [score_record(score) for score in scores],
    }
    directory.write(f"{RESULTS}.json", json_lines(record))
    directory.write(f"{RESULTS}.tsv", score_lines(scores))
    return scores
