"""Utterances and their segments, whatever chunks the audio comes in."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsgcli.core.audio import RATE, SpeechSegment, joined, seconds
from lsgcli.errors import InputError
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.detector import FRAME, Silero, everything
from lsgcli.speech.feed import SHORT, SpeechFeed


def loud(frames: np.ndarray) -> np.ndarray:
    """A detector that takes what is loud for speech."""
    return np.asarray(np.abs(frames).max(axis=1) > 0.5, np.float32)


def audio(*parts: tuple[float, float]) -> np.ndarray:
    """Level and seconds of each part; every sample is different."""
    samples = [
        level * (1 - np.arange(int(length * RATE), dtype=np.float32) / 1e7)
        for level, length in parts
    ]
    return np.concatenate(samples).astype(np.float32)


def chunks(samples: np.ndarray, sizes: list[int]):
    """Cut into chunks of such sizes, over and over."""
    start, n = 0, 0
    while start < len(samples):
        size = sizes[n % len(sizes)]
        yield samples[start : start + size]
        start, n = start + size, n + 1


def utterance(feed: SpeechFeed) -> list[SpeechSegment]:
    segments, finished = [], False
    while not finished:
        units, finished = feed.units(10.0, wait=True)
        segments += units
    return segments


def utterances(feed: SpeechFeed) -> list[list[SpeechSegment]]:
    found = []
    while feed.waiting():
        found.append(utterance(feed))
    return found


def feed_of(samples: np.ndarray, sizes: tuple[int, ...] = (8000,), **options) -> SpeechFeed:
    return SpeechFeed(AudioReader(chunks(samples, list(sizes))), loud, **options)


@settings(max_examples=60)
@given(
    parts=st.lists(
        st.tuples(st.sampled_from([0.0, 0.9]), st.floats(0.05, 2.5)), min_size=1, max_size=6
    ),
    sizes=st.lists(st.integers(1, 20000), min_size=1, max_size=4),
    segment=st.floats(0.1, 1.0),
    live=st.booleans(),
)
def test_segments_are_the_audio_and_nothing_is_given_twice(parts, sizes, segment, live) -> None:
    samples = audio(*parts)
    feed = feed_of(samples, tuple(sizes), segment=segment, live=live)
    end = 0
    for segments in utterances(feed):
        for each in segments:
            assert each.start >= end
            assert np.array_equal(each.samples, samples[each.start : each.end])
            assert seconds([each]) <= segment + 1e-4
            end = each.end
        for before, after in itertools.pairwise(segments):
            assert before.end == after.start
        for each in segments[:-2]:  # one that is shorter ends in a pause
            paused = each.end - each.spoken >= SHORT * RATE
            assert paused or seconds([each]) > segment - 1e-4
    assert feed.position == len(samples)


@pytest.mark.parametrize("sizes", [(512,), (16000,), (7, 30000)])
def test_a_pause_ends_an_utterance_and_its_edges_are_kept(sizes) -> None:
    samples = audio((0, 1), (0.9, 1.5), (0, 0.4), (0.9, 0.8), (0, 2), (0.9, 0.5), (0, 0.2))
    first, second = utterances(feed_of(samples, sizes, pause=0.7))
    assert 0.6 < first[0].start / RATE < 0.75  # 0.3 s before the speech
    assert 3.8 < first[-1].end / RATE < 4.0  # 0.2 s after it
    assert second[0].start / RATE == pytest.approx(5.4, abs=0.05)
    assert len(first) == 6  # five of 640 ms, and what is left
    assert seconds(first) == pytest.approx(seconds(first[:-1]) + seconds(first[-1:]))


def test_what_was_heard_is_counted_where_the_pause_was_noticed() -> None:
    feed = feed_of(audio((0.9, 1.0), (0, 3)), pause=0.5)
    assert feed.waiting()
    while not feed.units(10.0, wait=True)[1]:
        pass
    assert feed.position / RATE == pytest.approx(1.5, abs=2 * FRAME / RATE)


def test_a_click_is_no_utterance() -> None:
    assert utterances(feed_of(audio((0, 1), (0.9, 0.03), (0, 1)))) == []


def test_silence_is_not_kept() -> None:
    feed = feed_of(audio((0, 20), (0.9, 1)))
    assert feed.waiting()
    assert feed.start / RATE == pytest.approx(20 - 0.3, abs=0.1)


def test_one_at_a_time_unless_live() -> None:
    feed = feed_of(audio((0.9, 5)))
    assert feed.waiting()
    assert feed.units(10.0, wait=False) == ([], False)
    assert len(feed.units(10.0, wait=True)[0]) == 1


def test_live_hands_out_what_has_come_and_no_more_than_asked_for() -> None:
    arrived = threading.Event()

    def talking():
        yield from chunks(audio((0.9, 20)), [8000])
        arrived.set()

    feed = SpeechFeed(AudioReader(talking()), loud, live=True)
    assert feed.waiting()
    assert arrived.wait(30)
    assert seconds(feed.units(3.0, wait=True)[0]) == pytest.approx(2.56)
    assert seconds(feed.units(0.0, wait=False)[0]) == pytest.approx(0.64)
    assert seconds(feed.units(100.0, wait=False)[0]) == pytest.approx(16.64, abs=0.7)


def test_a_stall_ends_an_utterance() -> None:
    go_on = threading.Event()

    def stalling():
        yield audio((0.9, 0.5))
        go_on.wait(30)
        yield audio((0.9, 0.5))

    feed = SpeechFeed(AudioReader(stalling()), loud, idle=0.1, live=True)
    assert feed.waiting()
    first = utterance(feed)
    go_on.set()
    (second,) = utterances(feed)
    assert seconds(first) + seconds(second) == pytest.approx(1, abs=0.1)


def test_an_error_comes_after_what_was_said_before() -> None:
    def breaking():
        yield audio((0.9, 1))
        raise InputError("unplugged")

    feed = SpeechFeed(AudioReader(breaking()), loud)
    assert feed.waiting()
    given_, finished = [], False
    while not finished:
        units, finished = feed.units(10.0, wait=True)
        given_ += units
    assert seconds(given_) == pytest.approx(1, abs=0.1)
    with pytest.raises(InputError, match="unplugged"):
        feed.waiting()


def test_silero_keeps_its_state() -> None:
    """A stream is judged as the whole is, of which faster-whisper spoils the last frame."""
    from faster_whisper.vad import get_vad_model

    rng = np.random.default_rng(1)
    samples = (rng.normal(size=FRAME * 40) * 0.1).astype(np.float32)
    whole = get_vad_model()(samples.copy()).reshape(-1)
    detector = Silero()
    parts = [
        detector(samples[start : start + FRAME * 5].reshape(-1, FRAME))
        for start in range(0, len(samples), FRAME * 5)
    ]
    assert np.concatenate(parts)[:-1] == pytest.approx(whole[:-1], abs=1e-5)


def test_without_a_detector_everything_is_speech_but_digital_silence() -> None:
    samples = audio((0.001, 3))
    (only,) = utterances(SpeechFeed(AudioReader(iter([samples])), everything))
    assert np.array_equal(joined(only), samples)
    silence = audio((1 / 2**15, 3))
    assert utterances(SpeechFeed(AudioReader(iter([silence])), everything)) == []


def test_a_segment_is_cut_at_a_sample() -> None:
    segment = SpeechSegment(np.arange(10, dtype=np.float32), 100, 110)
    assert segment.after(90).start == 100
    assert segment.after(104).start == 104
    assert segment.after(104).samples.tolist() == [4, 5, 6, 7, 8, 9]
    assert segment.end == segment.after(104).end == 110
