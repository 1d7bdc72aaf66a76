"""Real PortAudio on a stand-in for a microphone: an ALSA device that reads a file or a pipe.

ALSA and PortAudio read their configuration once a process, so each test runs in a process of its
own. From a file the device gives samples a thousand times as fast as a real one would, from a pipe
as fast as they are written. What takes one rate only cannot be imitated: alsa-lib's ``share``, the
one plugin that would, crashes when it captures from such devices.
"""

from __future__ import annotations

import ctypes.util
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DEADLINE
from test_audio_decode import assert_chirp, chirp

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-in is ALSA's"),
    pytest.mark.skipif(not ctypes.util.find_library("portaudio"), reason="needs libportaudio2"),
]

ALSA = "/usr/share/alsa/alsa.conf"
PIPE = 1 << 20  # bytes that may wait in the pipe: all that is said, if nobody listens
NULL = "pcm.nothing { type null }\n"
FILE = """pcm.{name} {{
    type file
    slave.pcm nothing
    file /dev/null
    infile "{source}"
    format raw
}}
"""
PRELUDE = """
import json, sys, time
import numpy as np
from lsgcli.errors import LsgError
from lsgcli.speech.chunks import AudioReader
from lsgcli.speech.sources import microphone
from lsgcli.speech.sources.microphone import Microphone, list_devices
from messages import logged
collecting = logged()
warnings = collecting.__enter__()
def tell(**what):
    print(json.dumps(what | {"warnings": warnings}))
def record(mic, seconds):
    reader, parts = AudioReader(mic), []
    while not reader.ended:
        chunk = reader.get(30)
        if chunk:
            parts.append(chunk.samples)
            if sum(map(len, parts)) >= seconds * 16000:
                mic.stop()
    np.concatenate(parts).tofile(sys.argv[1])
    return parts
"""


def run(tmp_path: Path, config: str, code: str) -> tuple[dict[str, Any], np.ndarray]:
    """Run code in a process with these devices; give what it told, and what it recorded."""
    (tmp_path / "asound.conf").write_text(NULL + config)
    paths = os.pathsep.join([ALSA, str(tmp_path / "asound.conf")])
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code, str(tmp_path / "heard.f32")],
        env=os.environ | {"ALSA_CONFIG_PATH": paths, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    heard = tmp_path / "heard.f32"
    samples = np.fromfile(heard, np.float32) if heard.exists() else np.zeros(0, np.float32)
    return json.loads(done.stdout), samples


class Speaker:
    """Writes samples into a named pipe, at their pace, and then nothing more."""

    def __init__(self, path: Path, samples: np.ndarray, rate: int) -> None:
        os.mkfifo(path)
        self._pipe = os.open(path, os.O_RDWR)  # so that it can be opened before PortAudio does
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE)
        self._pieces = np.array_split(samples, len(samples) * 50 // rate)
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def __enter__(self) -> Speaker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        os.close(self._pipe)

    def _speak(self) -> None:
        for piece in self._pieces:
            os.write(self._pipe, piece.astype("<f4").tobytes())
            time.sleep(0.02)


@pytest.fixture
def talk(tmp_path) -> str:
    """A device that is called "talk": the chirp, and then noise, without end, at once."""
    chirp().tofile(tmp_path / "talk.f32")
    return FILE.format(name="talk", source=tmp_path / "talk.f32")


def test_devices_are_listed(tmp_path, talk):
    told, _ = run(tmp_path, talk, "tell(found=[[d.name, d.api] for d in list_devices()])")
    assert ["talk", "ALSA"] in told["found"]
    code = "tell(found=[d.name for d in list_devices() if d.default], rate=list_devices()[0].rate)"
    told, _ = run(tmp_path, talk, code)
    assert len(told["found"]) == 1
    assert told["rate"] > 0


@pytest.mark.parametrize(
    "wanted", ['"talk"', '"TAL"', "next(d.index for d in list_devices() if d.name == 'talk')"]
)
def test_a_device_by_name_or_number(tmp_path, talk, wanted):
    code = f"mic = Microphone({wanted})\nrecord(mic, 2)\ntell(name=mic.device.name, rate=mic.rate)"
    told, samples = run(tmp_path, talk, code)
    assert (told["name"], told["rate"]) == ("talk", 16000)
    assert np.array_equal(samples[: len(chirp())], chirp())


@pytest.mark.parametrize(
    ("wanted", "kind", "message"),
    [
        ('"headset"', "UsageError", "no microphone is 'headset'; there are: "),
        ("77", "UsageError", "no microphone is 77; there are: "),
        ('"t"', "UsageError", "more than one microphone is 't'; say which: "),
    ],
)
def test_a_device_that_is_not_there(tmp_path, talk, wanted, kind, message):
    code = f"""
try:
    Microphone({wanted})
except LsgError as error:
    tell(kind=type(error).__name__, message=str(error))
"""
    told, _ = run(tmp_path, talk, code)
    assert told["kind"] == kind
    assert told["message"].startswith(message)
    assert "(talk, ALSA)" in told["message"]
    assert "(nothing, ALSA)" in told["message"]


def test_no_device_at_all(tmp_path):
    (tmp_path / "none.conf").write_text("pcm.broken { type unknown }")
    code = f"""
import os
os.environ["ALSA_CONFIG_PATH"] = {str(tmp_path / "none.conf")!r}
try:
    Microphone()
except LsgError as error:
    tell(kind=type(error).__name__, message=str(error), devices=list_devices())
"""
    told, _ = run(tmp_path, "", code)
    assert told["kind"] == "InputError"
    assert told["message"].startswith("there is no microphone")
    assert told["devices"] == []


def test_no_portaudio(tmp_path):
    """As sounddevice finds it out: no library by any of its names."""
    code = """
import ctypes.util
ctypes.util.find_library = lambda name: None
try:
    list_devices()
except LsgError as error:
    tell(message=str(error))
"""
    told, _ = run(tmp_path, "", code)
    assert "libportaudio2" in told["message"]
    assert "\n" not in told["message"]


def test_speech_comes_while_it_is_spoken(tmp_path):
    config = FILE.format(name="live", source=tmp_path / "pipe")
    code = """
mic = Microphone("live")
start = time.monotonic()
parts = record(mic, 1.9)
tell(lost=mic.lost, overflows=mic.overflows, chunks=len(parts))
"""
    with Speaker(tmp_path / "pipe", chirp(), 16000):
        told, samples = run(tmp_path, config, code)
    assert told["warnings"] == []
    assert (told["lost"], told["overflows"]) == (0, 0)
    assert told["chunks"] > 50
    assert np.array_equal(samples, chirp()[: len(samples)])


def test_a_device_of_another_rate_is_resampled(tmp_path):
    """What check_input_settings says of the hardware is put here; the rest is real."""
    config = FILE.format(name="studio", source=tmp_path / "pipe")
    code = """
import sounddevice as sd
check = sd.check_input_settings
def only_its_own(device, channels, dtype, samplerate):
    if samplerate == 16000:
        raise sd.PortAudioError("Invalid sample rate")
    check(device, channels, dtype, samplerate=samplerate)
sd.check_input_settings = only_its_own
mic = Microphone("studio")
record(mic, 1.9)
tell(rate=mic.rate, own=mic.device.rate)
"""
    with Speaker(tmp_path / "pipe", chirp(44100), 44100):
        told, samples = run(tmp_path, config, code)
    assert told["rate"] == told["own"] == 44100
    assert_chirp(samples)


def test_what_comes_too_fast_is_counted(tmp_path, talk):
    code = """
microphone.QUEUED = 0.5
mic = Microphone("talk")
for samples in mic:
    time.sleep(0.05)
    if mic.lost > 1:
        mic.stop()
tell(lost=mic.lost)
"""
    told, _ = run(tmp_path, talk, code)
    assert told["lost"] > 1
    assert len(told["warnings"]) == 1
    assert "are lost" in told["warnings"][0]


def test_a_device_that_stops_is_an_error_after_what_it_gave(tmp_path):
    config = FILE.format(name="live", source=tmp_path / "pipe")
    code = """
microphone.SILENT = 1.0
reader, got = AudioReader(Microphone("live")), 0
try:
    while True:
        chunk = reader.get(30)
        got += len(chunk.samples)
except LsgError as error:
    tell(got=got, message=str(error), kind=type(error).__name__)
"""
    with Speaker(tmp_path / "pipe", chirp(), 16000):
        told, _ = run(tmp_path, config, code)
    assert told["kind"] == "InputError"
    assert told["message"].startswith("the microphone live has stopped")
    assert told["got"] > 1.8 * 16000


def test_the_first_interrupt_can_mean_the_end(tmp_path):
    config = FILE.format(name="live", source=tmp_path / "pipe")
    code = """
import os, signal
mic = Microphone("live")
signal.signal(signal.SIGINT, lambda *_: mic.stop())
reader, got = AudioReader(mic), 0
while not reader.ended:
    chunk = reader.get(30)
    if chunk and not got:
        os.kill(os.getpid(), signal.SIGINT)
    got += len(chunk.samples) if chunk else 0
tell(got=got)
"""
    with Speaker(tmp_path / "pipe", chirp(), 16000):
        told, _ = run(tmp_path, config, code)
    assert 0 < told["got"] < 2 * 16000
