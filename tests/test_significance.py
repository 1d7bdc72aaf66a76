"""Paired tests: exact where a distribution is small enough to enumerate."""

import random
from itertools import product

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.significance import PairedTest, Result

from lsgcli.metrics.aggregate import mean_row, mean_statistics
from lsgcli.metrics.quality import quality_metric
from lsgcli.metrics.significance import (
    approximate_randomization,
    bootstrap_interval,
    paired_bootstrap,
)

TESTS = [paired_bootstrap, approximate_randomization]


def means(values):
    statistics = mean_statistics()
    statistics.extend(mean_row(value) for value in values)
    return statistics


def noisy_corpus(seed, noise, size=120):
    rng = random.Random(seed)
    words = [
        "we",
        "are",
        "going",
        "to",
        "see",
        "a",
        "small",
        "house",
        "near",
        "the",
        "old",
        "river",
        "this",
        "year",
    ]
    references = [" ".join(rng.choices(words, k=12)) for _ in range(size)]
    hypotheses = [
        " ".join("x" if rng.random() < noise else word for word in line.split())
        for line in references
    ]
    return hypotheses, references


def bleu_statistics(hypotheses, references):
    metric = quality_metric("BLEU")
    statistics = metric.empty()
    statistics.extend(metric.rows(hypotheses, references))
    return statistics


@pytest.mark.parametrize("test", TESTS)
def test_a_system_against_itself(test):
    same = means([1, 2, 3, 4, 5])
    found = test(same, same, trials=200)
    assert found.difference == 0
    assert found.p_value == 1


@pytest.mark.parametrize("test", TESTS)
def test_a_clear_difference(test):
    rng = random.Random(1)
    slow = [rng.gauss(5, 1) for _ in range(200)]
    found = test(means(slow), means([value - 1 for value in slow]))
    assert found.difference == pytest.approx(-1)
    assert found.p_value < 0.002


@pytest.mark.parametrize("test", TESTS)
def test_systems_that_do_not_differ_are_told_apart_one_time_in_twenty(test):
    rng = random.Random(2)
    found = 0
    for _ in range(200):
        a, b = ([rng.gauss(5, 1) for _ in range(50)] for _ in range(2))
        found += test(means(a), means(b), trials=200).p_value < 0.05
    assert 4 <= found <= 18


@pytest.mark.parametrize("test", TESTS)
def test_the_seed_decides(test):
    a, b = means([1, 5, 2, 8, 3, 1]), means([2, 4, 3, 9, 2, 3])
    assert test(a, b, seed=3) == test(a, b, seed=3)
    assert test(a, b, seed=3) != test(a, b, seed=4)


@pytest.mark.parametrize("test", TESTS)
def test_few_trials_cannot_prove_much(test):
    rng = random.Random(3)
    slow = [rng.gauss(5, 0.1) for _ in range(200)]
    assert test(means(slow), means([value - 1 for value in slow]), trials=9).p_value == 0.1


def test_randomization_against_all_swaps():
    a, b = [1.0, 4.0, 2.0, 7.0, 3.0], [2.0, 3.5, 4.0, 9.0, 3.5]
    deltas = [y - x for x, y in zip(a, b, strict=True)]
    observed = abs(sum(deltas))
    swapped = [
        abs(sum(sign * delta for sign, delta in zip(signs, deltas, strict=True)))
        for signs in product((1, -1), repeat=len(deltas))
    ]
    exact = sum(value >= observed - 1e-9 for value in swapped) / len(swapped)
    found = approximate_randomization(means(a), means(b), trials=20_000)
    assert found.p_value == pytest.approx(exact, abs=0.015)


def test_bootstrap_interval_of_a_mean_is_the_normal_one():
    rng = random.Random(5)
    values = [rng.gauss(10, 2) for _ in range(400)]
    interval = bootstrap_interval(means(values), trials=4000)
    mean = sum(values) / 400
    deviation = (sum((value - mean) ** 2 for value in values) / 400) ** 0.5
    assert interval.low == pytest.approx(mean - 1.96 * deviation / 20, abs=0.03)
    assert interval.high == pytest.approx(mean + 1.96 * deviation / 20, abs=0.03)


def test_the_interval_of_a_difference_is_paired():
    """Sentences differ much, systems always by one: the pairs know, the systems alone do not."""
    values = [float(value) for value in range(0, 1000, 10)]
    found = paired_bootstrap(means(values), means([value + 1 for value in values]))
    assert found.interval
    assert found.interval.low == pytest.approx(1)
    assert found.interval.high == pytest.approx(1)
    assert bootstrap_interval(means(values)).high - bootstrap_interval(means(values)).low > 50


def test_sentences_left_out_stay_paired():
    a, b = means([1, None, 3, 4]), means([2, 3, None, 5])
    found = paired_bootstrap(a, b, trials=100)
    assert found.difference == pytest.approx(10 / 3 - 8 / 3)


def test_randomization_agrees_with_sacrebleu():
    hypotheses, references = noisy_corpus(7, 0.3)
    rng = random.Random(9)
    other = [
        " ".join("x" if rng.random() < 0.02 else word for word in line.split())
        for line in hypotheses
    ]
    found = approximate_randomization(
        bleu_statistics(hypotheses, references), bleu_statistics(other, references)
    )
    systems = [("a", hypotheses), ("b", other)]
    _, scores = PairedTest(systems, {"BLEU": BLEU()}, [references], "ar")()
    baseline, system = scores["BLEU"]
    assert isinstance(baseline, Result)
    assert isinstance(system, Result)
    assert found.difference == pytest.approx(system.score - baseline.score)
    assert found.p_value == pytest.approx(system.p_value, abs=0.01)


def test_bootstrap_of_bleu_is_that_of_rescored_text():
    hypotheses, references = noisy_corpus(11, 0.4, size=60)
    interval = bootstrap_interval(bleu_statistics(hypotheses, references), trials=400)
    rng = random.Random(0)
    scores = []
    for _ in range(200):
        draw = rng.choices(range(60), k=60)
        scores.append(
            BLEU()
            .corpus_score([hypotheses[i] for i in draw], [[references[i] for i in draw]])
            .score
        )
    scores.sort()
    assert interval.low == pytest.approx(scores[5], abs=1.5)
    assert interval.high == pytest.approx(scores[194], abs=1.5)


@pytest.mark.parametrize("test", TESTS)
def test_unpaired_systems(test):
    with pytest.raises(ValueError, match="2 and 1 sentences"):
        test(means([1, 2]), means([1]))


@pytest.mark.parametrize("test", TESTS)
def test_no_sentences(test):
    with pytest.raises(ValueError, match="no sentences"):
        test(means([]), means([]))


@pytest.mark.parametrize("test", TESTS)
def test_every_sentence_left_out(test):
    with pytest.raises(ValueError, match="every sentence is left out"):
        test(means([None, None]), means([1, 2]))
