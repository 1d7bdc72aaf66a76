"""What users of speech ask for: captions to be read, many recordings, both channels, and so on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from conftest import LSG, environment, run_lsg
from test_cli import check_error
from test_recogniser import SPEECH, errors, plain

from lsgcli.speech.sources.decode import decode

JFK = SPEECH / "en_jfk.flac"

# ---------------------------------------------------------------- captions


def seconds(time: str) -> float:
    hours, minutes, rest = time.replace(",", ".").split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def cues(srt: str) -> list[tuple[float, float, list[str]]]:
    """Start, end and lines of each cue."""
    found = re.findall(r"\d+\n(\S+) --> (\S+)\n((?:.+\n)+)\n", srt)
    return [(seconds(start), seconds(end), text.splitlines()) for start, end, text in found]


@pytest.mark.parametrize(
    ("options", "characters", "lines"),
    [((), 42, 2), (("--max-chars", "20", "--max-lines", "1"), 20, 1), (("--max-chars=32",), 32, 2)],
)
def test_captions_can_be_read(options, characters, lines):
    text = run_lsg("asr", JFK).text
    result = run_lsg("asr", "-f", "srt", *options, JFK)
    found = cues(result.text)
    assert plain(" ".join(line for cue in found for line in cue[2])) == plain(text)
    assert found == sorted(found)
    for (start, end, shown), following in zip(found, [*found[1:], (99.0, 0.0, [])], strict=True):
        assert start < end <= min(start + 7, following[0]) + 0.001
        assert len(shown) <= lines
        assert all(len(line) <= characters for line in shown)


def test_captions_stand_as_long_as_asked():
    short = cues(run_lsg("asr", "-f", "srt", "--max-seconds", "2.5", JFK).text)
    assert all(end - start <= 2.501 for start, end, _ in short)
    assert len(short) > len(cues(run_lsg("asr", "-f", "srt", JFK).text))


def test_captions_need_captions():
    check_error(run_lsg("asr", "--max-chars", "30", JFK), 2, "belong to --format srt and vtt")
    arguments = ("--min-seconds", "5", "--max-seconds", "2", "-f", "vtt")
    check_error(run_lsg("asr", *arguments, JFK), 2, "--min-seconds 5 is more than")


# ---------------------------------------------------------------- recordings


DASHWOOD = SPEECH / "en_ss_0870.flac"


def test_recordings_are_listed_on_standard_input(tmp_path):
    (tmp_path / "empty").touch()
    listed = f"{DASHWOOD}\n\n{tmp_path / 'missing.wav'}\n{tmp_path / 'empty'}\n{JFK}\n"
    result = run_lsg("asr", "-f", "jsonl", "--files-from", "-", stdin=listed.encode())
    records = list(map(json.loads, result.lines))
    heard: dict[str, str] = {}
    for record in records:
        if record["type"] == "recording":
            name = record["name"]
        elif record["type"] == "segment":
            heard[name] = f"{heard.get(name, '')} {record['prediction']}"
    assert list(heard) == [str(DASHWOOD), str(JFK)]
    for name, text in heard.items():
        assert errors(Path(name).stem, text) <= 0.4
    numbers = [each["segment"] for each in records if each["type"] == "segment"]
    assert numbers == list(range(1, len(numbers) + 1))
    first, second = result.stderr.splitlines()
    assert re.fullmatch(r"lsg: error: .*missing\.wav: No such file or directory", first)
    assert re.fullmatch(r"lsg: error: .*empty is empty", second)
    assert result.code == 1


def test_the_list_may_be_written_while_it_is_read(tmp_path):
    """The model is loaded once, and each recording is heard when it is named."""
    process = subprocess.Popen(
        [*LSG, "asr", "--files-from", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=environment(), text=True,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    for file in (DASHWOOD, JFK, DASHWOOD):
        process.stdin.write(f"{file}\n")
        process.stdin.flush()
        assert process.stdout.readline().strip()  # of a recording there may be more lines
    out, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert "Dashwood" in out


def test_a_list_in_a_file(tmp_path):
    (tmp_path / "list").write_text(f"{DASHWOOD}\n{JFK}")
    result = run_lsg("asr", "--files-from", tmp_path / "list")
    assert result.code == 0
    assert result.text == run_lsg("asr", DASHWOOD, JFK).text
    check_error(run_lsg("asr", "--files-from", "nowhere"), 1, "nowhere: No such file")
    check_error(run_lsg("asr", "--files-from", "-", JFK), 2, "exclude each other")
    check_error(run_lsg("asr", "--files-from", "-", "-f", "srt"), 2, "one at a time")


def test_names_in_any_locale(tmp_path):
    """The tests run in the C locale."""
    file = tmp_path / "Künstler.flac"
    shutil.copyfile(DASHWOOD, file)
    listed = run_lsg("asr", "-f", "jsonl", "--files-from", "-", stdin=os.fsencode(file) + b"\n")
    named = run_lsg("asr", "-f", "jsonl", file)
    for result in (listed, named):
        assert result.code == 0
        assert json.loads(result.lines[0]) == {"type": "recording", "name": str(file)}


def test_what_is_missing_is_told_before_a_model_is_fetched(tmp_path):
    """The Hub is out of reach here: that would be told, were it asked."""
    surroundings: dict[str, Any] = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    for name, message in (("missing.wav", "No such file"), (str(tmp_path), "Is a directory")):
        result = run_lsg("asr", "--model", "small", JFK, name, **surroundings)
        check_error(result, 1, message)


@pytest.mark.parametrize("quiet", [0, 1])
def test_both_channels_are_heard(tmp_path, quiet):
    said = np.concatenate(list(decode(DASHWOOD)))
    channels = np.stack([said, said], axis=1)
    channels[:, quiet] = 0
    samples = (channels * 32767).astype("<i2").tobytes()
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((2, 2, 16000, 0, "NONE", ""))
        out.writeframes(samples)
    with av.open(str(tmp_path / "a.flac"), "w") as container:
        stream = container.add_stream("flac", rate=16000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(samples, "<i2").reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate = 16000
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    raw = run_lsg("asr", "--raw", "s16le", "--channels", "2", stdin=samples)
    for result in (run_lsg("asr", tmp_path / "a.wav"), run_lsg("asr", tmp_path / "a.flac"), raw):
        assert errors("en_ss_0870", result.text) <= 0.15


# ---------------------------------------------------------------- how sure it is


def test_words_have_times_and_probabilities():
    result = run_lsg("asr", "-f", "jsonl", DASHWOOD)
    segments = [each for each in map(json.loads, result.lines) if each["type"] == "segment"]
    words = [word for each in segments for word in each["words"]]
    assert errors("en_ss_0870", " ".join(word["text"] for word in words)) <= 0.15
    assert all(0 <= word["start"] <= word["end"] <= 7.2 for word in words)
    assert all(0 < word["probability"] <= 1 for word in words)
    assert sum(word["probability"] for word in words) / len(words) > 0.8
    assert all(0 <= each["no_speech"] < 0.5 for each in segments)


def test_what_was_not_said_so_is_less_probable(tmp_path):
    """The same words, in noise."""
    said = np.concatenate(list(decode(DASHWOOD)))
    noise = np.random.default_rng(1).standard_normal(len(said)) * np.std(said) * 0.7
    (tmp_path / "noisy.raw").write_bytes(((said + noise) * 16000).astype("<i2").tobytes())

    def sure(*arguments: str | Path) -> float:
        lines = run_lsg("asr", "-f", "tsv", "--confidence", *arguments).lines
        shares = [int(line.split("\t")[5].rstrip("%")) for line in lines[1:]]
        return sum(shares) / len(shares)

    assert sure("--raw", "s16le", tmp_path / "noisy.raw") < sure(DASHWOOD) - 3


def test_confidence_in_text():
    lines = run_lsg("asr", "--confidence", JFK).lines
    for line in lines:
        text, shares = line.split("\t")
        assert len(shares.split()) == len(text.split())
        assert all(re.fullmatch(r"\d+%", share) for share in shares.split())
    assert errors("en_jfk", " ".join(line.split("\t")[0] for line in lines)) <= 0.4
    check_error(
        run_lsg("asr", "--confidence", "-f", "srt", JFK), 2, "belongs to --format text, tsv"
    )


def test_speech_without_words_is_told():
    """A policy that waits for 33 segments before the first word."""
    said = (np.concatenate([*decode(DASHWOOD)] * 3) * 32767).astype("<i2").tobytes()
    asr = ("asr", "--raw", "s16le", "--policy", "wait-k", "-k", "33")
    result = run_lsg(*asr, stdin=said)
    assert (result.code, result.text.count("Dashwood") > 0) == (0, True)
    assert re.fullmatch(r"lsg: warning: 20 s of speech .* is it English, .*\n", result.stderr)
    assert run_lsg(*asr, stdin=said[: 32000 * 15]).stderr == ""
