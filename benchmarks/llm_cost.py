"""What a word costs with a large language model: a head that is kept against one that is not.

    python -m benchmarks.llm_cost MODEL SOURCE-TARGET SENTENCES [HOW_MANY]

The same model, sentences and policies, one sentence at a time, source words one by one, on one
core; runs are interleaved in one process. Without a kept head every pass computes the whole prompt
and verifies a draft in parallel, as it does for small models. Decisions are compared, too: in
float32 they must be the same, in int8 kernels round differently.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lsgcli.backends import decoder_only
from lsgcli.backends.decoder_only import DecoderOnlyBackend
from lsgcli.core.backend import Placement, Usage
from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.core.steps import Commit, Decision, Event
from lsgcli.models.catalog import find
from lsgcli.policy.baselines import LocalAgreement, WaitK
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from lsgcli.policy.base import Policy

POLICIES: list[Policy] = [Lsg(1.0, 0.6, 2, 3), Lsg(1.0, 0.9, 3, 4), WaitK(3), LocalAgreement(2)]


def main() -> None:
    """Print a table."""
    name, direction, file, *rest = sys.argv[1:]
    lines = Path(file).read_text(encoding="utf-8").splitlines()[: int((rest or ["10"])[0])]
    sources = [tuple(line.split()) for line in lines]
    words = sum(map(len, sources))
    source, target = direction.split("-")
    model = find(name, source, target)
    compute = (rest[1:] or ["int8"])[0]
    backend = DecoderOnlyBackend(model, Placement("cpu", compute, threads=1))  # type: ignore[arg-type]
    backend.ready()
    backends = {"kept": backend, "anew": _without(backend, model)}
    print(f"{name} {compute}, {direction}: {len(sources)} sentences, {words} words")
    print(f"head of {len(backend.lexicon.head)} tokens; per source word:")
    for policy in POLICIES:
        same = 0
        seconds = dict.fromkeys(backends, 0.0)
        for each in backends.values():
            each.usage = Usage()
        for words_of in sources:
            seen = []
            for key, each in backends.items():
                start = time.process_time()
                seen.append(_run(each, words_of, policy))
                seconds[key] += time.process_time() - start
            same += seen[0] == seen[1]
        print(f"\n{policy}: {same} of {len(sources)} sentences with the same decisions and words")
        for key, each in backends.items():
            usage = each.usage
            print(
                f"  {key}: {usage.calls / words:5.2f} calls {usage.tokens / words:6.1f} tokens "
                f"{seconds[key] / words:6.3f} CPU s  {seconds[key] / seconds['anew']:5.2f}x"
            )
        sys.stdout.flush()
    os._exit(0)


def _without(backend: DecoderOnlyBackend, model: object) -> DecoderOnlyBackend:
    """The same weights without a kept head."""
    limit, decoder_only.KEPT_HEAD = decoder_only.KEPT_HEAD, sys.maxsize
    other = backend.toward(model)  # type: ignore[arg-type]
    decoder_only.KEPT_HEAD = limit
    return other


def _run(
    backend: DecoderOnlyBackend, source: tuple[str, ...], policy: Policy
) -> list[tuple[object, ...]]:
    """Translate a sentence; give what was decided and written."""
    events: list[Event] = []
    steps = translate(policy, backend.lexicon)
    run(backend, [(source, steps)], lambda _, event: events.append(event), batch_size=1)
    decided = [(e.action, e.reason, e.i, e.j) for e in events if isinstance(e, Decision)]
    return [*decided, *((e.text,) for e in events if isinstance(e, Commit))]


if __name__ == "__main__":
    main()
