"""The engine does what the method says, at the cost it promises, whatever it is batched with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from brute import Brute, Passes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sentences import SENTENCES

from lsgcli.core.lockstep import run
from lsgcli.core.segment import translate
from lsgcli.core.steps import (
    Action,
    Arrival,
    Commit,
    Decision,
    Event,
    Forward,
    Generate,
    Hypothesis,
    Locate,
    Reason,
    Receive,
)
from lsgcli.policy.baselines import HoldN, LocalAgreement, Offline, WaitK, stable_prefix
from lsgcli.policy.lsg import Lsg

if TYPE_CHECKING:
    from pathlib import Path

    from lsgcli.core.backend import Backend
    from lsgcli.policy.base import Policy

SOURCES = [tuple(sentence.split()) for sentence in SENTENCES]
SETTINGS = [Lsg(1.0, 0.6, 1, 4), Lsg(1.0, 0.6, 3, 4), Lsg(4.0, 0.7, 5, 6)]


def simulate(
    backend: Backend, sources: list[tuple[str, ...]], policy: Policy, batch_size: int = 8
) -> list[list[Event]]:
    events: list[list[Event]] = [[] for _ in sources]
    segments = [(source, translate(policy, backend.lexicon)) for source in sources]
    run(backend, segments, lambda n, event: events[n].append(event), batch_size)
    return events


def evident(events: list[Event]) -> list[Event]:
    """The events with their evidence to three decimals: kernels differ in the seventh."""

    def three(value: float | None) -> float | None:
        return None if value is None else round(value, 3)

    def plain(d: Decision) -> Decision:
        return replace(d, top=three(d.top), kl=three(d.kl))

    return [
        plain(event)
        if isinstance(event, Decision)
        else replace(event, decision=plain(event.decision))
        if isinstance(event, Commit)
        else event
        for event in events
    ]


def commits(events: list[Event]) -> list[tuple[str, int, str]]:
    return [
        (event.text, event.decision.j, event.decision.reason.value)
        for event in events
        if isinstance(event, Commit)
    ]


def expected(
    backend: Passes, words: list[tuple[tuple[int, ...], int, str]]
) -> list[tuple[str, int, str]]:
    text = backend.lexicon.text
    return [(" ".join(text(w).split()), j, reason) for w, j, reason in words if text(w).strip()]


@pytest.mark.parametrize("policy", [*SETTINGS, Lsg(0.5, 0.9, 2, 3, "reverse")])
def test_lsg_equals_one_plain_pass_per_distribution(unrounded: Backend, policy: Lsg) -> None:
    for source, events in zip(SOURCES, simulate(unrounded, SOURCES, policy), strict=True):
        assert commits(events) == expected(unrounded, Brute(unrounded).lsg(source, policy))


@pytest.mark.parametrize("n", range(len(SETTINGS)))
def test_lsg_equals_one_plain_pass_on_tatoeba(unrounded: Backend, shared: Path, n: int) -> None:
    """Two hundred sentences, each with one of the settings."""
    policy = SETTINGS[n]
    lines = (shared / "data/test/tatoeba.en-de.en").read_text(encoding="utf-8").splitlines()
    sources = [tuple(line.split()) for line in lines[n : 200 : len(SETTINGS)]]
    for source, events in zip(sources, simulate(unrounded, sources, policy, 32), strict=True):
        assert commits(events) == expected(unrounded, Brute(unrounded).lsg(source, policy))


@pytest.mark.parametrize("k", [1, 3, 7])
def test_wait_k(backend: Backend, k: int) -> None:
    for source, events in zip(SOURCES, simulate(backend, SOURCES, WaitK(k)), strict=True):
        assert commits(events) == expected(backend, Brute(backend).wait_k(source, k))


@pytest.mark.parametrize("n", [2, 3])
def test_local_agreement(backend: Backend, n: int) -> None:
    for source, events in zip(SOURCES, simulate(backend, SOURCES, LocalAgreement(n)), strict=True):
        assert commits(events) == expected(backend, Brute(backend).stable(source, n, 0))


@pytest.mark.parametrize("n", [1, 2])
def test_hold_n(unrounded: Backend, n: int) -> None:
    for source, events in zip(SOURCES, simulate(unrounded, SOURCES, HoldN(n)), strict=True):
        assert commits(events) == expected(unrounded, Brute(unrounded).stable(source, 1, n))


@pytest.mark.parametrize("policy", [SETTINGS[0], WaitK(1), WaitK(2), HoldN(1)])
def test_a_committed_word_is_never_extended(backend: Backend, policy: Policy) -> None:
    """What is written without a space before it is punctuation, or begins the segment."""
    for events in simulate(backend, SOURCES, policy):
        words = [event for event in events if isinstance(event, Commit)]
        for word in words[1:]:
            assert word.spaced or not any(map(str.isalnum, word.text))


def test_offline_writes_only_at_the_end(backend: Backend) -> None:
    for source, events in zip(SOURCES, simulate(backend, SOURCES, Offline()), strict=True):
        words = Brute(backend).rest(source, ())
        assert commits(events) == expected(backend, [(w, len(source), "finished") for w in words])


@pytest.mark.parametrize("policy", [SETTINGS[1], WaitK(2), LocalAgreement(2)])
def test_the_batch_does_not_change_a_segment(unrounded: Backend, policy: Policy) -> None:
    alone, few, all_ = (
        [evident(events) for events in simulate(unrounded, SOURCES, policy, batch_size=size)]
        for size in (1, 5, 64)
    )
    assert few == alone
    assert all_ == alone


@pytest.mark.parametrize("policy", SETTINGS)
def test_cost(backend: Backend, policy: Lsg) -> None:
    """A call a READ and a call a committed token, a tenth more at most; fewer, in fact."""
    calls, tokens, seen = Counter[str](), 0, []
    for source in SOURCES:
        counting = Counting(backend)
        (events,) = simulate(counting, [source], policy)
        seen.append(events)
        calls["model"] += counting.calls
        tokens += counting.committed(events)
    calls["read"] = sum(
        isinstance(e, Decision) and e.action is Action.READ for events in seen for e in events
    )
    assert calls["model"] <= 1.1 * (calls["read"] + tokens)


class Counting:
    """A backend that counts passes, every step of a generation as one."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.lexicon, self.usage, self.count = backend.lexicon, backend.usage, backend.count
        self.calls = 0

    def forward(self, queries):
        self.calls += bool(queries)
        return self._backend.forward(queries)

    def ready(self) -> None:
        self._backend.ready()

    def generate(self, requests):
        for tokens in self._backend.generate(requests):
            self.calls += len(tokens) + 1
            yield tokens

    def committed(self, events: list[Event]) -> int:
        words = [event.text for event in events if isinstance(event, Commit)]
        return sum(self.count(word) for word in words)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    words=st.lists(st.sampled_from(" ".join(SENTENCES).split()), min_size=1, max_size=12),
    delta=st.floats(0, 5),
    alpha=st.floats(0, 1),
    lower=st.integers(1, 5),
    upper=st.integers(0, 5),
)
def test_lsg_stays_in_its_range(backend, words, delta, alpha, lower, upper) -> None:
    """eq. 5, but for a WRITE that the model's end token held back."""
    (events,) = simulate(backend, [tuple(words)], Lsg(delta, alpha, lower, upper))
    length = len(words)
    held = {e.i for e in events if isinstance(e, Decision) and e.reason is Reason.END_HELD}
    delays = [(e.decision.i, e.decision.j) for e in events if isinstance(e, Commit)]
    assert [j for _, j in delays] == sorted(j for _, j in delays)
    for i, j in delays:
        assert j >= min(lower + i - 1, length)
        assert j <= min(lower + i - 1 + upper, length) or min(held, default=length) <= i


ENDS_TOO_SOON = [
    "We won hands down, because the other players were weak.",
    "The mammoth is a fascinating animal. Too bad it is extinct.",
    "Please don't adopt me. I like living in this orphanage.",
]


@pytest.mark.parametrize("policy", [WaitK(1), LocalAgreement(2), Lsg(0.5, 0.4, 1, 2)], ids=str)
def test_a_final_mark_waits_for_what_follows(unrounded, policy, monkeypatch) -> None:
    """The model would end behind it: written at once, it would end the sentence too soon."""
    sources = [tuple(line.split()) for line in ENDS_TOO_SOON]
    found = simulate(unrounded, sources, policy)
    brute = Brute(unrounded)
    for words, events in zip(sources, found, strict=True):
        assert commits(events) == expected(unrounded, brute.by(policy, words))
        ends = [e.decision.j for e in events if isinstance(e, Commit)][-1:]
        assert ends == [len(words)]
    monkeypatch.setattr(type(unrounded.lexicon), "holds", lambda *_: False)
    without = simulate(unrounded, sources, policy)
    if isinstance(policy, WaitK):
        assert [commits(e) for e in without] != [commits(e) for e in found]


def drive(backend: Backend, policy: Policy, arrivals: list[Arrival], preview: bool = False):
    """A live stream: each item of ``arrivals`` is what has come when the loop next looks."""
    steps = translate(policy, backend.lexicon, preview=preview)
    coming, calls = iter(arrivals), 0
    reply: Any = None
    events: list[Event] = []
    while True:
        try:
            step = steps.send(reply)
        except StopIteration:
            return events, calls
        if isinstance(step, Receive):
            reply = next(coming) if step.wait else Arrival()
        elif isinstance(step, Forward):
            calls, reply = calls + 1, backend.forward(step.queries)
        elif isinstance(step, Generate):
            reply = next(backend.generate([step]))
        else:
            assert not isinstance(step, Locate)
            events.append(step)
            reply = None


def test_units_that_came_together_are_read_together(backend: Backend) -> None:
    source = SOURCES[0]
    one_by_one = [Arrival((unit,), n == len(source)) for n, unit in enumerate(source, 1)]
    in_two = [Arrival(source[:6]), Arrival(source[6:], True)]
    policy = SETTINGS[0]
    slow, slow_calls = drive(backend, policy, one_by_one)
    fast, fast_calls = drive(backend, policy, in_two)
    assert fast_calls < slow_calls
    assert {j for _, j, _ in commits(fast)} <= {6, len(source)}
    assert commits(slow) == commits(simulate(backend, [source], policy)[0])


def test_the_end_may_come_after_the_last_word(backend: Backend) -> None:
    source = SOURCES[4]
    late = [*(Arrival((unit,)) for unit in source), Arrival((), finished=True)]
    events, _ = drive(backend, SETTINGS[1], late)
    text = " ".join(word for word, _, _ in commits(events))
    assert text.endswith((".", "!", "?"))
    assert all(j <= len(source) for _, j, _ in commits(events))


def test_a_preview_changes_no_decision(unrounded: Backend) -> None:
    source = SOURCES[3]
    arrivals = [Arrival((unit,), n == len(source)) for n, unit in enumerate(source, 1)]
    plain, _ = drive(unrounded, SETTINGS[1], arrivals)
    shown, _ = drive(unrounded, SETTINGS[1], arrivals, preview=True)
    assert any(isinstance(event, Hypothesis) and event.text for event in shown)
    shown = [event for event in shown if not isinstance(event, Hypothesis)]
    assert evident(shown) == evident(plain)


def test_stable_prefix() -> None:
    assert stable_prefix([[(1,), (2, 3)]]) == 2
    assert stable_prefix([[(1,), (2,)], [(1,), (3,)], [(1,), (2,)]]) == 1
    assert stable_prefix([[(1,)], []]) == 0
