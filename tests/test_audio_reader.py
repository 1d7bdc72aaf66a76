"""Chunks come in order, in time, and errors after what came before them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from conftest import DEADLINE

from lsgcli.core.audio import RATE
from lsgcli.errors import InputError, LsgError, UsageError
from lsgcli.speech.chunks import QUEUED, AudioChunk, AudioReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def ramp(start: int, count: int) -> np.ndarray:
    return np.arange(start, start + count, dtype=np.float32)


def drain(reader: AudioReader) -> list[AudioChunk]:
    chunks = []
    while chunk := reader.get(30):
        chunks.append(chunk)
    assert reader.ended
    return chunks


@pytest.mark.parametrize("pace", [False, True])
def test_nothing_is_lost_and_chunks_are_modest(pace):
    sizes = [1, 0, 7 * RATE // 10, 3, RATE // 3]
    starts = np.cumsum([0, *sizes])
    source = [ramp(start, size) for start, size in zip(starts, sizes, strict=False)]
    chunks = drain(AudioReader(source, pace=pace))
    assert np.array_equal(np.concatenate([c.samples for c in chunks]), ramp(0, sum(sizes)))
    assert all(len(c.samples) for c in chunks)
    assert max(len(c.samples) for c in chunks) <= (0.1 if pace else 0.5) * RATE
    times = [c.time for c in chunks]
    assert times == sorted(times)


def test_pace_is_that_of_the_audio_and_does_not_drift():
    begun = time.monotonic()
    chunks = drain(AudioReader([ramp(0, RATE), ramp(0, RATE // 2)], pace=True))
    spoken = np.cumsum([len(c.samples) for c in chunks]) / RATE
    late = np.array([c.time for c in chunks]) - begun - spoken
    assert (late >= 0).all()
    assert 1.5 <= chunks[-1].time - begun < 10


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (InputError("broken here"), InputError, "broken here"),
        (UsageError("wrong"), UsageError, "wrong"),
        (OSError(5, "Input/output error"), InputError, "Input/output error"),
        (ZeroDivisionError("a bug"), ZeroDivisionError, "a bug"),
    ],
)
def test_an_error_comes_after_what_came_before_it(error, raised, message):
    def source() -> Iterator[np.ndarray]:
        yield ramp(0, RATE)
        yield ramp(RATE, 5)
        raise error

    reader = AudioReader(source())
    got = 0
    while got < RATE + 5:
        chunk = reader.get(30)
        assert chunk
        got += len(chunk.samples)
        time.sleep(0.01)  # the error has been raised by now, and waits
    with pytest.raises(raised, match=message) as caught:
        reader.get(30)
    assert not isinstance(caught.value, LsgError) or "\n" not in str(caught.value)
    assert reader.ended
    assert reader.get() is None


def test_the_source_waits_when_nobody_reads():
    taken: list[int] = []

    def source() -> Iterator[np.ndarray]:
        for n in range(1000):
            taken.append(n)
            yield ramp(0, RATE // 2)

    reader = AudioReader(source())
    settle(taken, QUEUED * 2)
    assert QUEUED * 2 <= len(taken) <= QUEUED * 2 + 2
    assert len(drain(reader)) == 1000


def settle(growing: list[int], least: float) -> None:
    """Wait until a list has so many items and does not grow any more."""
    before = -1
    while before != len(growing) or before < least:
        before = len(growing)
        time.sleep(0.2)


def test_many_small_chunks_wait_as_long_as_few_large_ones():
    """A live source is not held up because its blocks are short."""
    taken: list[int] = []

    def source() -> Iterator[np.ndarray]:
        for n in range(100 * 50):
            taken.append(n)
            yield ramp(0, RATE // 50)

    AudioReader(source())
    settle(taken, 50 * QUEUED)
    assert len(taken) / 50 == pytest.approx(QUEUED, abs=0.1)


def test_times_are_those_of_arrival_not_of_reading():
    arrived, go = threading.Event(), threading.Event()

    def source() -> Iterable[np.ndarray]:
        yield ramp(0, 10)
        arrived.set()
        go.wait(30)
        yield ramp(10, 10)

    reader = AudioReader(source())
    assert arrived.wait(30)
    middle = time.monotonic()
    go.set()
    first, second = drain(reader)
    assert first.time < middle < second.time


def test_libraries_are_imported_when_they_are_needed():
    code = (
        "import sys, lsgcli.speech.chunks\n"
        "from lsgcli.speech.sources import decode, microphone, raw\n"
        "assert not {'av', 'sounddevice'} & set(sys.modules)\n"
        "list(raw.convert([b'ab'], raw.Pcm(), ''))\n"
        "assert 'av' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE)
