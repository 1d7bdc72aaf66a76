"""Quality against hand-made counts and against the libraries' own corpus scores."""

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from lsgcli.errors import UsageError
from lsgcli.metrics.quality import QUALITY_METRICS, quality_metric

HYPOTHESES = ["the cat sat on the mat today", "", "a dog", "hello there world again"]
REFERENCES = ["the cat sat on a mat today .", "an empty one", "a dog barks", "hello world"]


@pytest.mark.parametrize(
    ("name", "reference_metric"),
    [
        ("BLEU", BLEU()),
        ("chrF", CHRF()),
        ("chrF++", CHRF(word_order=2)),
        ("TER", TER()),
    ],
)
def test_the_same_as_sacrebleu(name, reference_metric):
    expected = reference_metric.corpus_score(HYPOTHESES, [REFERENCES])
    metric = quality_metric(name)
    assert metric.score(HYPOTHESES, REFERENCES) == pytest.approx(expected.score, abs=1e-9)
    assert metric.signature == f"{name}|{reference_metric.get_signature().format()}"


def test_word_error_rate_by_hand():
    # 1 substitution and 1 deletion; 3 deletions; 1 deletion; 2 insertions: 8 of 16 words.
    assert quality_metric("WER").score(HYPOTHESES, REFERENCES) == pytest.approx(100 * 8 / 16)


def test_character_error_rate_by_hand():
    assert quality_metric("CER").score(["abcd"], ["abXd e"]) == pytest.approx(100 * 3 / 6)


def test_error_rates_name_their_library():
    assert quality_metric("WER").signature.startswith("WER|case:mixed|punct:yes|jiwer:")


@pytest.mark.parametrize("name", QUALITY_METRICS)
def test_batches_add_up(name):
    metric = quality_metric(name)
    statistics = metric.empty()
    for hypothesis, reference in zip(HYPOTHESES, REFERENCES, strict=True):
        statistics.extend(metric.rows([hypothesis], [reference]))
    assert len(statistics) == 4
    assert statistics.score() == pytest.approx(metric.score(HYPOTHESES, REFERENCES))


@pytest.mark.parametrize("name", ["BLEU", "chrF", "chrF++"])
def test_perfect_and_empty_output(name):
    metric = quality_metric(name)
    assert metric.score(REFERENCES, REFERENCES) == pytest.approx(100)
    assert metric.score([""] * 4, REFERENCES) == 0


@pytest.mark.parametrize("name", ["TER", "WER", "CER"])
def test_perfect_and_empty_errors(name):
    metric = quality_metric(name)
    assert metric.score(REFERENCES, REFERENCES) == 0
    assert metric.score([""] * 4, REFERENCES) == pytest.approx(100)


def test_tokenizer():
    by_character = quality_metric("BLEU", tokenize="char")
    assert "tok:char" in by_character.signature
    expected = BLEU(tokenize="char").corpus_score(HYPOTHESES, [REFERENCES]).score
    assert by_character.score(HYPOTHESES, REFERENCES) == pytest.approx(expected)


def test_unknown_names():
    with pytest.raises(UsageError, match=r"`METEOR`.*BLEU, chrF"):
        quality_metric("METEOR")
    with pytest.raises(UsageError, match=r"tokenizer `moses`.*13a"):
        quality_metric("BLEU", tokenize="moses")


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jiwer", None)
    with pytest.raises(UsageError, match="WER needs `jiwer`: pip install jiwer"):
        quality_metric("WER")


def test_unequal_counts():
    with pytest.raises(ValueError, match="2 hypotheses but 1 references"):
        quality_metric("BLEU").score(["a", "b"], ["a"])
