"""All systems of a run, one after the other, each continued where it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lsgcli.evaluation.report import json_lines, score_lines, score_record
from lsgcli.evaluation.rundir import RESULTS
from lsgcli.evaluation.score import LogScore, ScoreOptions, measure_log, summarise
from lsgcli.metrics.significance import BOOTSTRAP_TRIALS, SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import Instance, SourceType
    from lsgcli.evaluation.rundir import RunDirectory
    from lsgcli.evaluation.sweep import System
    from lsgcli.policy.base import Policy

    Translate = Callable[[Policy, Sequence[Sentence], Callable[[Instance], None]], None]


class Progress(Protocol):
    """Called with the progress of a run."""

    def __call__(self, system: str, sentences: int, *, resumed: bool) -> None:
        """Report how many more sentences are finished; ``resumed``: by an earlier run."""
        ...


def run_systems(
    directory: RunDirectory,
    systems: Sequence[System],
    sentences: Sequence[Sentence],
    translate: Translate,
    progress: Progress,
    source_type: SourceType = "text",
) -> None:
    """Translate what is missing, and leave a log for every system."""
    sources = {each.index: each.checksum for each in sentences}
    for system in systems:
        log = directory.system(system.name, sources, source_type)
        if log.is_finished():
            log.drop_part()
            progress(system.name, len(sentences), resumed=True)
            continue
        instances = log.instances()
        progress(system.name, len(instances), resumed=True)
        missing = [sentence for sentence in sentences if sentence.index not in instances]
        with log.appending() as append:

            def done(
                instance: Instance,
                found: dict[int, Instance] = instances,
                keep: Callable[[Instance], None] = append,
                name: str = system.name,
            ) -> None:
                keep(instance)
                found[instance.index] = instance
                progress(name, 1, resumed=False)

            translate(system.policy, missing, done)
        log.finish(instances.values())


def score_systems(directory: RunDirectory, systems: Sequence[System]) -> list[LogScore]:
    """Score every system by all the defaults, and write the results."""
    scores = []
    for system in systems:
        measured = measure_log(directory.path / system.name, ScoreOptions(unit=directory.unit))
        measured.name = system.name
        scores.append(summarise(measured, intervals=True))
    record = {
        "intervals": {"level": 0.95, "resamples": BOOTSTRAP_TRIALS, "seed": SEED},
        "systems": [score_record(score) for score in scores],
    }
    directory.write(f"{RESULTS}.json", json_lines(record))
    directory.write(f"{RESULTS}.tsv", score_lines(scores))
    return scores
