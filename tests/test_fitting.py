"""Thresholds that fit a model, and what is tried of it before they are chosen."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from lsgcli.backends import open_backend, open_backends
from lsgcli.core.backend import Placement
from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.core.steps import Commit, Query
from lsgcli.metrics.latency import average_lagging
from lsgcli.models import catalog
from lsgcli.models.convert.trying import attempt
from lsgcli.models.infer.trials import grown, placeholders, sentences
from lsgcli.models.manifest import load
from lsgcli.policy.baselines import WaitK
from lsgcli.policy.fitting import State, Trial, fit, outcome, spread
from lsgcli.policy.levels import LLAMA, Level, Levels
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.policy.base import Policy

EMBEDDED = catalog.embedded()["en-de"]
THREE = sentences("en")[:3]


def state(right: bool, top: float = 0.5, kl: float = 0.0, ends: bool = False) -> State:
    return State(top=top, kl=kl, right=right, ends=ends)


def sentence(words: int, known: int, **sure: Any) -> Trial:
    """Each word is right from ``known`` source words after its own place on; only then ``sure``."""

    def seen(i: int, j: int) -> State:
        right = j >= min(i + known, words)
        return state(right, **(sure if right else {}))

    return Trial(tuple(tuple(seen(i, j) for j in range(1, words + 1)) for i in range(1, words + 1)))


def test_the_sentences_are_the_same_in_all_languages() -> None:
    languages = ("en", "de", "fr", "es", "zh")
    assert {len(sentences(language)) for language in languages} == {24}
    assert len({text for language in languages for text in sentences(language)}) == 5 * 24
    assert sentences("xx") == ()


@pytest.mark.parametrize(
    ("level", "delta", "alpha", "delays", "right"),
    [
        (Level(lower=1, upper=0), 0, 0, [1, 2, 3, 4, 5, 6], 4 / 6 - 3 / 6),  # wait-1
        (Level(lower=1, upper=5), 9, 0.8, [3, 4, 5, 6, 6, 6], 1.0),  # when it is sure
        (Level(lower=1, upper=1), 9, 0.8, [2, 3, 4, 5, 6, 6], 2 / 6),  # the bound
    ],
)
def test_what_thresholds_would_do(
    level: Level, delta: float, alpha: float, delays: list[int], right: float
) -> None:
    found = outcome([sentence(6, 2, top=0.9)], level, delta, alpha)
    assert found.lagging == pytest.approx(average_lagging(delays, 6, 6))
    assert found.right == pytest.approx(right, abs=0.17)


def test_the_end_is_not_written_before_the_source_s() -> None:
    words = ((state(True), state(True, ends=True), state(True)),)
    found = outcome([Trial(words)], Level(lower=2, upper=0), 0, 0)
    assert found.lagging == average_lagging([3], 3, 1)


@pytest.mark.parametrize("signal", ["top", "kl"])
def test_the_signal_that_tells_is_chosen(signal: str) -> None:
    sure = {"top": {"top": 0.9}, "kl": {"kl": 3.0}}[signal]
    trials = [sentence(8, known, **sure) for known in (1, 2, 3)]
    found = fit(trials, Levels())
    assert found
    assert found.gain > 0
    if signal == "top":
        assert 0.5 <= found.alpha < 0.9
    else:
        assert found.delta < 3.0


def test_too_little_to_tell() -> None:
    assert fit([], Levels()) is None
    assert fit([sentence(3, 1)], Levels()) is None
    assert spread([], Levels()) == ([], [])


@pytest.fixture(scope="module")
def backend() -> Any:
    opened = open_backend(catalog.find("en-de", "en", "de"), Placement("cpu", threads=1))
    opened.ready()
    return opened


def test_a_trial_is_what_the_model_says(backend: Any) -> None:
    for source, trial in zip(THREE, grown(backend, THREE), strict=True):
        assert trial.length == len(source)
        (row,) = backend.forward([Query(source[:2], ())])[0]
        first = trial.words[0]
        assert first[1].top == pytest.approx(row.top, abs=0.02)
        (q,) = backend.forward([Query(source[:1], ())])[0]
        assert first[1].kl == pytest.approx(row.divergence(q), abs=0.02)
        assert first[0].kl == 0.0  # there is nothing else to compare with
        assert all(word[-1].right for word in trial.words)
        assert all(
            word[j].kl == 0
            for n, word in enumerate(trial.words)
            for j in range(len(word))
            if j <= n
        )


@pytest.mark.parametrize(
    ("policy", "level"),
    [(WaitK(3), Level(lower=3, upper=0)), (Lsg(9, 0.5, 2, 3), Level(lower=2, upper=3))],
)
def test_the_first_words_come_when_a_trial_says(backend: Any, policy: Policy, level: Level) -> None:
    """The policy itself, up to where it writes another word than that of the whole translation."""
    for source, trial in zip(THREE, grown(backend, THREE), strict=True):
        read: list[int] = []

        def note(_: int, event: Any, read: list[int] = read) -> None:
            if isinstance(event, Commit):
                read.append(event.decision.j)

        run(backend, [(source, translate(policy, backend.lexicon))], note)
        delta, alpha = getattr(policy, "delta", 0), getattr(policy, "alpha", 0)
        first = Trial(trial.words[:1])
        found = outcome([first], level, delta, alpha)
        assert found.lagging == average_lagging([read[0]], trial.length, 1)


def test_placeholders_that_the_embedded_model_copies() -> None:
    models = {of: catalog.find("en-de", of, to) for of, to in (("en", "de"), ("de", "en"))}
    assert placeholders(open_backends(models, Placement("cpu", threads=1))) == [
        "{0}", "{1}", "{2}", "{3}"
    ]  # fmt: skip
    assert placeholders({"xx": next(iter(open_backends(models, Placement()).values()))}) == []


def test_what_was_found_is_in_the_manifest(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(EMBEDDED, model)
    before: Any = load(model)
    attempt(model, "en", "de", "int8")
    after: Any = load(model)
    assert after.policy.found == "24 sentences of en-de and de-en"
    assert after.policy.delta != before.policy.delta or after.policy.alpha != before.policy.alpha
    assert after.placeholders == ["{0}", "{1}", "{2}", "{3}"]
    assert (after.files, after.prompt, after.policy.levels) == (
        before.files,
        before.prompt,
        before.policy.levels,
    )
    assert LLAMA.found
    assert "Llama 2" in LLAMA.found
