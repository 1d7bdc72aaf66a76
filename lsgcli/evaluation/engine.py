"""What computes: policies over sentences, one after the other here, or by many workers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import Instance
    from lsgcli.policy.base import Policy

    Done: TypeAlias = Callable[[Policy, Instance], None]  # called with each sentence, in any order
    Work: TypeAlias = tuple[Sequence[Policy], Sequence[Sentence]]  # each policy over each sentence
    # Runs policies over sentences with a model that is loaded.
    Translate: TypeAlias = Callable[[Sequence[Policy], Sequence[Sentence], Done], None]
    Engine: TypeAlias = Callable[[Iterable[Work], Done], None]


def in_turn(
    run: Callable[[Policy, Sequence[Sentence], Callable[[Instance], None]], None],
) -> Translate:
    """Make what runs policies, one after the other, of what runs one of them."""

    def translate(policies: Sequence[Policy], sentences: Sequence[Sentence], done: Done) -> None:
        for policy in policies:
            run(policy, sentences, partial(done, policy))

    return translate


def local(translate: Translate) -> Engine:
    """Return the engine of this process: all work in turn."""

    def engine(work: Iterable[Work], done: Done) -> None:
        for policies, sentences in work:
            translate(policies, sentences, done)

    return engine
