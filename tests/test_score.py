"""Scores of whole logs: by hand, by every clock, and one log against another."""

import json
from dataclasses import replace

import pytest

from lsgcli.errors import InputError, UsageError
from lsgcli.evaluation.logs import Instance, write_omnisteval, write_simuleval
from lsgcli.evaluation.score import (
    LATENCY_METRICS,
    ScoreOptions,
    compare,
    gains,
    measure,
    measure_log,
    summarise,
)
from lsgcli.metrics.quality import quality_metric

LATENCY_ONLY = ScoreOptions(quality=())


def text(index, prediction, delays, source="one two three four", **changes):
    fields = {"reference": "eins zwei drei vier", "source": source} | changes
    length = len(source.split())
    return Instance(index, prediction, tuple(delays), length, "text", **fields)


def speech(index, prediction, delays, elapsed, source_length=4000.0, **changes):
    fields = {"reference": "eins zwei drei vier", "source": ("a.wav",)} | changes
    times = tuple(elapsed) if elapsed else None
    return Instance(
        index, prediction, tuple(delays), source_length, "speech", elapsed=times, **fields
    )


WAIT_2 = text(0, "eins zwei drei vier", [2, 3, 4, 4])
OFFLINE = text(1, "eins zwei", [4, 4])
EMPTY = text(2, "", [])


def scores(*instances, options=LATENCY_ONLY):
    return summarise(measure(instances, options)).scores


def test_the_mean_over_sentences():
    found = scores(WAIT_2, OFFLINE, EMPTY)
    assert found["AL"].value == pytest.approx((2 + 4) / 2)
    assert found["AP"].value == pytest.approx((13 / 16 + 8 / 16) / 2)
    assert found["StartOffset"].value == pytest.approx(3)
    assert found["EndOffset"].value == 0
    assert (found["AL"].n, found["AL"].skipped) == (2, 1)


def test_what_yaal_drops_is_counted():
    found = scores(WAIT_2, OFFLINE, EMPTY)["YAAL"]
    assert found.value == pytest.approx(2)
    assert (found.n, found.skipped) == (1, 2)


def test_empty_hypotheses_count_in_quality():
    found = summarise(measure([WAIT_2, OFFLINE, EMPTY], ScoreOptions(latency=())))
    references = ["eins zwei drei vier"] * 3
    expected = quality_metric("BLEU").score(["eins zwei drei vier", "eins zwei", ""], references)
    assert found.empty == 1
    assert found.scores["BLEU"].value == pytest.approx(expected)
    assert (found.scores["BLEU"].n, found.scores["BLEU"].skipped) == (3, 0)


def test_nothing_but_empty_hypotheses():
    found = scores(EMPTY)["AL"]
    assert (found.value, found.n, found.skipped) == (None, 0, 1)


def test_a_hypothesis_of_no_source_has_no_latency():
    blank = text(3, "hm", [0], source="")
    found = scores(WAIT_2, blank)
    assert all((score.n, score.skipped) == (1, 1) for score in found.values())


def test_hypothesis_length_in_place_of_the_reference():
    by_reference = scores(OFFLINE)["AP"].value
    by_hypothesis = scores(OFFLINE, options=ScoreOptions(quality=(), use_reference_length=False))[
        "AP"
    ].value
    assert (by_reference, by_hypothesis) == (8 / 16, 8 / 8)


@pytest.mark.parametrize("reference", [None, "", "\n"])
def test_without_reference_the_hypothesis_gives_the_length(reference):
    assert scores(replace(OFFLINE, reference=reference))["AP"].value == 1


def test_text_without_a_clock_has_no_computation_aware_scores():
    assert list(scores(WAIT_2)) == list(LATENCY_METRICS)


def test_three_clocks_by_hand():
    # 600 ms of computation before each unit. SimulEval adds them up; the queue is free in time.
    instance = speech(0, "eins zwei drei vier", [1000, 2000, 3000, 4000], [1600, 3200, 4800, 6400])
    found = scores(instance)
    assert list(found) == [
        metric + clock for clock in ("", "_CA", "_CA_queue") for metric in LATENCY_METRICS
    ]
    assert found["AL"].value == pytest.approx(1000)
    assert found["AL_CA"].value == pytest.approx((1600 + 2200 + 2800) / 3)
    assert found["AL_CA_queue"].value == pytest.approx(1600)
    assert found["EndOffset_CA"].value == 2400
    assert found["EndOffset_CA_queue"].value == 600
    # ATD is a queue already: SimulEval's is the same by both clocks.
    assert found["ATD_CA"].value == pytest.approx(found["ATD_CA_queue"].value)
    assert found["ATD_CA"].value == pytest.approx(found["ATD"].value + 600)


def test_backlog_is_carried_along():
    instance = speech(0, "eins zwei", [1000, 1100], [3000, 5000])
    # Computations of 2000 and 1900 ms: 3000, then 3000 + 1900.
    assert scores(instance)["EndOffset_CA_queue"].value == 900


def test_a_queue_clock_in_the_log_is_taken():
    instance = speech(0, "eins", [1000], [1500], elapsed_queue=(1400.0,))
    found = scores(instance)
    assert found["StartOffset_CA"].value == 1500
    assert found["StartOffset_CA_queue"].value == 1400


def test_a_clock_that_does_not_accumulate_gives_no_queue():
    instance = speech(0, "eins zwei", [1000, 2000], [1500, 2100])
    found = scores(instance)
    assert found["AL_CA"].n == 1
    assert "AL_CA_queue" not in found


def test_sentences_without_a_clock_are_counted():
    with_clock = speech(0, "eins", [1000], [1500])
    without = speech(1, "eins", [1000], None)
    found = scores(without, with_clock)
    assert (found["AL_CA"].n, found["AL_CA"].skipped) == (1, 1)
    assert (found["AL"].n, found["AL"].skipped) == (2, 0)


def test_long_form_sentences():
    cut = speech(0, "eins zwei", [-500, 4500], [-400, 4600], recording_end=5000.0)
    found = scores(cut)
    # r = 1000: -500, 4500 - 1000; short-form YAAL would stop at 4000.
    assert found["YAAL"].value == pytest.approx((-500 + 3500) / 2)
    assert (found["ATD"].value, found["ATD"].skipped) == (None, 1)


def test_late_and_erased():
    late = speech(0, "eins", [4100], None)
    retranslated = speech(1, "eins", [1000], None, erased=3)
    found = summarise(measure([late, retranslated], LATENCY_ONLY))
    assert (found.late, found.erasure) == (1, 1.5)
    assert summarise(measure([WAIT_2], LATENCY_ONLY)).erasure == 0


def test_units_of_measurement_and_signatures():
    found = scores(WAIT_2, options=ScoreOptions(quality=("BLEU",)))
    assert [found[name].measure for name in ("BLEU", "AL", "AP")] == ["%", "words", ""]
    assert found["AL"].signature.startswith("AL|unit:word|length:reference|clock:delays|lsg:")
    assert found["BLEU"].signature.startswith("BLEU|nrefs:1|case:mixed|")
    aware = scores(speech(0, "eins", [1000], [1500]))
    assert aware["AL_CA"].measure == "ms"
    assert "|clock:elapsed|" in aware["AL_CA"].signature
    assert "|clock:queue|" in aware["AL_CA_queue"].signature


def test_characters():
    instance = text(0, "ab", [2, 4], reference="a b c")
    found = scores(instance, options=ScoreOptions(quality=(), unit="char"))
    assert found["AP"].value == pytest.approx(6 / (4 * 5))


def test_pieces():
    instance = text(0, "ab", [2, 4], prediction_spm=("▁a", "b"), reference="abc")
    options = ScoreOptions(quality=(), unit="spm", spm_encode=lambda line: list(line))
    assert scores(instance, options=options)["AP"].value == pytest.approx(6 / (4 * 3))


def test_options_are_checked():
    with pytest.raises(UsageError, match="no latency metric `CW`; choose from AL, LAAL"):
        ScoreOptions(latency=("CW",))
    with pytest.raises(UsageError, match="needs a SentencePiece model"):
        ScoreOptions(unit="spm")
    with pytest.raises(UsageError, match="no quality metric `BLEURT`"):
        measure([WAIT_2], ScoreOptions(quality=("BLEURT",)))


def test_more_than_a_batch():
    instances = [text(i, f"eins zwei drei w{i}", [1, 2, 3, 4]) for i in range(700)]
    found = scores(*instances, options=ScoreOptions())
    predictions = [instance.prediction for instance in instances]
    expected = quality_metric("chrF").score(predictions, ["eins zwei drei vier"] * 700)
    assert found["chrF"].value == pytest.approx(expected)
    assert found["chrF"].n == 700
    assert found["AL"].value == pytest.approx(1)


def test_intervals_on_request():
    measured = measure([WAIT_2, OFFLINE, EMPTY], ScoreOptions())
    assert summarise(measured).scores["AL"].interval is None
    interval = summarise(measured, intervals=True).scores["AL"].interval
    assert interval
    assert (interval.low, interval.high) == (2, 4)


# Files


def test_a_log(tmp_path):
    write_simuleval(tmp_path / "run", [WAIT_2, OFFLINE, EMPTY], source_type="text")
    found = summarise(measure_log(tmp_path / "run"))
    assert found.name == str(tmp_path / "run")
    assert (found.sentences, found.empty, found.late) == (3, 1, 0)
    assert found.source_type == "text"
    assert found.scores["AL"].value == pytest.approx(3)


def test_a_log_with_references_from_a_file(tmp_path):
    instances = [replace(WAIT_2, reference=None), replace(OFFLINE, reference=None)]
    write_omnisteval(tmp_path / "o.jsonl", instances)
    (tmp_path / "ref.txt").write_text("eins zwei drei vier\neins zwei\n")
    found = summarise(measure_log(tmp_path / "o.jsonl", references=tmp_path / "ref.txt"))
    assert found.scores["BLEU"].value == pytest.approx(100)


def test_a_log_without_references(tmp_path):
    write_omnisteval(tmp_path / "o.jsonl", [replace(WAIT_2, reference=None)])
    with pytest.raises(InputError, match=r"o\.jsonl:1: sentence 0: no reference; give a file"):
        measure_log(tmp_path / "o.jsonl")
    assert summarise(measure_log(tmp_path / "o.jsonl", LATENCY_ONLY)).scores["AL"].n == 1


def test_some_references_only():
    with pytest.raises(InputError, match="sentence 1: no reference; give one to every"):
        measure([WAIT_2, replace(OFFLINE, reference=None)], LATENCY_ONLY)
    with pytest.raises(InputError, match="sentence 1: a reference; give one to every"):
        measure([replace(WAIT_2, reference=None), OFFLINE], LATENCY_ONLY)
    with pytest.raises(InputError, match="sentence 2: no reference"):
        measure([WAIT_2, OFFLINE, replace(EMPTY, reference=" ")])


def test_fields_to_ignore(tmp_path):
    log = tmp_path / "x.log"
    fields = {"index": 0, "prediction": "ja", "delays": [1], "source_length": 1, "mood": "good"}
    log.write_text(json.dumps(fields | {"source": "yes", "reference": "ja"}) + "\n")
    with pytest.raises(InputError, match=r"x\.log:1: .*`mood`"):
        measure_log(log)
    assert measure_log(log, ignore=["mood"]).units == 1


# Comparing


def systems(size=200):
    reference = "wir sehen heute ein kleines altes Haus"
    source = "we see a small old house today now"
    good = [
        text(i, reference, [2, 3, 4, 5, 6, 7, 8], source, reference=reference) for i in range(size)
    ]
    bad = [
        replace(
            instance,
            prediction=instance.prediction.replace("Haus" if i % 3 else "ein", "Ding"),
            delays=(4, 5, 6, 7, 8, 8, 8),
        )
        for i, instance in enumerate(good)
    ]
    return measure(bad, name="bad"), measure(good, name="good")


@pytest.mark.parametrize("test", ["bootstrap", "randomization"])
def test_compare(test):
    bad, good = systems()
    found = {row.metric: row for row in compare(bad, good, test=test, trials=300)}
    assert set(found) == {"BLEU", "chrF", *LATENCY_METRICS}
    assert found["BLEU"].b == pytest.approx(100)
    assert found["BLEU"].difference == pytest.approx(100 - found["BLEU"].a)
    assert found["BLEU"].p_value < 0.01
    assert found["AL"].difference < 0
    assert found["AL"].p_value < 0.01
    assert found["EndOffset"].p_value == 1
    assert (found["AL"].interval is not None) == (test == "bootstrap")


def test_compare_is_repeatable():
    bad, good = systems(30)
    assert compare(bad, good, trials=50) == compare(bad, good, trials=50)


def test_compare_leaves_out_what_one_system_lacks():
    a = measure([speech(0, "eins", [1000], [1500])], LATENCY_ONLY)
    b = measure([speech(0, "eins", [1000], None)], LATENCY_ONLY)
    assert "AL_CA" not in {row.metric for row in compare(a, b, trials=10)}
    offline = measure([speech(0, "eins", [4000], None)], LATENCY_ONLY)
    assert "YAAL" not in {row.metric for row in compare(b, offline, trials=10)}


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([WAIT_2], r"not the same sentences in the same order \(2 and 1\)"),
        ([OFFLINE, WAIT_2], "not the same sentences"),
        ([WAIT_2, replace(OFFLINE, reference="etwas anderes")], "not the same references"),
    ],
)
def test_compare_only_the_same_sentences(others, message):
    with pytest.raises(InputError, match=message):
        compare(measure([WAIT_2, OFFLINE]), measure(others))


def test_compare_only_by_the_same_unit():
    by_word = measure([text(0, "a", [1])], LATENCY_ONLY)
    by_character = measure([text(0, "a", [1])], ScoreOptions(quality=(), unit="char"))
    with pytest.raises(InputError, match="not of one latency unit"):
        compare(by_word, by_character)


def curve(*lags, sentences=40):
    """Systems of those lags; the slower the more words right, in every other sentence more."""
    return [
        measure(
            [
                text(
                    i,
                    " ".join(
                        word if rank * 7 % 5 < lag + i % 2 else "nichts"
                        for rank, word in enumerate(("eins", "zwei", "drei", "vier"))
                    ),
                    [min(4, lag + n) for n in range(4)],
                )
                for i in range(sentences)
            ],
            ScoreOptions(quality=("BLEU", "WER"), latency=("AL",)),
            name=f"wait-{lag}",
        )
        for lag in lags
    ]


def test_gains_over_a_curve():
    one, two, three = curve(1, 2, 3)
    found = {each.metric: each for each in gains([two], [three, one], "AL", trials=200)}
    assert set(found) == {"BLEU", "WER"}
    for metric, each in found.items():
        ends = [system.statistics[metric].score() for system in (one, three)]
        assert each.latency == pytest.approx(2)
        assert each.curve == pytest.approx(sum(ends) / 2)
        assert each.curve is not None
        assert each.difference == pytest.approx(each.score - each.curve)
        assert each.difference is not None
        assert each.interval
        assert each.interval.low < each.difference < each.interval.high
    assert gains([two], [three, one], "AL", trials=200) == list(found.values())


def test_no_gain_over_itself_whatever_is_drawn():
    one, two, three = curve(1, 2, 3)
    for each in gains([two], [one, two, three], "AL", trials=50):
        assert each.interval
        assert (each.difference, each.interval.low, each.interval.high) == (0, 0, 0)
        assert each.p_value == 1


def test_no_gain_beyond_the_curve():
    one, two, three = curve(1, 2, 3)
    for each in gains([one], [two, three], "AL"):
        assert (each.curve, each.difference, each.p_value, each.interval) == (None,) * 4


def test_gains_refuse():
    one, two, three = curve(1, 2, 3)
    with pytest.raises(UsageError, match="at least two systems, not 1"):
        gains([one], [two], "AL")
    with pytest.raises(InputError, match="wait-2: it has no LAAL"):
        gains([one], [two, three], "LAAL")
    with pytest.raises(InputError, match="not the same sentences"):
        gains(curve(1, sentences=3), [two, three], "AL")


def test_unknown_test():
    with pytest.raises(UsageError, match="no test `t`; choose from bootstrap, randomization"):
        compare(measure([WAIT_2]), measure([WAIT_2]), test="t")
