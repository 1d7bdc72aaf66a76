"""From options to systems: which policies, with which settings, one run compares.

A sweep is a product, ``"L=1,3 U=4,6"`` being four settings; several sweeps are a union. A key goes
to the policies that have it; see ``policy.spec``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from lsgcli.errors import UsageError
from lsgcli.policy import spec
from lsgcli.policy.spec import KEYS, POLICIES, SETTINGS, PolicySettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lsgcli.policy.base import Policy
    from lsgcli.policy.levels import Thresholds

Values = tuple[int | float | str, ...]


@dataclass(frozen=True)
class System:
    """A policy with all its settings, and the name of its directory."""

    name: str
    kind: str  # the policy's name
    policy: Policy

    def settings(self) -> dict[str, Any]:
        """The policy's name and settings, for JSON."""
        fields = spec.values(self.policy)
        numbers = {key: str(v) if v == math.inf else v for key, v in fields.items()}
        return {"policy": self.kind, **numbers}


def parse_sweep(text: str, option: str = "--sweep") -> dict[str, Values]:
    """Parse ``"L=1,3 delta=0.5,1"`` to values by the names of settings.

    Raises:
        UsageError: if it is not of this form; ``option`` is where it was given.

    """
    values: dict[str, Values] = {}
    for part in text.split():
        key, _, listed = part.partition("=")
        if key not in KEYS or not listed:
            raise UsageError(
                f"{option}: {part!r} is not KEY=VALUE,VALUE,…; keys are {', '.join(KEYS)}"
            )
        if KEYS[key].name in values:
            raise UsageError(f"{option}: {key} is there twice; list all its values at once")
        values[KEYS[key].name] = tuple(_value(option, key, value) for value in listed.split(","))
    if not values:
        raise UsageError(f'{option}: it is empty; for example "L=1,3,5,7 U=4,6"')
    return values


def parse_policies(text: str) -> list[str]:
    """Parse ``"lsg,wait-k"``. Raises UsageError for an unknown policy."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in POLICIES:
            raise UsageError(f"--policy: no policy {name!r}; choose from {', '.join(POLICIES)}")
    return names


def parse_latency(text: str) -> Values:
    """Parse ``"low,high"`` or ``all``. Raises UsageError for an unknown level."""
    levels = SETTINGS["latency"].choices
    names = levels if text == "all" else tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in levels:
            raise UsageError(f"--latency: no level {name!r}; choose from {', '.join(levels)}, all")
    return names


def expand(
    policies: Sequence[str],
    given: Mapping[str, Values],
    sweeps: Sequence[Mapping[str, Values]] = (),
) -> list[PolicySettings]:
    """Return the settings of every system.

    Args:
        policies: their names.
        given: values by setting, for every system whose policy has it.
        sweeps: values by setting, each a product, together a union.

    Raises:
        UsageError: if none of the policies has a setting, or two options contradict each other.

    """
    for setting in [*given, *(setting for sweep in sweeps for setting in sweep)]:
        spec.check_owner(setting, policies)
    for sweep in sweeps:
        if both := set(sweep) & set(given):
            raise UsageError(f"{SETTINGS[both.pop()].option} is also in --sweep; say it once")
        if "latency" in given and {"lower", "upper"} <= {*given, *sweep}:
            raise UsageError("--latency stands for L and U; leave it out where both are given")
    return [each for name in policies for each in _of_policy(name, given, sweeps)]


def _of_policy(
    name: str, given: Mapping[str, Values], sweeps: Sequence[Mapping[str, Values]]
) -> list[PolicySettings]:
    has = POLICIES[name].settings
    own = [{f: v for f, v in sweep.items() if f in has} for sweep in sweeps]
    settings = []
    for swept in [sweep for sweep in own if sweep] or [{}]:
        values = {f: v for f, v in given.items() if f in has} | swept
        for chosen in product(*values.values()):
            settings.append(PolicySettings(name, **dict(zip(values, chosen, strict=True))))
    return settings


def systems(
    settings: Sequence[PolicySettings], defaults: Thresholds, *, speech: bool = False
) -> list[System]:
    """Fill in the model's defaults and name the systems; equal settings are one system.

    Raises UsageError; see ``PolicySettings.policy``.
    """
    policies = {each.policy(defaults, speech=speech): each.name for each in settings}
    return [System(str(policy), kind, policy) for policy, kind in policies.items()]


def _value(option: str, key: str, text: str) -> int | float:
    setting = KEYS[key]
    try:
        value: int | float = setting.type(text)
    except ValueError:
        what = "a whole number" if setting.type is int else "a number"
        raise UsageError(f"{option}: {key}={text!r} is not {what}") from None
    if fault := setting.fault(value):
        raise UsageError(f"{option}: {key}={text} {fault}")
    return value
