"""From options to systems: which policies, with which settings, one run compares.

A sweep is a product, ``"L=1,3 U=4,6"`` being four settings; several sweeps are a union. A key goes
to the policies that have it::

    lsg        L, U, delta, alpha; of speech margin
    lsg-words  L, U, delta, alpha
    alignatt   margin
    wait-k     k
    local-agreement, hold-n    n
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from lsgcli.errors import UsageError
from lsgcli.policy.baselines import HoldN, LocalAgreement, WaitK
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.spec import OPTIONS, TAKES, PolicySettings
from lsgcli.policy.speech import AlignAtt, SpokenLsg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lsgcli.models.manifest import Thresholds
    from lsgcli.policy.base import Policy

LEVELS = ("low", "medium", "high", "highest")
Values = tuple[int | float | str, ...]


@dataclass(frozen=True)
class Key:
    """A key of a sweep: the field of ``PolicySettings`` and the values it may have."""

    field: str
    kind: type[int] | type[float]
    least: int
    most: float = math.inf


KEYS = {
    "L": Key("lower", int, 1),
    "U": Key("upper", int, 0),
    "delta": Key("delta", float, 0),
    "alpha": Key("alpha", float, 0, 1),
    "margin": Key("margin", float, 0),
    "k": Key("k", int, 1),
    "n": Key("n", int, 1),
}


@dataclass(frozen=True)
class System:
    """A policy with all its settings, and the name of its directory."""

    name: str
    kind: str  # the policy's name
    policy: Policy

    def settings(self) -> dict[str, Any]:
        """The policy's name and settings, as JSON can hold them."""
        fields = dataclasses.asdict(cast("Any", self.policy))  # every policy is a dataclass
        numbers = {key: str(v) if v == math.inf else v for key, v in fields.items()}
        return {"policy": self.kind, **numbers}


def parse_sweep(text: str) -> dict[str, Values]:
    """Parse ``"L=1,3 delta=0.5,1"`` to values by field of ``PolicySettings``.

    Raises:
        UsageError: if it is not of this form.

    """
    values: dict[str, Values] = {}
    for part in text.split():
        name, _, listed = part.partition("=")
        if name not in KEYS or not listed:
            raise UsageError(
                f"--sweep: {part!r} is not KEY=VALUE,VALUE,…; keys are {', '.join(KEYS)}"
            )
        if KEYS[name].field in values:
            raise UsageError(f"--sweep: {name} is there twice; list all its values at once")
        values[KEYS[name].field] = tuple(_value(name, value) for value in listed.split(","))
    if not values:
        raise UsageError('--sweep: it is empty; for example "L=1,3,5,7 U=4,6"')
    return values


def parse_policies(text: str) -> list[str]:
    """Parse ``"lsg,wait-k"``. Raises UsageError for a name that is no policy's."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in TAKES:
            raise UsageError(f"--policy: no policy {name!r}; choose from {', '.join(TAKES)}")
    return names


def parse_latency(text: str) -> Values:
    """Parse ``"low,high"`` or ``all``. Raises UsageError for a name that is no level's."""
    names = LEVELS if text == "all" else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in LEVELS:
            raise UsageError(f"--latency: no level {name!r}; choose from {', '.join(LEVELS)}, all")
    return names


def expand(
    policies: Sequence[str],
    given: Mapping[str, Values],
    sweeps: Sequence[Mapping[str, Values]] = (),
) -> list[PolicySettings]:
    """Give the settings of every system.

    Args:
        policies: their names.
        given: values by field, for every system whose policy has the field.
        sweeps: values by field, each a product, together a union.

    Raises:
        UsageError: if none of the policies has a field, or two options contradict each other.

    """
    for field in [*given, *(field for sweep in sweeps for field in sweep)]:
        if not any(field in TAKES[name] for name in policies):
            owners = " and ".join(name for name, takes in TAKES.items() if field in takes)
            raise UsageError(
                f"{OPTIONS[field]} belongs to --policy {owners}, not {' or '.join(policies)}"
            )
    for sweep in sweeps:
        if both := set(sweep) & set(given):
            raise UsageError(f"{OPTIONS[both.pop()]} is also in --sweep; say it once")
        if "latency" in given and {"lower", "upper"} <= {*given, *sweep}:
            raise UsageError("--latency stands for L and U; leave it out where both are given")
    return [each for name in policies for each in _of_policy(name, given, sweeps)]


def _of_policy(
    name: str, given: Mapping[str, Values], sweeps: Sequence[Mapping[str, Values]]
) -> list[PolicySettings]:
    own = [{f: v for f, v in sweep.items() if f in TAKES[name]} for sweep in sweeps]
    settings = []
    for swept in [sweep for sweep in own if sweep] or [{}]:
        values = {f: v for f, v in given.items() if f in TAKES[name]} | swept
        for chosen in product(*values.values()):
            asked: dict[str, Any] = dict(zip(values, chosen, strict=True))
            settings.append(PolicySettings(name, **asked))
            settings[-1].check()
    return settings


def systems(
    settings: Sequence[PolicySettings], defaults: Thresholds, *, speech: bool = False
) -> list[System]:
    """Fill in the model's defaults and name the systems; settings that come to the same are one.

    Raises UsageError; see ``PolicySettings.policy``.
    """
    policies = {each.policy(defaults, speech=speech): each.name for each in settings}
    return [System(system_name(policy), kind, policy) for policy, kind in policies.items()]


def system_name(policy: Policy) -> str:
    """Name a policy with all its settings.

    >>> system_name(WaitK(3)), system_name(Lsg(1.0, 0.6, 3, 4))
    ('wait-3', 'lsg-L3-U4-delta1-alpha0.6')
    """
    if isinstance(policy, WaitK):
        return f"wait-{policy.k}"
    if isinstance(policy, LocalAgreement):
        return f"local-agreement-{policy.n}"
    if isinstance(policy, HoldN):
        return f"hold-{policy.n}"
    if isinstance(policy, AlignAtt):
        return f"alignatt-{_short(policy.margin)}"
    if isinstance(policy, Lsg | SpokenLsg):
        name = f"lsg-L{policy.lower}-U{policy.upper}-delta{_short(policy.delta)}"
        name += f"-alpha{_short(policy.alpha)}"
        if isinstance(policy, SpokenLsg):
            name += f"-margin{_short(policy.margin)}" + "-agree" * policy.agree
        return name + ("-reverse" if policy.direction == "reverse" else "")
    return "offline"


def _value(name: str, text: str) -> int | float:
    key = KEYS[name]
    try:
        value = key.kind(text)
    except ValueError:
        what = "a whole number" if key.kind is int else "a number"
        raise UsageError(f"--sweep: {name}={text!r} is not {what}") from None
    if not key.least <= value <= key.most:
        upper = "" if key.most == math.inf else f" and at most {key.most:g}"
        raise UsageError(f"--sweep: {name}={text} must be at least {key.least}{upper}")
    return value


def _short(number: float) -> str:
    return repr(number).removesuffix(".0")
