"""The policies and their settings: names, limits, defaults and help, each declared once.

The command line, sweeps, profiles, ``lsg tune`` and plots read them here.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from lsgcli.core.steps import KlDirection
from lsgcli.errors import UsageError
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.levels import Level, LevelName, NonNegative, Positive, Probability, Whole
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.speech import AlignAtt, SpokenLsg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lsgcli.policy.base import Policy
    from lsgcli.policy.levels import Thresholds
    from lsgcli.policy.profiles import Profile

PolicyName: TypeAlias = Literal[
    "lsg", "lsg-words", "alignatt", "wait-k", "local-agreement", "hold-n", "offline"
]


@dataclass(frozen=True)
class Setting:
    """A setting of policies. ``kind`` is its type: a number with limits, or names to choose from.

    ``key`` names it in sweeps, grids and tables; ``symbol`` in plots, where systems that differ in
    it are on different curves.
    """

    name: str
    kind: Any
    options: tuple[str, ...]
    help: str
    key: str = ""
    metavar: str | None = None
    symbol: str = ""
    speech: bool = False  # text has none

    @property
    def type(self) -> type:
        """What a value is: int, float or str."""
        kind: type = get_args(self.kind)[0]
        return str if self.choices else kind

    @property
    def choices(self) -> tuple[str, ...]:
        """The names to choose from, if it is no number."""
        return tuple(each for each in get_args(self.kind) if isinstance(each, str))

    @property
    def least(self) -> float | None:
        """The least it may be, if it is a number."""
        return None if self.choices else get_args(self.kind)[1].ge

    @property
    def most(self) -> float | None:
        """The most it may be, if there is a limit."""
        return None if self.choices else get_args(self.kind)[1].le

    @property
    def option(self) -> str:
        """How it is spelt on the command line."""
        return self.options[0]

    def fault(self, value: Any) -> str:
        """What is wrong with a value: what it must be; "" if nothing is."""
        if self.choices:
            *names, last = self.choices
            return "" if value in self.choices else f"must be {', '.join(names)} or {last}"
        kinds = int if self.type is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or math.isnan(value):
            return "must be a whole number" if self.type is int else "must be a number"
        least, most = self.least or 0, math.inf if self.most is None else self.most
        if least <= value <= most:
            return ""
        return f"must be at least {least:g}" + (f" and at most {most:g}" if self.most else "")


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "latency",
            LevelName,
            ("--latency", "-l"),
            "LSG: a level of the model's, how long it may wait. (default: medium)",
        ),
        Setting(
            "lower",
            Positive,
            ("--lower", "-L"),
            "LSG: words, or segments of speech, read before the first word.",
            key="L",
        ),
        Setting(
            "upper",
            Whole,
            ("--upper", "-U"),
            "LSG: how many it may wait beyond that.",
            key="U",
        ),
        Setting(
            "delta",
            NonNegative,
            ("--delta",),
            "LSG: write if KL is greater, in nats. (default: the model's)",
            key="delta",
            symbol="δ",
        ),
        Setting(
            "alpha",
            Probability,
            ("--alpha",),
            "LSG: write if the best token is more probable. (default: the model's)",
            key="alpha",
            symbol="α",
        ),
        Setting(
            "margin",
            NonNegative,
            ("--margin",),
            "LSG of speech, alignatt: audio that must have been heard after a word. "
            "(default: the model's; alignatt: 0.5)",
            key="margin",
            metavar="SECONDS",
            speech=True,
        ),
        Setting(
            "direction",
            KlDirection,
            ("--kl-direction",),
            "LSG: KL(p||q) as in the paper, or reverse as in its code. (default: forward)",
        ),
        Setting(
            "k",
            Positive,
            ("-k",),
            "wait-k: words or segments read ahead. (default: 3)",
            key="k",
        ),
        Setting(
            "n",
            Positive,
            ("-n",),
            "local-agreement: hypotheses that agree; hold-n: words held. (default: 2)",
            key="n",
        ),
    )
}
KEYS = {setting.key: setting for setting in SETTINGS.values() if setting.key}


@dataclass(frozen=True)
class Spec:
    """A policy: what it is called in plots, and the classes that decide."""

    label: str
    text: type[Any] | None  # where words have no place in time; none: it needs one
    speech: type[Any]

    @property
    def settings(self) -> set[str]:
        """The names of its settings."""
        fields = {field.name for field in dataclasses.fields(self.speech)}
        return (fields & SETTINGS.keys()) | ({"latency"} if "lower" in fields else set())


POLICIES: dict[str, Spec] = {
    "lsg": Spec("LSG", Lsg, SpokenLsg),
    "lsg-words": Spec("LSG in words", Lsg, Lsg),
    "alignatt": Spec("AlignAtt", None, AlignAtt),
    "wait-k": Spec("wait-k", WaitK, WaitK),
    "local-agreement": Spec("LA-n", LocalAgreement, LocalAgreement),
    "hold-n": Spec("hold-n", HoldN, HoldN),
    "offline": Spec("offline", Offline, Offline),
}


class PolicySettings:
    """A policy, and what was asked of it; the rest is the model's, or the policy's own default."""

    def __init__(self, name: str = "lsg", /, **asked: Any) -> None:
        """Check names and values; None was not asked for. Raises UsageError."""
        if name not in POLICIES:
            raise UsageError(f"no policy {name!r}; choose from {', '.join(POLICIES)}")
        self.name = name
        self.asked = {setting: value for setting, value in asked.items() if value is not None}
        for setting, value in self.asked.items():
            if setting not in SETTINGS:
                raise UsageError(f"no setting {setting!r}; there are {', '.join(SETTINGS)}")
            check_owner(setting, [name])
            if fault := SETTINGS[setting].fault(value):
                raise UsageError(f"{SETTINGS[setting].option} {fault}, not {value}")

    def with_profile(self, profile: Profile) -> PolicySettings:
        """Take from a profile what was not asked for. Raises UsageError if it is not LSG's."""
        if self.name != "lsg":
            raise UsageError(f"--profile belongs to --policy lsg, not {self.name}")
        if "latency" in self.asked:
            raise UsageError("--latency and --profile both give a range; choose one")
        return PolicySettings(self.name, **profile.asked() | self.asked)

    def policy(self, defaults: Thresholds, *, speech: bool = False) -> Policy:
        """Make the policy; ``defaults`` are the model's, which hears ``speech`` or reads text.

        LSG counts speech in time if the model says how (``Level.margin``), or the settings do.
        Raises UsageError for what only speech has.
        """
        spec = POLICIES[self.name]
        decides = spec.speech if speech else spec.text
        asked = self.asked
        wrong = [SETTINGS[name].option for name in asked if SETTINGS[name].speech and not speech]
        if decides is None or wrong:
            what = wrong[0] if wrong else f"--policy {self.name}"
            raise UsageError(f"{what} belongs to speech: the words of a text have no time")
        if "latency" in spec.settings:
            level = defaults.settings(asked.get("latency", "medium"))
            asked = level | {name: value for name, value in asked.items() if name != "latency"}
            decides = decides if "margin" in asked else Lsg
        fields = {field.name for field in dataclasses.fields(decides)}
        made: Policy = decides(**{name: v for name, v in asked.items() if name in fields})
        return made


def check_owner(setting: str, policies: Iterable[str]) -> None:
    """Raise UsageError for a setting that none of the policies has."""
    if not any(setting in POLICIES[name].settings for name in policies):
        owners = " and ".join(name for name, spec in POLICIES.items() if setting in spec.settings)
        raise UsageError(
            f"{SETTINGS[setting].option} belongs to --policy {owners}, not {' or '.join(policies)}"
        )


def level(policy: Policy) -> Level:
    """LSG's settings as a level of a manifest."""
    own = values(policy)
    return Level(**{name: own[name] for name in Level.__struct_fields__ if name in own})


def values(policy: Policy) -> Mapping[str, Any]:
    """The settings of a policy that is made, by name."""
    return dataclasses.asdict(policy)  # type: ignore[call-overload, no-any-return]
