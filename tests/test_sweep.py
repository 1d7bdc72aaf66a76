"""Options to systems."""

from __future__ import annotations

import pytest

from lsgcli.errors import UsageError
from lsgcli.evaluation.sweep import (
    expand,
    parse_latency,
    parse_policies,
    parse_sweep,
    systems,
)
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK
from lsgcli.policy.levels import Thresholds
from lsgcli.policy.lsg import Lsg

DEFAULTS = Thresholds(delta=1.0, alpha=0.6)


def named(policies, given=None, *sweeps):
    settings = expand(policies, given or {}, [parse_sweep(text) for text in sweeps])
    return [system.name for system in systems(settings, DEFAULTS)]


def test_a_sweep_is_a_product():
    assert parse_sweep(" L=1,3  delta=0.5 ") == {"lower": (1, 3), "delta": (0.5,)}
    assert named(["lsg"], {}, "L=1,3 delta=0.5,2") == [
        "lsg-L1-U4-delta0.5-alpha0.6",
        "lsg-L1-U4-delta2-alpha0.6",
        "lsg-L3-U4-delta0.5-alpha0.6",
        "lsg-L3-U4-delta2-alpha0.6",
    ]


def test_each_policy_takes_its_own_keys():
    found = named(["wait-k", "local-agreement", "hold-n", "offline"], {}, "k=1,5 n=3")
    assert found == ["wait-1", "wait-5", "local-agreement-3", "hold-3", "offline"]


def test_several_sweeps_are_a_union():
    sweeps = ("L=1 U=4 delta=0.5", "L=7 U=6 delta=2", "k=2")
    assert named(["lsg", "wait-k"], {}, *sweeps) == [
        "lsg-L1-U4-delta0.5-alpha0.6",
        "lsg-L7-U6-delta2-alpha0.6",
        "wait-2",
    ]


def test_the_papers_ranges():
    found = systems(expand(["lsg"], {"latency": parse_latency("all")}), DEFAULTS)
    ranges = [(system.settings()["lower"], system.settings()["upper"]) for system in found]
    assert ranges == [(1, 4), (3, 4), (5, 6), (7, 6)]


def test_settings_that_come_to_the_same_are_one_system():
    assert named(["lsg", "lsg"], {"delta": (1.0,)}) == ["lsg-L3-U4-delta1-alpha0.6"]


def test_what_is_fixed_holds_for_all():
    assert named(["lsg", "wait-k"], {"alpha": (0.7,)}, "k=1,2") == [
        "lsg-L3-U4-delta1-alpha0.7",
        "wait-1",
        "wait-2",
    ]


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (Lsg(0.25, 1.0, 1, 0, "reverse"), "lsg-L1-U0-delta0.25-alpha1-reverse"),
        (Lsg(float("inf"), 0.5, 1, 1000), "lsg-L1-U1000-deltainf-alpha0.5"),
        (Lsg(1e-07, 1 / 3, 1, 1), "lsg-L1-U1-delta1e-07-alpha0.3333333333333333"),
        (WaitK(12), "wait-12"),
        (LocalAgreement(2), "local-agreement-2"),
        (HoldN(2), "hold-2"),
        (Offline(), "offline"),
    ],
)
def test_names_say_everything(policy, name):
    assert str(policy) == name


def test_settings_are_json():
    (system,) = systems(expand(["lsg"], {}, [parse_sweep("delta=inf")]), DEFAULTS)
    assert system.settings() == {
        "policy": "lsg",
        "delta": "inf",
        "alpha": 0.6,
        "lower": 3,
        "upper": 4,
        "direction": "forward",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("L", "'L' is not KEY=VALUE"),
        ("L=", "'L=' is not KEY=VALUE"),
        ("x=1", "keys are L, U, delta, alpha, margin, k, n"),
        ("L=1 L=2", "L is there twice"),
        ("L=1,", "L='' is not a whole number"),
        ("L=1.5", "L='1.5' is not a whole number"),
        ("delta=x", "delta='x' is not a number"),
        ("L=0", "L=0 must be at least 1"),
        ("alpha=1.1", "alpha=1.1 must be at least 0 and at most 1"),
        ("delta=nan", "delta=nan must be a number"),
    ],
)
def test_bad_sweeps(text, message):
    with pytest.raises(UsageError, match="--sweep: ") as error:
        parse_sweep(text)
    assert message in str(error.value)


def test_bad_names():
    with pytest.raises(UsageError, match="no policy 'waitk'; choose from lsg, lsg-words, alignatt"):
        parse_policies("lsg,waitk")
    with pytest.raises(UsageError, match="no level 'lo'; choose from low, medium, high"):
        parse_latency("lo")


@pytest.mark.parametrize(
    ("policies", "given", "sweeps", "message"),
    [
        (["wait-k"], {"delta": (1.0,)}, [], "--delta belongs to --policy lsg and lsg-words"),
        (["lsg"], {}, ["k=1"], "-k belongs to --policy wait-k, not lsg"),
        (["lsg"], {"lower": (1,)}, ["L=1,2"], "--lower is also in --sweep"),
        (["lsg"], {"latency": ("low",)}, ["L=1 U=2"], "--latency stands for L and U"),
    ],
)
def test_options_that_contradict_each_other(policies, given, sweeps, message):
    with pytest.raises(UsageError, match=message):
        named(policies, given, *sweeps)
