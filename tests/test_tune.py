"""Thresholds are found on a development set, kept, and used."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sentences import SENTENCES

from lsgcli.core.backend import Backend, Usage
from lsgcli.errors import UsageError
from lsgcli.evaluation.caching import CachingBackend, sharing
from lsgcli.evaluation.corpus import Sentence
from lsgcli.evaluation.engine import local
from lsgcli.evaluation.runner import evaluate
from lsgcli.evaluation.tuning import Point, front, grid, measure, within
from lsgcli.models.catalog import find
from lsgcli.models.manifest import load, save_level
from lsgcli.models.whisper import LEVELS
from lsgcli.policy.levels import Level, Thresholds
from lsgcli.policy.lsg import Lsg
from lsgcli.policy.spec import values
from lsgcli.policy.speech import SpokenLsg

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.policy.base import Policy

CORPUS = [
    Sentence(n, text, f"Das ist ein kleines Haus {n}.") for n, text in enumerate(SENTENCES[:6])
]
SETTINGS = [Lsg(d, a, *r) for d in (0.5, 4.0) for a in (0.5, 0.9) for r in ((1, 4), (3, 4))]


def test_sharing_changes_nothing_and_saves_calls(backend: Backend) -> None:
    def run(each: Backend) -> tuple[list[object], int]:
        before = backend.usage.tokens
        found: list[object] = []
        for setting in SETTINGS:
            evaluate(each, setting, CORPUS, found.append, batch_size=4)
        return sorted(found, key=repr), backend.usage.tokens - before

    plain, tokens = run(backend)
    shared, fewer = run(CachingBackend(backend))
    assert shared == plain
    assert fewer < 0.7 * tokens  # eight settings; the more there are, the more they share


def test_forgetting_drops_everything(backend: Backend) -> None:
    shared = CachingBackend(backend)
    evaluate(shared, SETTINGS[0], CORPUS[:1], lambda _: None)
    used = Usage(backend.usage.calls, backend.usage.tokens)
    evaluate(shared, SETTINGS[0], CORPUS[:1], lambda _: None)
    assert backend.usage == used
    shared.forget()
    evaluate(shared, SETTINGS[0], CORPUS[:1], lambda _: None)
    assert backend.usage.calls > used.calls


def test_measured_points_are_those_of_plain_runs(backend: Backend) -> None:
    done: list[int] = []
    engine = local(sharing(backend))
    points = measure(engine, CORPUS, SETTINGS, metric="chrF", progress=done.append)
    assert sum(done) == len(CORPUS) * len(SETTINGS)
    assert [point.policy for point in points] == SETTINGS
    slow = [p.lagging for p in points if values(p.policy)["lower"] == 3]
    fast = [p.lagging for p in points if values(p.policy)["lower"] == 1]
    assert sum(slow) > sum(fast)
    assert all(0 <= point.quality <= 100 for point in points)


def points(*values: tuple[float, float]) -> list[Point]:
    return [Point(Lsg(1, 1, 1, n), quality, al) for n, (al, quality) in enumerate(values)]


def test_front_and_budget() -> None:
    a, b, c, d = points((2, 10), (3, 9), (4, 12), (4, 11))
    assert front([d, c, b, a]) == [a, c]
    assert within([a, b, c, d], 3.5) == a
    assert within([a, b, c, d], 9) == c
    assert within([a, b, c, d], 1) is None


def test_of_errors_less_is_better() -> None:
    a, b, c = (
        Point(Lsg(1, 1, 1, n), rate, al, is_error=True)
        for n, (al, rate) in enumerate([(2, 10), (3, 12), (4, 9)])
    )
    assert front([c, b, a]) == [a, c]
    assert within([a, b, c], 3.5) == a
    assert within([a, b, c], 9) == c


def of_text(text: str) -> list[Policy]:
    return grid(text, Thresholds(delta=1, alpha=0.6), speech=False)


def ranges(policies: list[Policy]) -> set[tuple[int, int]]:
    return {(values(each)["lower"], values(each)["upper"]) for each in policies}


def test_grid() -> None:
    assert len(of_text("delta=1 alpha=0.5,1 L=1,2 U=3")) == 4
    assert of_text("delta=1 alpha=1 L=2 U=3") == [Lsg(1.0, 1.0, 2, 3)]
    assert ranges(of_text("delta=1 alpha=1")) == {(1, 4), (3, 4), (5, 6), (7, 6)}
    assert ranges(of_text("delta=1 alpha=1 L=2")) == {(2, 4), (2, 6)}
    with pytest.raises(UsageError, match="-k belongs to --policy wait-k, not lsg"):
        of_text("k=3")


def test_speech_that_is_counted_in_time_has_a_grid_of_its_own() -> None:
    thresholds = Thresholds(delta=math.inf, alpha=0.5, levels=LEVELS)
    policies = grid("alpha=0.5,0.7 margin=0.3", thresholds, speech=True)
    assert {type(each) for each in policies} == {SpokenLsg}
    assert ranges(policies) == {(1, 0), (1, 2), (2, 3), (3, 5)}
    assert {values(each)["margin"] for each in policies} == {0.3}
    assert len(policies) == 8


def test_a_saved_level_leaves_the_manifest_as_it_was(tmp_path: Path) -> None:
    seed = find("en-de", None, "de").directory
    text = (seed / "manifest.toml").read_text(encoding="utf-8")
    before = re.sub(r"\[policies\.[^\[]*", "", text)
    (tmp_path / "manifest.toml").write_text(before, encoding="utf-8")
    level = Level(lower=2, upper=5, delta=0.5, alpha=0.9)
    save_level(tmp_path, "en-de", "low", level)
    save_level(tmp_path, "en-de", "high", Level(lower=6, upper=1, delta=2.0, alpha=0.8))
    after = (tmp_path / "manifest.toml").read_text(encoding="utf-8")
    assert after.startswith(before.rstrip())
    levels = load(tmp_path).policies["en-de"].levels
    assert levels.low == level
    assert levels.medium == load(seed).policy.levels.medium
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.toml"]


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    (tmp_path / "dev.en").write_text("".join(f"{s.source}\n" for s in CORPUS))
    (tmp_path / "dev.de").write_text("".join(f"{s.reference}\n" for s in CORPUS))
    return tmp_path


def lsg(dev: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lsgcli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=dev,
        env={**os.environ, "LSG_HOME": str(dev / "home")},
    )


TUNE = ["tune", "--source", "dev.en", "--target", "dev.de", "--to", "de"]
SMALL = ["--grid", "delta=0.5,4 alpha=0.9 L=1,3 U=4", "--metric", "chrF"]


def test_tune_save_and_use(dev: Path) -> None:
    result = lsg(dev, *TUNE, *SMALL, "--budget", "9", "--save", "mine", "--format", "json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    best = max(found, key=lambda row: row["chrF"])
    profile = (dev / "home/profiles/mine.toml").read_text()
    assert f"lower = {best['L']:g}" in profile
    text = "I am looking for a small house near the sea.\n"
    flags = ["-L", f"{best['L']:g}", "-U", "4", "--delta", f"{best['delta']}", "--alpha", "0.9"]
    with_profile = lsg(dev, "translate", "--to", "de", "--pace", "0", "--explain",
                       "--profile", "mine", stdin=text)  # fmt: skip
    by_hand = lsg(dev, "translate", "--to", "de", "--pace", "0", "--explain", *flags, stdin=text)
    assert with_profile.returncode == 0
    assert (with_profile.stdout, with_profile.stderr) == (by_hand.stdout, by_hand.stderr)


def test_tune_table(dev: Path) -> None:
    result = lsg(dev, *TUNE, *SMALL, "--budget", "9")
    assert result.stdout.splitlines()[0].split() == ["L", "U", "delta", "alpha", "AL", "chrF"]
    assert result.stdout.count("best") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--budget", "0.01", "--grid", "delta=9 alpha=1 L=3 U=4"],
            1,
            "no setting keeps to AL 0.01",
        ),
        (["--save", "x"], 2, "--save and --save-default need --budget"),
        (["--grid", "L=zero"], 2, "is not a whole number"),
        (["--pause", "1"], 2, "--pause belongs to speech; en-de takes text"),
        (["--metric", "COMET"], 2, "no quality metric"),
        (["--source", "nowhere.en"], 2, "nowhere.en"),
    ],
)
def test_bad_requests(dev: Path, arguments: list[str], code: int, message: str) -> None:
    small = [] if "--grid" in arguments else SMALL[:2]
    result = lsg(dev, *TUNE, *small, *arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("absent", "no profile 'absent'"),
        ("./bad.toml", "missing required field"),
        ("./worse.toml", "worse.toml"),
    ],
)
def test_bad_profiles(dev: Path, profile: str, message: str) -> None:
    (dev / "bad.toml").write_text("delta = 1.0\n")
    (dev / "worse.toml").write_text("delta =\n")
    result = lsg(dev, "translate", "--to", "de", "--profile", profile, stdin="Hi.\n")
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_profile_is_for_lsg(dev: Path) -> None:
    result = lsg(dev, "translate", "--to", "de", "--profile", "x", "--policy", "wait-k")
    assert result.returncode == 2
