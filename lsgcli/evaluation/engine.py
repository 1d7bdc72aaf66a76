"""What computes: policies over sentences, one after the other here, or by many ``workers``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from lsgcli.backends.devices import place
from lsgcli.evaluation.provenance import machine, model_identity, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lsgcli.core.backend import Placement
    from lsgcli.evaluation.corpus import Sentence
    from lsgcli.evaluation.logs import Instance
    from lsgcli.evaluation.tasks import Task
    from lsgcli.policy.base import Policy

    Done: TypeAlias = Callable[[Policy, Instance], None]  # called with each sentence, in any order
    Work: TypeAlias = tuple[Sequence[Policy], Sequence[Sentence]]  # each policy over each sentence
    # Runs policies over sentences with a model that is loaded.
    Translate: TypeAlias = Callable[[Sequence[Policy], Sequence[Sentence], Done], None]
    Engine: TypeAlias = Callable[[Sequence[Work], Done], None]


@dataclass(frozen=True)
class Origin:
    """What results depend on, besides what is asked for.

    Attributes:
        versions: of the software.
        model: its files' checksums.
        device: where it runs, as ``--device`` writes it.
        compute_type: as decided there.
        machine: what kind it is.

    """

    versions: dict[str, str]
    model: dict[str, Any]
    device: str
    compute_type: str
    machine: dict[str, Any]

    @classmethod
    def here(cls, task: Task, placement: Placement, *, timed: bool = False) -> Origin:
        """The origin of what this process computes. Raises UsageError."""
        where = place(placement.device, placement.compute_type)
        kind = machine(gpus=bool(where.cards), timed=timed)
        return cls(versions(), model_identity(task.model), where.name, where.compute_type, kind)

    def decided(self, placement: Placement) -> Placement:
        """Return a placement with the device and the arithmetic as they were decided."""
        return replace(placement, device=self.device, compute_type=self.compute_type)


class Computing(Protocol):
    """What computes, and where."""

    @property
    def origin(self) -> Origin:
        """What its results depend on."""
        ...

    def engine(self, work: Sequence[Work], done: Done) -> None:
        """Do the work. Raises LsgError."""
        ...


class Local:
    """This process. The model is loaded when there is work."""

    def __init__(
        self,
        task: Task,
        placement: Placement,
        *,
        speed: float | None = None,
        sharing: bool = False,
    ) -> None:
        """See ``Task.open``. Raises UsageError."""
        self.origin = Origin.here(task, placement, timed=speed is not None)
        placement = self.origin.decided(placement)
        self._open = partial(task.open, placement, speed=speed, sharing=sharing)

    def engine(self, work: Sequence[Work], done: Done) -> None:
        """Do all work in turn."""
        every = {each.index: each for _, sentences in work for each in sentences}
        local(self._open(list(every.values())))(work, done)


def local(translate: Translate) -> Engine:
    """Return an engine that does all work in turn."""

    def engine(work: Iterable[Work], done: Done) -> None:
        for policies, sentences in work:
            translate(policies, sentences, done)

    return engine


def in_turn(
    run: Callable[[Policy, Sequence[Sentence], Callable[[Instance], None]], None],
) -> Translate:
    """Make what runs policies, one after the other, of what runs one of them."""

    def translate(policies: Sequence[Policy], sentences: Sequence[Sentence], done: Done) -> None:
        for policy in policies:
            run(policy, sentences, partial(done, policy))

    return translate
