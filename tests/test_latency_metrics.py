"""Latency of one sentence against tables computed by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsgcli.metrics import latency
from lsgcli.metrics.clocks import compute_times, queue_clock, service_times, simuleval_clock
from lsgcli.metrics.units import hypothesis_units, reference_length

# Each row: delays, X, Y, then AL, LAAL, AP, DAL, YAAL computed by hand.
TABLE = [
    # wait-3 on six words: AL (3 + 3 + 3 + 3) / 4; DAL lags by 3 throughout.
    pytest.param([3, 4, 5, 6, 6, 6], 6, 6, 3, 3, 30 / 36, 3, 3, id="wait-3"),
    # Everything after the source: tau = 1; DAL spreads the output over the source.
    pytest.param([6] * 6, 6, 6, 6, 6, 1, 6, None, id="offline"),
    pytest.param([1], 1, 1, 1, 1, 1, 1, None, id="single word"),
    pytest.param([2], 5, 1, 2, 2, 2 / 5, 2, 2, id="single word before the end"),
    # Four units against a reference of two: AL (1 + 2-2 + 3-4 + 4-6) / 4.
    pytest.param([1, 2, 3, 4], 4, 2, -0.5, 1, 10 / 8, 1, 1, id="hypothesis longer"),
    # Two units against a reference of four; r = 1 for AL, r = 2 for DAL: g' = 2, 4.
    pytest.param([2, 4], 4, 4, 2.5, 2.5, 6 / 16, 2, 2, id="hypothesis shorter"),
    # d_1 > X returns d_1; AP and DAL know no such rule.
    pytest.param([7, 7], 5, 2, 7, 7, 14 / 10, 7, None, id="d_1 beyond the source"),
    # The last never reaches X: tau is the last unit.
    pytest.param([1, 2, 3], 6, 3, 0, 0, 6 / 18, 1, 0, id="source not read to its end"),
    # Speech in ms: r = 750; AL (1000 + 1250 + 1500) / 3; DAL g' = 1000, 2000, 3000, 3750.
    pytest.param([1000, 2000, 3000, 3000], 3000, 4, 1250, 1250, 0.75, 1312.5, 1125, id="speech"),
    # Written before anything was read.
    pytest.param([0, 0, 2], 2, 3, 0, 0, 1 / 3, 2 / 9, -1 / 3, id="blind start"),
]


@pytest.mark.parametrize(("delays", "x", "y", "al", "laal", "ap", "dal", "yaal"), TABLE)
def test_table(delays, x, y, al, laal, ap, dal, yaal):
    assert latency.average_lagging(delays, x, y) == pytest.approx(al)
    assert latency.length_adaptive_average_lagging(delays, x, y) == pytest.approx(laal)
    assert latency.average_proportion(delays, x, y) == pytest.approx(ap)
    assert latency.differentiable_average_lagging(delays, x) == pytest.approx(dal)
    assert latency.yaal(delays, x, y) == (None if yaal is None else pytest.approx(yaal))


def test_tau_includes_the_first_unit_with_the_whole_source_and_no_later_one():
    assert latency.average_lagging([2, 4, 4, 4], 4, 4) == pytest.approx((2 + 3) / 2)


def test_yaal_stops_before_the_end_of_the_source():
    assert latency.yaal([2, 4, 4, 4], 4, 4) == pytest.approx(2)


def test_long_form_yaal_counts_up_to_the_end_of_the_recording():
    # r = 1: 2, 5-1, 6-2; the unit at 9 lies behind the recording.
    assert latency.yaal([2, 5, 6, 9], 4, 4, horizon=8) == pytest.approx((2 + 4 + 4) / 3)
    assert latency.yaal([-1, 5], 4, 4, horizon=math.inf) == pytest.approx((-1 + 4) / 2)
    assert latency.yaal([8], 4, 4, horizon=8) is None


@pytest.mark.parametrize(
    ("delays", "durations", "computes", "expected"),
    [
        # wait-1, text: unit i ends at i + 1; the source tokens end at 1, 2, 3.
        ([1, 2, 3], latency.TEXT_TO_TEXT, None, 1),
        # Offline text: units end at 4, 5, 6 and stand against words 1, 2, 3.
        ([3, 3, 3], latency.TEXT_TO_TEXT, None, 3),
        # Two read, three written, one more read, one written. Units end at 3, 4, 5, 6. In the
        # first chunk s = 1, 2, min(3, 2) = 2; in the second s = 4 - (3 - 2) = 3.
        ([2, 2, 2, 3], latency.TEXT_TO_TEXT, None, (2 + 2 + 3 + 3) / 4),
        # One read, three written; three more read, one written. Units end at 2, 3, 4, 5; the last
        # stands against word 4 - (3 - 1) = 2, for two more were written than read before it.
        ([1, 1, 1, 4], latency.TEXT_TO_TEXT, None, (1 + 2 + 3 + 3) / 4),
        # Speech: 500 ms are tokens that end at 300, 500; written at 500, 500.
        ([500, 500], latency.SPEECH_TO_TEXT, None, (200 + 0) / 2),
        # Chunks are cut afresh: 300, 500 | 800, 900.
        ([500, 900], latency.SPEECH_TO_TEXT, None, (200 + 400) / 2),
        # Computation of 100 and 50 ms: written at 600 and 650.
        ([500, 500], latency.SPEECH_TO_TEXT, [100, 50], (300 + 150) / 2),
        # Backlog: the second unit starts when the first is finished.
        ([300, 600], latency.SPEECH_TO_TEXT, [1000, 10], (1000 + 710) / 2),
        # Nothing read yet: held against the start of the source.
        ([0, 1], latency.TEXT_TO_TEXT, None, (1 + 1) / 2),
    ],
)
def test_average_token_delay(delays, durations, computes, expected):
    assert latency.average_token_delay(delays, durations, computes) == pytest.approx(expected)


def test_offsets():
    assert latency.first_word_delay([1000, 2500]) == 1000
    assert latency.end_offset([1000, 2500], 2000) == 500
    assert latency.end_offset([1000], 2000) == -1000


@pytest.mark.parametrize(
    "metric",
    [
        lambda: latency.average_lagging([], 3, 3),
        lambda: latency.length_adaptive_average_lagging([], 3, 3),
        lambda: latency.average_proportion([], 3, 3),
        lambda: latency.differentiable_average_lagging([], 3),
        lambda: latency.average_token_delay([], latency.TEXT_TO_TEXT),
        lambda: latency.yaal([], 3, 3),
        lambda: latency.first_word_delay([]),
        lambda: latency.end_offset([], 3),
    ],
)
def test_an_empty_hypothesis_has_no_latency(metric):
    with pytest.raises(ValueError, match="no delays"):
        metric()


@pytest.mark.parametrize(("x", "y"), [(0, 3), (3, 0), (-1, 3), (math.nan, 3)])
def test_lengths_must_be_positive(x, y):
    with pytest.raises(ValueError, match="positive"):
        latency.average_lagging([1], x, y)


def test_atd_refuses_negative_delays():
    with pytest.raises(ValueError, match="negative"):
        latency.average_token_delay([-1, 2], latency.SPEECH_TO_TEXT)


def test_clocks_by_hand():
    arrivals, computes = [1000, 1000, 2000, 5000], [600, 600, 300, 100]
    assert simuleval_clock(arrivals, computes) == [1600, 2200, 3500, 6600]
    assert queue_clock(arrivals, computes) == [1600, 2200, 2500, 5100]
    assert compute_times(arrivals, [1600, 2200, 3500, 6600]) == computes
    assert service_times(arrivals, [1600, 2200, 2500, 5100]) == computes


def test_the_queue_refuses_negative_work():
    with pytest.raises(ValueError, match="negative"):
        queue_clock([1], [-1])


whole = st.integers(0, 10_000)
steps = st.lists(st.tuples(whole, whole), min_size=1, max_size=30)


@given(steps)
def test_clocks_are_inverted_and_the_queue_is_never_later(rows):
    arrivals = sorted(arrival for arrival, _ in rows)
    computes = [compute for _, compute in rows]
    accumulated, queued = simuleval_clock(arrivals, computes), queue_clock(arrivals, computes)
    assert compute_times(arrivals, accumulated) == computes
    assert service_times(arrivals, queued) == computes
    assert all(q <= a for q, a in zip(queued, accumulated, strict=True))


@given(st.lists(st.integers(1, 20), min_size=1), st.integers(1, 30))
def test_laal_is_never_less_than_al(delays, reference):
    delays = sorted(delays)
    laal = latency.length_adaptive_average_lagging(delays, 20, reference)
    assert laal >= latency.average_lagging(delays, 20, reference) - 1e-9


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40), st.integers(1, 40))
def test_delaying_the_output_raises_every_latency(delays, target):
    earlier, later = sorted(delays), [delay + 100 for delay in sorted(delays)]
    for metric in (
        lambda d: latency.average_proportion(d, 6000, target),
        lambda d: latency.differentiable_average_lagging(d, 6000),
        lambda d: latency.average_lagging(d, 6000, target),
    ):
        assert metric(later) > metric(earlier)


def test_units():
    assert hypothesis_units(" ein  Haus ", "word") == ["ein", "Haus"]
    assert hypothesis_units("ab c", "char") == ["a", "b", "c"]
    with pytest.raises(ValueError, match="prediction_spm"):
        hypothesis_units("ab", "spm")


def test_reference_lengths_are_simulevals():
    assert reference_length("a  b", "word") == 3
    assert reference_length("", "word") == 1
    assert reference_length(" a b ", "char") == 3
    assert reference_length("a b", "spm", lambda text: list(text)) == 3
    with pytest.raises(ValueError, match="SentencePiece"):
        reference_length("a", "spm")
