"""The interface of a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lsgcli.core.steps import Action, Decision, Reason, Steps

if TYPE_CHECKING:
    from lsgcli.core.decoder import Decoder


class Decide(Protocol):
    """Decides about the decoder's next target word. It may keep state: one segment's."""

    def __call__(self, decoder: Decoder, /) -> Steps[Decision]:
        """READ, or WRITE the next greedy word (the whole rest, if the reason is FINISHED)."""
        ...


class Policy(Protocol):
    """A policy with its settings, a dataclass; its string names it with all of them.

    The same object serves any number of segments at once.
    """

    def start(self) -> Decide:
        """Begin a segment."""
        ...


def short(number: float) -> str:
    """A number as it is in names: ``1`` for 1.0."""
    return repr(number).removesuffix(".0")


def read(
    decoder: Decoder, reason: Reason, top: float | None = None, kl: float | None = None
) -> Decision:
    """Decide READ."""
    return Decision(Action.READ, reason, decoder.i, decoder.j, top, kl)


def write(
    decoder: Decoder, reason: Reason, top: float | None = None, kl: float | None = None
) -> Decision:
    """Decide WRITE."""
    return Decision(Action.WRITE, reason, decoder.i, decoder.j, top, kl)
