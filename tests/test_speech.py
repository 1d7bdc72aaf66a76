"""``lsg asr`` and ``lsg st`` in real processes, on the embedded recogniser of digits."""

from __future__ import annotations

import csv
import ctypes.util
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jiwer
import numpy as np
import pytest
from conftest import DEADLINE, LSG, environment, run_lsg
from test_audio_microphone import ALSA, FILE, NULL, Speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODEL = ("--model", "digits-en")
ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
GERMAN = dict(
    zip(
        ENGLISH,
        ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
        strict=True,
    )
)


class Clips:
    """The recordings beside the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (folder / "manifest.tsv").open(encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))

    def path(self, name: str) -> Path:
        return next(self.folder / row["file"] for row in self.rows if row["id"] == name)

    def text(self, name: str) -> str:
        return next(row["transcript"] for row in self.rows if row["id"] == name)

    def digits(self, step: int = 1) -> list[str]:
        return [row["id"] for row in self.rows if row["id"].startswith("en_fsdd_")][::step]

    def samples(self, *names: str, gap: float = 0.3) -> np.ndarray:
        """Recordings one after the other, as int16."""
        from lsgcli.speech.sources.decode import decode

        parts = []
        for name in names:
            parts += [*decode(self.path(name)), np.zeros(round(16000 * gap), np.float32)]
        return (np.concatenate(parts) * 32767).astype("<i2")


@pytest.fixture
def clips(shared: Path) -> Clips:
    return Clips(shared / "speech")


def errors(said: list[str], written: list[str]) -> float:
    return float(jiwer.wer(said, written))


def write_wav(file: Path, samples: np.ndarray, rate: int = 16000) -> Path:
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(samples.astype("<i2").tobytes())
    return file


def lines(result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# ---------------------------------------------------------------- without any recording


def test_noise_and_silence_give_no_words(tmp_path) -> None:
    rng = np.random.default_rng(1)
    noise = write_wav(tmp_path / "noise.wav", rng.normal(size=16000 * 5) * 3000)
    silence = write_wav(tmp_path / "silence.wav", np.zeros(16000 * 5))
    for form, expected in {"text": "", "srt": "", "vtt": "WEBVTT\n\n"}.items():
        result = run_lsg("asr", *MODEL, "--format", form, silence)
        assert (result.code, result.text, result.stderr) == (0, expected, "")
    result = run_lsg("asr", *MODEL, noise, silence)
    assert (result.code, result.text, result.stderr) == (0, "", "")
    result = run_lsg("asr", *MODEL, "--no-vad", silence)  # the model itself hears no speech
    assert (result.code, result.text, result.stderr) == (0, "", "")


BAD = {
    "no such file": ((), "nope.wav", 1, "nope.wav: No such file"),
    "empty": ((), "empty.wav", 1, "empty.wav is empty"),
    "text": ((), "text.wav", 1, "text.wav: not audio"),
    "a directory": ((), ".", 1, "Is a directory"),
    "mic and file": (("--mic",), "a.wav", 2, "--mic and a recording exclude each other"),
    "rate without raw": (("--rate", "8000"), "a.wav", 2, "belong to --raw"),
    "device without mic": (("--device-index", "1"), "a.wav", 2, "belong to --mic"),
    "language": (("--language", "fr"), "a.wav", 2, "does not know the language 'fr'"),
    "a model for text": (("--model", "en-de"), "a.wav", 2, "takes text, not speech"),
    "no model": (("--model", "nope", "--offline"), "a.wav", 2, "no model 'nope'"),
    "offline": (("--model", "tiny", "--offline"), "a.wav", 2, "not in the cache"),
    "policy": (("--policy", "wait-k", "--delta", "1"), "a.wav", 2, "belongs to --policy lsg"),
    "no CUDA": (("--device", "cuda"), "a.wav", 2, "no CUDA device"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(case, tmp_path) -> None:
    options, file, code, message = BAD[case]
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("This is no audio. " * 100)
    write_wav(tmp_path / "a.wav", np.zeros(16000))
    cache: dict[str, Any] = {"HF_HOME": str(tmp_path / "cache")}
    if case == "no CUDA":
        ctranslate2 = pytest.importorskip("ctranslate2")
        if ctranslate2.get_cuda_device_count():
            pytest.skip("there is one here")
    result = run_lsg("asr", *MODEL, *options, file, cwd=tmp_path, **cache)
    assert result.code == code
    assert re.fullmatch(r"lsg: error: .*\n", result.stderr)
    assert message in result.stderr
    assert result.stdout == b""


def test_several_recordings_are_no_subtitles(tmp_path) -> None:
    file = write_wav(tmp_path / "a.wav", np.zeros(16000))
    result = run_lsg("asr", *MODEL, "--format", "srt", file, file)
    assert (result.code, "one at a time" in result.stderr) == (2, True)


def test_a_terminal_is_no_audio(tmp_path) -> None:
    master, slave = pty.openpty()
    done = subprocess.run(
        [*LSG, "asr", *MODEL], stdin=slave, capture_output=True, env=environment(), timeout=DEADLINE
    )
    os.close(master)
    os.close(slave)
    assert done.returncode == 2
    assert b"no audio: name a recording" in done.stderr


def test_help_tells_the_options_and_that_of_translation() -> None:
    asr, st = run_lsg("asr", "--help").text, run_lsg("st", "--help").text
    assert "--mic" in asr
    assert not re.search(r"\n  --to [A-Z]", asr)
    assert re.search(r"\n  --to [A-Z]", st)


# ---------------------------------------------------------------- what it hears


def test_digits_offline_and_streaming(clips: Clips) -> None:
    """A sample of the strings; benchmarks/speech_policies.py measures all of them."""
    names = clips.digits(step=3)
    files = [clips.path(name) for name in names]
    said = [clips.text(name) for name in names]
    wer = {}
    for policy in ("offline", "lsg"):
        result = run_lsg("asr", *MODEL, "--policy", policy, "--format", "jsonl", *files)
        assert result.code == 0
        heard: list[str] = []
        for record in lines(result):
            if record["type"] == "recording":
                heard.append("")
            elif record["type"] == "segment":
                heard[-1] += " " + record["prediction"]
        wer[policy] = errors(said, heard)
    assert wer["offline"] <= 0.06
    assert wer["lsg"] <= wer["offline"] + 0.03


def test_translation_of_speech(clips: Clips) -> None:
    names = clips.digits(step=2)
    result = run_lsg("st", *MODEL, "--to", "de", *(clips.path(name) for name in names))
    said = " ".join(GERMAN[word] for name in names for word in clips.text(name).split())
    assert result.code == 0
    assert errors([said], [" ".join(result.text.split())]) <= 0.08


@pytest.fixture(scope="module")
def long_stream(tmp_path_factory) -> tuple[Path, list[str]]:
    """Half a minute of digits without a pause that would end an utterance."""
    folder = Path(__file__).parents[2] / "shared" / "speech"
    if not folder.is_dir():
        pytest.skip("needs ../shared")
    clips = Clips(folder)
    names = clips.digits(step=8)
    file = tmp_path_factory.mktemp("audio") / "long.wav"
    write_wav(file, clips.samples(*names, gap=0.05))
    return file, " ".join(clips.text(name) for name in names).split()


def test_a_window_scrolls_without_losing_or_repeating(long_stream) -> None:
    file, said = long_stream
    result = run_lsg("asr", *MODEL, "--pause", "5", "--stats-json", "/dev/stderr", file)
    assert result.code == 0
    figures = json.loads(result.stderr)
    assert figures["utterances"] == 1
    assert figures["speech_s"] > 25
    assert figures["encoded_per_second"] < 15  # of windows that never grow beyond some seconds
    heard = result.text.split()
    assert errors([" ".join(said)], [" ".join(heard)]) <= 0.1
    assert abs(len(heard) - len(said)) <= 3


def test_formats_say_the_same(long_stream) -> None:
    file, _ = long_stream
    text = run_lsg("asr", *MODEL, file).text
    words = text.split()
    records = lines(run_lsg("asr", *MODEL, "--format", "jsonl", file))
    written = [record["text"] for record in records if record["type"] == "write"]
    segments = [record for record in records if record["type"] == "segment"]
    assert " ".join(written).split() == words
    assert [segment["prediction"] for segment in segments] == text.splitlines()
    assert [each["text"] for segment in segments for each in segment["words"]] == words
    for segment in segments:
        assert len(segment["delays"]) == len(segment["elapsed"]) == len(segment["words"])
        assert segment["delays"] == sorted(segment["delays"])
        for each, delay in zip(segment["words"], segment["delays"], strict=True):
            assert 0 <= each["start"] <= each["end"]
            assert each["start"] < delay / 1000  # nothing is written before it is said
    rows = run_lsg("asr", *MODEL, "--format", "tsv", file).lines
    assert rows[0].split("\t") == ["start", "end", "delay", "segment", "word"]
    assert [row.split("\t")[4] for row in rows[1:]] == words
    srt = run_lsg("asr", *MODEL, "--format", "srt", file).text
    cues = re.findall(r"(\d+)\n(\S+) --> (\S+)\n((?:.+\n)+)\n", srt)
    assert " ".join(cue[3] for cue in cues).split() == words
    assert [int(cue[0]) for cue in cues] == list(range(1, len(cues) + 1))
    assert all(cue[1] < cue[2] for cue in cues)
    assert [cue[1] for cue in cues] == sorted(cue[1] for cue in cues)
    vtt = run_lsg("asr", *MODEL, "--format", "vtt", file).text
    body = "\n".join(line for line in vtt.splitlines()[1:] if "-->" not in line)
    assert re.sub(r"<[\d:.]+>", "", body).split() == words


def test_explain_tells_the_rules(clips: Clips) -> None:
    result = run_lsg("asr", *MODEL, "--explain", clips.path("en_fsdd_jackson_00"))
    assert re.search(r"READ  bound", result.stderr)
    assert re.search(r"WRITE (confidence|divergence|bound|finished) +\w+", result.stderr)


def test_statistics(clips: Clips, tmp_path) -> None:
    names = clips.digits(step=20)
    result = run_lsg(
        "asr", *MODEL, "--stats", "--stats-json", tmp_path / "s.json",
        *(clips.path(name) for name in names),
    )  # fmt: skip
    figures = json.loads((tmp_path / "s.json").read_text())
    length = sum(len(clips.samples(name, gap=0)) for name in names) / 16000
    assert figures["audio_s"] == pytest.approx(length, abs=0.01)
    assert 0 < figures["speech_s"] <= length
    assert figures["words_written"] == len(result.text.split())
    assert figures["utterances"] >= len(names)
    assert 0 < figures["al_ms"] < 3000
    assert figures["real_time_factor"] > 0
    assert figures["lost_s"] == 0
    assert figures["falling_behind"] is False
    assert "AL / LAAL" in result.stderr
    assert "real-time factor" in result.stderr


# ---------------------------------------------------------------- while it arrives


class Stream:
    """A running ``lsg asr -`` that is fed raw samples."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*LSG, "asr", *MODEL, "--raw", "s16le", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env=environment(),
        )  # fmt: skip

    def feed(self, samples: np.ndarray) -> None:
        assert self.process.stdin
        self.process.stdin.write(samples.tobytes())

    def some(self) -> bytes:
        """Wait for output."""
        assert self.process.stdout
        return self.process.stdout.read(1 << 16)

    def rest(self) -> tuple[int, bytes, str]:
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        self.process.stdin.close()
        out = b""
        while data := self.process.stdout.read(1 << 16):
            out += data
        return self.process.wait(DEADLINE), out, self.process.stderr.read().decode()


@pytest.fixture
def stream() -> Iterator[Callable[..., Stream]]:
    started: list[Stream] = []

    def start(*arguments: str) -> Stream:
        started.append(Stream(*arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        for pipe in (each.process.stdin, each.process.stdout, each.process.stderr):
            assert pipe
            pipe.close()


def test_words_come_out_while_the_pipe_is_open(clips: Clips, stream) -> None:
    lsg: Stream = stream()
    samples = clips.samples("en_fsdd_jackson_00", gap=1.0)
    for start in range(0, len(samples), 5001):  # an odd number: pieces end within nothing at all
        lsg.feed(samples[start : start + 5001])
    early = lsg.some()
    assert early.decode().split()
    lsg.feed(clips.samples("en_fsdd_jackson_01", gap=1.0))
    code, more, error = lsg.rest()
    assert (code, error) == (0, "")
    said = clips.text("en_fsdd_jackson_00") + " " + clips.text("en_fsdd_jackson_01")
    assert errors([said], [" ".join((early + more).decode().split())]) <= 0.2


def test_a_stall_ends_the_utterance(clips: Clips, stream) -> None:
    lsg: Stream = stream("--stall", "0.5")
    lsg.feed(clips.samples("en_fsdd_jackson_00", gap=0))  # and then nothing
    out = b""
    while not out.endswith(b"\n"):
        out += lsg.some()
    assert errors([clips.text("en_fsdd_jackson_00")], [" ".join(out.decode().split())]) <= 0.4
    assert lsg.rest()[0] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_is_committed(clips: Clips, stream, number, code) -> None:
    lsg: Stream = stream()
    lsg.feed(clips.samples("en_fsdd_jackson_00", gap=2.0))
    early = lsg.some()
    lsg.process.send_signal(number)
    end, more, error = lsg.rest()
    assert (end, error) == (code, "")
    assert early
    assert (early + more).endswith(b"\n")


def test_the_reader_goes(clips: Clips, tmp_path) -> None:
    file = write_wav(tmp_path / "a.wav", clips.samples(*clips.digits(step=10), gap=1.0))
    command = f'"{sys.executable}" -m lsgcli asr --model digits-en "{file}" | head -n 1'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True, env=environment(), timeout=2 * DEADLINE, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


def test_wav_on_standard_input(clips: Clips) -> None:
    file = clips.path("en_fsdd_jackson_00")
    by_name = run_lsg("asr", *MODEL, file).text
    assert run_lsg("asr", *MODEL, stdin=file.read_bytes()).text.split() == by_name.split()
    odd = clips.samples("en_fsdd_jackson_00", gap=1.0).tobytes() + b"\0"
    result = run_lsg("asr", *MODEL, "--raw", "s16le", "-", stdin=odd)
    assert (result.code, result.text.split()) == (0, by_name.split())
    assert "ends within a sample" in result.stderr


def test_a_recording_that_is_cut_off_is_heard_up_to_there(clips: Clips, tmp_path) -> None:
    data = write_wav(tmp_path / "a.wav", clips.samples("en_fsdd_jackson_00", gap=1.0)).read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 3 * 2])
    result = run_lsg("asr", *MODEL, tmp_path / "cut.wav")
    assert result.code == 0
    assert result.text.split()
    assert re.fullmatch(r"lsg: warning: .*cut\.wav.*\n", result.stderr)


def test_realtime_takes_its_time(clips: Clips) -> None:
    file = clips.path("en_fsdd_jackson_00")
    length = len(clips.samples("en_fsdd_jackson_00", gap=0)) / 16000
    start = time.monotonic()
    result = run_lsg("asr", *MODEL, "--realtime", file)
    assert time.monotonic() - start > length
    assert result.text.split()


def test_into_the_translator(clips: Clips) -> None:
    file = clips.path("en_fsdd_jackson_00")
    lsg = f'"{sys.executable}" -m lsgcli'
    command = f'{lsg} asr --model digits-en "{file}" | {lsg} translate --to de'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True, env=environment(), timeout=2 * DEADLINE, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().split()


# ---------------------------------------------------------------- evaluation


def test_policies_over_recordings(clips: Clips, tmp_path) -> None:
    names = clips.digits(step=12)
    (tmp_path / "list").write_text("".join(f"{clips.path(name)}\n" for name in names))
    (tmp_path / "refs").write_text("".join(f"{clips.text(name)}\n" for name in names))
    run = tmp_path / "run"
    result = run_lsg(
        "eval", "run", *MODEL, "--from", "en", "--to", "en",
        "--source", tmp_path / "list", "--target", tmp_path / "refs",
        "--policy", "lsg,wait-k,offline", "-k", "2", "--computation-aware", "-o", run,
    )  # fmt: skip
    assert result.code == 0
    logs = {each.name: each for each in run.iterdir() if each.is_dir()}
    assert {"wait-2", "offline"} < set(logs)
    for log in logs.values():
        found = [json.loads(line) for line in (log / "instances.log").read_text().splitlines()]
        assert [each["index"] for each in found] == list(range(len(names)))
        for each, name in zip(found, names, strict=True):
            length = 1000 * len(clips.samples(name, gap=0)) / 16000
            assert each["source_length"] == pytest.approx(length, abs=1)
            assert len(each["delays"]) == len(each["prediction"].split())
            assert all(d <= e for d, e in zip(each["delays"], each["elapsed"], strict=True))
            assert max(each["delays"]) <= length + 1
        assert "source_type: speech" in (log / "config.yaml").read_text()
    score = run_lsg("eval", "score", run, "--quality-metrics", "WER", "--format", "json")
    assert score.code == 0
    offline = logs["offline"] / "instances.log"
    again = tmp_path / "again"
    result = run_lsg(
        "eval", "run", *MODEL, "--from", "en", "--to", "en", "--policy", "offline",
        "--source", tmp_path / "list", "--target", tmp_path / "refs", "-o", again,
    )  # fmt: skip
    assert result.code == 0
    key = "prediction"
    before, after = (
        [json.loads(line)[key] for line in file.read_text().splitlines()]
        for file in (offline, again / "offline" / "instances.log")
    )
    assert before == after


def test_thresholds_for_speech(clips: Clips, tmp_path) -> None:
    names = clips.digits(step=6)
    groups = [names[n : n + 5] for n in range(0, len(names) - 4, 5)][:3]
    files = [
        write_wav(tmp_path / f"{n}.wav", clips.samples(*group)) for n, group in enumerate(groups)
    ]
    (tmp_path / "list").write_text("".join(f"{file}\n" for file in files))
    said = [" ".join(clips.text(name) for name in group) for group in groups]
    (tmp_path / "refs").write_text("\n".join(said) + "\n")
    result = run_lsg(
        "tune", *MODEL, "--to", "en", "--source", tmp_path / "list", "--target", tmp_path / "refs",
        "--grid", "delta=0.1,9 alpha=0.5 L=1,3 U=4", "--budget", "9000", "--format", "json",
        "--save", "quick", LSG_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert result.code == 0, result.stderr
    rows = json.loads(result.text)
    assert [row["AL"] for row in rows] == sorted(row["AL"] for row in rows)
    assert rows[0]["AL"] > 100  # milliseconds
    rates = [row["WER"] for row in rows]
    assert rates == sorted(rates, reverse=True)  # slower must be better, of errors less
    profile = (tmp_path / "home/profiles/quick.toml").read_text()
    assert f"WER {min(rates):.2f}" in profile
    heard = run_lsg("asr", *MODEL, "--profile", "quick", files[0], LSG_HOME=str(tmp_path / "home"))
    assert heard.code == 0


def test_a_recording_that_is_not_there_is_named(tmp_path) -> None:
    (tmp_path / "list").write_text("nope.wav\n")
    (tmp_path / "refs").write_text("one\n")
    result = run_lsg(
        "eval", "run", *MODEL, "--from", "en", "--to", "en", "-o", tmp_path / "run",
        "--source", tmp_path / "list", "--target", tmp_path / "refs",
    )  # fmt: skip
    assert result.code == 1
    assert "list:1: there is no recording nope.wav" in result.stderr


# ---------------------------------------------------------------- the microphone


@pytest.mark.skipif(not ctypes.util.find_library("portaudio"), reason="needs libportaudio2")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-in is ALSA's")
def test_the_microphone_until_ctrl_c(clips: Clips, tmp_path) -> None:
    """Real PortAudio on an ALSA device that reads a pipe, at the pace it is written."""
    config = NULL + FILE.format(name="talk", source=tmp_path / "talk")
    (tmp_path / "asound.conf").write_text(config)
    paths = os.pathsep.join([ALSA, str(tmp_path / "asound.conf")])
    samples = clips.samples("en_fsdd_jackson_00", gap=1.5).astype(np.float32) / 32768
    with Speaker(tmp_path / "talk", samples, 16000):
        lsg = subprocess.Popen(
            [*LSG, "asr", *MODEL, "--mic", "--device-name", "talk"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env=environment(ALSA_CONFIG_PATH=paths),
        )  # fmt: skip
        assert lsg.stdout
        assert lsg.stderr
        out = b""
        while not out.endswith(b"\n"):
            data = lsg.stdout.read(1 << 16)
            assert data, lsg.stderr.read()
            out += data
        lsg.send_signal(signal.SIGINT)  # the first ends the input
        out += lsg.stdout.read()
        error = lsg.stderr.read().decode()
        assert (lsg.wait(DEADLINE), error) == (0, "")
    assert errors([clips.text("en_fsdd_jackson_00")], [" ".join(out.decode().split())]) <= 0.4
    lsg.stdout.close()
    lsg.stderr.close()


@pytest.mark.skipif(not ctypes.util.find_library("portaudio"), reason="needs libportaudio2")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the stand-in is ALSA's")
def test_microphones_are_listed_and_named_where_one_is_not_there(tmp_path) -> None:
    (tmp_path / "talk.f32").write_bytes(bytes(64000))
    config = NULL + FILE.format(name="talk", source=tmp_path / "talk.f32")
    (tmp_path / "asound.conf").write_text(config)
    paths = os.pathsep.join([ALSA, str(tmp_path / "asound.conf")])
    listed = run_lsg("asr", "--list-devices", ALSA_CONFIG_PATH=paths)
    assert listed.code == 0
    assert any(line.split("\t")[1:3] == ["talk", "ALSA"] for line in listed.lines)
    result = run_lsg("asr", *MODEL, "--mic", "--device-name", "nobody", ALSA_CONFIG_PATH=paths)
    assert result.code == 2
    assert "no microphone is 'nobody'" in result.stderr
    assert "talk" in result.stderr
