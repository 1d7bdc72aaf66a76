"""What a READ/WRITE decision costs: lsg's engine against a reference-style one.

    python -m benchmarks.policy_cost SENTENCES [HOW_MANY]

One sentence at a time, source words one by one, same model, same thresholds, interleaved runs in
one process. Calls are passes through the model (a generation's steps each count), tokens are those
processed. The reference runs with lsg's thread settings and with CTranslate2's defaults.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import ctranslate2

from benchmarks.embedded import open_decoder_only
from benchmarks.reference_engine import Reference
from lsgcli.core.backend import Usage
from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.core.steps import Action, Commit, Decision, Event
from lsgcli.models.catalog import find
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.spec import PolicySettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsgcli.backends.decoder_only import DecoderOnlyBackend

LEVELS = ("low", "medium", "high", "highest")
ROUNDS = 3


def main() -> None:
    """Print a table a level."""
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    sources = [tuple(line.split()) for line in lines[: int((sys.argv[2:] or ["200"])[0])]]
    words = sum(map(len, sources))
    model = find("en-de", None, "de")
    backend = open_decoder_only("de")
    names = [backend._vocabulary.token(n) for n in range(backend._vocabulary.size)]
    default = ctranslate2.Generator(str(model.directory), compute_type="int8")
    print(f"{len(sources)} sentences, {words} words; per source word:")
    for level in LEVELS:
        policy = PolicySettings(latency=level).policy(model.policy)
        assert isinstance(policy, Lsg)
        events: list[Event] = []
        backend.usage = Usage()
        engine(backend, sources, policy, events.append)
        ours = replace(backend.usage)
        reads = sum(isinstance(e, Decision) and e.action is Action.READ for e in events)
        tokens = sum(backend.count(e.text) for e in events if isinstance(e, Commit))
        references = {
            "reference, lsg's threads": Reference(backend._generator, backend.lexicon, names),
            "reference, default threads": Reference(default, backend.lexicon, names),
        }
        runs: dict[str, Callable[[], object]] = {
            "lsg": partial(engine, backend, sources, policy, lambda _: None)
        }
        for name, reference in references.items():
            runs[name] = partial(each, reference, sources, policy)
        seconds = interleaved(runs)
        print(f"\n{level}: {policy}")
        allowed = (reads + tokens) / words
        print(f"  READ decisions + committed tokens: {allowed:.2f}")
        rows = {"lsg": (ours.calls, ours.tokens)} | {
            name: (r.calls / ROUNDS, r.tokens / ROUNDS) for name, r in references.items()
        }
        for name, (calls, processed) in rows.items():
            ratio = statistics.median(
                theirs / mine for theirs, mine in zip(seconds[name], seconds["lsg"], strict=True)
            )
            print(
                f"  {name:28} {calls / words:6.2f} calls {processed / words:7.1f} tokens"
                f"  {1000 * statistics.median(seconds[name]) / words:7.2f} ms  {ratio:5.2f}x"
            )
        sys.stdout.flush()
    os._exit(0)


def each(reference: Reference, sources: list[tuple[str, ...]], policy: Lsg) -> None:
    """Run the reference's loop, one sentence at a time."""
    for source in sources:
        reference.translate(source, policy)


def engine(
    backend: DecoderOnlyBackend,
    sources: list[tuple[str, ...]],
    policy: Lsg,
    observe: Callable[[Event], None],
) -> None:
    """Run lsg's loop, one sentence at a time."""
    segments = [(source, translate(policy, backend.lexicon)) for source in sources]
    run(backend, segments, lambda _, event: observe(event), batch_size=1)


def interleaved(runs: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds of each run, round by round, so that a noisy moment hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, call in runs.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds


if __name__ == "__main__":
    main()
