"""A recorded stream runs again, the same or with other settings."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lsgcli.errors import InputError
from lsgcli.text.recording import Replay

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [
    b"I ",
    b"am ",
    b"looking ",
    b"for ",
    b"a ",
    b"small ",
    b"house ",
    b"near ",
    b"the ",
    b"sea.\n",
]
LSG = [sys.executable, "-m", "lsgcli"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rec") / "stream.jsonl"
    command = [*LSG, "translate", "--to", "de", "--latency", "low", "--record", str(file)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    time.sleep(0.5)
    for word in WORDS:
        process.stdin.write(word)
        process.stdin.flush()
        time.sleep(0.05)
    process.communicate()
    assert process.returncode == 0
    return file


def lsg(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LSG, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


def test_the_recording_holds_every_byte_and_the_options(recorded: Path) -> None:
    header, *pieces = map(json.loads, recorded.read_text().splitlines())
    assert header["arguments"] == ["--to", "de", "--latency", "low"]
    times = [piece["at"] for piece in pieces]
    assert times[0] == 0
    assert times == sorted(times)
    replay = Replay(recorded)
    data = b""
    while not replay.ended:
        chunk = replay.get()
        data += chunk.data if chunk else b""
    assert data == b"".join(WORDS)


def test_a_replay_is_always_the_same(recorded: Path) -> None:
    first, second = (lsg("replay", str(recorded), "--explain") for _ in range(2))
    assert first.returncode == 0
    assert "READ" in first.stderr
    assert (first.stdout, first.stderr) == (second.stdout, second.stderr)


def test_a_replay_takes_other_settings(recorded: Path) -> None:
    result = lsg("replay", str(recorded), "-L", "7", "--format", "jsonl")
    first = next(json.loads(line) for line in result.stdout.splitlines() if '"write"' in line)
    assert first["delay"] >= 7


def test_a_pause_is_a_pause_again(tmp_path: Path) -> None:
    file = tmp_path / "typed.jsonl"
    file.write_text('{"arguments":[]}\n{"at":0,"data":"YQ=="}\n{"at":5,"data":"Yg=="}\n')
    replay = Replay(file)
    assert replay.get(2.0).data == b"a"
    assert replay.get(0) is None
    assert replay.get(2.0) is None
    assert not replay.ended
    assert replay.get(None).data == b"b"
    assert replay.get(2.0) is None
    assert replay.ended


@pytest.mark.parametrize(
    ("content", "line"),
    [("", ""), ("nonsense\n", ":1"), ('{"arguments":[]}\n{"at":1}\n', ":2"), ("\xff\n", ":1")],
)
def test_what_is_no_recording(tmp_path: Path, content: str, line: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=rf"x\.jsonl{line}: not a recording"):
        Replay(file)
    result = lsg("replay", str(file))
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1


def test_an_option_that_does_not_exist(recorded: Path) -> None:
    result = lsg("replay", str(recorded), "--nope")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
